"""Walking over the batches of a segment file as they are, sound or not, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from crc32c import crc32c

from ottla.core.errors import DecodeError
from ottla.record.batch import (
    ATTRIBUTES_POSITION,
    HEADER_SIZE,
    MAGIC,
    BatchHeader,
    crc_matches,
    read_header,
)
from storage.vfs import VfsFile

CHUNK_BYTES = 1 << 20
HELD_BYTES_MAX = 64 << 20
"""A larger batch is read piece by piece, and its records are not looked at."""


class Damage(DecodeError):
    """Where the batches of a file cannot be followed any further."""

    def __init__(self, position: int, cause: str) -> None:
        super().__init__(cause)
        self.position = position
        self.cause = cause


@dataclass(slots=True)
class StoredBatch:
    """One batch in its file. `data` is the whole of it; None when it is too large to be held."""

    position: int
    header: BatchHeader
    crc_ok: bool
    data: memoryview | None


def walk_batches(file: VfsFile, position: int, end: int) -> Iterator[StoredBatch]:
    """Each batch from `position` up to `end`, whether its CRC is right or not.

    `data` is borrowed until the next step. Damage: no batch can be there, or it reaches beyond
    `end`; or a wrong CRC before bytes that are no batch, since then its length may be wrong too.
    """
    chunk = b""
    chunk_start = position
    while position < end:
        start = position - chunk_start
        if len(chunk) - start < min(HEADER_SIZE, end - position):
            chunk, chunk_start, start = _read(file, position, end, CHUNK_BYTES), position, 0
        header = _header(chunk, start, position)
        if header.size > end - position:
            raise Damage(
                position,
                f"a batch of {header.size} bytes is cut off: the file has {end - position} left",
            )
        if header.size <= HELD_BYTES_MAX and start + header.size > len(chunk):
            size = max(CHUNK_BYTES, header.size)
            chunk, chunk_start, start = _read(file, position, end, size), position, 0
        data: memoryview | None = None
        if header.size <= HELD_BYTES_MAX:
            data = memoryview(chunk)[start : start + header.size]
            crc_ok = crc_matches(data, 0, header)
        else:
            crc_ok = _crc_of_range(file, position, header) == header.crc
        following = position + header.size
        if not crc_ok and following < end:
            try:
                _header(_read(file, following, end, HEADER_SIZE), 0, following)
            except Damage:
                raise Damage(position, "a batch has a wrong CRC and no batch follows it") from None
        yield StoredBatch(position, header, crc_ok, data)
        position = following


def _read(file: VfsFile, position: int, end: int, size: int) -> bytes:
    return file.pread(min(size, end - position), position)


def _header(data: bytes, start: int, position: int) -> BatchHeader:
    try:
        header = read_header(data, start)
    except DecodeError as error:
        if not any(data[start : start + HEADER_SIZE]):
            raise Damage(position, "there are zeros instead of a batch") from None
        raise Damage(position, str(error)) from None
    if header.base_offset < 0 or header.magic != MAGIC:
        raise Damage(position, f"a batch begins at offset {header.base_offset}")
    return header


def _crc_of_range(file: VfsFile, position: int, header: BatchHeader) -> int:
    crc = 0
    at = position + ATTRIBUTES_POSITION
    end = position + header.size
    while at < end:
        data = file.pread(min(CHUNK_BYTES, end - at), at)
        if not data:
            break
        crc = crc32c(data, crc)
        at += len(data)
    return crc
