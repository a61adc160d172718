from __future__ import annotations

import errno

import pytest

from ottla.core.errors import ErrorCode, ProtocolError
from storage.config import LogConfig
from storage.errors import DiskFull
from storage.log import Log
from storage.vfs import SimulatedCrash
from tests.support.disk import FOLDER, Disk, append, batch, fill, marker, read_all, replicated


def offsets(log: Log) -> list[int]:
    return [header.base_offset for header in read_all(log)]


@pytest.mark.parametrize("target", range(1, 13))
def test_truncating_anywhere(target: int) -> None:
    disk = Disk()
    log = disk.open()
    fill(log, 12)
    log.truncate_to(target)
    assert (log.log_end_offset, offsets(log)) == (target, list(range(target)))
    fill(log, 3, leader_epoch=1)
    assert offsets(log) == list(range(target + 3))
    log = disk.process_crash()
    assert offsets(log) == list(range(target + 3))


def test_a_truncated_segment_gets_no_more_appends() -> None:
    disk = Disk()
    log = disk.open()
    fill(log, 4)
    log.truncate_to(3)
    fill(log, 1)
    assert [s.base_offset for s in log.segments] == [0, 3]


def test_truncating_within_a_batch_drops_all_of_it() -> None:
    log = Disk().open()
    append(log, batch(5))
    append(log, batch(5))
    log.truncate_to(7)
    assert log.log_end_offset == 5
    log.truncate_to(99)
    assert log.log_end_offset == 5
    log.truncate_to(3)
    assert (log.log_end_offset, log.log_start_offset) == (0, 0)
    fill(log, 1)
    assert offsets(log) == [0]


def test_truncating_lowers_epochs_producers_and_start() -> None:
    log = Disk().open()
    append(log, batch(producer_id=1, sequence=0), 1)
    append(log, batch(producer_id=2, sequence=0, transactional=True), 2)
    append(log, batch(producer_id=1, sequence=1), 2)
    append(log, marker(2), 3, internal=True)
    log.truncate_to(2)
    assert log.epochs.entries == ((1, 0), (2, 1))
    assert log.producers.summary() == {1: (0, None, (0, 0, 0)), 2: (0, 1, (0, 0, 1))}
    assert append(log, batch(producer_id=1, sequence=1), 4).base_offset == 2


def test_truncating_below_the_logs_start_leaves_nothing_to_read() -> None:
    log = Disk().open()
    fill(log, 5)
    log.advance_log_start(4)
    log.truncate_to(2)
    assert (log.log_start_offset, log.log_end_offset) == (2, 2)
    fill(log, 1, leader_epoch=1)
    assert offsets(log) == [2]


def test_the_recovery_point_is_lowered_durably_before_anything_is_cut() -> None:
    disk = Disk()
    log = disk.open()
    fill(log, 12)
    log.flush()
    disk.commit(log)
    for operation in range(12):
        disk.vfs.crash_after(operation)
        try:
            log.truncate_to(3)
            finished = True
        except SimulatedCrash:
            finished = False
        log = disk.process_crash()
        assert 3 <= log.log_end_offset <= 12
        assert offsets(log) == list(range(log.log_end_offset))
        if finished:
            break
        fill(log, 12 - log.log_end_offset, leader_epoch=operation + 1)
        log.flush()
        disk.commit(log)
    assert finished


def test_removed_segments_do_not_come_back() -> None:
    for seed in range(20):
        disk = Disk(seed=seed)
        log = disk.open()
        fill(log, 12)
        log.flush()
        log.truncate_to(3)
        disk.vfs.power_cut()
        assert not {"5.log", "10.log"} & set(disk.files())


def test_a_truncation_that_cannot_lower_the_recovery_point_does_nothing() -> None:
    disk = Disk()
    log = disk.open()
    fill(log, 12)
    log.flush()
    disk.commit(log)
    disk.store.failure = OSError(errno.ENOSPC, "full")
    files = disk.files()
    with pytest.raises(ProtocolError, match="disk is full"):
        log.truncate_to(3)
    assert disk.files() == files
    assert offsets(log) == list(range(12))
    disk.store.failure = None
    assert offsets(disk.process_crash()) == list(range(12))


