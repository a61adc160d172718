"""The checkpoints of a log directory, read without a lock and without making a file.

LMDB reads from the last committed state. Without its lock file, whose table of readers needs write
access, a broker could reuse pages of a state that is two commits old; each read here is a
transaction of its own, far shorter than the five seconds between commits, in an environment opened
for it, so that a map that grows meanwhile does no harm.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import lmdb

from ottla.core.errors import DecodeError
from storage import names
from storage.checkpoints import FORMAT_VERSION, VERSION_KEY, Checkpoints, LogCheckpoint, LogKey
from storage.lmdb_store import MAP_SIZE_START
from storage.producers import ProducerState


class ReadOnlyStore:
    """A `CheckpointStore` whose `write` is refused. DecodeError: LMDB finds it damaged."""

    def __init__(self, path: str) -> None:
        self._path = path
        found = self.read(VERSION_KEY)
        version = None if found is None else int.from_bytes(found, "big")
        if version != FORMAT_VERSION:
            raise DecodeError(f"{path} has format {version}; this version reads {FORMAT_VERSION}")

    def read(self, key: bytes) -> bytes | None:
        try:
            with self._open() as environment, environment.begin() as transaction:
                value: bytes | None = transaction.get(key)
                return value
        except lmdb.Error as error:
            raise DecodeError(f"{self._path}: {error}") from error

    def read_prefix(self, prefix: bytes) -> dict[bytes, bytes]:
        found: dict[bytes, bytes] = {}
        try:
            with self._open() as environment, environment.begin() as transaction:
                cursor = transaction.cursor()
                if cursor.set_range(prefix):
                    for key, value in cursor:
                        if not key.startswith(prefix):
                            break
                        found[key] = value
        except lmdb.Error as error:
            raise DecodeError(f"{self._path}: {error}") from error
        return found

    def write(self, changes: Mapping[bytes, bytes | None]) -> None:
        raise OSError(f"{self._path} is read only here")

    def close(self) -> None:
        pass

    def _open(self) -> Any:
        file = os.path.join(self._path, "data.mdb")
        try:
            size = os.path.getsize(file)
        except OSError as error:
            raise DecodeError(f"{file}: {error.strerror}") from error
        environment = lmdb.open(
            self._path,
            map_size=max(MAP_SIZE_START, -(-size // MAP_SIZE_START) * MAP_SIZE_START),
            readonly=True,
            lock=False,
            create=False,
            readahead=False,
        )
        # Pages beyond the end of a file that was cut would end this process with SIGBUS.
        used = (environment.info()["last_pgno"] + 1) * environment.stat()["psize"]
        if used > os.path.getsize(file):
            environment.close()
            raise DecodeError(f"{file} is shorter than its own pages: it was cut")
        return environment


@dataclass(slots=True)
class StoredLog:
    """What is remembered of one log; None and empty where it is lost."""

    checkpoint: LogCheckpoint | None
    high_watermark: int | None
    clean_offset: int | None
    snapshots: dict[int, ProducerState | None]  # by offset; None: damaged

    @classmethod
    def unknown(cls) -> StoredLog:
        """A log of which nothing is remembered."""
        return cls(None, None, None, {})

    @classmethod
    def load(cls, checkpoints: Checkpoints, key: LogKey) -> StoredLog:
        """DecodeError: the store is damaged."""
        snapshots: dict[int, ProducerState | None] = {}
        for offset in checkpoints.snapshot_offsets(key):
            data = checkpoints.snapshot(key, offset)
            try:
                snapshots[offset] = None if data is None else ProducerState.decode(data)
            except DecodeError:
                snapshots[offset] = None
        return cls(
            checkpoints.log(key),
            checkpoints.high_watermark(key),
            checkpoints.clean_offset(key),
            snapshots,
        )


def open_checkpoints(directory: str) -> Checkpoints | None:
    """Those that a log directory holds; None without any. DecodeError: damaged, or another version.

    A broker keeps all of its checkpoints in the first of its log directories.
    """
    path = os.path.join(directory, names.CHECKPOINTS)
    if not os.path.isdir(path):
        return None
    return Checkpoints(ReadOnlyStore(path))
