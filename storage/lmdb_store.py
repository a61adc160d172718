"""The checkpoints' store: one LMDB environment a broker.

LMDB keeps its file consistent by itself: copy on write, a sync at each commit, and what was
committed before stays whole when a commit is cut off. It is never opened with MDB_WRITEMAP, under
which a full disk kills the process with SIGBUS. The map starts small and grows between
transactions. It does its own input and output, past the Vfs; since it is only a cache, an
environment that is damaged is moved aside, and everything is read from the logs again.
"""

from __future__ import annotations

import errno
import logging
import os
import threading
from collections.abc import Mapping
from typing import Any

import lmdb

from ottla.core.errors import ConfigError
from storage.checkpoints import FORMAT_VERSION, VERSION_KEY

_log = logging.getLogger(__name__)

MAP_SIZE_START = 1 << 20
_MAP_SIZE_STEP_MAX = 64 << 20
_FULL_BYTES_MAX = 64 << 10  # a short write leaves nothing but what its file system rounds to
_DAMAGE = (
    lmdb.InvalidError,
    lmdb.CorruptedError,
    lmdb.PageNotFoundError,
    lmdb.VersionMismatchError,
    lmdb.PanicError,
)
_GROWTHS_MAX = 64  # of one write: from 1 MB that is more than 3 GB


class LmdbStore:
    """See `storage.checkpoints.CheckpointStore`. One process at a time: the directory is locked.

    OSError when the disk does not give the environment, or has no room for a new one.
    """

    def __init__(self, path: str, map_size: int = MAP_SIZE_START) -> None:
        self._path = path
        self._environment = _open(path, map_size)
        # No transaction may be open when the map grows. Reads are short; writes are the writer's.
        self._map_lock = threading.Lock()
        self._failure: OSError | None = None
        found = self.read(VERSION_KEY)
        if found is None:
            self.write({VERSION_KEY: FORMAT_VERSION.to_bytes(4, "big")})
        elif int.from_bytes(found, "big") != FORMAT_VERSION:
            version = int.from_bytes(found, "big")
            self.close()
            raise ConfigError(
                f"{path} has format {version}, this version of Ottla reads {FORMAT_VERSION}: "
                "install the version that wrote it, or remove the folder to have it made again"
            )

    def read(self, key: bytes) -> bytes | None:
        with self._map_lock, self._environment.begin() as transaction:
            value: bytes | None = transaction.get(key)
            return value

    def read_prefix(self, prefix: bytes) -> dict[bytes, bytes]:
        found: dict[bytes, bytes] = {}
        with self._map_lock, self._environment.begin() as transaction:
            cursor = transaction.cursor()
            if cursor.set_range(prefix):
                for key, value in cursor:
                    if not key.startswith(prefix):
                        break
                    found[key] = value
        return found

    def write(self, changes: Mapping[bytes, bytes | None]) -> None:
        if self._failure is not None:
            raise self._failure
        for _ in range(_GROWTHS_MAX):
            try:
                with self._environment.begin(write=True) as transaction:
                    for key, value in changes.items():
                        if value is None:
                            transaction.delete(key)
                        else:
                            transaction.put(key, value)
                return
            except lmdb.MapFullError:
                self._grow()
            except lmdb.DiskError as error:
                raise OSError(errno.ENOSPC, f"LMDB: {error}", self._path) from error
            except lmdb.Error as error:
                if not isinstance(error, _DAMAGE) and self._is_disk_full():
                    raise OSError(errno.ENOSPC, f"LMDB: {error}", self._path) from error
                # A sync may have failed, after which nothing of this environment is certain but
                # what the last commit left on disk: that stays, until the process starts again.
                self._failure = OSError(errno.EIO, f"LMDB: {error}", self._path)
                raise self._failure from error
        raise OSError(errno.ENOSPC, "LMDB: the map is full", self._path)

    def close(self) -> None:
        self._environment.close()

    def _is_disk_full(self) -> bool:
        """LMDB calls a write that took only a part of its bytes an input/output error."""
        try:
            found = os.statvfs(self._path)
        except OSError:
            return False
        return found.f_bavail * found.f_frsize < _FULL_BYTES_MAX

    def _grow(self) -> None:
        with self._map_lock:
            size = self._environment.info()["map_size"]
            self._environment.set_mapsize(size + min(size, _MAP_SIZE_STEP_MAX))


def _open(path: str, map_size: int) -> Any:
    os.makedirs(path, mode=0o700, exist_ok=True)
    try:
        return _open_environment(path, map_size)
    except lmdb.DiskError as error:
        raise OSError(errno.ENOSPC, f"LMDB: {error}", path) from error
    except lmdb.Error as error:
        if not isinstance(error, _DAMAGE):  # what was committed stays where it is
            raise OSError(errno.EIO, f"LMDB: {error}", path) from error
        aside = f"{path}.damaged"
        number = 1
        while os.path.exists(aside):
            number += 1
            aside = f"{path}.damaged.{number}"  # with a hyphen it would be the name of a log
        _log.warning("%s does not open (%s): moved to %s and made anew", path, error, aside)
        os.rename(path, aside)
        os.makedirs(path, mode=0o700)
        return _open_environment(path, map_size)


def _open_environment(path: str, map_size: int) -> Any:
    file = os.path.join(path, "data.mdb")
    if os.path.exists(file):
        # A map smaller than the file's contents cannot be opened for writing.
        map_size = max(map_size, -(-os.path.getsize(file) // MAP_SIZE_START) * MAP_SIZE_START)
    environment = lmdb.open(
        path, map_size=map_size, mode=0o600, max_readers=32, readahead=False, writemap=False
    )
    try:
        with environment.begin() as transaction:
            transaction.get(VERSION_KEY)  # a damaged page shows itself here, not later
    except lmdb.Error:
        environment.close()
        raise
    return environment
