"""What compaction keeps of a batch."""

from __future__ import annotations

import pytest

from ottla.core.errors import DecodeError
from ottla.record.batch import Record, crc_matches, iter_records, read_header
from ottla.record.build import build_batch
from ottla.record.compression import Buffer, Compression
from storage.compaction.filter import BatchFilter, note_keys
from storage.compaction.job import LastBatch
from storage.compaction.key_map import KeyMap
from storage.compaction.transactions import TransactionFilter
from storage.transaction_index import AbortedTransaction
from tests.support.compaction import keyed
from tests.support.disk import marker, replicated

NOW = 50_000


def stored(batch: memoryview, base_offset: int = 0) -> bytes:
    return bytes(replicated(batch, base_offset=base_offset, leader_epoch=3))


def filter_of(
    last_offsets: dict[bytes, int],
    *,
    keys_end: int = 1_000,
    aborted: tuple[AbortedTransaction, ...] = (),
    producers: dict[int, LastBatch] | None = None,
    timestamp_ms: int = NOW,
) -> BatchFilter:
    keys = KeyMap(100)
    for key, offset in last_offsets.items():
        keys.put(key, offset)
    return BatchFilter(
        keys,
        keys_end,
        TransactionFilter(aborted, 0),
        producers or {},
        timestamp_ms=timestamp_ms,
        delete_retention_ms=1_000,
    )


def apply(one: BatchFilter, batch: bytes, *, must_stay: bool = False) -> Buffer | None:
    return one.apply(batch, read_header(batch), must_stay=must_stay)


def records(batch: Buffer | None) -> list[Record]:
    assert batch is not None
    header = read_header(batch)
    assert header.size == len(batch)
    assert crc_matches(batch, 0, header)
    found = list(iter_records(batch, 0, header))
    assert len(found) == header.record_count
    return found


def test_a_batch_whose_records_are_all_the_last_stays_as_it_is() -> None:
    batch = stored(keyed((b"a", b"1"), (b"b", b"2")))
    one = filter_of({b"a": 0, b"b": 1})
    assert apply(one, batch) is batch
    assert (one.records_before, one.records_after) == (2, 2)


@pytest.mark.parametrize("codec", list(Compression))
def test_overwritten_records_go_and_offsets_stay(codec: Compression) -> None:
    batch = stored(
        keyed((b"a", b"1"), (b"b", b"2"), (b"a", b"3"), (b"c", b"4"), compression=codec), 10
    )
    one = filter_of({b"a": 12, b"b": 40, b"c": 44})
    kept = apply(one, batch)
    assert [(r.offset, r.key, r.value, r.timestamp) for r in records(kept)] == [
        (12, b"a", b"3", 1_002)
    ]
    assert kept is not None
    before, after = read_header(batch), read_header(kept)
    assert (after.base_offset, after.last_offset, after.leader_epoch) == (10, 13, 3)
    assert (after.compression, after.max_timestamp) == (before.compression, 1_002)
    assert (one.records_before, one.records_after) == (4, 1)


def test_beyond_the_end_of_the_map_everything_stays() -> None:
    batch = stored(keyed((b"a", b"1"), (None, b"2")), 10)
    assert apply(filter_of({b"a": 99}, keys_end=10), batch) is batch


def test_records_without_a_key_go() -> None:
    batch = stored(keyed((None, b"1"), (b"a", b"2")))
    assert [r.value for r in records(apply(filter_of({b"a": 1}), batch))] == [b"2"]


def test_a_batch_that_lost_everything_goes_unless_it_must_stay() -> None:
    batch = stored(keyed((b"a", b"1"), compression=Compression.GZIP), 4)
    assert apply(filter_of({b"a": 9}), batch) is None
    kept = apply(filter_of({b"a": 9}), batch, must_stay=True)
    assert records(kept) == []
    assert kept is not None
    header = read_header(kept)
    assert (header.base_offset, header.last_offset, header.max_timestamp) == (4, 4, 1_000)
    assert header.compression is Compression.NONE
    again = bytes(kept)
    assert apply(filter_of({}), again, must_stay=True) is again
    assert apply(filter_of({}), again) is None


