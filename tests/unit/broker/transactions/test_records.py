from __future__ import annotations

import pytest

from broker.transactions.records import decode, encode
from broker.transactions.states import TransactionState
from broker.transactions.stored import Record, StoredTransaction
from ottla.core.errors import DecodeError
from ottla.protocol.messages.transaction_log_value import PartitionsSchema, TransactionLogValue

FULL = StoredTransaction(
    producer_id=7,
    producer_epoch=3,
    timeout_ms=60_000,
    state=TransactionState.PREPARE_COMMIT,
    update_timestamp_ms=2_000,
    start_timestamp_ms=1_000,
    partitions=frozenset({("t", 0), ("t", 5), ("u", 1)}),
    client_version=2,
    previous_producer_id=6,
    next_producer_id=8,
)
EMPTY = StoredTransaction(7, 0, 60_000, TransactionState.EMPTY, 2_000)


@pytest.mark.parametrize("stored", [FULL, EMPTY, None])
def test_what_was_stored_is_read_again(stored: StoredTransaction | None) -> None:
    record = Record("tx", stored)
    key, value = encode(record)
    assert decode(key, value) == record


def test_the_version_before_is_read() -> None:
    value = TransactionLogValue(
        producer_id=7,
        producer_epoch=3,
        transaction_timeout_ms=9,
        transaction_status=1,
        transaction_partitions=[PartitionsSchema("t", [4])],
        transaction_last_update_timestamp_ms=2,
        transaction_start_timestamp_ms=1,
    )
    key, _ = encode(Record("tx", None))
    record = decode(key, b"\0\0" + value.encode(0))
    assert record is not None
    assert record.transaction == StoredTransaction(
        7, 3, 9, TransactionState.ONGOING, 2, 1, frozenset({("t", 4)})
    )


def test_what_kafka_is_about_to_delete_is_gone() -> None:
    key, _ = encode(Record("tx", None))
    dead = TransactionLogValue(transaction_status=6, transaction_partitions=None)
    assert decode(key, b"\0\1" + dead.encode(1)) == Record("tx", None)


def test_keys_of_other_kinds_are_passed_by_and_damage_is_not() -> None:
    assert decode(b"\0\7rest", b"x") is None
    key, value = encode(Record("tx", FULL))
    assert value is not None
    with pytest.raises(DecodeError):
        decode(b"\0", value)
    with pytest.raises(DecodeError):
        decode(key, value[:20])
    future = TransactionLogValue(transaction_status=77, transaction_partitions=None)
    with pytest.raises(DecodeError, match="state 77"):
        decode(key, b"\0\1" + future.encode(1))
