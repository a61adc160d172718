from __future__ import annotations

import pytest
from crc32c import crc32c

from ottla.record.batch import ATTRIBUTES_POSITION, CRC_POSITION
from ottla.record.build import build_batch
from storage.config import LogConfig, TimestampType
from storage.log import Log
from tests.support.disk import SMALL, Disk, append, batch, fill


@pytest.fixture(params=["growing", "stored"])
def log(request: pytest.FixtureRequest) -> Log:
    """40 batches of two records; offset n has timestamp 1000 + 10 * (n // 2) + n % 2."""
    disk = Disk()
    log = disk.open()
    for number in range(40):
        append(log, batch(2, 60, 1_000 + 10 * number))
    assert log.segment_count > 5
    return disk.restart() if request.param == "stored" else log


def test_the_first_record_at_or_after_a_time(log: Log) -> None:
    for number in range(40):
        time = 1_000 + 10 * number
        assert log.offset_for_timestamp(time, 80) == (time, 2 * number, 0)
        assert log.offset_for_timestamp(time + 1, 80) == (time + 1, 2 * number + 1, 0)
        following = (time + 10, 2 * number + 2, 0) if number < 39 else None
        assert log.offset_for_timestamp(time + 2, 80) == following
    assert log.offset_for_timestamp(0, 80) == (1_000, 0, 0)
    assert log.offset_for_timestamp(9_999, 80) is None


def test_no_record_at_or_beyond_the_end(log: Log) -> None:
    assert log.offset_for_timestamp(1_200, 40) is None
    assert log.offset_for_timestamp(1_200, 41) == (1_200, 40, 0)
    assert log.offset_for_timestamp(1_201, 41) is None
    assert log.offset_for_timestamp(0, 0) is None


def test_nor_before_the_logs_start(log: Log) -> None:
    log.advance_log_start(33)
    assert log.offset_for_timestamp(0, 80) == (1_161, 33, 0)
    assert log.offset_for_timestamp(1_000, 80) == (1_161, 33, 0)


def test_the_largest_time(log: Log) -> None:
    assert log.max_timestamp_offset(80) == (1_391, 79, 0)
    for end in range(2, 80, 2):
        newest = 1_000 + 10 * (end // 2 - 1) + 1
        assert log.max_timestamp_offset(end) == (newest, end - 1, 0)
    assert log.max_timestamp_offset(0) is None


def test_times_that_go_back() -> None:
    log = Disk().open()
    for time in (500, 900, 100, 900, 50, 700):
        append(log, batch(1, 10, time))
    assert log.offset_for_timestamp(600, 6) == (900, 1, 0)
    assert log.offset_for_timestamp(100, 6) == (500, 0, 0)
    assert log.max_timestamp_offset(6) == (900, 1, 0)
    assert log.max_timestamp_offset(1) == (500, 0, 0)


def test_records_without_a_time() -> None:
    log = Disk().open()
    append(log, batch(1, 10, -1))
    assert log.max_timestamp_offset(1) is None
    assert log.offset_for_timestamp(0, 1) is None
    append(log, batch(1, 10, 5))
    assert log.max_timestamp_offset(2) == (5, 1, 0)


def test_log_append_time_is_that_of_the_whole_batch() -> None:
    log = Disk(LogConfig(timestamp_type=TimestampType.LOG_APPEND_TIME)).open()
    append(log, batch(3))
    append(log, batch(3))
    assert log.offset_for_timestamp(4_000, 6) == (5_000, 0, 0)
    log.advance_log_start(1)
    assert log.offset_for_timestamp(4_000, 6) == (5_000, 1, 0)
    assert log.max_timestamp_offset(6) == (5_000, 0, 0)


def test_a_batch_that_does_not_decompress_gives_its_start() -> None:
    log = Disk().open()
    data = bytearray(build_batch([(b"k", b"v" * 50, (), 1_000)]))
    data[ATTRIBUTES_POSITION + 1] |= 1  # says gzip
    data[CRC_POSITION : CRC_POSITION + 4] = crc32c(data[ATTRIBUTES_POSITION:]).to_bytes(4, "big")
    append(log, memoryview(data))
    assert log.offset_for_timestamp(900, 1) == (1_000, 0, 0)


@pytest.mark.parametrize("stored", [False, True])
def test_slices_from_any_offset_to_any_end(stored: bool) -> None:
    disk = Disk(LogConfig(segment_bytes=100_000, index_interval_bytes=300))
    log = disk.open()
    fill(log, 400, 40)  # more than the boundaries in memory
    if stored:
        log = disk.restart()
    size = log.size_bytes // 400
    for offset in (0, 1, 7, 99, 143, 144, 200, 399):
        for end_offset in (0, 1, 50, 144, 145, 250, 400):
            for max_bytes in (1, size - 1, size, size + 1, 5 * size, 10**9):
                piece = log.read(offset, max_bytes, end_offset=end_offset)
                strict = log.read(offset, max_bytes, end_offset=end_offset, at_least_one=False)
                count = min(max_bytes // size, end_offset - offset)
                if offset >= end_offset:
                    assert piece is strict is None
                    continue
                assert piece is not None
                assert (piece.base_offset, piece.position) == (offset, offset * size)
                assert piece.size == max(count, 1) * size
                assert (strict.size if strict else 0) == count * size


def test_an_end_within_a_batch_leaves_the_batch_out() -> None:
    for count in (2, 400):
        log = Disk(LogConfig()).open()
        for _ in range(count):
            append(log, batch(10, 10))
        assert log.read(0, 10**6, end_offset=5) is None
        piece = log.read(3, 10**6, end_offset=15)
        assert piece is not None
        assert (piece.base_offset, piece.size) == (0, log.size_bytes // count)


def test_a_slice_stays_within_one_segment() -> None:
    log = Disk(SMALL).open()
    fill(log, 30)
    first = log.segments[0]
    piece = log.read(1, 10**6, end_offset=30)
    assert piece is not None
    assert piece.position + piece.size == first.size
