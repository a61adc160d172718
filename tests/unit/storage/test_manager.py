from __future__ import annotations

import asyncio
import errno
import threading
from pathlib import Path

import pytest

from ottla.core.clock import ManualClock, SystemClock
from ottla.core.errors import ConfigError, ErrorCode, ProtocolError
from storage.checkpoints import Checkpoints, MemoryStore
from storage.config import LogConfig
from storage.errors import DiskFull, LogDamaged
from storage.manager import (
    CHECKPOINT_INTERVAL_MS,
    COLD_INTERVAL_MS,
    PRODUCER_EXPIRATION_MS,
    RETENTION_INTERVAL_MS,
    LogManager,
    StopState,
)
from storage.room import HOLD_MS
from storage.vfs import MemoryVfs, OpenMode, OsVfs
from storage.vfs.memory import MemoryFile
from tests.support.disk import FOLDER, SMALL, TOPIC_ID, Disk, append, batch, fill

OTHER_ID = bytes(range(1, 17))


def take(vfs: MemoryVfs, *paths: str, cluster_id: str = "c", node_id: int = 1) -> LogManager:
    return LogManager.open(
        paths,
        cluster_id=cluster_id,
        node_id=node_id,
        clock=ManualClock(),
        vfs=vfs,
        checkpoints=Checkpoints(MemoryStore()),
    )


def keep_house(disk: Disk, milliseconds: int = 0) -> None:
    disk.clock.advance(milliseconds)
    asyncio.run(disk.manager.housekeep())


# Directories


def test_directories_are_made_with_an_identity_that_stays() -> None:
    vfs = MemoryVfs()
    manager = take(vfs, "/a/b", "/c")
    ids = [directory.directory_id for directory in manager.directories]
    assert len(set(ids)) == 2
    assert [d.stop_state for d in manager.directories] == [StopState.UNCLEAN] * 2
    manager.mark_running(1)
    manager.close()
    again = take(vfs, "/a/b", "/c")
    assert [directory.directory_id for directory in again.directories] == ids
    assert [d.stop_state for d in again.directories] == [StopState.CLEAN] * 2


@pytest.mark.parametrize(
    ("paths", "options", "message"),
    [
        ((), {}, "log.dirs names no directory"),
        (("/a", "/a"), {}, "names a directory twice: /a, /a"),
        (("/a",), {"cluster_id": "other"}, "/a belongs to cluster c, not other: choose another"),
        (("/a",), {"node_id": 2}, "/a belongs to node 1, not 2: choose another"),
    ],
)
def test_directories_that_cannot_be_used(
    paths: tuple[str, ...], options: dict[str, str], message: str
) -> None:
    vfs = MemoryVfs()
    take(vfs, "/a").close()
    with pytest.raises(ConfigError, match=message):
        take(vfs, *paths, **options)  # type: ignore[arg-type]
    take(vfs, "/a").close()  # nothing stayed locked


def test_a_directory_in_use_is_refused() -> None:
    vfs = MemoryVfs()
    first = take(vfs, "/a")
    with pytest.raises(ConfigError, match="/a is used by another process"):
        take(vfs, "/b", "/a")
    take(vfs, "/b").close()
    first.close()
    take(vfs, "/a").close()


@pytest.mark.parametrize("operation", ["mkdirs", "open"])
def test_a_directory_that_is_not_writable(operation: str) -> None:
    vfs = MemoryVfs()
    vfs.fail(operation, errno.EACCES)
    with pytest.raises(ConfigError, match=r"/a cannot be used \(.*Permission denied.*\): mend it"):
        take(vfs, "/a")


def test_a_newer_format_is_refused() -> None:
    vfs = MemoryVfs()
    vfs.mkdirs("/a")
    vfs.open("/a/meta.properties", OpenMode.CREATE).write(b"version=7\n")
    with pytest.raises(ConfigError, match="format version 7"):
        take(vfs, "/a")


# How it stopped


