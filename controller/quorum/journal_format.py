"""Bytes of the Raft journal. Pure; all integers little-endian.

A file is preallocated with zeros and overwritten, so that a sync does not grow it (SAFETY.md, rule
20). At position 0 stands the header, alone in its sector:

    0   8s   magic "OTTLARJ1"
    8   u32  version, 1
    12  i32  node id
    16  16s  directory id
    32  u64  generation: 1 for the first file, +1 at each compaction
    40  u32  CRC-32C of bytes 0..40
    44       zeros up to 512

Records follow from 512, each at a multiple of 8:

    0   u32  size of the body (kind byte included), at least 1
    4   u32  CRC-32C of the rest of the record without padding, seeded with the header's
    8   u64  position of this record in the file
    16  u64  durable position: when this was written, everything below it was synced
    24  u8   kind, then the rest of the body, then zeros up to a multiple of 8

      1 ENTRY     u64 index, u64 term, command
      2 TRUNCATE  u64 index: this entry and all after it are void
      3 VOTE      u64 term, i32 voter that got the vote (-1: nobody)
      4 COMMIT    u64 index: everything up to it is committed
      5 START     u64 incarnation: how often a process opened this journal

The durable position tells a torn tail from damage. Only what was not synced may be missing or torn
after a crash, so an unreadable record at position p is the end of the log unless a readable one
beyond it says that p was synced: then acknowledged data is gone, and the voter must not join.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

import crc32c as _crc32c

from ottla.core.errors import DecodeError
from ottla.core.identifiers import Uuid

MAGIC = b"OTTLARJ1"
VERSION = 1
RECORDS_START = 512
RECORD_HEADER_SIZE = 24
RECORD_BODY_MAX = 64 * 1024

_HEADER = struct.Struct("<8sIi16sQ")
_CRC = struct.Struct("<I")
_RECORD = struct.Struct("<IIQQ")
_U64 = struct.Struct("<Q")
_ENTRY = struct.Struct("<BQQ")
_NUMBER = struct.Struct("<BQ")
_VOTE = struct.Struct("<BQi")


class RecordKind(IntEnum):
    ENTRY = 1
    TRUNCATE = 2
    VOTE = 3
    COMMIT = 4
    START = 5


@dataclass(frozen=True, slots=True)
class Header:
    node_id: int
    directory_id: Uuid
    generation: int

    @property
    def seed(self) -> int:
        """Where the CRC of every record starts: a record of another file does not fit."""
        return _crc32c.crc32c(self._fields())

    def encode(self) -> bytes:
        fields = self._fields()
        return (fields + _CRC.pack(_crc32c.crc32c(fields))).ljust(RECORDS_START, b"\0")

    def _fields(self) -> bytes:
        return _HEADER.pack(MAGIC, VERSION, self.node_id, self.directory_id, self.generation)


@dataclass(frozen=True, slots=True)
class Scan:
    """What a journal holds: the bodies of its records up to `end`.

    Bytes from `end` to `dirty_end` are left over from writes that a crash tore.
    """

    header: Header
    bodies: list[bytes]
    end: int
    dirty_end: int


def entry_body(index: int, term: int, command: bytes) -> bytes:
    return _ENTRY.pack(RecordKind.ENTRY, index, term) + command


def number_body(kind: RecordKind, number: int) -> bytes:
    return _NUMBER.pack(kind, number)


def vote_body(term: int, voted_for: int | None) -> bytes:
    return _VOTE.pack(RecordKind.VOTE, term, -1 if voted_for is None else voted_for)


def parse_entry(body: bytes) -> tuple[bytes, int, int]:
    """(command, index, term), the order in which pysyncobj holds an entry."""
    _, index, term = _ENTRY.unpack_from(body)
    return body[_ENTRY.size :], index, term


def parse_number(body: bytes) -> int:
    number: int = _NUMBER.unpack(body)[1]
    return number


def parse_vote(body: bytes) -> tuple[int, int | None]:
    _, term, voted_for = _VOTE.unpack(body)
    return term, None if voted_for < 0 else voted_for


def encode_record(body: bytes, position: int, durable: int, seed: int) -> bytes:
    """The record for `body` at `position`, padded."""
    rest = struct.pack("<QQ", position, durable) + body
    record = struct.pack("<II", len(body), _crc32c.crc32c(rest, seed)) + rest
    return record + bytes(-len(record) % 8)


def decode_header(content: bytes) -> Header:
    """DecodeError with the reason."""
    if len(content) < RECORDS_START:
        raise DecodeError(f"it has only {len(content)} bytes")
    magic, version, node_id, directory_id, generation = _HEADER.unpack_from(content)
    if magic != MAGIC:
        raise DecodeError("it does not begin as a journal does")
    if _CRC.unpack_from(content, _HEADER.size)[0] != _crc32c.crc32c(content[: _HEADER.size]):
        raise DecodeError("its header fails the checksum")
    if version != VERSION:
        raise DecodeError(f"it has format version {version}, this release reads {VERSION}")
    return Header(node_id, directory_id, generation)


def scan(content: bytes) -> Scan:
    """Read a whole journal file. DecodeError: damaged where it was already synced."""
    header = decode_header(content)
    seed = header.seed
    bodies: list[bytes] = []
    position = RECORDS_START
    while (found := _record_at(content, position, seed)) is not None:
        body, _ = found
        bodies.append(body)
        position += _padded_size(len(body))
    dirty_end = len(content.rstrip(b"\0"))
    for later, durable in _readable_after(content, position, dirty_end, seed):
        if durable > position:
            raise DecodeError(
                f"the record at byte {position} is unreadable, yet the one at byte {later} shows "
                "that it had been written to disk"
            )
    return Scan(header, bodies, position, max(dirty_end, position))


def _padded_size(body_size: int) -> int:
    return (RECORD_HEADER_SIZE + body_size + 7) // 8 * 8


def _record_at(content: bytes, position: int, seed: int) -> tuple[bytes, int] | None:
    if position + RECORD_HEADER_SIZE > len(content):
        return None
    size, crc, own_position, durable = _RECORD.unpack_from(content, position)
    end = position + RECORD_HEADER_SIZE + size
    if not 1 <= size <= RECORD_BODY_MAX or own_position != position or end > len(content):
        return None
    if _crc32c.crc32c(content[position + 8 : end], seed) != crc:
        return None
    return content[position + RECORD_HEADER_SIZE : end], durable


def _readable_after(
    content: bytes, position: int, dirty_end: int, seed: int
) -> Iterator[tuple[int, int]]:
    """(position, durable position) of every readable record beyond `position`."""
    for candidate in range(position + 8, dirty_end - RECORD_HEADER_SIZE, 8):
        if _U64.unpack_from(content, candidate + 8)[0] != candidate:
            continue
        if (found := _record_at(content, candidate, seed)) is not None:
            yield candidate, found[1]
