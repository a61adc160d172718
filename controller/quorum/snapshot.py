"""Snapshots of the metadata log: their bytes, their file, and how one travels to a voter.

The file `snapshot`, little-endian, written to a temporary name, synced, renamed, folder synced:

    0   8s   magic "OTTLARS1"
    8   u32  version, 2
    12  u64  index, u64 term, u32 size, command: the entry before the last one applied
        u64  index, u64 term, u32 size, command: the last entry applied
        u64  term, u64 next index, u16 count, u16 received, u32 size, bytes: a command whose parts
             are not all applied (commands.Assembler; all zero when there is none)
        u64  index of the entry that made the set of voters hold, u16 size, the set (voter_set.py);
             all zero while the founders do
        u64  size, bytes: the state machine's own snapshot
    -4  u32  CRC-32C of everything before

The last two entries are kept whole: a leader may have to send the last one from its log.
A snapshot travels in pieces: u64 index, u64 term, u64 total size, u64 position, bytes.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import crc32c

from controller.quorum.commands import Assembler
from controller.quorum.journal import Entry, damaged
from controller.quorum.voter_set import VoterSet
from ottla.core.errors import DecodeError
from storage.vfs import Vfs, read_file, replace_file

FILE_NAME = "snapshot"
MAGIC = b"OTTLARS1"
VERSION = 2
SNAPSHOT_BYTES_MAX = 1 << 30
PIECE_BYTES_MAX = 256 * 1024

_PREFIX = struct.Struct("<8sI")
_ENTRY = struct.Struct("<QQI")
_PARTIAL = struct.Struct("<QQHHI")
_VOTERS = struct.Struct("<QH")
_SIZE = struct.Struct("<Q")
_CRC = struct.Struct("<I")
_PIECE = struct.Struct("<QQQQ")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state after `last`, and what the log needs to continue from there."""

    previous: Entry
    last: Entry
    partial: Assembler
    voters: tuple[int, VoterSet] | None
    state: bytes

    @property
    def index(self) -> int:
        return self.last[1]

    @property
    def term(self) -> int:
        return self.last[2]

    @property
    def entries(self) -> list[Entry]:
        return [self.previous, self.last]

    def encode(self) -> bytes:
        parts = [_PREFIX.pack(MAGIC, VERSION)]
        for command, index, term in self.entries:
            parts += [_ENTRY.pack(index, term, len(command)), command]
        kept = self.partial
        parts.append(
            _PARTIAL.pack(kept.term, kept.next_index, kept.count, kept.received, len(kept.parts))
        )
        index, voters = (
            (0, b"") if self.voters is None else (self.voters[0], self.voters[1].encode())
        )
        parts += [kept.parts, _VOTERS.pack(index, len(voters)), voters]
        parts += [_SIZE.pack(len(self.state)), self.state]
        content = b"".join(parts)
        return content + _CRC.pack(crc32c.crc32c(content))

    @classmethod
    def decode(cls, content: bytes) -> Snapshot:
        """DecodeError with the reason."""
        if len(content) < _PREFIX.size + _CRC.size:
            raise DecodeError(f"it has only {len(content)} bytes")
        magic, version = _PREFIX.unpack_from(content)
        if magic != MAGIC:
            raise DecodeError("it does not begin as a snapshot does")
        body = memoryview(content)[: -_CRC.size]
        if _CRC.unpack_from(content, len(body))[0] != crc32c.crc32c(body):
            raise DecodeError("it fails its checksum")
        if version != VERSION:
            raise DecodeError(f"it has format version {version}, this release reads {VERSION}")
        try:
            return cls._decode_body(_Reader(bytes(body), _PREFIX.size))
        except struct.error as error:
            raise DecodeError("its fields do not fit its size") from error

    @classmethod
    def _decode_body(cls, reader: _Reader) -> Snapshot:
        entries: list[Entry] = []
        for _ in range(2):
            index, term, size = reader.fields(_ENTRY)
            entries.append((reader.bytes(size), index, term))
        term, next_index, count, received, size = reader.fields(_PARTIAL)
        partial = Assembler(term, next_index, count, reader.bytes(size), received)
        index, size = reader.fields(_VOTERS)
        voters = (index, VoterSet.decode(reader.bytes(size))) if size else None
        (size,) = reader.fields(_SIZE)
        return cls(entries[0], entries[1], partial, voters, reader.bytes(size))


class _Reader:
    def __init__(self, content: bytes, position: int) -> None:
        self._content = content
        self._position = position

    def fields(self, layout: struct.Struct) -> tuple[Any, ...]:
        values = layout.unpack_from(self._content, self._position)
        self._position += layout.size
        return values

    def bytes(self, size: int) -> bytes:
        end = self._position + size
        if end > len(self._content):
            raise DecodeError("a field of it ends beyond its end")
        data = self._content[self._position : end]
        self._position = end
        return data


def write_snapshot(vfs: Vfs, folder: str, content: bytes) -> None:
    """Replace the snapshot of `folder` durably."""
    replace_file(vfs, f"{folder}/{FILE_NAME}", content)


def load_snapshot(vfs: Vfs, folder: str) -> tuple[Snapshot, bytes] | None:
    """The snapshot of `folder` and its bytes; ConfigError when it fails its check."""
    path = f"{folder}/{FILE_NAME}"
    if not vfs.exists(path):
        return None
    content = read_file(vfs, path)
    try:
        return Snapshot.decode(content), content
    except DecodeError as error:
        raise damaged(path, str(error)) from error


class OutgoingSnapshot:
    """A snapshot on its way to one voter."""

    def __init__(self, index: int, term: int, content: bytes) -> None:
        self._index = index
        self._term = term
        self._content = content
        self._position = 0

    def next_piece(self) -> tuple[bytes, bool, bool]:
        """(piece, whether it is the first, whether it is the last)."""
        start = self._position
        data = self._content[start : start + PIECE_BYTES_MAX]
        self._position = start + len(data)
        header = _PIECE.pack(self._index, self._term, len(self._content), start)
        return header + data, start == 0, self._position >= len(self._content)


class IncomingSnapshot:
    """Pieces of a snapshot as they arrive; a gap makes it wait for the next beginning."""

    def __init__(self) -> None:
        self._identity: tuple[int, int, int] | None = None
        self._content = bytearray()

    def feed(self, piece: bytes) -> bytes | None:
        """The whole content with its last piece, else None. DecodeError: not a piece."""
        if len(piece) < _PIECE.size:
            raise DecodeError("a piece of a snapshot is too short")
        index, term, total, position = _PIECE.unpack_from(piece)
        if total > SNAPSHOT_BYTES_MAX:
            raise DecodeError(f"a snapshot of {total} bytes is announced")
        identity = (index, term, total)
        if position == 0:
            self._identity = identity
            self._content = bytearray()
        if identity != self._identity or position != len(self._content):
            self.reset()
            return None
        self._content += piece[_PIECE.size :]
        if len(self._content) < total:
            return None
        content = bytes(self._content)
        self.reset()
        return content

    def reset(self) -> None:
        self._identity = None
        self._content = bytearray()
