"""Moving replicas between the log directories of this broker (AlterReplicaLogDirs, KIP-113).

One replica at a time: a copy of its log is made in the other directory, while it goes on to serve;
once the copy is synced but for the newest batches it takes the log's place, in one step of the
event loop (storage/moving.py has the states that a crash can leave). The copy is begun anew when
the log is truncated meanwhile, or loses by retention what the copy has not got yet.

A request is kept until it is done or the process ends; a copy that a crash or a stop interrupted is
begun anew. When a disk is full it is tried again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from broker.replication.replica_logs import PartitionKey
from broker.replication.throttle import Throttle
from ottla.core.clock import Clock
from ottla.core.errors import ErrorCode, ProtocolError
from storage.errors import DISK_FULL
from storage.moving import begin_offset

if TYPE_CHECKING:
    from broker.replication.partition import Partition
    from storage.directory import LogDirectory
    from storage.log import Log
    from storage.manager import LogManager

logger = logging.getLogger(__name__)

CHUNK_BYTES: Final = 256 * 1024
SYNC_BYTES: Final = 64 * 1024 * 1024
SWAP_BYTES: Final = 1024 * 1024
"""The most that is copied in the step in which the copy takes the log's place."""
RETRY_MS: Final = 5_000
LOOK_MS: Final = 1_000
WANTED_MAX: Final = 100_000


class _GivenUp(Exception):
    """The copy is of no use: the log was truncated or closed, or nobody wants it any more."""


