"""Every step of opening a folder, each on the state that a crash can leave."""

from __future__ import annotations

import errno

import pytest

from ottla.core.errors import ErrorCode, ProtocolError
from storage import marks
from storage.checkpoints import LogCheckpoint
from storage.log import Log
from storage.vfs import OpenMode
from tests.support.disk import (
    FOLDER,
    TOPIC_ID,
    Disk,
    append,
    batch,
    fill,
    marker,
    read_all,
    replicated,
)


def offsets(log: Log) -> list[int]:
    return [header.base_offset for header in read_all(log)]


def synced(disk: Disk, count: int = 25) -> Log:
    """A log whose sealed segments are synced and checkpointed."""
    log = disk.open()
    fill(log, count)
    log.flush_sealed()
    disk.commit(log)
    return log


def refused(disk: Disk) -> str:
    with pytest.raises(ProtocolError) as caught:
        disk.process_crash()
    assert caught.value.code is ErrorCode.KAFKA_STORAGE_ERROR
    return str(caught.value)


def test_leftovers_are_removed() -> None:
    disk = Disk()
    fill(disk.open(), 3)
    for name in ("00000000000000000000.log.deleted", "00000000000000000007.index",
                 "00000000000000000007.timeindex", "00000000000000000000.log.tmp"):  # fmt: skip
        disk.vfs.open(f"{FOLDER}/{name}", OpenMode.CREATE)
    log = disk.process_crash()
    assert offsets(log) == [0, 1, 2]
    assert set(disk.files()) == {"0.log", "partition.metadata"}


def test_after_a_clean_stop_nothing_is_scanned() -> None:
    disk = Disk()
    fill(disk.open(), 23)
    log = disk.restart()
    assert log.scanned_bytes == 0
    assert log.log_end_offset == log.recovery_point == 23
    assert offsets(log) == list(range(23))
    fill(log, 1)
    assert log.segments[-1].base_offset < 23  # it goes on in the same segment


def test_opening_leaves_no_file_of_a_sealed_segment_open() -> None:
    disk = Disk()
    synced(disk)
    for start in (disk.process_crash, disk.restart):
        log = start()
        settled = [segment for segment in log.segments[:-1] if not segment.dirty]
        assert len(settled) > 2
        assert all(segment._file is None for segment in settled)
        assert all(segment._indexes._stored_offsets is None for segment in settled)


def test_a_clean_stop_without_its_checkpoint_is_scanned() -> None:
    disk = Disk()
    fill(disk.open(), 25)
    disk.manager.close()
    disk.store.values.clear()
    disk.start()
    log = disk.open()
    assert log.scanned_bytes == log.size_bytes
    assert offsets(log) == list(range(25))


def test_a_clean_stop_whose_checkpoint_is_older_than_the_log_is_scanned_from_there() -> None:
    disk = Disk()
    log = disk.open()
    fill(log, 5)
    log.flush()
    disk.commit(log)
    old = dict(disk.store.values)
    fill(log, 5)
    disk.manager.close()
    disk.store.values = old
    disk.start()
    log = disk.open()
    assert log.scanned_bytes == log.size_bytes // 2
    assert offsets(log) == list(range(10))


def test_only_the_tail_above_the_recovery_point_is_scanned() -> None:
    disk = Disk()
    log = synced(disk)
    sizes = [segment.size for segment in log.segments]
    log = disk.process_crash()
    assert log.scanned_bytes == sizes[-1]
    assert offsets(log) == list(range(25))


def test_a_flushed_point_within_a_segment_bounds_the_scan() -> None:
    disk = Disk()
    log = disk.open()
    fill(log, 3)
    log.flush()
    disk.commit(log)
    fill(log, 1)
    log = disk.process_crash()
    assert log.scanned_bytes == log.size_bytes // 4
    assert offsets(log) == [0, 1, 2, 3]


@pytest.mark.parametrize("left", [1, 60, 61, 100])
def test_a_torn_batch_at_the_end_is_cut(left: int) -> None:
    disk = Disk()
    log = disk.open()
    fill(log, 3)
    log.flush()
    disk.commit(log)
    file = log.segments[-1].file
    data = replicated(batch(), base_offset=3)
    file.write(data[:left])
    log = disk.process_crash()
    assert log.log_end_offset == 3
    assert disk.files()["0.log"] == log.size_bytes
    fill(log, 1)
    assert [segment.base_offset for segment in log.segments] == [0, 3]
    assert offsets(log) == [0, 1, 2, 3]


def test_a_tail_of_zeros_is_cut() -> None:
    disk = Disk()
    log = disk.open()
    fill(log, 3)
    size = log.size_bytes
    log.segments[-1].file.truncate(size + 5_000)
    log = disk.process_crash()
    assert (log.log_end_offset, log.size_bytes) == (3, size)


