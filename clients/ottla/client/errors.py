"""What can go wrong between a client and a cluster; every message is a sentence for people."""

from __future__ import annotations

from ottla.core.errors import ErrorCode, OttlaError, ProtocolError


class ClientError(OttlaError):
    """The base of the client's own errors."""


class NoClusterError(ClientError):
    """None of the bootstrap addresses, and no broker known from them, answers."""


class ConnectionLostError(ClientError):
    """A connection failed, was closed, or its answer did not come in time; a retry may help."""


class DeadlineError(ClientError):
    """Something that is retried did not succeed within its deadline."""


class UnsupportedApiError(ClientError):
    """The broker does not serve an API, or none of the versions that this client speaks."""


class DeliveryError(ClientError):
    """Records that were given to a producer are not known to be in the cluster."""


class TransactionAbortableError(ClientError):
    """The open transaction can only be aborted; after that the producer goes on."""


class FatalTransactionError(ClientError):
    """The transactional producer can do nothing any more but be closed."""


class ProducerFencedError(FatalTransactionError):
    """Another producer has taken over the transactional id."""


_PHRASES: dict[ErrorCode, str] = {
    ErrorCode.UNKNOWN_TOPIC_OR_PARTITION: "does not exist; 'ottla topic list' shows what does",
    ErrorCode.TOPIC_ALREADY_EXISTS: "already exists",
    ErrorCode.LEADER_NOT_AVAILABLE: "has no leader at the moment",
    ErrorCode.NOT_LEADER_OR_FOLLOWER: "has moved to another broker",
    ErrorCode.NOT_ENOUGH_REPLICAS: "has fewer in-sync replicas than min.insync.replicas asks for",
    ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND: (
        "was written, but fewer replicas than min.insync.replicas asks for confirmed it"
    ),
    ErrorCode.REQUEST_TIMED_OUT: "took the cluster longer than the time-out",
    ErrorCode.MESSAGE_TOO_LARGE: "is larger than the topic's max.message.bytes allows",
    ErrorCode.INVALID_TOPIC_EXCEPTION: (
        "is no legal topic name: only ASCII letters, digits, '.', '_' and '-', at most 249"
    ),
    ErrorCode.INVALID_REPLICATION_FACTOR: (
        "asks for more replicas than there are brokers, or fewer than one"
    ),
    ErrorCode.INVALID_PARTITIONS: "asks for an impossible number of partitions",
    ErrorCode.OFFSET_OUT_OF_RANGE: "has no such offset (any more)",
    ErrorCode.COORDINATOR_NOT_AVAILABLE: "has no coordinator at the moment",
    ErrorCode.COORDINATOR_LOAD_IN_PROGRESS: "is being loaded by its coordinator",
    ErrorCode.NOT_COORDINATOR: "has moved to another coordinator",
    ErrorCode.GROUP_ID_NOT_FOUND: "does not exist",
    ErrorCode.TRANSACTIONAL_ID_NOT_FOUND: "is not known to its coordinator",
    ErrorCode.CONCURRENT_TRANSACTIONS: "is still being ended in the transaction before",
    ErrorCode.PRODUCER_FENCED: "was taken over by another producer",
    ErrorCode.INVALID_PRODUCER_EPOCH: "was taken over by another producer",
    ErrorCode.INVALID_TXN_STATE: "is in no state that allows this",
    ErrorCode.INVALID_PRODUCER_ID_MAPPING: "belongs to another producer id, or was forgotten",
    ErrorCode.TRANSACTION_ABORTABLE: "cannot be committed in this transaction, only aborted",
    ErrorCode.INVALID_TRANSACTION_TIMEOUT: (
        "asks for a longer time-out than the brokers' transaction.max.timeout.ms"
    ),
    ErrorCode.KAFKA_STORAGE_ERROR: "is on a disk that failed",
    ErrorCode.TOPIC_AUTHORIZATION_FAILED: "may not be used by this client",
    ErrorCode.GROUP_AUTHORIZATION_FAILED: "may not be used by this client",
    ErrorCode.UNSUPPORTED_VERSION: "needs a version of the protocol that the broker does not speak",
}


def protocol_error(code: int, subject: str, message: str | None = None) -> ProtocolError:
    """The error `code` about `subject` (``topic 'orders'``), in a sentence.

    `message` is the broker's own, which says more than ours where there is one.
    """
    try:
        known = ErrorCode(code)
    except ValueError:
        return ProtocolError(
            ErrorCode.UNKNOWN_SERVER_ERROR, f"{subject}: the cluster answered error {code}"
        )
    if message:
        return ProtocolError(known, message if subject in message else f"{subject}: {message}")
    phrase = _PHRASES.get(known)
    if phrase is None:
        return ProtocolError(known, f"{subject}: the cluster answered {known.name}")
    return ProtocolError(known, f"{subject} {phrase}")


def check_code(code: int, subject: str, message: str | None = None) -> None:
    """Raise `protocol_error` unless `code` is 0."""
    if code:
        raise protocol_error(code, subject, message)


def sentence(error: BaseException) -> str:
    """What to show a person: without the code that `ProtocolError` puts in front."""
    if isinstance(error, ProtocolError) and error.message:
        return error.message
    return str(error) or type(error).__name__
