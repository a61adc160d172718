"""The folders of logs in the log directories: finding, making, and taking out of the way.

A folder belongs to the topic whose id its partition.metadata says (SAFETY.md, rule 4); the name
alone proves nothing.
"""

from __future__ import annotations

import logging
import os
import random
from collections.abc import Sequence

from ottla.core.identifiers import Uuid, random_uuid
from storage import marks, names
from storage.directory import LogDirectory
from storage.vfs import OpenMode, Vfs, replace_file, write_all

_log = logging.getLogger(__name__)


class Folders:
    """See the module. Errors are the disk's (OSError)."""

    def __init__(self, vfs: Vfs) -> None:
        self._vfs = vfs
        self._random = random.SystemRandom()

    def all_in(self, directory: LogDirectory) -> list[tuple[str, int]]:
        """(topic, partition) of all folders that are logs."""
        parsed = (names.parse_folder(name) for name in self._vfs.listdir(directory.path))
        return [found for found in parsed if found is not None]

    def deleted_in(self, directory: LogDirectory) -> list[str]:
        """The paths of folders whose deletion was begun."""
        found = self._vfs.listdir(directory.path)
        return [
            os.path.join(directory.path, name)
            for name in found
            if name.endswith(names.DELETE_ENDING)
        ]

    def topic_id(self, directory: LogDirectory, topic: str, partition: int) -> Uuid | None:
        """Whose log it is; None when that is missing or damaged."""
        return marks.read_partition_metadata(self._vfs, self.path(directory, topic, partition))

    def path(self, directory: LogDirectory, topic: str, partition: int) -> str:
        return os.path.join(directory.path, names.folder_name(topic, partition))

    def find(
        self, directories: Sequence[LogDirectory], topic: str, partition: int, topic_id: Uuid
    ) -> LogDirectory | None:
        """Which directory holds a partition; a folder that is not this topic's is put aside."""
        for directory in directories:
            folder = self.path(directory, topic, partition)
            if directory.offline:
                if self._may_hold(folder, topic_id):
                    return directory
                continue
            if not self._vfs.is_dir(folder):
                continue
            found = marks.read_partition_metadata(self._vfs, folder)
            if found == topic_id:
                return directory
            if found is None and not self._has_records(folder):
                self._vfs.rmtree(folder)  # a crash, or a full disk, while it was being made
                continue
            path = self.rename_away(directory, topic, partition, names.STRAY_ENDING)
            why = "has no topic id" if found is None else "belongs to another topic"
            _log.warning("%s %s: renamed to %s", folder, why, path)
        return None

    def clear(self, directory: LogDirectory, topic: str, partition: int) -> None:
        """Make place for a folder where none should be: what a crash left goes, else put aside."""
        folder = self.path(directory, topic, partition)
        if not self._vfs.is_dir(folder):
            return
        if self.topic_id(directory, topic, partition) is None and not self._has_records(folder):
            self._vfs.rmtree(folder)
            return
        path = self.rename_away(directory, topic, partition, names.STRAY_ENDING)
        _log.warning("%s is in the way of a log that is moved: renamed to %s", folder, path)

    def _may_hold(self, folder: str, topic_id: Uuid) -> bool:
        """Whether a folder on a failed disk is, or may be, the topic's."""
        try:
            if not self._vfs.is_dir(folder):
                return False
            return marks.read_partition_metadata(self._vfs, folder) == topic_id
        except OSError:
            return True

    def create(self, directory: LogDirectory, topic: str, partition: int, topic_id: Uuid) -> None:
        """Make the folder and its identity.

        Not synced here: the log's first flush does it. Until then a power cut may take the folder
        or leave it without its identity, and with it only records that were not synced.
        """
        folder = self.path(directory, topic, partition)
        self._vfs.mkdirs(folder)
        path = os.path.join(folder, names.PARTITION_METADATA)
        write_all(
            self._vfs.open(path, OpenMode.CREATE_NEW), marks.partition_metadata_text(topic_id)
        )

    def write_identity_again(
        self, directory: LogDirectory, topic: str, partition: int, topic_id: Uuid
    ) -> None:
        folder = self.path(directory, topic, partition)
        path = os.path.join(folder, names.PARTITION_METADATA)
        replace_file(self._vfs, path, marks.partition_metadata_text(topic_id))

    def rename_away(self, directory: LogDirectory, topic: str, partition: int, ending: str) -> str:
        source = self.path(directory, topic, partition)
        unique = random_uuid(self._random)
        target = os.path.join(directory.path, names.retired_name(topic, partition, unique, ending))
        self._vfs.rename(source, target)
        return target

    def _has_records(self, folder: str) -> bool:
        return any(
            self._vfs.open(os.path.join(folder, name), OpenMode.READ).size()
            for name in self._vfs.listdir(folder)
            if name.endswith(names.LOG_SUFFIX)
        )
