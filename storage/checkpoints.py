"""What is remembered about logs beside the logs: a cache, never a truth (SAFETY.md, rule 17).

Of every log: its recovery point, log start offset and leader epochs (one record, so that they
agree), its high watermark, and snapshots of its producers. Changes are noted in memory at once and
read from there; `commit` writes them durably, all or none, and what found the disk full is tried
again with the next commit.

An *environment* (the store's files) has an identity, which the marks of the log directories repeat:
so another one, left from before, is never believed. When the environment itself fails, it is
disowned: the marks no longer name it, and until the process ends the checkpoints are kept in memory
alone. Then the next start scans the logs.

Keys, big endian; a log is directory id (16) + topic id (16) + partition (4):

    "v"                          format version uint32
    "i"                          identity of the environment, 22 characters
    "l" log                      recovery point int64 | index point int64 | log start int64
                                   | { leader epoch int32 | start offset int64 }
    "h" log                      high watermark int64
    "c" log                      clean offset int64: compaction has seen everything below
    "p" log, offset uint64       crc32c uint32 | producer snapshot (see `producers`)
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from struct import Struct
from typing import Protocol

from crc32c import crc32c

from ottla.core.errors import DecodeError
from ottla.core.identifiers import Uuid, random_uuid, uuid_text
from storage.errors import DISK_FULL

FORMAT_VERSION = 1
VERSION_KEY = b"v"
_IDENTITY_KEY = b"i"

_PARTITION = Struct(">I")
_OFFSET = Struct(">Q")
_INT64 = Struct(">q")
_LOG = Struct(">qqq")
_EPOCH = Struct(">iq")
_CRC = Struct(">I")


@dataclass(frozen=True, slots=True)
class LogKey:
    """Which log: never by its name (SAFETY.md, rule 4)."""

    directory_id: Uuid
    topic_id: Uuid
    partition: int

    def encode(self) -> bytes:
        return self.directory_id + self.topic_id + _PARTITION.pack(self.partition)


@dataclass(frozen=True, slots=True)
class LogCheckpoint:
    """One log at one moment.

    Everything below `recovery_point` was synced; `epochs` holds at least what begins below it.
    Segments that end at or below `index_point` have their indexes saved and synced.
    """

    recovery_point: int
    index_point: int
    log_start_offset: int
    epochs: tuple[tuple[int, int], ...]

    def encode(self) -> bytes:
        parts = [_LOG.pack(self.recovery_point, self.index_point, self.log_start_offset)]
        parts.extend(_EPOCH.pack(*entry) for entry in self.epochs)
        return b"".join(parts)

    @classmethod
    def decode(cls, data: bytes) -> LogCheckpoint:
        """DecodeError when it is not what `encode` made."""
        if len(data) < _LOG.size or (len(data) - _LOG.size) % _EPOCH.size:
            raise DecodeError(f"a log checkpoint of {len(data)} bytes")
        recovery_point, index_point, log_start_offset = _LOG.unpack_from(data)
        epochs = tuple(_EPOCH.iter_unpack(data[_LOG.size :]))
        if any(a[0] >= b[0] or a[1] >= b[1] for a, b in pairwise(epochs)):
            raise DecodeError("the leader epochs of a log checkpoint do not grow")
        return cls(recovery_point, index_point, log_start_offset, epochs)


class CheckpointStore(Protocol):
    """Where checkpoints end up. Values are bytes; a None in `write` deletes the key."""

    def read(self, key: bytes) -> bytes | None: ...

    def read_prefix(self, prefix: bytes) -> dict[bytes, bytes]:
        """All keys that begin with `prefix`, and their values."""
        ...

    def write(self, changes: Mapping[bytes, bytes | None]) -> None:
        """Durable on return, all or none; OSError when it could not be written."""
        ...

    def close(self) -> None: ...


class MemoryStore:
    """A store for tests; it keeps what was written when "the process" crashes."""

    def __init__(self) -> None:
        self.values: dict[bytes, bytes] = {}
        self.failure: OSError | None = None

    def read(self, key: bytes) -> bytes | None:
        return self.values.get(key)

    def read_prefix(self, prefix: bytes) -> dict[bytes, bytes]:
        return {key: value for key, value in self.values.items() if key.startswith(prefix)}

    def write(self, changes: Mapping[bytes, bytes | None]) -> None:
        if self.failure is not None:
            raise self.failure
        for key, value in changes.items():
            if value is None:
                self.values.pop(key, None)
            else:
                self.values[key] = value

    def close(self) -> None:
        pass


class Checkpoints:
    """Noting, reading and committing. `commit` may run in any thread, the rest in the loop's."""

    def __init__(self, store: CheckpointStore) -> None:
        self._store = store
        self._disowned = False
        self.disown: Callable[[OSError], None] | None = None
        """Called when the environment fails, to have the marks name it no more; in any thread."""
        self._noted: dict[bytes, bytes | None] = {}
        self._committing: dict[bytes, bytes | None] = {}
        self._lock = threading.Lock()  # of the two dictionaries
        self._commit_lock = threading.Lock()  # one commit at a time

    # The environment

    def identify(self) -> str:
        """The identity of the environment, made when it has none yet. OSError: the disk."""
        found = self._read(_IDENTITY_KEY)
        if found is None:
            found = uuid_text(random_uuid(random.SystemRandom())).encode("ascii")
            self._note(_IDENTITY_KEY, found)
            self.commit()
        return found.decode("ascii", "replace")

    def forget_directory(self, directory_id: Uuid) -> None:
        """Drop all that is said of the logs in a directory."""
        for kind in (b"l", b"h", b"c", b"p"):
            for name in self._read_prefix(kind + directory_id):
                self._note(name, None)

    def abandon(self, error: OSError) -> None:
        """The environment is of no use any more; see the module. Blocks."""
        with self._commit_lock:
            self._abandon(error)

    # Logs

    def log(self, key: LogKey) -> LogCheckpoint | None:
        """The checkpoint of a log; None when it is lost or damaged."""
        data = self._read(b"l" + key.encode())
        if data is None:
            return None
        try:
            return LogCheckpoint.decode(data)
        except DecodeError:
            return None

    def note_log(self, key: LogKey, checkpoint: LogCheckpoint) -> None:
        self._note(b"l" + key.encode(), checkpoint.encode())

    def high_watermark(self, key: LogKey) -> int | None:
        return self._read_int64(b"h" + key.encode())

    def note_high_watermark(self, key: LogKey, high_watermark: int) -> None:
        self._note(b"h" + key.encode(), _INT64.pack(high_watermark))

    def clean_offset(self, key: LogKey) -> int | None:
        return self._read_int64(b"c" + key.encode())

    def note_clean_offset(self, key: LogKey, clean_offset: int) -> None:
        self._note(b"c" + key.encode(), _INT64.pack(clean_offset))

    def forget(self, key: LogKey) -> None:
        """Drop all of a log that is deleted."""
        log = key.encode()
        for name in (b"l" + log, b"h" + log, b"c" + log, *self._read_prefix(b"p" + log)):
            self._note(name, None)

    # Producer snapshots

    def snapshot_offsets(self, key: LogKey) -> list[int]:
        """The offsets at which snapshots were taken, rising. A snapshot covers what is below."""
        return sorted(
            _OFFSET.unpack(name[-_OFFSET.size :])[0]
            for name in self._read_prefix(b"p" + key.encode())
        )

    def snapshot(self, key: LogKey, offset: int) -> bytes | None:
        """The snapshot taken at `offset`; None when there is none or it is damaged."""
        data = self._read(_snapshot_key(key, offset))
        if data is None or len(data) < _CRC.size or _CRC.unpack_from(data)[0] != crc32c(data[4:]):
            return None
        return data[_CRC.size :]

    def note_snapshot(self, key: LogKey, offset: int, data: bytes) -> None:
        self._note(_snapshot_key(key, offset), _CRC.pack(crc32c(data)) + data)

    def drop_snapshots(self, key: LogKey, offsets: Iterable[int]) -> None:
        for offset in offsets:
            self._note(_snapshot_key(key, offset), None)

    # All

    def commit(self) -> None:
        """Write what was noted. Blocks. OSError: nothing was written, all of it stays noted."""
        with self._commit_lock:
            if self._disowned:
                with self._lock:
                    self._noted = {k: v for k, v in self._noted.items() if v is not None}
                return
            with self._lock:
                changes = self._committing = self._noted
                self._noted = {}
            try:
                if changes:
                    self._store.write(changes)
            except BaseException as error:
                with self._lock:
                    self._noted = {**changes, **self._noted}
                if (
                    not isinstance(error, OSError)
                    or error.errno in DISK_FULL
                    or self.disown is None
                ):
                    raise
                self._abandon(error)
            finally:
                with self._lock:
                    self._committing = {}

    def close(self) -> None:
        """Close the store; what was not committed is lost."""
        self._store.close()

    def _abandon(self, error: OSError) -> None:
        if not self._disowned:
            if self.disown is not None:
                self.disown(error)
            self._disowned = True

    def _note(self, key: bytes, value: bytes | None) -> None:
        with self._lock:
            self._noted[key] = value

    def _read_int64(self, key: bytes) -> int | None:
        data = self._read(key)
        if data is None or len(data) != _INT64.size:
            return None
        return int(_INT64.unpack(data)[0])

    def _read(self, key: bytes) -> bytes | None:
        with self._lock:
            for noted in (self._noted, self._committing):
                if key in noted:
                    return noted[key]
        return None if self._disowned else self._store.read(key)

    def _read_prefix(self, prefix: bytes) -> dict[bytes, bytes]:
        with self._lock:
            noted = {**self._committing, **self._noted}
        found = {} if self._disowned else self._store.read_prefix(prefix)
        for key, value in noted.items():
            if not key.startswith(prefix):
                continue
            if value is None:
                found.pop(key, None)
            else:
                found[key] = value
        return found


def _snapshot_key(key: LogKey, offset: int) -> bytes:
    return b"p" + key.encode() + _OFFSET.pack(offset)