def test_a_process_crash_and_a_power_cut_are_told_apart() -> None:
    disk = Disk()
    for crash, state in (
        (disk.process_crash, StopState.PROCESS_CRASH),
        (disk.power_cut, StopState.UNCLEAN),
        (disk.restart, StopState.CLEAN),
    ):
        disk.open()
        crash()
        assert disk.manager.directories[0].stop_state is state


def test_the_mark_is_durable_before_the_first_append() -> None:
    disk = Disk()
    fill(disk.open(), 1)
    disk.restart()  # and marked as running again
    disk.vfs.power_cut()
    disk.start()
    assert disk.manager.directories[0].stop_state is StopState.UNCLEAN


def test_a_stop_before_the_mark_leaves_it_as_it_was() -> None:
    vfs = MemoryVfs()
    manager = take(vfs, "/a")
    manager.mark_running(1)
    vfs.process_crash()
    take(vfs, "/a").close()
    assert take(vfs, "/a").directories[0].stop_state is StopState.PROCESS_CRASH


def test_logs_that_were_never_opened_after_a_crash_keep_the_directory_unclean() -> None:
    disk = Disk()
    fill(disk.open(), 3)
    disk.vfs.process_crash()
    disk.start()
    disk.manager.close()
    disk.start()
    states = [disk.manager.directories[0].stop_state]
    disk.open()
    disk.manager.close()
    disk.start()
    states.append(disk.manager.directories[0].stop_state)
    assert states == [StopState.PROCESS_CRASH, StopState.CLEAN]


def test_a_failed_sync_is_remembered_as_an_unclean_stop() -> None:
    disk = Disk()
    log = disk.open()
    fill(log, 7)
    disk.vfs.fail("fsync", errno.EIO, path=".log")
    keep_house(disk)
    assert log.directory.offline
    disk.vfs.process_crash()
    disk.start()
    (directory,) = disk.manager.directories
    assert (directory.stop_state, directory.suspect) == (StopState.UNCLEAN, True)


@pytest.mark.parametrize("where", ["fsync", "commit"])
def test_a_stop_that_could_not_save_everything_is_not_clean(where: str) -> None:
    disk = Disk()
    fill(disk.open(), 3)
    if where == "fsync":
        disk.vfs.fail("fsync", errno.EIO, path=".log")
    else:
        disk.store.failure = OSError(errno.ENOSPC, "full")
    disk.manager.close()
    disk.store.failure = None
    disk.vfs.process_crash()
    disk.start()
    assert disk.manager.directories[0].stop_state is not StopState.CLEAN


def test_a_log_that_failed_before_the_stop_keeps_the_directory_from_being_clean() -> None:
    disk = Disk()
    log = disk.open()
    fill(log, 3)
    log.abandon("it is damaged")  # what it took since the last sync stays unsynced
    disk.manager.close()
    disk.vfs.power_cut()
    disk.start()
    assert disk.manager.directories[0].stop_state is StopState.UNCLEAN


def test_closing_twice_is_harmless() -> None:
    disk = Disk()
    disk.open()
    disk.manager.close()
    disk.manager.close()


# Opening and deleting logs


def test_a_log_is_opened_once_and_found_by_its_topics_id() -> None:
    disk = Disk()
    log = disk.open()
    assert disk.open() is log
    assert disk.manager.get_log(TOPIC_ID, 0) is log
    assert disk.manager.get_log(OTHER_ID, 0) is None
    assert disk.manager.logs() == [log]


def test_new_logs_go_where_the_fewest_are() -> None:
    manager = take(MemoryVfs(), "/a", "/b")
    manager.mark_running(1)
    found = [manager.open_log("t", n, TOPIC_ID, SMALL).directory.path for n in range(4)]
    assert sorted(found) == ["/a", "/a", "/b", "/b"]
    manager.directories[0].fail(OSError(5, "broken"))
    assert manager.open_log("t", 9, TOPIC_ID, SMALL).directory.path == "/b"
    manager.directories[1].fail(OSError(5, "broken"))
    with pytest.raises(ProtocolError, match="all log directories are offline"):
        manager.open_log("t", 10, TOPIC_ID, SMALL)