class LogMoves:
    """See the module. `find` gives a partition of this broker by its key."""

    def __init__(
        self,
        logs: LogManager,
        find: Callable[[PartitionKey], Partition | None],
        throttle: Throttle,
        clock: Clock,
    ) -> None:
        self.moved = 0
        """Replicas, since the start."""
        self._logs = logs
        self._find = find
        self._throttle = throttle
        self._clock = clock
        self._wanted: dict[PartitionKey, LogDirectory] = {}
        self._woken = asyncio.Event()

    def request(self, topic: str, index: int, key: PartitionKey | None, path: str) -> None:
        """Move a replica to the log directory `path`; there already: stay.

        LOG_DIR_NOT_FOUND; KAFKA_STORAGE_ERROR for a directory or a replica that is offline;
        REPLICA_NOT_AVAILABLE for one that this broker has not got: should it get it, it will be
        made there.
        """
        directory = next((one for one in self._logs.directories if one.path == path), None)
        if directory is None:
            raise ProtocolError(ErrorCode.LOG_DIR_NOT_FOUND, f"{path} is none of log.dirs")
        directory.check_online()
        partition = None if key is None else self._find(key)
        if key is None or partition is None:
            self._logs.prefer(topic, index, directory)
            raise ProtocolError(
                ErrorCode.REPLICA_NOT_AVAILABLE,
                f"{topic}-{index} is not on this broker; its log will be made in {path}",
            )
        log = partition.usable_log
        if log.directory is directory:
            self._wanted.pop(key, None)
        elif len(self._wanted) < WANTED_MAX:
            self._wanted[key] = directory
        self._woken.set()

    async def run(self) -> None:
        """Move what is wanted, until cancelled."""
        while True:
            self._woken.clear()
            self._take_up_interrupted()
            for key, directory in [*self._wanted.items()]:
                await self._maybe_move(key, directory)
            # A copy that failed is begun anew, and one that was interrupted once its log is open.
            pause_ms = RETRY_MS if self._wanted else LOOK_MS
            if not self._wanted and not self._logs.moving.interrupted:
                await self._woken.wait()
                continue
            try:
                async with asyncio.timeout(pause_ms / 1_000):
                    await self._woken.wait()
            except TimeoutError:
                pass

    def _take_up_interrupted(self) -> None:
        interrupted = self._logs.moving.interrupted
        for key, directory in [*interrupted.items()]:
            partition = self._find(key)
            if partition is not None and partition.log is not None:
                del interrupted[key]
                self._wanted.setdefault(key, directory)

    async def _maybe_move(self, key: PartitionKey, directory: LogDirectory) -> None:
        """Move one; what fails stays wanted as long as it may succeed."""
        partition = self._find(key)
        if partition is None or directory.offline:
            self._wanted.pop(key, None)
            return
        name = f"{partition.topic}-{partition.index}"
        try:
            await self._move(key, partition, partition.usable_log, directory)
        except _GivenUp:
            logger.info("%s: the copy in %s is given up", name, directory.path)
        except OSError as error:
            if error.errno not in DISK_FULL:
                directory.fail(error)
            logger.warning("%s is not moved to %s: %s", name, directory.path, error)
        except ProtocolError as error:
            logger.warning("%s is not moved to %s: %s", name, directory.path, error)
            if error.code is not ErrorCode.KAFKA_STORAGE_ERROR:
                self._wanted.pop(key, None)  # the log itself is not what it should be
        # Not when the node stops: the next start goes by what it finds.
        self._logs.drop_copy(*key)
        if self._wanted.get(key) is directory and self._is_there(key, directory):
            del self._wanted[key]

    def _is_there(self, key: PartitionKey, directory: LogDirectory) -> bool:
        log = self._logs.get_log(*key)
        return log is not None and log.directory is directory

    async def _move(
        self, key: PartitionKey, partition: Partition, log: Log, directory: LogDirectory
    ) -> None:
        if log.directory is directory:
            return
        truncations = log.truncations

        def check() -> None:
            """After every wait: whether the copy is still one, and still wanted."""
            if (
                self._wanted.get(key) is not directory
                or self._find(key) is not partition
                or partition.log is not log
                or log.truncations != truncations
                or not log.usable
                or not copy.usable
                or copy.log_end_offset < log.log_start_offset
            ):
                raise _GivenUp

        copy = await asyncio.to_thread(self._logs.moving.begin, log, directory)
        start = begin_offset(log)
        if start:
            copy.reset_to(start)
        check()
        logger.info("%s-%d is moved to %s", partition.topic, partition.index, directory.path)
        is_noted = False
        while True:
            await self._copy(log, copy, check)
            copy.advance_log_start(log.log_start_offset)
            await asyncio.to_thread(copy.flush)
            saved = await self._logs.save_log_starts([copy])
            if saved and not is_noted:
                await asyncio.to_thread(self._logs.moving.note_complete, copy)
                is_noted = True
            check()
            retired = self._maybe_swap(partition, log, copy) if saved else None
            if retired is not None:
                break
        await asyncio.to_thread(self._logs.moving.finish, copy, log.directory)
        if not log.directory.offline:
            self._logs.retire(retired, log.config)
        self.moved += 1
        logger.info("%s-%d is now in %s", partition.topic, partition.index, directory.path)

    async def _copy(self, log: Log, copy: Log, check: Callable[[], None]) -> None:
        """Copy up to the log's end, as fast as the throttle allows."""
        unsynced = 0
        while copy.log_end_offset < log.log_end_offset:
            found = log.read(copy.log_end_offset, CHUNK_BYTES, end_offset=log.log_end_offset)
            if found is None:
                return
            try:
                data = await asyncio.to_thread(found.read)
            except OSError as error:
                log.fail_reading(error)
            check()
            copy.append_as_follower(memoryview(data))
            self._throttle.take(len(data), self._clock.now_ms())
            unsynced += len(data)
            if unsynced >= SYNC_BYTES:
                unsynced = 0
                await asyncio.to_thread(copy.flush)
            wait_ms = self._throttle.wait_ms(self._clock.now_ms())
            if wait_ms:
                await asyncio.sleep(wait_ms / 1_000)
            check()

    def _maybe_swap(self, partition: Partition, log: Log, copy: Log) -> str | None:
        """The step in which the copy becomes the log; the new path of the folder before. None: too
        much came since it was synced, and nothing was changed."""
        copied = 0
        while copy.log_end_offset < log.log_end_offset:
            found = log.read(copy.log_end_offset, CHUNK_BYTES, end_offset=log.log_end_offset)
            if found is None or copied + found.size > SWAP_BYTES:
                return None
            copied += found.size
            copy.append_as_follower(memoryview(found.read()))
        if copy.recovery_point < log.recovery_point or copy.log_start_offset < log.log_start_offset:
            return None
        try:
            retired = self._logs.replace(log, copy)
        except OSError as error:
            log.directory.fail(error)
            raise _GivenUp from None
        copy.take_place_of(log)
        partition.log = copy
        if partition.flush_due:
            partition.request_flush()
        return retired