def test_a_truncation_that_found_no_room_for_the_checkpoint_can_be_tried_again() -> None:
    for offset, kept in ((3, [3]), (0, [])):
        disk = Disk()
        log = disk.open()
        fill(log, 12)
        log.flush()
        log.advance_log_start(3)
        disk.commit(log)
        disk.store.failure = OSError(errno.ENOSPC, "full")
        with pytest.raises(DiskFull):
            log.truncate_to(offset + len(kept))
        assert log.log_start_offset == 3
        disk.store.failure = None
        log.truncate_to(offset + len(kept))
        assert offsets(log) == kept
        assert offsets(disk.power_cut()) == kept


def test_a_truncation_cut_off_by_the_disk_takes_the_log_offline() -> None:
    disk = Disk()
    log = disk.open()
    fill(log, 12)
    disk.vfs.fail("rename", errno.ENOSPC, path="05.log")
    with pytest.raises(ProtocolError):
        log.truncate_to(3)
    assert not log.usable
    assert not log.directory.offline
    assert offsets(disk.process_crash()) == list(range(10))


def test_starting_anew() -> None:
    disk = Disk()
    log = disk.open()
    append(log, batch(producer_id=1, sequence=0))
    fill(log, 11)
    for start in (500, 3, 500):
        log.reset_to(start)
        assert (log.log_start_offset, log.log_end_offset) == (start, start)
        assert log.epochs.entries == ()
        assert len(log.producers) == 0
        log.append_as_follower(replicated(batch(), base_offset=start, leader_epoch=4))
        assert offsets(log) == [start]
    log = disk.process_crash()
    assert (log.log_start_offset, offsets(log)) == (500, [500])
    assert len(log.producers) == 0


def test_truncating_to_or_below_the_first_segment_starts_anew_there() -> None:
    log = Disk().open()
    log.reset_to(50)
    fill(log, 3)
    log.truncate_to(50)
    assert (log.log_start_offset, log.log_end_offset) == (50, 50)
    fill(log, 3)
    log.truncate_to(20)
    assert (log.log_start_offset, log.log_end_offset) == (20, 20)


def test_readers_in_flight_finish_after_truncation_and_deletion() -> None:
    disk = Disk()
    log = disk.open()
    fill(log, 12)
    piece = log.read(6, 100, end_offset=12)
    assert piece is not None
    before = piece.read()
    log.truncate_to(2)
    disk.clock.advance(1)
    log.unlink_condemned(disk.clock.now_ms())
    assert piece.read() == before


def test_removed_files_go_after_the_delay() -> None:
    disk = Disk(LogConfig(segment_bytes=1000, file_delete_delay_ms=500))
    log = disk.open()
    fill(log, 12)
    log.flush_sealed()
    log.advance_log_start(11)
    assert log.delete_old_segments(0, high_watermark=12) == 2
    assert {n for n in disk.files() if n.endswith(".deleted")} == {
        "0.log.deleted", "0.index.deleted", "0.timeindex.deleted",
        "5.log.deleted", "5.index.deleted", "5.timeindex.deleted",
    }  # fmt: skip
    log.unlink_condemned(disk.clock.now_ms() + 499)
    assert "0.log.deleted" in disk.files()
    log.unlink_condemned(disk.clock.now_ms() + 500)
    assert set(disk.files()) == {"10.log", "partition.metadata"}


def test_retention_moves_the_start_and_rolls_when_everything_is_old() -> None:
    disk = Disk(LogConfig(segment_bytes=1000, retention_ms=100))
    log = disk.open()
    fill(log, 12)
    assert log.delete_old_segments(1_104 + 1, high_watermark=12) == 1
    assert log.log_start_offset == 5
    assert log.delete_old_segments(10**9, high_watermark=9) == 0
    assert log.delete_old_segments(10**9, high_watermark=12) == 2
    assert (log.log_start_offset, log.log_end_offset, log.size_bytes) == (12, 12, 0)
    assert log.last_epoch == 0  # remembered, for the leader's comparison
    assert log.delete_old_segments(10**9, high_watermark=12) == 0
    fill(log, 1)
    assert offsets(log) == [12]


def test_the_start_only_moves_forward_and_not_beyond_the_end() -> None:
    log = Disk().open()
    fill(log, 3, leader_epoch=1)
    fill(log, 3, leader_epoch=2)
    log.advance_log_start(4)
    log.advance_log_start(2)
    assert log.log_start_offset == 4
    assert log.epochs.entries == ((2, 3),)
    with pytest.raises(ProtocolError) as caught:
        log.advance_log_start(7)
    assert caught.value.code is ErrorCode.OFFSET_OUT_OF_RANGE