def test_a_folder_is_found_in_whichever_directory_it_is() -> None:
    vfs = MemoryVfs()
    manager = take(vfs, "/a", "/b")
    manager.mark_running(1)
    paths = {n: manager.open_log("t", n, TOPIC_ID, SMALL).folder for n in range(4)}
    manager.close()
    manager = take(vfs, "/a", "/b")
    assert {n: manager.open_log("t", n, TOPIC_ID, SMALL).folder for n in range(4)} == paths


@pytest.mark.parametrize("identity", ["another topic", "none", "damaged"])
def test_a_folder_of_another_topic_is_put_aside(identity: str) -> None:
    disk = Disk()
    fill(disk.open(), 3)
    disk.vfs.process_crash()
    disk.start()
    path = f"{FOLDER}/partition.metadata"
    if identity == "none":
        disk.vfs.unlink(path)
    elif identity == "damaged":
        disk.vfs.open(path, OpenMode.WRITE).truncate(3)
    topic_id = OTHER_ID if identity == "another topic" else TOPIC_ID
    log = disk.manager.open_log("t", 0, topic_id, SMALL)
    assert log.log_end_offset == 0
    (stray,) = [name for name in disk.vfs.listdir("/data") if name.endswith("-stray")]
    assert disk.vfs.exists(f"/data/{stray}/00000000000000000000.log")


def test_a_folder_that_was_only_begun_is_made_again() -> None:
    disk = Disk()
    disk.open()
    disk.vfs.process_crash()
    disk.vfs.open(f"{FOLDER}/partition.metadata", OpenMode.WRITE).truncate(0)
    disk.start()
    fill(disk.open(), 1)
    assert not any(name.endswith("-stray") for name in disk.vfs.listdir("/data"))


def test_too_many_open_files_refuse_a_log_but_not_the_directory() -> None:
    disk = Disk()
    disk.vfs.fail("open", errno.EMFILE, path=".log")
    with pytest.raises(ProtocolError, match="open files"):
        disk.open()
    assert not disk.manager.directories[0].offline
    fill(disk.open(), 1)


def test_logs_leave_a_quarter_of_the_descriptors_to_others() -> None:
    disk = Disk()
    disk.vfs.files_limit = 4
    disk.vfs.process_crash()
    manager = disk.start()
    for partition in range(3):
        manager.open_log("t", partition, TOPIC_ID, SMALL)
    with pytest.raises(ProtocolError, match="t-3: 3 logs are open.*ulimit") as caught:
        manager.open_log("t", 3, TOPIC_ID, SMALL)
    assert caught.value.code is ErrorCode.KAFKA_STORAGE_ERROR
    assert not disk.vfs.exists("/data/t-3")
    manager.delete_log(TOPIC_ID, 0)
    manager.open_log("t", 3, TOPIC_ID, SMALL)


def test_a_full_disk_refuses_new_logs_until_there_is_room() -> None:
    disk = Disk()
    disk.vfs.capacity = disk.vfs.used_bytes() + 20
    for _ in range(3):
        with pytest.raises(DiskFull, match="the disk is full: /data") as caught:
            disk.open()
        assert caught.value.code is ErrorCode.KAFKA_STORAGE_ERROR
    assert not disk.manager.directories[0].offline
    disk.vfs.capacity = None
    log = disk.open()
    keep_house(disk, HOLD_MS)
    fill(log, 1)
    assert not any(name.endswith("-stray") for name in disk.vfs.listdir("/data"))


def test_folders_that_the_metadata_does_not_know_are_put_aside() -> None:
    disk = Disk()
    for number in range(3):
        disk.manager.open_log("t", number, TOPIC_ID, SMALL)
    disk.vfs.mkdirs("/data/nobody-0")
    disk.vfs.process_crash()
    disk.start()
    opened = disk.open()
    moved = disk.manager.stray_unknown(lambda topic_id, partition: partition == 1)
    assert sorted(path.split(".")[0] for path in moved) == ["/data/nobody-0", "/data/t-2"]
    assert all(path.endswith("-stray") for path in moved)
    assert {"t-0", "t-1"} < set(disk.vfs.listdir("/data"))
    assert opened.usable
    assert disk.manager.stray_unknown(lambda topic_id, partition: True) == []


