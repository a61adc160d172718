"""Records of __transaction_state in Kafka's schemas, so that Kafka's tools read them.

    key     version int16 = 0 | TransactionLogKey
    value   version int16 | TransactionLogValue      null is a tombstone

Values are written in version 1, which has the fields of KIP-890, as Kafka does with
transaction.version 2; version 0 is read.
"""

from __future__ import annotations

from struct import Struct
from typing import Final

from broker.transactions.seams import TopicPartition
from broker.transactions.states import TransactionState
from broker.transactions.stored import Record, StoredTransaction
from ottla.core.errors import DecodeError
from ottla.protocol.messages.transaction_log_key import TransactionLogKey
from ottla.protocol.messages.transaction_log_value import PartitionsSchema, TransactionLogValue

_VERSION: Final = Struct(">h")
_KEY: Final = 0
_VALUE: Final = 1


def encode(record: Record) -> tuple[bytes, bytes | None]:
    """Key and value. ValueError: a transactional id longer than 32,767 bytes."""
    key = _VERSION.pack(_KEY) + TransactionLogKey(record.transactional_id).encode(_KEY)
    return key, None if record.transaction is None else _encode_value(record.transaction)


def _encode_value(transaction: StoredTransaction) -> bytes:
    topics: dict[str, list[int]] = {}
    for topic, index in sorted(transaction.partitions):
        topics.setdefault(topic, []).append(index)
    value = TransactionLogValue(
        producer_id=transaction.producer_id,
        previous_producer_id=transaction.previous_producer_id,
        next_producer_id=transaction.next_producer_id,
        producer_epoch=transaction.producer_epoch,
        transaction_timeout_ms=transaction.timeout_ms,
        transaction_status=int(transaction.state),
        # As Kafka: null while there is none that could have partitions.
        transaction_partitions=(
            None
            if transaction.state is TransactionState.EMPTY
            else [PartitionsSchema(topic, indexes) for topic, indexes in topics.items()]
        ),
        transaction_last_update_timestamp_ms=transaction.update_timestamp_ms,
        transaction_start_timestamp_ms=transaction.start_timestamp_ms,
        client_transaction_version=transaction.client_version,
    )
    return _VERSION.pack(_VALUE) + value.encode(_VALUE)


def decode(key: bytes, value: bytes | None) -> Record | None:
    """The inverse of `encode`; None for unknown kinds of keys.

    DecodeError: damaged, or a value of a version or state from the future.
    """
    if _version(key, "key") != _KEY:
        return None
    transactional_id = TransactionLogKey.decode(key, _KEY, 2).transactional_id
    if value is None:
        return Record(transactional_id, None)
    stored = TransactionLogValue.decode(value, _version(value, "value"), 2)
    try:
        state = TransactionState(stored.transaction_status)
    except ValueError as error:
        raise DecodeError(f"a transaction in state {stored.transaction_status}") from error
    if state is TransactionState.DEAD:
        return Record(transactional_id, None)
    partitions: set[TopicPartition] = {
        (topic.topic, index)
        for topic in stored.transaction_partitions or ()
        for index in topic.partition_ids
    }
    return Record(
        transactional_id,
        StoredTransaction(
            producer_id=stored.producer_id,
            producer_epoch=stored.producer_epoch,
            timeout_ms=stored.transaction_timeout_ms,
            state=state,
            update_timestamp_ms=stored.transaction_last_update_timestamp_ms,
            start_timestamp_ms=stored.transaction_start_timestamp_ms,
            partitions=frozenset(partitions),
            client_version=stored.client_transaction_version,
            previous_producer_id=stored.previous_producer_id,
            next_producer_id=stored.next_producer_id,
        ),
    )


def _version(data: bytes, what: str) -> int:
    if len(data) < 2:
        raise DecodeError(f"a {what} of __transaction_state has {len(data)} bytes")
    version: int = _VERSION.unpack_from(data)[0]
    return version
