"""How a failed append is told to a client of a coordinator (SAFETY rule 16).

Clients know few codes in a coordinator's answers: a raw NOT_ENOUGH_REPLICAS in an OffsetCommit is
fatal to the Java consumer, while COORDINATOR_NOT_AVAILABLE makes it try again and NOT_COORDINATOR
makes it look for the coordinator anew.
"""

from __future__ import annotations

from typing import Final

from ottla.core.errors import ErrorCode, ProtocolError

_NOT_AVAILABLE: Final = frozenset(
    {
        ErrorCode.NOT_ENOUGH_REPLICAS,
        ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
        ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
        ErrorCode.UNKNOWN_TOPIC_ID,
        ErrorCode.REQUEST_TIMED_OUT,
        ErrorCode.COORDINATOR_NOT_AVAILABLE,
    }
)
_NOT_COORDINATOR: Final = frozenset(
    {
        ErrorCode.NOT_LEADER_OR_FOLLOWER,
        ErrorCode.FENCED_LEADER_EPOCH,
        ErrorCode.UNKNOWN_LEADER_EPOCH,
        ErrorCode.KAFKA_STORAGE_ERROR,
        ErrorCode.NOT_COORDINATOR,
    }
)


def translate(error: BaseException) -> ProtocolError:
    """What the requests are answered that a failed append or wait concerns.

    Codes without a rule, a batch that is too large for the topic above all, would fail in the same
    way again: UNKNOWN_SERVER_ERROR.
    """
    if isinstance(error, ProtocolError):
        if error.code in _NOT_AVAILABLE:
            return ProtocolError(ErrorCode.COORDINATOR_NOT_AVAILABLE, str(error))
        if error.code in _NOT_COORDINATOR:
            return ProtocolError(ErrorCode.NOT_COORDINATOR, str(error))
        return ProtocolError(ErrorCode.UNKNOWN_SERVER_ERROR, str(error))
    if isinstance(error, OSError):
        return ProtocolError(ErrorCode.NOT_COORDINATOR, "the log of the coordinator failed")
    return ProtocolError(ErrorCode.UNKNOWN_SERVER_ERROR, "the coordinator failed; see its log")
