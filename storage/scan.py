"""Walking over the batches of a segment file: headers alone, or whole batches with their CRC."""

from __future__ import annotations

from collections.abc import Iterator

from ottla.core.errors import DecodeError
from ottla.record.batch import HEADER_SIZE, BatchHeader, crc_matches, read_header
from storage.vfs import VfsFile

NEAR_WINDOW = 4096
"""Bytes read at a time where the batch that is looked for is near (an index interval)."""
FAR_WINDOW = 64 << 10
_SCAN_CHUNK = 1 << 20


def walk_headers(
    file: VfsFile, position: int, end: int, window_size: int = FAR_WINDOW
) -> Iterator[tuple[int, BatchHeader]]:
    """(position, header) of each batch from `position` up to `end`; nothing is verified.

    DecodeError where there is no batch, or one that reaches beyond `end`.
    """
    window = b""
    window_start = position
    while position < end:
        if position - window_start + HEADER_SIZE > len(window):
            window = file.pread(min(window_size, end - position), position)
            window_start = position
        header = read_header(window, position - window_start)
        if header.size > end - position:
            raise DecodeError(f"the batch at byte {position} of {file.path} is torn")
        yield position, header
        position += header.size


def scan_batches(file: VfsFile, position: int, end: int) -> Iterator[tuple[int, BatchHeader]]:
    """(position, header) of each whole batch whose CRC is right, from `position` up to `end`.

    DecodeError at the first one that is torn or damaged: what follows it cannot be found.
    """
    for found, header, _, _ in _scan(file, position, end):
        yield found, header


def read_batches(file: VfsFile, position: int, end: int) -> Iterator[tuple[bytes, BatchHeader]]:
    """The same with the bytes of each batch instead of its position."""
    for _, header, chunk, start in _scan(file, position, end):
        yield chunk[start : start + header.size], header


def _scan(file: VfsFile, position: int, end: int) -> Iterator[tuple[int, BatchHeader, bytes, int]]:
    """(position, header, bytes that hold the batch, where in them).

    Small batches cost what is done for each of them here, not their bytes: all that a chunk allows
    is done once a chunk.
    """
    chunk = b""
    view = memoryview(chunk)
    start = size = 0  # where in the chunk the batch begins; the chunk's size
    while position < end:
        if start + HEADER_SIZE > size:
            chunk = file.pread(min(_SCAN_CHUNK, end - position), position)
            view, start, size = memoryview(chunk), 0, len(chunk)
        header = read_header(chunk, start)
        stop = start + header.size
        if stop > size:
            if header.size > end - position:
                raise DecodeError(f"the batch at byte {position} of {file.path} is torn")
            chunk = file.pread(min(max(_SCAN_CHUNK, header.size), end - position), position)
            view, start, size = memoryview(chunk), 0, len(chunk)
            stop = header.size
        if not crc_matches(view, start, header):
            raise DecodeError(f"the batch at byte {position} of {file.path} has a wrong CRC")
        if header.last_offset_delta < 0:
            raise DecodeError(f"the batch at byte {position} of {file.path} ends before it begins")
        yield position, header, chunk, start
        position += header.size
        start = stop