class Interrupted(MemoryVfs):
    """Lets another thread begin something in the middle of an operation, and goes on after it, or
    after a while when that waits."""

    def __init__(self) -> None:
        super().__init__()
        self.operation = ""
        self.interruption: threading.Thread | None = None

    def _maybe_interrupt(self, operation: str) -> None:
        if operation == self.operation and self.interruption is not None:
            self.operation = ""
            self.interruption.start()
            self.interruption.join(0.2)

    def listdir(self, path: str) -> list[str]:
        names = super().listdir(path)
        self._maybe_interrupt("listdir")
        return names

    def open(self, path: str, mode: OpenMode) -> MemoryFile:
        if path.endswith("partition.metadata") and mode is OpenMode.CREATE_NEW:
            self._maybe_interrupt("create")
        return super().open(path, mode)


def test_a_log_that_is_put_aside_meanwhile_is_no_stray() -> None:
    vfs = Interrupted()
    manager = take(vfs, "/data")
    manager.open_log("t", 0, TOPIC_ID, LogConfig())
    vfs.operation = "listdir"
    vfs.interruption = threading.Thread(target=manager.put_aside, args=("t", 0, TOPIC_ID))
    assert manager.stray_unknown(lambda *_: True) == []
    vfs.interruption.join()
    assert not manager.directories[0].offline
    assert [name for name in vfs.listdir("/data") if name.endswith("-damaged")]


def test_a_log_that_is_being_made_is_no_stray() -> None:
    vfs = Interrupted()
    manager = take(vfs, "/data")
    strays: list[str] = []
    vfs.operation = "create"
    vfs.interruption = threading.Thread(
        target=lambda: strays.extend(manager.stray_unknown(lambda *_: True))
    )
    log = manager.open_log("t", 0, TOPIC_ID, LogConfig())
    vfs.interruption.join()
    assert strays == []
    assert vfs.is_dir(log.folder)


def test_deleting_a_log() -> None:
    disk = Disk(LogConfig(segment_bytes=1000, file_delete_delay_ms=5_000))
    log = disk.open()
    fill(log, 7)
    disk.manager.note_high_watermark(TOPIC_ID, 0, 7)
    disk.commit(log)
    piece = log.read(0, 100, end_offset=7)
    disk.manager.delete_log(TOPIC_ID, 0)
    disk.manager.delete_log(TOPIC_ID, 0)
    assert disk.manager.get_log(TOPIC_ID, 0) is None
    assert not disk.vfs.exists(FOLDER)
    with pytest.raises(ProtocolError, match="deleted"):
        fill(log, 1)
    assert piece is not None
    assert piece.read()
    keep_house(disk, 4_999)
    assert any(name.endswith("-delete") for name in disk.vfs.listdir("/data"))
    keep_house(disk, 1)
    assert not any(name.endswith("-delete") for name in disk.vfs.listdir("/data"))
    disk.manager.checkpoints.commit()
    assert disk.store.values.keys() == {b"i"}
    again = disk.open()
    assert (again.log_start_offset, again.log_end_offset) == (0, 0)


def test_deleted_folders_of_the_last_run_are_removed() -> None:
    disk = Disk(LogConfig(file_delete_delay_ms=10**9))
    fill(disk.open(), 1)
    disk.manager.delete_log(TOPIC_ID, 0)
    disk.vfs.process_crash()
    disk.start()
    keep_house(disk)
    assert not any(name.endswith("-delete") for name in disk.vfs.listdir("/data"))


def test_a_flush_under_way_does_not_mind_the_deletion() -> None:
    disk = Disk()
    log = disk.open()
    fill(log, 7)
    disk.manager.delete_log(TOPIC_ID, 0)
    with pytest.raises(ProtocolError, match="deleted"):
        log.flush()
    assert not log.directory.offline