def test_the_log_ends_at_a_damaged_batch_and_later_segments_go() -> None:
    disk = Disk()
    log = disk.open()
    fill(log, 25)
    second = log.segments[1]
    position, _ = second.locate(second.base_offset + 2)
    second.file.pwrite(b"?", position + 80)
    end = second.base_offset + 2
    log = disk.process_crash()
    assert offsets(log) == list(range(end))
    assert [name for name in disk.files() if name.endswith(".log")] == [
        "0.log", f"{second.base_offset}.log"
    ]  # fmt: skip


def test_a_missing_segment_above_the_recovery_point_ends_the_log() -> None:
    disk = Disk()
    log = disk.open()
    fill(log, 25)
    second = log.segments[1]
    disk.vfs.unlink(second.path + ".log")
    log = disk.process_crash()
    assert offsets(log) == list(range(second.base_offset))


@pytest.mark.parametrize("epoch", [0, 1])
def test_a_batch_whose_leader_epoch_falls_is_of_another_history(epoch: int) -> None:
    disk = Disk()
    log = disk.open()
    fill(log, 2, leader_epoch=1)
    log.segments[-1].file.write(replicated(batch(), base_offset=2, leader_epoch=epoch))
    assert disk.process_crash().log_end_offset == 2 + epoch


def test_the_epoch_before_the_scan_comes_from_the_log_not_from_the_checkpoint() -> None:
    disk = Disk()
    log = synced(disk)
    point = log.recovery_point
    disk.manager.checkpoints.note_log(log.key, LogCheckpoint(point, point, 0, ((9, 0),)))
    disk.manager.checkpoints.commit()
    log = disk.process_crash()
    assert offsets(log) == list(range(25))
    assert log.epochs.entries == ((0, 0),)


def test_an_offset_that_falls_ends_the_log() -> None:
    disk = Disk()
    log = disk.open()
    fill(log, 2)
    log.segments[-1].file.write(replicated(batch(), base_offset=1))
    assert disk.process_crash().log_end_offset == 2


def test_a_gap_before_the_next_segment_is_closed_in_a_log_of_kafkas_alone() -> None:
    for stopped_cleanly in (True, False):
        disk = Disk()
        if stopped_cleanly:
            disk.manager.close()
            disk.vfs.power_cut()
            disk.start()
        disk.vfs.mkdirs(FOLDER)
        identity = disk.vfs.open(FOLDER + "/partition.metadata", OpenMode.CREATE)
        identity.write(marks.partition_metadata_text(TOPIC_ID))
        disk.vfs.open(disk.path(0), OpenMode.CREATE).write(replicated(batch(2), base_offset=0))
        disk.vfs.open(disk.path(7), OpenMode.CREATE).write(replicated(batch(2), base_offset=7))
        log = disk.open()
        if not stopped_cleanly:  # what is missing may have been lost
            assert log.log_end_offset == 2
            continue
        assert [(h.base_offset, h.record_count) for h in read_all(log)] == [(0, 2), (2, 0), (7, 2)]
        assert [h.base_offset for h in read_all(disk.restart())] == [0, 2, 7]
        assert [h.base_offset for h in read_all(disk.process_crash())] == [0, 2, 7]


def test_the_remnant_of_a_truncation_is_cut_and_the_next_segment_counts() -> None:
    disk = Disk()
    log = disk.open()
    fill(log, 5)
    old = bytes(log.segments[-1].file.pread(10_000, 0))
    log.truncate_to(3)
    fill(log, 4, leader_epoch=1)
    disk.vfs.open(disk.path(0), OpenMode.WRITE).pwrite(old, 0)  # the cut was not synced
    log = disk.process_crash()
    assert [(h.base_offset, h.leader_epoch) for h in read_all(log)] == [
        (0, 0), (1, 0), (2, 0), (3, 1), (4, 1), (5, 1), (6, 1)
    ]  # fmt: skip
    assert log.epochs.entries == ((0, 0), (1, 3))


def test_a_remnant_right_at_the_recovery_point_is_cut_too() -> None:
    disk = Disk()
    log = disk.open()
    fill(log, 3)
    log.flush()
    disk.commit(log)
    size = log.size_bytes
    fill(log, 2)
    log.truncate_to(3)
    fill(log, 1, leader_epoch=1)
    disk.vfs.open(disk.path(0), OpenMode.WRITE).write(b"garbage")
    log = disk.process_crash()
    assert disk.files()["0.log"] == size
    assert offsets(log) == [0, 1, 2, 3]
    assert log.segments[0].dirty


