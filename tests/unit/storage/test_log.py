"""Appending and reading; see test_log_state for the rest."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from ottla.core.clock import SystemClock
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.record.batch import crc_matches, iter_headers, iter_records, read_header
from ottla.record.build import build_batch
from ottla.record.compression import Compression
from storage.checkpoints import Checkpoints, MemoryStore
from storage.errors import DiskFull
from storage.log import Append, Log, LogConfig, TimestampType
from storage.manager import LogManager
from storage.room import HOLD_MS
from storage.vfs import OsVfs
from tests.support.disk import (
    SMALL,
    TOPIC_ID,
    Disk,
    append,
    batch,
    fill,
    marker,
    read_all,
    replicated,
)


def code_of(log: Log, data: memoryview, *, leader_epoch: int = 0) -> ErrorCode:
    with pytest.raises(ProtocolError) as caught:
        append(log, data, leader_epoch)
    return caught.value.code


def test_offsets_and_leader_epoch_are_patched_into_the_producers_bytes() -> None:
    log = Disk().open()
    append(log, batch(3), 4)
    data = batch(2)
    assert append(log, data, 5) == Append(3, 4, -1, False)
    header = read_header(data)
    assert (header.base_offset, header.leader_epoch) == (3, 5)
    assert crc_matches(data, 0, header)
    assert (log.log_start_offset, log.log_end_offset, log.last_epoch) == (0, 5, 5)
    assert [(h.base_offset, h.leader_epoch) for h in read_all(log)] == [(0, 4), (3, 5)]
    assert log.epochs.entries == ((4, 0), (5, 3))
    assert log.size_bytes == len(data) + len(batch(3))


def test_log_append_time_replaces_the_records_time() -> None:
    log = Disk(LogConfig(timestamp_type=TimestampType.LOG_APPEND_TIME)).open()
    data = batch(2, producer_id=1, sequence=0)
    assert append(log, data) == Append(0, 1, 5_000, False)
    (header,) = read_all(log)
    piece = log.read(0, 1, end_offset=2)
    assert piece is not None
    assert header.log_append_time
    assert [record.timestamp for record in iter_records(piece.read(), 0, header)] == [5_000] * 2
    assert append(log, batch(2, producer_id=1, sequence=0)) == Append(0, 1, 5_000, True)


def test_the_topics_compression_and_the_brokers_time_together() -> None:
    config = LogConfig(timestamp_type=TimestampType.LOG_APPEND_TIME, compression_type="zstd")
    log = Disk(config).open()
    data = batch(3, producer_id=1, sequence=0)
    first = log.append_as_leader(data, leader_epoch=4, timestamp_ms=5_000)
    assert first == Append(0, 2, 5_000, False)
    piece = log.read(0, 1, end_offset=3)
    assert piece is not None
    assert piece.read() == first.batch
    (header,) = read_all(log)
    assert (header.compression, header.leader_epoch) == (Compression.ZSTD, 4)
    assert crc_matches(first.batch, 0, header)
    found = list(iter_records(first.batch, 0, header))
    assert [(record.offset, record.timestamp) for record in found] == [
        (0, 5_000), (1, 5_000), (2, 5_000)
    ]  # fmt: skip
    again = log.append_as_leader(
        batch(3, producer_id=1, sequence=0), leader_epoch=4, timestamp_ms=9_000
    )
    assert again == Append(0, 2, 5_000, True)


def test_what_coordinators_write_is_taken_as_it_is() -> None:
    config = LogConfig(
        compression_type="zstd",
        cleanup_policy=frozenset({"compact"}),
        timestamp_before_max_ms=0,
    )
    log = Disk(config).open()
    data = memoryview(build_batch([(None, b"v", (), 0)]))
    assert append(log, data, internal=True).batch is data
    assert append(log, marker(1), internal=True).last_offset == 1
    assert code_of(log, memoryview(build_batch([(None, b"v", (), 5_000)]))) is (
        ErrorCode.INVALID_RECORD
    )


def test_a_retry_is_answered_though_its_time_has_become_too_old() -> None:
    log = Disk(LogConfig(timestamp_before_max_ms=4_000)).open()
    append(log, batch(producer_id=1, sequence=0))
    again = log.append_as_leader(
        batch(producer_id=1, sequence=0), leader_epoch=0, timestamp_ms=90_000
    )
    assert again.duplicate


def test_a_duplicate_is_answered_and_not_appended_nor_patched() -> None:
    log = Disk().open()
    fill(log, 3)
    append(log, batch(2, producer_id=1, sequence=0))
    again = batch(2, producer_id=1, sequence=0)
    before = bytes(again)
    assert append(log, again) == Append(3, 4, -1, True)
    assert bytes(again) == before
    assert log.log_end_offset == 5


def test_a_refused_batch_leaves_no_trace() -> None:
    log = Disk().open()
    append(log, batch(producer_id=1, sequence=0))
    gap = batch(producer_id=1, sequence=5)
    before = bytes(gap)
    assert code_of(log, gap, leader_epoch=9) is ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER
    assert bytes(gap) == before
    assert (log.log_end_offset, log.epochs.latest()) == (1, 0)
    assert code_of(log, marker(1)) is ErrorCode.INVALID_RECORD


def test_transactions_are_followed() -> None:
    log = Disk().open()
    fill(log, 1)
    append(log, batch(producer_id=1, sequence=0, transactional=True))
    assert log.producers.first_undecided_offset(0) == 1
    assert append(log, marker(1), internal=True) == Append(2, 2, -1, False)
    assert log.producers.first_undecided_offset(2) == 1
    assert log.producers.first_undecided_offset(3) is None


# Rolling


def test_rolling_by_size() -> None:
    log = Disk().open()
    size = len(batch())
    for number in range(12):
        append(log, batch())
        assert all(segment.size <= SMALL.segment_bytes for segment in log.segments)
        assert log.segment_count == number // (1_000 // size) + 1
    assert [s.base_offset for s in log.segments] == [0, 5, 10]
    assert [h.base_offset for h in read_all(log)] == list(range(12))


def test_rolling_by_the_records_time() -> None:
    log = Disk(LogConfig(segment_ms=1_000)).open()
    for time in (10_000, 11_000, 11_001, 12_001, 12_002):
        append(log, batch(1, 10, time))
    assert [s.base_offset for s in log.segments] == [0, 2, 4]


def test_rolling_by_the_segments_age_when_records_have_no_time() -> None:
    log = Disk(LogConfig(segment_ms=1_000)).open()
    for now in (1_000, 2_000, 2_001):
        log.append_as_leader(batch(1, 10, -1), leader_epoch=0, timestamp_ms=now)
    assert [s.base_offset for s in log.segments] == [0, 2]


def test_rolling_by_a_full_index() -> None:
    log = Disk(LogConfig(index_interval_bytes=0, segment_index_bytes=60)).open()
    fill(log, 12)
    assert log.segment_count > 2
    log.flush_sealed()
    for segment in log.segments[:-1]:
        assert segment.offset_index.count * 8 <= 60
        assert segment.time_index.count * 12 <= 60


# The follower


def test_a_follower_appends_what_it_is_given() -> None:
    log = Disk().open()
    data = replicated(
        batch(2), batch(1, producer_id=1, sequence=0), marker(1), base_offset=0, leader_epoch=3
    )
    log.append_as_follower(data)
    assert [(h.base_offset, h.leader_epoch) for h in read_all(log)] == [(0, 3), (2, 3), (3, 3)]
    assert log.producers.get(1) is not None
    assert log.epochs.entries == ((3, 0),)
    log.append_as_follower(memoryview(b""))
    assert log.log_end_offset == 4


def test_a_followers_message_may_span_segments() -> None:
    log = Disk().open()
    log.append_as_follower(replicated(*[batch() for _ in range(12)], base_offset=0))
    assert [s.base_offset for s in log.segments] == [0, 5, 10]
    assert [h.base_offset for h in read_all(log)] == list(range(12))


def test_a_follower_takes_all_of_a_message_or_nothing() -> None:
    log = Disk().open()
    good = replicated(batch(), base_offset=0)
    for bad in (
        replicated(batch(), base_offset=0),
        replicated(batch(), base_offset=1)[:-1],
        replicated(batch(), base_offset=1, leader_epoch=-1),
    ):
        with pytest.raises(ProtocolError):
            log.append_as_follower(memoryview(bytes(good) + bytes(bad)))
        assert (log.log_end_offset, log.size_bytes) == (0, 0)


def test_how_much_lies_behind_a_slice() -> None:
    log = Disk(LogConfig(segment_bytes=3 * len(batch()))).open()
    fill(log, 8)
    assert log.segment_count == 3
    for offset in range(8):
        found = log.read(offset, 1, end_offset=8)
        assert found is not None
        left = (8 - offset) * len(batch())
        assert log.holds_more_than(found, left - 1)
        assert not log.holds_more_than(found, left)


def test_a_follower_takes_over_the_gaps_of_a_compacted_log() -> None:
    disk = Disk()
    log = disk.open()
    log.append_as_follower(replicated(batch(2), base_offset=3))
    log.append_as_follower(replicated(batch(2), base_offset=8))
    for start in (disk.open, disk.process_crash, disk.restart):
        log = start()
        assert log.log_end_offset == 10
        assert [h.base_offset for h in read_all(log)] == [3, 8]
        for offset in (0, 2, 5, 7):
            piece = log.read(offset, 1000, end_offset=10)
            assert piece is not None
            assert read_header(piece.read()).base_offset == (3 if offset < 5 else 8)
    log.truncate_to(7)
    assert log.log_end_offset == 5
    log.truncate_to(2)
    assert log.log_end_offset == 0


def test_a_followers_own_epoch_without_records_does_not_count() -> None:
    log = Disk().open()
    fill(log, 1, leader_epoch=1)
    log.epochs.assign(7, 1)  # it was leader and got nothing
    log.append_as_follower(replicated(batch(), base_offset=1, leader_epoch=5))
    assert log.epochs.entries == ((1, 0), (5, 1))


# Faults of the disk


def look_again(disk: Disk) -> None:
    """Time has passed, and the free space has been measured."""
    disk.clock.advance(HOLD_MS)
    room = disk.manager.directories[0].room
    room.note(room.measure())


def test_short_writes_are_completed() -> None:
    disk = Disk()
    log = disk.open()
    disk.vfs.shorten_writes(1, 2, 60, 3)
    fill(log, 2)
    assert [h.base_offset for h in read_all(log)] == [0, 1]


def test_a_full_disk_refuses_and_goes_on_when_there_is_room() -> None:
    disk = Disk()
    log = disk.open()
    fill(log, 2)
    disk.vfs.capacity = disk.vfs.used_bytes() + 70
    size = log.size_bytes
    with pytest.raises(ProtocolError, match="the disk is full") as caught:
        fill(log, 1)
    assert caught.value.code is ErrorCode.KAFKA_STORAGE_ERROR
    assert caught.value.retriable
    assert log.segments[0].file.size() == size  # the part is cut off before anything else
    assert not log.directory.offline
    assert len(read_all(log)) == 2
    disk.vfs.capacity = None
    with pytest.raises(ProtocolError, match="the disk is full"):
        fill(log, 1)  # not every append tries a disk that has just refused one
    look_again(disk)
    fill(log, 1)
    assert [h.base_offset for h in read_all(log)] == [0, 1, 2]


def test_a_floor_of_free_space_is_kept() -> None:
    disk = Disk()
    log = disk.open()
    disk.vfs.capacity = disk.vfs.used_bytes() + 10_000
    disk.manager.directories[0].room.floor = 9_000
    look_again(disk)
    with pytest.raises(ProtocolError, match="9,000") as caught:
        fill(log, 20)
    assert caught.value.code is ErrorCode.KAFKA_STORAGE_ERROR
    assert disk.vfs.free_bytes("/data") >= 9_000
    assert log.log_end_offset == 5
    follower_data = replicated(batch(), base_offset=5)
    with pytest.raises(ProtocolError, match="the disk is full: /data takes no appends"):
        log.append_as_follower(follower_data)
    assert len(read_all(log)) == 5
    log.truncate_to(3)
    log.flush()
    assert not log.directory.offline


def test_what_follows_a_batch_without_room_is_refused_for_the_same_reason() -> None:
    disk = Disk()
    log = disk.open()
    append(log, batch(producer_id=7, sequence=0))
    assert code_of(log, batch(producer_id=7, sequence=2)) is ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER
    log.directory.room.refused()
    for sequence in (1, 2):
        with pytest.raises(DiskFull):
            append(log, batch(producer_id=7, sequence=sequence))


def test_a_duplicate_needs_no_room() -> None:
    disk = Disk()
    log = disk.open()
    first = append(log, batch(producer_id=7, sequence=0))
    log.directory.room.refused()
    again = append(log, batch(producer_id=7, sequence=0))
    assert (again.duplicate, again.base_offset) == (True, first.base_offset)


def test_a_disk_too_full_for_a_new_segment() -> None:
    disk = Disk()
    log = disk.open()
    fill(log, 5)
    disk.vfs.fail("open", errno.ENOSPC, path="05.log")
    with pytest.raises(ProtocolError, match="the disk is full"):
        fill(log, 1)
    look_again(disk)
    fill(log, 1)
    assert [h.base_offset for h in read_all(log)] == list(range(6))


@pytest.mark.parametrize("error", [errno.EMFILE, errno.ENFILE])
def test_too_many_open_files_are_no_fault_of_the_disk(error: int) -> None:
    disk = Disk()
    log = disk.open()
    fill(log, 5)
    disk.vfs.fail("open", error, path="05.log")
    with pytest.raises(ProtocolError, match="open files") as caught:
        fill(log, 1)
    assert caught.value.code is ErrorCode.KAFKA_STORAGE_ERROR
    assert not log.directory.offline
    fill(log, 1)
    assert [h.base_offset for h in read_all(log)] == list(range(6))


@pytest.mark.parametrize("also_the_cut", [False, True])
def test_any_other_fault_takes_the_directory_offline(also_the_cut: bool) -> None:
    disk = Disk()
    log = disk.open()
    fill(log, 1)
    disk.vfs.fail("write", errno.EIO)
    if also_the_cut:
        disk.vfs.fail("truncate", errno.EIO)
    with pytest.raises(ProtocolError, match="Input/output error") as caught:
        fill(log, 1)
    assert caught.value.code is ErrorCode.KAFKA_STORAGE_ERROR
    assert log.directory.offline
    disk.vfs.heal()
    assert code_of(log, batch()) is ErrorCode.KAFKA_STORAGE_ERROR
    with pytest.raises(ProtocolError, match="is offline"):
        log.read(0, 1, end_offset=1)


def test_a_full_disk_that_cannot_be_cut_takes_the_directory_offline() -> None:
    disk = Disk()
    log = disk.open()
    fill(log, 1)
    disk.vfs.capacity = disk.vfs.used_bytes() + 70
    disk.vfs.fail("truncate", errno.EIO)
    with pytest.raises(ProtocolError):
        fill(log, 1)
    assert log.directory.offline


# Reading


def test_out_of_range() -> None:
    log = Disk().open()
    fill(log, 5)
    log.advance_log_start(2)
    for offset in (0, 1, 6):
        with pytest.raises(ProtocolError, match=f"holds offsets 2 to 5, not {offset}") as caught:
            log.read(offset, 1, end_offset=5)
        assert caught.value.code is ErrorCode.OFFSET_OUT_OF_RANGE
    assert log.read(5, 1, end_offset=5) is None
    assert log.read(3, 1, end_offset=3) is None
    assert log.read(2, 1, end_offset=3) is not None


def test_damage_that_reading_meets_takes_this_log_offline_alone() -> None:
    disk = Disk()
    log = disk.open()
    fill(log, 12)
    log.segments[0].file.pwrite(b"\x09", 16)
    with pytest.raises(ProtocolError) as caught:
        log.read(0, 1, end_offset=12)
    assert caught.value.code is ErrorCode.KAFKA_STORAGE_ERROR
    assert not log.directory.offline
    assert not log.usable
    assert code_of(log, batch()) is ErrorCode.KAFKA_STORAGE_ERROR
    with pytest.raises(ProtocolError, match="damaged"):
        log.read(11, 1, end_offset=12)


def test_a_fault_while_reading_takes_the_directory_offline() -> None:
    disk = Disk()
    log = disk.open()
    fill(log, 12)
    disk.vfs.fail("pread", errno.EIO)
    with pytest.raises(ProtocolError, match="Input/output error"):
        log.offset_for_timestamp(1_003, 12)
    assert log.directory.offline


def test_slices_go_to_a_socket_from_a_real_file(tmp_path: Path) -> None:
    manager = LogManager.open(
        [str(tmp_path / "data")],
        cluster_id="c",
        node_id=1,
        clock=SystemClock(),
        vfs=OsVfs(),
        checkpoints=Checkpoints(MemoryStore()),
    )
    manager.mark_running(1)
    log = manager.open_log("t", 0, TOPIC_ID, SMALL)
    fill(log, 12)
    offset = 0
    while (piece := log.read(offset, 400, end_offset=12)) is not None:
        data = os.pread(piece.fileno(), piece.size, piece.position)
        assert data == piece.read()
        headers = [header for _, header in iter_headers(data)]
        assert piece.base_offset == headers[0].base_offset == offset
        offset = headers[-1].next_offset
    assert offset == 12
    manager.close()
    assert (tmp_path / "data" / "t-0").stat().st_mode & 0o777 == 0o700
    assert {f.stat().st_mode & 0o777 for f in (tmp_path / "data" / "t-0").iterdir()} == {0o600}