def test_a_disk_fault_while_opening_takes_the_directory_offline() -> None:
    disk = Disk()
    disk.vfs.fail("open", errno.EIO, path=".log")
    with pytest.raises(ProtocolError) as caught:
        disk.open()
    assert caught.value.code is ErrorCode.KAFKA_STORAGE_ERROR
    assert disk.manager.directories[0].offline


# Directories that fail, and damaged logs


def test_a_directory_that_cannot_be_used_leaves_the_others() -> None:
    vfs = MemoryVfs()
    manager = take(vfs, "/a", "/b")
    manager.mark_running(1)
    folder = manager.open_log("t", 0, TOPIC_ID, SMALL).folder
    manager.open_log("t", 1, TOPIC_ID, SMALL)
    manager.close()
    assert folder == "/a/t-0"
    vfs.fail("open", errno.EIO, path="/a", times=1000)
    manager = take(vfs, "/a", "/b")
    assert [directory.offline for directory in manager.directories] == [True, False]
    manager.mark_running(2)
    fill(manager.open_log("t", 1, TOPIC_ID, SMALL, may_exist=True), 1)
    # Not made anew while the directory that may hold it is offline; a new one is.
    with pytest.raises(ProtocolError, match="log directory /a is offline"):
        manager.open_log("t", 0, TOPIC_ID, SMALL, may_exist=True)
    with pytest.raises(ProtocolError, match="may be in /a: mend it, or take it out of log.dirs"):
        manager.open_log("t", 3, TOPIC_ID, SMALL, may_exist=True)
    assert manager.open_log("t", 2, TOPIC_ID, SMALL).folder == "/b/t-2"
    asyncio.run(manager.housekeep())
    assert manager.stray_unknown(lambda *_: True) == []
    manager.close()
    vfs.heal()
    manager = take(vfs, "/a", "/b")
    assert [d.stop_state for d in manager.directories] == [StopState.CLEAN] * 2
    assert manager.open_log("t", 0, TOPIC_ID, SMALL, may_exist=True).folder == folder


def test_a_log_of_a_directory_that_failed_while_running_is_not_made_anew() -> None:
    vfs = MemoryVfs()
    manager = take(vfs, "/a", "/b")
    manager.mark_running(1)
    assert manager.open_log("t", 0, TOPIC_ID, SMALL).directory is manager.directories[0]
    manager.directories[0].fail(OSError(errno.EIO, "broken"))
    manager.delete_log(OTHER_ID, 0)
    del manager._logs[TOPIC_ID, 0]
    with pytest.raises(ProtocolError, match="/a is offline: .*broken"):
        manager.open_log("t", 0, TOPIC_ID, SMALL, may_exist=True)
    assert not vfs.exists("/b/t-0")


