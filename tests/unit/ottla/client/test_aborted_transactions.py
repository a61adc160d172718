from __future__ import annotations

import random

import pytest

from ottla.client.aborted_transactions import AbortedTransactions
from ottla.core.errors import DecodeError
from ottla.record.batch import iter_records, read_header
from ottla.record.build import build_batch
from ottla.record.control import end_transaction_batch
from tests.support.fake_kafka import FakePartition


def append(partition: FakePartition, batch: bytearray) -> None:
    batch[0:8] = partition.end_offset.to_bytes(8, "big")
    header = read_header(batch)
    partition.batches.append((header, bytes(batch)))
    partition.end_offset = header.next_offset


def written(producer_id: int, value: bytes, *, transactional: bool = True) -> bytearray:
    return build_batch(
        [(None, value, (), 5)],
        producer_id=producer_id,
        producer_epoch=0,
        base_sequence=0,
        transactional=transactional,
    )


def marker(producer_id: int, *, is_commit: bool) -> bytearray:
    return end_transaction_batch(producer_id, 0, 0, is_commit=is_commit, timestamp_ms=5)


def read(partition: FakePartition, aborted: list[tuple[int, int]], start: int = 0) -> list[bytes]:
    filtered = AbortedTransactions(aborted)
    found: list[bytes] = []
    for header, data in partition.batches:
        if header.last_offset < start:
            continue
        records = list(iter_records(data, 0, header))
        covered = filtered.covers(header, lambda records=records: records[0].key)  # type: ignore[misc]
        if not covered and not header.is_control:
            found += [record.value or b"" for record in records]
    return found


def test_a_producers_next_transaction_is_read_again() -> None:
    partition = FakePartition(leader_id=1)
    append(partition, written(7, b"first"))
    append(partition, marker(7, is_commit=True))
    append(partition, written(7, b"gone"))
    append(partition, written(8, b"of another"))
    append(partition, marker(7, is_commit=False))
    append(partition, written(7, b"second"))
    append(partition, marker(7, is_commit=True))
    assert read(partition, [(7, 2)]) == [b"first", b"of another", b"second"]
    assert read(partition, []) == [b"first", b"gone", b"of another", b"second"]


def test_two_aborted_transactions_of_one_producer() -> None:
    partition = FakePartition(leader_id=1)
    for _ in range(2):
        append(partition, written(7, b"gone"))
        append(partition, marker(7, is_commit=False))
        append(partition, written(7, b"kept"))
        append(partition, marker(7, is_commit=True))
    assert read(partition, [(7, 4), (7, 0)]) == [b"kept", b"kept"]


def test_a_fetch_from_the_middle_of_an_aborted_transaction() -> None:
    partition = FakePartition(leader_id=1)
    for value in (b"gone", b"gone too"):
        append(partition, written(7, value))
    append(partition, marker(7, is_commit=False))
    assert read(partition, [(7, 0)], start=1) == []


def test_what_is_in_no_transaction_is_read() -> None:
    partition = FakePartition(leader_id=1)
    append(partition, written(7, b"idempotent", transactional=False))
    append(partition, written(-1, b"plain", transactional=False))
    assert read(partition, [(7, 0)]) == [b"idempotent", b"plain"]


def test_a_marker_that_compaction_left_without_its_record() -> None:
    header = read_header(marker(7, is_commit=False))
    filtered = AbortedTransactions([(7, 0)])
    assert filtered.covers(read_header(written(7, b"gone")), lambda: None)
    assert not filtered.covers(header, lambda: None)
    assert filtered.covers(read_header(written(7, b"gone")), lambda: None)
    with pytest.raises(DecodeError, match="control record"):
        filtered.covers(header, lambda: b"x")


def test_any_interleaving() -> None:
    """Against the plain rule: the values of transactions that did not abort."""
    for seed in range(50):
        source = random.Random(seed)
        partition = FakePartition(leader_id=1)
        running: dict[int, list[bytes]] = {}
        order: list[bytes] = []
        fate: dict[bytes, bool] = {}
        for number in range(40):
            producer_id = source.randrange(3)
            value = b"%d" % number
            if producer_id in running and source.random() < 0.4:
                is_commit = source.random() < 0.5
                append(partition, marker(producer_id, is_commit=is_commit))
                fate.update(dict.fromkeys(running.pop(producer_id), is_commit))
            else:
                append(partition, written(producer_id, value))
                running.setdefault(producer_id, []).append(value)
                order.append(value)
        for producer_id, values in running.items():
            append(partition, marker(producer_id, is_commit=True))
            fate.update(dict.fromkeys(values, True))
        aborted = [(producer_id, first) for producer_id, first, _ in partition.aborted()]
        source.shuffle(aborted)
        assert read(partition, aborted) == [value for value in order if fate[value]]