def test_flushing_moves_the_recovery_point() -> None:
    log = Disk().open()
    fill(log, 7)
    assert log.recovery_point == 0
    assert log.has_sealed_dirt
    log.flush_sealed()
    assert log.recovery_point == 5
    assert not log.has_sealed_dirt
    log.flush()
    assert log.recovery_point == 7


def test_what_was_flushed_survives_a_power_cut_however_new_the_folder() -> None:
    for seed in range(20):
        disk = Disk(seed=seed)
        log = disk.open()
        fill(log, 7)
        log.flush()
        fill(log, 1)
        log = disk.power_cut()
        assert offsets(log)[:7] == list(range(7))


def test_a_failed_sync_is_never_tried_again() -> None:
    for error in (errno.EIO, errno.ENOSPC):
        disk = Disk()
        log = disk.open()
        fill(log, 2)
        disk.vfs.fail("fsync", error)
        with pytest.raises(ProtocolError) as caught:
            log.flush()
        assert caught.value.code is ErrorCode.KAFKA_STORAGE_ERROR
        assert log.directory.offline
        assert log.recovery_point == 0
        with pytest.raises(ProtocolError, match="offline"):
            log.flush()


def test_no_room_for_an_index_is_no_failure_of_the_directory() -> None:
    disk = Disk()
    log = disk.open()
    fill(log, 7)
    disk.vfs.fail("write", errno.ENOSPC, path=".index")
    with pytest.raises(ProtocolError, match="disk is full"):
        log.flush_sealed()
    assert not log.directory.offline
    assert log.has_sealed_dirt
    log.flush_sealed()
    assert not log.has_sealed_dirt
    assert {"0.index", "0.timeindex"} <= disk.files().keys()
    assert log.recovery_point == 5
    assert offsets(disk.power_cut())[:5] == list(range(5))


def test_a_closed_log_takes_nothing() -> None:
    disk = Disk()
    log = disk.open()
    fill(log, 7)
    log.close()
    log.close()
    assert log.recovery_point == 7
    assert {"0.index", "0.timeindex", "5.index", "5.timeindex"} < set(disk.files())
    with pytest.raises(ProtocolError, match="it is closed"):
        fill(log, 1)
    with pytest.raises(ProtocolError, match="it is closed"):
        log.read(0, 1, end_offset=7)


def test_before_the_mark_nothing_is_appended() -> None:
    disk = Disk()
    log = disk.open()
    log.directory.running = False
    with pytest.raises(ProtocolError, match="not marked as running"):
        fill(log, 1)


def test_a_sync_without_a_descriptor_has_not_happened() -> None:
    disk = Disk()
    log = disk.open()
    fill(log, 12)
    disk.vfs.fail("fsync_dir", errno.EMFILE, path=FOLDER)
    with pytest.raises(ProtocolError, match="open files"):
        log.flush()
    assert not log.directory.offline
    assert (log.recovery_point, log.has_sealed_dirt) == (0, True)
    log.flush()
    assert (log.recovery_point, log.has_sealed_dirt) == (12, False)


def test_closing_syncs_what_is_not_synced_and_nothing_else() -> None:
    disk = Disk()
    log = disk.open()
    fill(log, 12)
    log.flush_sealed()
    disk.vfs.fail("fsync", errno.EIO, path="/" + "0" * 20)  # the first segment's files
    log.close()
    assert not log.directory.offline
    assert log.recovery_point == 12


def test_cold_files_are_closed_and_opened_again() -> None:
    disk = Disk()
    log = disk.open()
    fill(log, 12)
    log.flush_sealed()
    log.release_cold()
    log.release_cold()
    assert log.segments[0]._file is None
    assert offsets(log) == list(range(12))


def test_the_folder_holds_kafkas_files() -> None:
    disk = Disk()
    log = disk.open()
    fill(log, 6)
    log.close()
    assert disk.vfs.listdir(FOLDER) == [
        "00000000000000000000.index",
        "00000000000000000000.log",
        "00000000000000000000.timeindex",
        "00000000000000000005.index",
        "00000000000000000005.log",
        "00000000000000000005.timeindex",
        "partition.metadata",
    ]
