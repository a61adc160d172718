"""All logs of a broker: directories, opening and deleting, and the work behind the scenes.

`open` takes the directories (directories.py); `mark_running` must be called before the first
append; `run` flushes rolled segments, writes checkpoints, applies retention and unlinks what was
removed; `close` syncs everything and marks the directories clean.

Syncs and LMDB commits run in threads of their own, everything else on the caller's, which is the
event loop's once `run` runs. Only `open`, `open_log`, `mark_running` and `close` block.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from ottla.core.clock import Clock
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.core.identifiers import Uuid
from storage import names
from storage.checkpoints import Checkpoints, LogKey
from storage.config import LogConfig
from storage.directories import Directories
from storage.directory import LogDirectory, StopState
from storage.errors import DISK_FULL, NO_DESCRIPTOR, DiskFull
from storage.folders import Folders
from storage.log import Log
from storage.marks import MarkState
from storage.moving import MovingLogs
from storage.vfs import Vfs
from storage.work_counts import WorkCounts

__all__ = ["LogDirectory", "LogManager", "StopState"]

_log = logging.getLogger(__name__)

HOUSEKEEPING_INTERVAL_MS = 1_000
CHECKPOINT_INTERVAL_MS = 5_000  # replica.high.watermark.checkpoint.interval.ms
RETENTION_INTERVAL_MS = 300_000  # log.retention.check.interval.ms
COLD_INTERVAL_MS = 60_000  # files of sealed segments that were not read for so long are closed
CLOSERS = 4  # logs that are synced at the same time when all are closed
PREFERRED_MAX = 10_000  # partitions for whose logs a directory was chosen
PRODUCER_EXPIRATION_MS = 86_400_000  # producer.id.expiration.ms


class LogManager:
    """See the module. Made by `LogManager.open`."""

    def __init__(
        self,
        directories: Directories,
        clock: Clock,
        vfs: Vfs,
        producer_expiration_ms: int = PRODUCER_EXPIRATION_MS,
        retention_interval_ms: int = RETENTION_INTERVAL_MS,
    ) -> None:
        self.directories = directories.all
        self.checkpoints = directories.checkpoints
        self._directories = directories
        self.counts = WorkCounts()
        self._clock = clock
        self._vfs = vfs
        self.producer_expiration_ms = producer_expiration_ms
        self._retention_interval_ms = retention_interval_ms
        self._logs: dict[tuple[Uuid, int], Log] = {}
        self._high_watermarks: dict[tuple[Uuid, int], int] = {}  # not yet noted
        self._retired: list[tuple[int, str]] = []  # (now_ms from which on, folder to remove)
        self._folders = Folders(vfs)
        self._folders_lock = threading.Lock()
        """Logs are opened and put aside by a thread, strays are looked for on the event loop: a
        folder that is being made, or has just gone, is no stray."""
        self._flusher = ThreadPoolExecutor(1, "log-flush")
        self._writer = ThreadPoolExecutor(1, "checkpoints")
        self._checkpoint_due_ms = clock.now_ms() + CHECKPOINT_INTERVAL_MS
        self._retention_due_ms = clock.now_ms() + retention_interval_ms
        self._cold_due_ms = clock.now_ms() + COLD_INTERVAL_MS
        self._logs_max = vfs.files_max() * 3 // 4  # the rest: sealed segments and connections
        self._closed = False
        self._complained = ""  # of what the last commit failed with
        self.moving = MovingLogs(self.directories, self._folders, self.checkpoints, clock, vfs)
        self._preferred: dict[tuple[str, int], LogDirectory] = {}
        self._retired += [(clock.now_ms(), path) for path in self.moving.settle()]
        self._retire_leftovers()

    @classmethod
    def open(
        cls,
        paths: Sequence[str],
        *,
        cluster_id: str,
        node_id: int,
        clock: Clock,
        vfs: Vfs,
        checkpoints: Checkpoints | None = None,
        producer_expiration_ms: int = PRODUCER_EXPIRATION_MS,
        retention_interval_ms: int = RETENTION_INTERVAL_MS,
        min_free_bytes: int = 0,
    ) -> LogManager:
        """Take the log directories `paths`; without `checkpoints`, LMDB in the first usable one.

        `min_free_bytes`: of free space, appends leave that much (0: none). ConfigError in one
        sentence: a directory that is locked, of another cluster or node, or written by a newer
        version; or none that the disk lets us use.
        """
        directories = Directories.take(
            paths,
            cluster_id=cluster_id,
            node_id=node_id,
            clock=clock,
            vfs=vfs,
            checkpoints=checkpoints,
            min_free_bytes=min_free_bytes,
        )
        return cls(directories, clock, vfs, producer_expiration_ms, retention_interval_ms)

    def mark_running(self, broker_epoch: int) -> None:
        """Note durably that from now on the directories may hold unsynced data. Blocks."""
        self._directories.mark_running(broker_epoch)

    # Logs

    def logs(self) -> list[Log]:
        return list(self._logs.values())

    def get_log(self, topic_id: Uuid, partition: int) -> Log | None:
        return self._logs.get((topic_id, partition))

    def disk_space(self, directory: LogDirectory) -> tuple[int, int]:
        """(size, free bytes) of a directory's disk. Blocks. OSError: the disk."""
        return self._vfs.total_bytes(directory.path), self._vfs.free_bytes(directory.path)

    def open_log(
        self,
        topic: str,
        partition: int,
        topic_id: Uuid,
        config: LogConfig,
        *,
        may_exist: bool = False,
    ) -> Log:
        """The log of a partition: open already, in its folder, or new. Blocks while it scans.

        `may_exist`: it may have been here before, so that none is made while a directory is
        offline that may hold it. LogDamaged: below its recovery point. DiskFull.
        KAFKA_STORAGE_ERROR: the disk fails.
        """
        if (log := self._logs.get((topic_id, partition))) is not None:
            return log
        directory: LogDirectory | None = None
        try:
            with self._folders_lock:
                directory = self._folders.find(self.directories, topic, partition, topic_id)
                if len(self._logs) >= self._logs_max:
                    raise ProtocolError(
                        ErrorCode.KAFKA_STORAGE_ERROR,
                        f"{topic}-{partition}: {self._logs_max} logs are open, three quarters of "
                        "the files that this process may open; raise the limit (ulimit -n)",
                    )
                if directory is None:
                    if may_exist:
                        self._directories.check_all_online(f"{topic}-{partition}")
                    directory = self._for_new(topic, partition)
                    self._folders.create(directory, topic, partition, topic_id)
                directory.check_online()
                self.moving.check_settled(directory, topic, partition)
                if directory.suspect:
                    self._folders.write_identity_again(directory, topic, partition, topic_id)
            log = Log(
                topic=topic,
                topic_id=topic_id,
                partition=partition,
                directory=directory,
                folder=self._folders.path(directory, topic, partition),
                config=config,
                clock=self._clock,
                vfs=self._vfs,
                checkpoints=self.checkpoints,
            )
        except OSError as error:
            if error.errno in DISK_FULL:
                if directory is None:
                    raise DiskFull(f"{topic}-{partition}: {error}") from error
                raise directory.room.refused() from error
            if directory is not None and error.errno not in NO_DESCRIPTOR:
                directory.fail(error)
            raise ProtocolError(
                ErrorCode.KAFKA_STORAGE_ERROR, f"{topic}-{partition}: {error}"
            ) from error
        self._logs[topic_id, partition] = log
        return log

    def _for_new(self, topic: str, partition: int) -> LogDirectory:
        preferred = self._preferred.pop((topic, partition), None)
        if preferred is not None and not preferred.offline:
            return preferred
        return self._directories.for_new([log.directory for log in self._logs.values()])

    def prefer(self, topic: str, partition: int, directory: LogDirectory) -> None:
        """Make the partition's log there, should it be made; kept until this process ends."""
        if len(self._preferred) < PREFERRED_MAX:
            self._preferred[topic, partition] = directory

    def replace(self, log: Log, copy: Log) -> str:
        """`copy`, which has been made in `moving`, is the log from now on; the new path of the
        folder before, for `retire`. OSError: the disk of that; nothing was changed."""
        retired = self._folders.rename_away(
            log.directory, log.topic, log.partition, names.DELETE_ENDING
        )
        key = (log.topic_id, log.partition)
        self._high_watermarks[key] = self.high_watermark(log)
        log.abandon("it was moved to another directory")
        self.checkpoints.forget(log.key)
        self._logs[key] = self.moving.copies.pop(key)
        return retired

    def retire(self, path: str, config: LogConfig) -> None:
        """Remove a folder after `file.delete.delay.ms`."""
        self._retired.append((self._clock.now_ms() + config.file_delete_delay_ms, path))

    def drop_copy(self, topic_id: Uuid, partition: int) -> None:
        """Give up moving a log to another directory; no copy: no change."""
        copy = self.moving.copies.get((topic_id, partition))
        if copy is None:
            return
        try:
            path = self.moving.drop(topic_id, partition)
        except OSError as error:
            copy.directory.fail(error)
        else:
            if path is not None:
                self._retired.insert(0, (self._clock.now_ms(), path))

    def delete_log(self, topic_id: Uuid, partition: int) -> None:
        """Take a log out of use and its folder out of the way; unknown: no change.

        The files go after `file.delete.delay.ms`.
        """
        log = self._logs.pop((topic_id, partition), None)
        if log is None:
            return
        self._high_watermarks.pop((topic_id, partition), None)
        self.drop_copy(topic_id, partition)
        log.abandon("it is deleted")
        self.checkpoints.forget(log.key)
        try:
            retired = self._folders.rename_away(
                log.directory, log.topic, log.partition, names.DELETE_ENDING
            )
        except OSError as error:
            log.directory.fail(error)
            return
        due_ms = self._clock.now_ms() + log.config.file_delete_delay_ms
        self._retired.append((due_ms, retired))

    def put_aside(self, topic: str, partition: int, topic_id: Uuid) -> str | None:
        """Take a damaged log out of use: its folder is renamed to end in -damaged, its checkpoints
        go. The new path; None when there is no such folder. Blocks. OSError: nothing was changed.

        The folder goes first: without its checkpoints a damaged log would look like one that only
        lost its tail.
        """
        log = self._logs.get((topic_id, partition))
        self.drop_copy(topic_id, partition)
        directory = self._folders.find(self.directories, topic, partition, topic_id)
        if directory is None:
            return None
        if log is not None:
            log.abandon("it is damaged")
        with self._folders_lock:
            path = self._folders.rename_away(directory, topic, partition, names.DAMAGED_ENDING)
        self._vfs.fsync_dir(directory.path)
        self._logs.pop((topic_id, partition), None)
        self._high_watermarks.pop((topic_id, partition), None)
        self.checkpoints.forget(LogKey(directory.directory_id, topic_id, partition))
        self._commit()
        return path

    def stray_unknown(self, known: Callable[[Uuid, int], bool]) -> list[str]:
        """Rename the folders of logs that are not `known` to end in -stray; their new paths.

        To be called once the metadata has been caught up with.
        """
        renamed: list[str] = []
        for directory in self.directories:
            if directory.offline:
                continue
            try:
                with self._folders_lock:
                    renamed += self._stray_in(directory, known)
            except OSError as error:
                directory.fail(error)
        return renamed

    def _stray_in(
        self, directory: LogDirectory, known: Callable[[Uuid, int], bool]
    ) -> Iterator[str]:
        for topic, partition in self._folders.all_in(directory):
            folder = self._folders.path(directory, topic, partition)
            topic_id = self._folders.topic_id(directory, topic, partition)
            if topic_id is not None and (
                (topic_id, partition) in self._logs or known(topic_id, partition)
            ):
                continue
            path = self._folders.rename_away(directory, topic, partition, names.STRAY_ENDING)
            _log.warning("%s is not in the cluster's metadata: renamed to %s", folder, path)
            yield path

    # High watermarks

    def high_watermark(self, log: Log) -> int:
        """The high watermark that was checkpointed, within the log; lost: the log's start."""
        stored = self._high_watermarks.get((log.topic_id, log.partition))
        if stored is None:
            stored = self.checkpoints.high_watermark(log.key)
        if stored is None:
            return log.log_start_offset
        return min(max(stored, log.log_start_offset), log.log_end_offset)

    def note_high_watermark(self, topic_id: Uuid, partition: int, value: int) -> None:
        """Remember a high watermark; it is written with the next checkpoint."""
        self._high_watermarks[topic_id, partition] = value

    # Behind the scenes

    async def run(self) -> None:
        """Do the background work until cancelled."""
        while True:
            await asyncio.sleep(HOUSEKEEPING_INTERVAL_MS / 1000)
            await self.housekeep()

    async def housekeep(self) -> None:
        """One round: what is due is done."""
        loop = asyncio.get_running_loop()
        now_ms = self._clock.now_ms()
        measured = await loop.run_in_executor(self._flusher, self._directories.measure_room)
        if self._directories.note_room(measured):
            self._retention_due_ms = now_ms  # what may go, goes now
        for log in self.logs():
            work = self._flush_due(log, now_ms)
            if work is not None:
                began_ns = time.monotonic_ns()
                await loop.run_in_executor(self._flusher, _flush, log, work)
                self.counts.note_flush(time.monotonic_ns() - began_ns)
        if now_ms >= self._retention_due_ms:
            self._retention_due_ms = now_ms + self._retention_interval_ms
            self.apply_retention()
        if now_ms >= self._cold_due_ms:
            self._cold_due_ms = now_ms + COLD_INTERVAL_MS
            for log in self.logs():
                log.release_cold()
        await loop.run_in_executor(self._flusher, self._directories.mark_failed)
        await loop.run_in_executor(self._flusher, self._unlink, now_ms)
        if now_ms >= self._checkpoint_due_ms:
            self._checkpoint_due_ms = now_ms + CHECKPOINT_INTERVAL_MS
            self._note_checkpoints()
            await loop.run_in_executor(self._writer, self._commit)

    async def save_log_starts(self, logs: Sequence[Log]) -> bool:
        """Make the log start offsets of `logs` durable and delete the segments below them.

        False: they are not durable, the checkpoints could not be written. The segments go in any
        case: on a full disk that is what makes room.
        """
        for log in logs:
            log.note_checkpoint()
        loop = asyncio.get_running_loop()
        saved = await loop.run_in_executor(self._writer, self._commit)
        timestamp_ms = self._clock.timestamp_ms()
        for log in logs:
            self._delete_old(log, timestamp_ms)
        return saved

    def apply_retention(self) -> int:
        """Delete old segments and forget old producers; how many segments went."""
        timestamp_ms = self._clock.timestamp_ms()
        count = 0
        for log in self.logs():
            if not log.usable:
                continue
            count += self._delete_old(log, timestamp_ms)
            log.producers.expire(timestamp_ms, self.producer_expiration_ms)
        return count

    def _delete_old(self, log: Log, timestamp_ms: int) -> int:
        before = log.size_bytes
        try:
            count = log.delete_old_segments(timestamp_ms, self.high_watermark(log))
            self.counts.segments_deleted += count
            self.counts.bytes_deleted += before - log.size_bytes if count else 0
            return count
        except ProtocolError as error:
            _log.warning("retention: %s", error)
            return 0

    def close(self) -> None:
        """Sync everything, write the checkpoints, mark the directories clean. Blocks."""
        if self._closed:
            return
        self._closed = True
        self._flusher.shutdown(wait=True)
        self._writer.shutdown(wait=True)
        synced = {directory.path for directory in self.directories if directory.running}
        for directory in self.directories:
            # A folder that was left by a crash and never opened has not been synced.
            if directory.stop_state is not StopState.CLEAN and self._has_unopened(directory):
                synced.discard(directory.path)
        # Several at once: the file system makes one commit of syncs that wait together.
        with ThreadPoolExecutor(CLOSERS, "log-close") as closers:
            logs = [log for log in self.logs() if log.directory.running]
            for log, closed in zip(logs, closers.map(_close, logs), strict=True):
                if not closed:
                    synced.discard(log.directory.path)
        self._directories.mark_failed()
        self._note_checkpoints()
        if self._commit():
            for directory in self.directories:
                if directory.path in synced and not directory.offline:
                    self._directories.mark(directory, MarkState.CLEAN)
        self.checkpoints.close()
        self._directories.release()

    def _flush_due(self, log: Log, now_ms: int) -> Callable[[], None] | None:
        if not log.usable:
            return None
        unflushed = log.log_end_offset - log.recovery_point
        late = now_ms - log.flushed_ms >= log.config.flush_ms
        if unflushed and (late or unflushed >= log.config.flush_messages):
            return log.flush
        return log.flush_sealed if log.has_sealed_dirt else None

    def _note_checkpoints(self) -> None:
        for log in self.logs():
            log.note_checkpoint()
        moved, self._high_watermarks = self._high_watermarks, {}
        for (topic_id, partition), value in moved.items():
            log_or_none = self._logs.get((topic_id, partition))
            if log_or_none is not None:
                self.checkpoints.note_high_watermark(log_or_none.key, value)

    def _commit(self) -> bool:
        try:
            self.checkpoints.commit()
        except OSError as error:
            if str(error) != self._complained:  # it is tried again every few seconds
                self._complained = str(error)
                _log.error("the checkpoints were not written: %s", error)
            return False
        self._complained = ""
        return True

    def _unlink(self, now_ms: int) -> None:
        for log in self.logs():
            try:
                log.unlink_condemned(now_ms)
            except OSError as error:
                log.directory.fail(error)
        while self._retired and self._retired[0][0] <= now_ms:
            _, folder = self._retired.pop(0)
            try:
                self._vfs.rmtree(folder)
            except OSError as error:
                _log.error("%s could not be removed: %s", folder, error)

    # Directories

    def _has_unopened(self, directory: LogDirectory) -> bool:
        opened = {(log.topic, log.partition) for log in self.logs() if log.directory is directory}
        try:
            return any(found not in opened for found in self._folders.all_in(directory))
        except OSError as error:
            directory.fail(error)
            return True

    def _retire_leftovers(self) -> None:
        """Deleted folders of the last run are removed in the next round."""
        now_ms = self._clock.now_ms()
        for directory in self.directories:
            if directory.offline:
                continue
            try:
                self._retired += [(now_ms, path) for path in self._folders.deleted_in(directory)]
            except OSError as error:
                directory.fail(error)


def _close(log: Log) -> bool:
    """Whether all that it took is synced."""
    if not log.usable:  # what it took before it failed was perhaps never synced
        return False
    try:
        log.close()
    except ProtocolError as error:
        _log.error("%s", error)
        return False
    return True


def _flush(log: Log, work: Callable[[], None]) -> None:
    try:
        work()
    except ProtocolError as error:
        if log.usable:
            _log.warning("flush: %s", error)
