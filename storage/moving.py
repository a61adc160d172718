"""Logs on their way from one log directory to another of the same broker.

A copy is made in the folder that the log will have, under the file `moving`, which says how far it
is; then the copy takes the log's place in one step, and the folder before is renamed to be deleted:

      log's folder       the copy's            `moving`     at a start counts
    1 TOPIC-PARTITION    TOPIC-PARTITION       copying      the log's; the copy is begun anew
    2 TOPIC-PARTITION    TOPIC-PARTITION       complete     the log's, likewise
    3 TOPIC-PARTITION…-delete  TOPIC-PARTITION complete     the copy
    4                    TOPIC-PARTITION                    the copy

From 1 to 2 everything up to the log's end, its start too, was synced; what came since is copied in
the step to 3. From 3 on the copy takes appends, but claims none of them as synced before the new
name of the folder before is (`Durability.sync_also`): a power cut that undoes the renaming brings
back 2. The files of the folder before go only then, and `moving` last.

A copy in 3 may be all there is, or not, while another directory is offline that may hold the log:
then it stays closed.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence

from ottla.core.clock import Clock
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.core.identifiers import Uuid
from storage import names
from storage.checkpoints import Checkpoints, LogKey
from storage.directory import LogDirectory
from storage.folders import Folders
from storage.log import Log
from storage.vfs import OpenMode, Vfs, replace_file, write_all

_log = logging.getLogger(__name__)

_COPYING = b"copying\n"
_COMPLETE = b"complete\n"


class MovingLogs:
    """The copies of a broker's logs that are being made. See the module."""

    def __init__(
        self,
        directories: Sequence[LogDirectory],
        folders: Folders,
        checkpoints: Checkpoints,
        clock: Clock,
        vfs: Vfs,
    ) -> None:
        self.copies: dict[tuple[Uuid, int], Log] = {}
        self.interrupted: dict[tuple[Uuid, int], LogDirectory] = {}
        """Where logs were on their way to when the process before ended."""
        self._directories = directories
        self._folders = folders
        self._checkpoints = checkpoints
        self._clock = clock
        self._vfs = vfs

    def settle(self) -> list[str]:
        """At the start: each copy becomes the log, or its folder is renamed to be deleted; the
        paths of these. Blocks."""
        removed: list[str] = []
        for directory in self._directories:
            if directory.offline:
                continue
            try:
                for topic, partition in self._folders.all_in(directory):
                    folder = self._folders.path(directory, topic, partition)
                    if self._vfs.exists(self._marker(folder)):
                        removed += self._settle(directory, topic, partition)
            except OSError as error:
                directory.fail(error)
        return removed

    def _settle(self, directory: LogDirectory, topic: str, partition: int) -> list[str]:
        folder = self._folders.path(directory, topic, partition)
        topic_id = self._folders.topic_id(directory, topic, partition)
        elsewhere = [
            other
            for other in self._directories
            if other is not directory
            and not other.offline
            and self._vfs.is_dir(self._folders.path(other, topic, partition))
        ]
        is_complete = self._vfs.open(self._marker(folder), OpenMode.READ).pread(64, 0) == _COMPLETE
        if is_complete and not elsewhere:
            if any(other.offline for other in self._directories):
                return []  # see `check_settled`
            self._end(folder)
            return []
        if topic_id is not None and elsewhere:
            self.interrupted[topic_id, partition] = directory
        _log.warning("%s was not moved to the end: the copy is begun anew", folder)
        return [self._folders.rename_away(directory, topic, partition, names.DELETE_ENDING)]

    def check_settled(self, directory: LogDirectory, topic: str, partition: int) -> None:
        """KAFKA_STORAGE_ERROR for a copy that may or may not be all there is of its log."""
        folder = self._folders.path(directory, topic, partition)
        if self._vfs.exists(self._marker(folder)):
            raise ProtocolError(
                ErrorCode.KAFKA_STORAGE_ERROR,
                f"{folder} is a copy; the log may be in a directory that is offline: mend that, or "
                "take it out of log.dirs",
            )

    def begin(self, log: Log, directory: LogDirectory) -> Log:
        """An empty copy of `log` in another directory. Blocks. OSError; KAFKA_STORAGE_ERROR."""
        directory.check_online()
        folder = self._folders.path(directory, log.topic, log.partition)
        self._folders.clear(directory, log.topic, log.partition)
        self._vfs.mkdirs(folder)
        # First of all: without it the folder would be taken for a log.
        file = self._vfs.open(self._marker(folder), OpenMode.CREATE_NEW)
        write_all(file, _COPYING)
        file.fsync()
        self._vfs.fsync_dir(folder)
        self._folders.write_identity_again(directory, log.topic, log.partition, log.topic_id)
        self._checkpoints.forget(LogKey(directory.directory_id, log.topic_id, log.partition))
        copy = Log(
            topic=log.topic,
            topic_id=log.topic_id,
            partition=log.partition,
            directory=directory,
            folder=folder,
            config=log.config,
            clock=self._clock,
            vfs=self._vfs,
            checkpoints=self._checkpoints,
        )
        self.copies[log.topic_id, log.partition] = copy
        return copy

    def drop(self, topic_id: Uuid, partition: int) -> str | None:
        """Give a copy up; the path of its folder, which is to be deleted. OSError: the disk."""
        copy = self.copies.pop((topic_id, partition), None)
        if copy is None:
            return None
        copy.abandon("it is not moved any more")
        self._checkpoints.forget(copy.key)
        if copy.directory.offline:
            return None  # the next start does it
        return self._folders.rename_away(
            copy.directory, copy.topic, copy.partition, names.DELETE_ENDING
        )

    def note_complete(self, copy: Log) -> None:
        """Everything is copied and synced, but for what comes now. Blocks. OSError."""
        replace_file(self._vfs, self._marker(copy.folder), _COMPLETE)

    def finish(self, copy: Log, before: LogDirectory) -> None:
        """The copy has taken the log's place: make that durable. Blocks. A disk that refuses takes
        its directory offline; the next start does the rest."""
        try:
            self._vfs.fsync_dir(before.path)
        except OSError as error:
            before.fail(error)
            return
        copy.note_moved()
        try:
            self._end(copy.folder)
        except OSError as error:
            copy.directory.fail(error)

    def _end(self, folder: str) -> None:
        self._vfs.unlink(self._marker(folder))
        self._vfs.fsync_dir(folder)

    @staticmethod
    def _marker(folder: str) -> str:
        return os.path.join(folder, names.MOVING)


def begin_offset(log: Log) -> int:
    """Where a copy begins: at the first batch that the log still holds, or at its end."""
    found = log.read(log.log_start_offset, 1, end_offset=log.log_end_offset)
    return log.log_start_offset if found is None else found.base_offset
