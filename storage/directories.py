"""All log directories of a broker: taken at start, marked, watched; and where the checkpoints are.

The checkpoints lie in the first directory that can be used. Each mark names the environment that
holds what is known of its directory's logs; what another environment says is forgotten, since a
recovery point from before a truncation would lie above what is synced (SAFETY.md, rule 17).
"""

from __future__ import annotations

import errno
import logging
import os
import threading
from collections import Counter
from collections.abc import Iterable, Sequence

from ottla.core.clock import Clock
from ottla.core.errors import ConfigError, ErrorCode, ProtocolError
from storage import marks, names
from storage.checkpoints import Checkpoints
from storage.directory import LogDirectory
from storage.errors import DISK_FULL
from storage.lmdb_store import LmdbStore
from storage.marks import MarkState
from storage.taking import take_directories
from storage.vfs import Vfs, VfsLock

_log = logging.getLogger(__name__)


class Directories:
    """See the module. Made by `Directories.take`."""

    def __init__(
        self,
        directories: Sequence[LogDirectory],
        locks: Sequence[VfsLock],
        checkpoints: Checkpoints,
        home: LogDirectory | None,
        vfs: Vfs,
    ) -> None:
        self.all = tuple(directories)
        self.checkpoints = checkpoints
        self._locks = tuple(locks)
        self._home = home  # holds the checkpoints; None once it has failed
        self._vfs = vfs
        self._broker_epoch = -1
        self._mark_lock = threading.Lock()  # one mark at a time, whoever writes it

    @classmethod
    def take(
        cls,
        paths: Sequence[str],
        *,
        cluster_id: str,
        node_id: int,
        clock: Clock,
        vfs: Vfs,
        checkpoints: Checkpoints | None,
        min_free_bytes: int,
    ) -> Directories:
        """See `LogManager.open`."""
        directories, locks = take_directories(
            paths,
            cluster_id=cluster_id,
            node_id=node_id,
            clock=clock,
            vfs=vfs,
            min_free_bytes=min_free_bytes,
        )
        home = None
        try:
            if checkpoints is None:
                home, checkpoints = _open_checkpoints(directories)
            _forget_what_is_stale(directories, checkpoints)
        except BaseException:
            for lock in locks:
                lock.release()
            raise
        return cls(directories, locks, checkpoints, home, vfs)

    # Marks

    def mark_running(self, broker_epoch: int) -> None:
        """See `LogManager.mark_running`."""
        self._broker_epoch = broker_epoch
        for directory in self.all:
            if directory.offline:
                continue
            try:
                self._write_mark(directory, MarkState.RUNNING)
            except OSError as error:
                directory.fail(error)
            else:
                directory.running = True
        self.checkpoints.disown = self._disown_checkpoints

    def mark_failed(self) -> None:
        """Let the next start know which directories failed: their page cache cannot be believed."""
        for directory in self.all:
            if directory.offline and directory.running:
                directory.running = False
                self.mark(directory, MarkState.FAILED)
        home = self._home
        if home is not None and home.offline:
            self._home = None
            self.checkpoints.abandon(OSError(errno.EIO, home.failure, home.path))

    def mark(self, directory: LogDirectory, state: MarkState) -> None:
        """Durably, or with a line in the log."""
        try:
            self._write_mark(directory, state)
        except OSError as error:
            _log.error("%s could not be marked %s: %s", directory.path, state.value, error)

    def release(self) -> None:
        """Let others take the directories."""
        for lock in self._locks:
            lock.release()

    def _write_mark(self, directory: LogDirectory, state: MarkState) -> None:
        with self._mark_lock:
            checkpoints_id = directory.checkpoints_id or ""
            marks.write_mark(self._vfs, directory.path, state, self._broker_epoch, checkpoints_id)

    def _disown_checkpoints(self, error: OSError) -> None:
        """The environment failed: no directory may be opened with it any more."""
        _log.error(
            "the checkpoints cannot be written any more (%s): the next start scans the logs", error
        )
        for directory in self.all:
            directory.checkpoints_id = ""
            if directory.running and not directory.offline:
                try:
                    self._write_mark(directory, MarkState.RUNNING)
                except OSError as fault:
                    directory.fail(fault)

    # Room

    def measure_room(self) -> list[tuple[LogDirectory, int]]:
        """The free bytes of each working directory. Blocks."""
        measured = []
        for directory in self.all:
            if not directory.offline:
                try:
                    measured.append((directory, directory.room.measure()))
                except OSError as error:
                    directory.fail(error)
        return measured

    def note_room(self, measured: Iterable[tuple[LogDirectory, int]]) -> bool:
        """Take measurements into account; whether a directory has become full."""
        has_become_full = False
        for directory, free in measured:
            was_full = directory.room.full
            is_full = directory.room.note(free)
            has_become_full |= is_full and not was_full
        return has_become_full

    # Choosing

    def for_new(self, used: Iterable[LogDirectory]) -> LogDirectory:
        """Where a new log goes: to the fewest, and where there is room if that is anywhere.

        `used`: the directory of each log. KAFKA_STORAGE_ERROR when all are offline.
        """
        online = [directory for directory in self.all if not directory.offline]
        if not online:
            raise ProtocolError(ErrorCode.KAFKA_STORAGE_ERROR, "all log directories are offline")
        counts = Counter(directory.path for directory in used)
        return min(online, key=lambda directory: (directory.room.full, counts[directory.path]))

    def check_all_online(self, name: str) -> None:
        """KAFKA_STORAGE_ERROR when the log `name`, found nowhere, may be in an offline one."""
        offline = [directory.path for directory in self.all if directory.offline]
        if offline:
            raise ProtocolError(
                ErrorCode.KAFKA_STORAGE_ERROR,
                f"{name} is in no working log directory, and may be in {', '.join(offline)}: mend "
                "it, or take it out of log.dirs to have the replica made again from its leader",
            )


def _open_checkpoints(directories: Sequence[LogDirectory]) -> tuple[LogDirectory, Checkpoints]:
    """The environment of the first directory that gives one."""
    for directory in directories:
        if directory.offline:
            continue
        try:
            store = LmdbStore(os.path.join(directory.path, names.CHECKPOINTS))
        except OSError as error:
            if error.errno in DISK_FULL:
                raise ConfigError(
                    f"{directory.path} has no room for the checkpoints ({error}): make room on it"
                ) from error
            directory.fail(error)
        else:
            return directory, Checkpoints(store)
    raise ConfigError(
        f"no log directory can be used ({directories[0].failure}): mend them, or choose other "
        "folders in log.dirs"
    )


def _forget_what_is_stale(directories: Sequence[LogDirectory], checkpoints: Checkpoints) -> None:
    """Believe nothing that the environment says of a directory whose last use had another one:
    a recovery point from before a truncation would be above what is synced."""
    try:
        identity = checkpoints.identify()
    except OSError as error:
        _log.error("the checkpoints have no identity yet: %s", error)
        identity = ""
    for directory in directories:
        if directory.offline:
            continue
        if identity and directory.checkpoints_id in (None, identity):
            continue
        _log.warning("%s had other checkpoints: its logs are scanned", directory.path)
        checkpoints.forget_directory(directory.directory_id)
    try:
        checkpoints.commit()
    except OSError as error:
        _log.error("the checkpoints were not written: %s", error)
        identity = ""  # what is stale is still there
    for directory in directories:
        directory.checkpoints_id = identity