def test_the_last_batch_of_a_producer_keeps_its_header() -> None:
    batch = stored(keyed((b"a", b"1"), producer_id=7, sequence=5), 4)
    kept = apply(filter_of({b"a": 9}, producers={7: LastBatch(4, 0)}), batch)
    assert kept is not None
    header = read_header(kept)
    assert (header.producer_id, header.producer_epoch, header.last_sequence) == (7, 0, 5)
    assert apply(filter_of({b"a": 9}, producers={7: LastBatch(8, 0)}), batch) is None


def test_a_tombstone_gets_a_horizon_and_goes_after_it() -> None:
    batch = stored(keyed((b"a", b"x"), (b"a", None), (b"b", b"2"), timestamp_ms=7))
    last = {b"a": 1, b"b": 2}
    kept = bytes(apply(filter_of(last), batch) or b"")
    header = read_header(kept)
    assert header.delete_horizon_ms == NOW + 1_000
    assert [(r.key, r.value, r.timestamp) for r in records(kept)] == [
        (b"a", None, 8), (b"b", b"2", 9)
    ]  # fmt: skip
    before = filter_of(last, timestamp_ms=NOW + 999)
    assert apply(before, kept) is kept
    after = apply(filter_of(last, timestamp_ms=NOW + 1_000), kept)
    assert [(r.key, r.timestamp) for r in records(after)] == [(b"b", 9)]
    assert after is not None
    assert read_header(after).delete_horizon_ms == NOW + 1_000


def test_a_tombstone_is_the_last_word_of_its_key() -> None:
    batch = stored(keyed((b"a", None)), 3)
    assert apply(filter_of({b"a": 9}), batch) is None


def test_aborted_records_go_and_their_marker_waits_for_its_horizon() -> None:
    aborted = (AbortedTransaction(7, 0, 2, 3),)
    data = stored(keyed((b"a", b"1"), (b"b", b"2"), producer_id=7, sequence=0, transactional=True))
    end = stored(marker(7, commit=False), 2)
    first = filter_of({}, aborted=aborted)
    assert apply(first, data) is None
    assert apply(first, end) is end  # its records are gone only now
    second = bytes(apply(filter_of({}, aborted=aborted), end) or b"")
    assert read_header(second).delete_horizon_ms == NOW + 1_000
    assert records(second)[0].timestamp == 1_000
    late = filter_of({}, aborted=aborted, timestamp_ms=NOW + 2_000)
    assert apply(late, second) is None
    assert apply(filter_of({}, timestamp_ms=NOW + 2_000), second, must_stay=True) is second


def test_committed_records_are_like_any_and_keep_their_marker() -> None:
    data = stored(keyed((b"a", b"1"), producer_id=7, sequence=0, transactional=True))
    end = stored(marker(7), 1)
    one = filter_of({b"a": 0})
    assert apply(one, data) is data
    assert apply(one, end) is end


def test_log_append_time_stays() -> None:
    batch = bytes(
        build_batch([(b"a", b"1", (), 5), (b"b", b"2", (), 6)], log_append_time=NOW, leader_epoch=0)
    )
    kept = apply(filter_of({b"a": 9, b"b": 1}), batch)
    assert [(r.key, r.timestamp) for r in records(kept)] == [(b"b", NOW)]


def test_keys_are_taken_until_there_is_no_room() -> None:
    keys = KeyMap(2)
    batch = stored(keyed((b"a", b"1"), (b"b", b"2"), (b"a", b"3"), (None, b"-")))
    assert note_keys(keys, batch, read_header(batch), 0)
    assert (keys.last_offset(b"a"), keys.last_offset(b"b")) == (2, 1)
    more = stored(keyed((b"a", b"4"), (b"c", b"5")), 9)
    assert not note_keys(keys, more, read_header(more), 0)
    assert keys.last_offset(b"c") is None
    long = KeyMap(2)
    long.put(b"x" * 100, 1)
    long.put(b"x" * 101, 2)
    assert (long.last_offset(b"x" * 100), long.last_offset(b"x" * 101)) == (1, 2)


def test_damage_is_told() -> None:
    batch = bytearray(stored(keyed((b"a", b"1"), (b"b", b"2"))))
    batch[61] = 0x7E  # the first record's length
    with pytest.raises(DecodeError):
        apply(filter_of({}), bytes(batch))