def damaged_disk(seed: int = 0) -> Disk:
    """A log whose second batch of three synced ones is broken, found when it is opened."""
    disk = Disk(seed=seed)
    log = disk.open()
    fill(log, 3)
    log.flush()
    disk.commit(log)
    size = log.size_bytes
    disk.vfs.process_crash()
    disk.start()
    disk.vfs.open(disk.path(0), OpenMode.WRITE).pwrite(bytes(40), size // 3)
    return disk


def test_a_damaged_log_is_put_aside_and_made_anew() -> None:
    disk = damaged_disk()
    with pytest.raises(LogDamaged, match="was synced. Nothing was changed"):
        disk.open()
    assert disk.vfs.exists(FOLDER)
    path = disk.manager.put_aside("t", 0, TOPIC_ID)
    assert path is not None
    assert path.startswith("/data/t-0.")
    assert path.endswith("-damaged")
    log = disk.open()
    assert (log.log_start_offset, log.log_end_offset, log.recovery_point) == (0, 0, 0)
    fill(log, 1)
    log = disk.restart()
    assert log.log_end_offset == 1
    assert disk.vfs.exists(path)
    assert disk.manager.directories[0].stop_state is StopState.CLEAN


def test_a_crash_after_a_damaged_log_was_put_aside_loses_nothing_of_it() -> None:
    disk = damaged_disk()
    disk.store.failure = OSError(errno.ENOSPC, "full")
    path = disk.manager.put_aside("t", 0, TOPIC_ID)
    assert path is not None
    disk.store.failure = None
    disk.vfs.process_crash()
    disk.start()
    with pytest.raises(LogDamaged, match="has no segments"):
        disk.open()
    assert disk.manager.put_aside("t", 0, TOPIC_ID) is not None
    assert disk.open().log_end_offset == 0
    assert disk.vfs.exists(path)


def test_a_power_cut_after_a_damaged_log_was_put_aside_cuts_nothing_off() -> None:
    for seed in range(10):
        disk = damaged_disk(seed)
        assert disk.manager.put_aside("t", 0, TOPIC_ID) is not None
        disk.vfs.power_cut()
        disk.start()
        assert disk.open().log_end_offset == 0
        assert any(name.endswith("-damaged") for name in disk.vfs.listdir("/data"))


def test_a_log_that_is_found_damaged_while_it_is_read_can_be_put_aside() -> None:
    disk = Disk()
    log = disk.open()
    fill(log, 12)
    disk.vfs.open(disk.path(0), OpenMode.WRITE).pwrite(bytes(40), 0)
    with pytest.raises(LogDamaged):
        log.read(1, 100, end_offset=12)
    assert log.damaged
    assert disk.manager.put_aside("t", 0, TOPIC_ID) is not None
    assert disk.manager.put_aside("t", 0, TOPIC_ID) is None
    assert disk.open().log_end_offset == 0


# High watermarks


def test_high_watermarks_survive_within_the_log() -> None:
    disk = Disk()
    log = disk.open()
    fill(log, 5)
    assert disk.manager.high_watermark(log) == 0
    disk.manager.note_high_watermark(TOPIC_ID, 0, 4)
    assert disk.manager.high_watermark(log) == 4
    keep_house(disk, CHECKPOINT_INTERVAL_MS)
    disk.manager.note_high_watermark(TOPIC_ID, 0, 5)  # not written any more
    log = disk.process_crash()
    assert disk.manager.high_watermark(log) == 4
    log.truncate_to(2)
    assert disk.manager.high_watermark(log) == 2
    log.reset_to(30)
    assert disk.manager.high_watermark(log) == 30


def test_a_lost_high_watermark_is_the_logs_start() -> None:
    disk = Disk()
    log = disk.open()
    fill(log, 5)
    log.advance_log_start(3)
    assert disk.manager.high_watermark(log) == 3


# Behind the scenes


def test_rolled_segments_are_flushed_and_checkpointed() -> None:
    disk = Disk()
    log = disk.open()
    fill(log, 7)
    keep_house(disk)
    assert log.recovery_point == 5
    keep_house(disk, CHECKPOINT_INTERVAL_MS)
    assert Checkpoints(disk.store).log(log.key) is not None


@pytest.mark.parametrize(
    "config", [LogConfig(flush_ms=1_000), LogConfig(flush_messages=3)], ids=["ms", "messages"]
)
def test_flushing_by_time_or_number(config: LogConfig) -> None:
    disk = Disk(config)
    log = disk.open()
    fill(log, 2)
    keep_house(disk, 999)
    assert log.recovery_point == 0
    fill(log, 1)
    keep_house(disk, 1)
    assert log.recovery_point == 3


def test_files_that_nobody_reads_are_closed() -> None:
    disk = Disk()
    log = disk.open()
    fill(log, 12)
    log.flush_sealed()
    keep_house(disk, COLD_INTERVAL_MS - 1)
    assert log.segments[0]._file is not None
    keep_house(disk, 1)
    keep_house(disk, COLD_INTERVAL_MS)
    assert log.segments[0]._file is None


def test_retention_and_producers_are_looked_after() -> None:
    disk = Disk(LogConfig(segment_bytes=1000, retention_bytes=1000, file_delete_delay_ms=0))
    log = disk.open()
    append(log, batch(producer_id=1, sequence=0))
    fill(log, 20)
    keep_house(disk, RETENTION_INTERVAL_MS)
    assert log.segment_count == 5  # nothing is committed yet
    disk.manager.note_high_watermark(TOPIC_ID, 0, log.log_end_offset)
    keep_house(disk, RETENTION_INTERVAL_MS)
    assert log.segment_count == 2
    assert log.log_start_offset == 15
    assert len(log.producers) == 1
    keep_house(disk, PRODUCER_EXPIRATION_MS)
    assert len(log.producers) == 0


def test_a_log_start_is_saved_and_what_lies_below_it_goes() -> None:
    disk = Disk(LogConfig(segment_bytes=1000, file_delete_delay_ms=0))
    log = disk.open()
    fill(log, 20)
    disk.manager.note_high_watermark(TOPIC_ID, 0, 20)
    log.advance_log_start(12)
    assert asyncio.run(disk.manager.save_log_starts([log]))
    assert log.segments[0].base_offset <= 12 < log.segments[0].next_offset
    assert disk.process_crash().log_start_offset == 12


def test_a_log_start_that_cannot_be_saved_makes_room_all_the_same() -> None:
    disk = Disk(LogConfig(segment_bytes=1000, file_delete_delay_ms=0))
    log = disk.open()
    fill(log, 20)
    disk.manager.note_high_watermark(TOPIC_ID, 0, 20)
    log.advance_log_start(12)
    disk.store.failure = OSError(errno.ENOSPC, "full")
    assert not asyncio.run(disk.manager.save_log_starts([log]))
    assert log.segments[0].base_offset > 0


def test_a_commit_that_fails_is_tried_again() -> None:
    disk = Disk()
    log = disk.open()
    disk.manager.note_high_watermark(TOPIC_ID, 0, 0)
    disk.store.failure = OSError(errno.ENOSPC, "full")
    keep_house(disk, CHECKPOINT_INTERVAL_MS)
    disk.store.failure = None
    keep_house(disk, CHECKPOINT_INTERVAL_MS)
    assert Checkpoints(disk.store).high_watermark(log.key) == 0


def test_files_that_cannot_be_unlinked() -> None:
    disk = Disk()
    log = disk.open()
    fill(log, 7)
    log.truncate_to(2)
    disk.vfs.fail("unlink", errno.EIO)
    keep_house(disk, 1)
    assert log.directory.offline
    disk = Disk()
    disk.open()
    disk.manager.delete_log(TOPIC_ID, 0)
    disk.vfs.fail("rmtree", errno.EIO)
    keep_house(disk, 1)


async def run_until_flushed(manager: LogManager, monkeypatch: pytest.MonkeyPatch) -> None:
    done = asyncio.Event()
    housekeep = manager.housekeep

    async def one_round() -> None:
        await housekeep()
        done.set()

    monkeypatch.setattr(manager, "housekeep", one_round)
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        task = group.create_task(manager.run())
        await done.wait()
        task.cancel()


def test_a_real_broker_start_to_stop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.manager.HOUSEKEEPING_INTERVAL_MS", 1)
    path = str(tmp_path / "data")

    def start() -> LogManager:
        return LogManager.open([path], cluster_id="c", node_id=1, clock=SystemClock(), vfs=OsVfs())

    manager = start()
    manager.mark_running(1)
    log = manager.open_log("t", 0, TOPIC_ID, SMALL)
    fill(log, 7)
    asyncio.run(run_until_flushed(manager, monkeypatch))
    assert log.recovery_point == 5
    manager.note_high_watermark(TOPIC_ID, 0, 6)
    with pytest.raises(ConfigError, match="used by another process"):
        start()
    manager.close()
    manager = start()
    assert manager.directories[0].stop_state is StopState.CLEAN
    log = manager.open_log("t", 0, TOPIC_ID, SMALL)
    assert (log.log_end_offset, log.scanned_bytes) == (7, 0)
    assert manager.high_watermark(log) == 6
    manager.close()