def test_a_cut_at_the_recovery_point_that_may_not_be_synced_is_synced() -> None:
    disk = Disk()
    log = synced(disk)
    assert not log.segments[-2].dirty
    log = disk.process_crash()
    assert [segment.dirty for segment in log.segments] == [False, False, False, True, True]


def test_after_a_crash_new_bytes_never_share_a_file_with_old_ones() -> None:
    disk = Disk()
    fill(disk.open(), 3)
    log = disk.process_crash()
    assert log.segments[-1].sealed
    fill(log, 1)
    assert [segment.base_offset for segment in log.segments] == [0, 3]


def test_an_emptied_log_is_replaced_not_reused() -> None:
    disk = Disk()
    log = disk.open()
    fill(log, 3)
    log.segments[0].file.pwrite(b"?", 70)
    log = disk.process_crash()
    assert (log.log_start_offset, log.log_end_offset) == (0, 0)
    fill(log, 2)
    assert offsets(log) == [0, 1]
    assert log.segment_count == 1


# Below the recovery point


def test_damage_below_the_recovery_point_keeps_the_log_closed_and_changes_nothing() -> None:
    disk = Disk()
    log = disk.open()
    fill(log, 3)
    log.flush()
    disk.commit(log)
    position, _ = log.segments[0].locate(1)
    log.segments[0].file.pwrite(b"\xff", position + 16)
    before = disk.files()
    assert "although everything below offset 3 was synced" in refused(disk)
    assert disk.files() == before
    assert not disk.manager.directories[0].offline


def test_a_short_file_below_the_recovery_point_keeps_the_log_closed() -> None:
    disk = Disk()
    log = disk.open()
    fill(log, 3)
    log.flush()
    disk.commit(log)
    log.segments[0].file.truncate(log.size_bytes - 1)
    assert "below offset 3" in refused(disk)


def test_a_file_that_ends_below_the_recovery_point_costs_no_later_segment() -> None:
    disk = Disk()
    log = disk.open()
    fill(log, 3)
    log.flush()
    disk.commit(log)
    fill(log, 10)
    assert log.segment_count > 1
    before = disk.files()
    position, _ = log.segments[0].locate(1)
    log.segments[0].file.truncate(position)
    assert "below offset 3" in refused(disk)
    assert disk.files() == {**before, "0.log": position}


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_missing_segment_below_the_recovery_point_keeps_the_log_closed(number: int) -> None:
    disk = Disk()
    log = synced(disk)
    disk.vfs.unlink(log.segments[number].path + ".log")
    if number == 0:  # retention deletes from the start, so this cannot be told from it
        assert disk.process_crash().log_start_offset == log.segments[1].base_offset
    else:
        assert "was synced" in refused(disk)


def test_all_segments_missing_keeps_the_log_closed() -> None:
    disk = Disk()
    log = synced(disk)
    for segment in log.segments:
        disk.vfs.unlink(segment.path + ".log")
    assert "has no segments" in refused(disk)


# Indexes


@pytest.mark.parametrize("clean", [False, True])
@pytest.mark.parametrize("suffix", [".index", ".timeindex"])
def test_a_missing_index_is_made_again(suffix: str, clean: bool) -> None:
    disk = Disk()
    synced(disk)
    if clean:
        disk.manager.close()
        disk.vfs.process_crash()
    for name in disk.vfs.listdir(FOLDER):
        if name.endswith(suffix):
            disk.vfs.unlink(f"{FOLDER}/{name}")
    log = disk.process_crash()
    for offset in range(25):
        assert log.offset_for_timestamp(1_000 + offset, 25) == (1_000 + offset, offset, 0)
        assert log.read(offset, 1, end_offset=25) is not None
    log.flush_sealed()
    assert disk.vfs.exists(disk.path(0, suffix))


def test_an_index_that_was_not_synced_is_not_believed() -> None:
    disk = Disk()
    log = disk.open()
    fill(log, 3)
    log = disk.restart()  # saved while it was the last segment
    fill(log, 20)
    log.flush()  # not its index: that is saved by flush_sealed
    disk.commit(log)
    log = disk.process_crash()
    assert log.offset_for_timestamp(1_005, 23) == (1_005, 5, 0)


# Leader epochs and producers


def test_epochs_and_producers_follow_from_the_log_when_the_checkpoint_is_lost() -> None:
    disk = Disk()
    log = disk.open()
    append(log, batch(producer_id=1, sequence=0))
    append(log, batch(producer_id=2, sequence=0, transactional=True), leader_epoch=3)
    append(log, marker(2), leader_epoch=3, internal=True)
    fill(log, 10, leader_epoch=3)
    append(log, batch(producer_id=1, sequence=1), leader_epoch=4)
    append(log, batch(producer_id=2, sequence=1, transactional=True), leader_epoch=4)
    log.flush_sealed()
    expected = (log.epochs.entries, log.producers.summary())
    disk.store.values.clear()
    log = disk.process_crash()
    assert (log.epochs.entries, log.producers.summary()) == expected
    assert log.producers.first_undecided_offset(99) == 14


def test_wrong_epochs_in_the_checkpoint_are_replaced() -> None:
    disk = Disk()
    log = disk.open()
    fill(log, 3, leader_epoch=1)
    fill(log, 3, leader_epoch=2)
    log.flush()
    for wrong in (((5, 0),), ((1, 0),), ((1, 0), (2, 5)), ((2, 0),)):
        disk.manager.checkpoints.note_log(log.key, LogCheckpoint(6, 0, 0, wrong))
        disk.manager.checkpoints.commit()
        log = disk.process_crash()
        if wrong != ((1, 0), (2, 5)):  # which agrees with both ends
            assert log.epochs.entries == ((1, 0), (2, 3))


def test_only_snapshots_below_the_stored_recovery_point_are_believed() -> None:
    disk = Disk()
    log = disk.open()
    append(log, batch(producer_id=1, sequence=0))
    log.flush()
    disk.commit(log)
    append(log, batch(producer_id=2, sequence=0))
    append(log, batch(producer_id=2, sequence=1))
    log._snapshots.take(log.producers, 3)
    disk.manager.checkpoints.commit()
    log.truncate_to(1)  # its snapshot is dropped in memory only
    append(log, batch(producer_id=3, sequence=0), leader_epoch=1)
    log = disk.process_crash()
    assert set(log.producers.summary()) == {1, 3}
    append(log, batch(producer_id=4, sequence=0), leader_epoch=1)
    log.flush()
    disk.commit(log)
    log = disk.process_crash()  # nor later, when the recovery point has passed it
    assert set(log.producers.summary()) == {1, 3, 4}


def test_the_recovery_point_is_not_raised_to_the_first_segment() -> None:
    disk = Disk()
    log = disk.open()
    fill(log, 25)
    log.advance_log_start(20)
    log.delete_old_segments(0, 25)
    first = log.segments[0].base_offset
    assert first > 0
    log = disk.process_crash()
    assert log.recovery_point == 0
    log.flush_sealed()
    assert log.recovery_point == log.segments[-1].base_offset


# No CRC covers a batch's base offset


@pytest.mark.parametrize("high_byte", [0x40, 0x80])
def test_a_base_offset_that_was_damaged_ends_the_log_above_the_recovery_point(
    high_byte: int,
) -> None:
    disk = Disk()
    log = disk.open()
    fill(log, 3)
    log.segments[0].file.pwrite(bytes([high_byte]), log.size_bytes // 3 * 2)
    assert offsets(disk.process_crash()) == [0, 1]


@pytest.mark.parametrize("offset", [0, 2**62])
def test_a_base_offset_that_was_damaged_below_the_recovery_point_keeps_the_log_closed(
    offset: int,
) -> None:
    disk = Disk()
    log = synced(disk)
    log.segments[0].file.pwrite(offset.to_bytes(8, "big"), log.segments[0].size // 5 * 2)
    disk.vfs.unlink(disk.path(0, ".index"))  # so that all of it is read
    assert "0000.log" in refused(disk)


# The log's start


def test_the_start_is_kept_within_the_log() -> None:
    disk = Disk()
    log = disk.open()
    fill(log, 5)
    log.advance_log_start(4)
    disk.commit(log)
    log.segments[0].file.truncate(log.size_bytes // 5 * 2)
    log = disk.process_crash()
    assert (log.log_start_offset, log.log_end_offset) == (2, 2)
    fill(log, 1)
    log = disk.process_crash()  # the old start must not hide the new record
    assert offsets(log) == [2]


def test_a_new_log_starts_where_the_checkpoint_says() -> None:
    disk = Disk()
    log = disk.open()
    log.reset_to(70)
    disk.commit(log)
    disk.vfs.unlink(disk.path(70))
    log = disk.process_crash()
    assert (log.log_start_offset, log.log_end_offset) == (70, 70)


# After a failed sync


def test_after_a_failed_sync_the_tail_is_written_once_more() -> None:
    disk = Disk()
    log = disk.open()
    fill(log, 3)
    disk.vfs.fail("fsync", errno.EIO, path=".log")
    with pytest.raises(ProtocolError):
        log.flush()
    disk.manager.close()
    log = disk.process_crash()  # the page cache still shows it, but it is not on its way to disk
    assert disk.manager.directories[0].suspect
    assert offsets(log) == [0, 1, 2]
    log.flush()
    disk.commit(log)
    assert offsets(disk.power_cut()) == [0, 1, 2]
