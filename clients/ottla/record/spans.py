"""Walking over encoded records without making an object of each: where they lie, what they say.

For those who look at many records and keep few, or keep them as they are (compaction). The layout
is drawn in `batch`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from ottla.core.errors import DecodeError
from ottla.record.batch import BatchHeader, read_varint

RecordSpan: TypeAlias = tuple[int, int, int, int, bytes | None, bool]
"""(start, end, offset delta, timestamp delta, key, whether it has a value); `start` and `end`
enclose the record with its length, in the decompressed records."""


def iter_spans(data: bytes, header: BatchHeader) -> Iterator[RecordSpan]:
    """The records of a batch, decompressed already.

    DecodeError: not as many as the header says, lengths that do not fit, offsets that do not rise
    or lie outside the batch, or bytes left over.
    """
    size = len(data)
    cursor = 0
    previous = -1
    for _ in range(header.record_count):
        start = cursor
        try:
            length, cursor = read_varint(data, cursor)
            end = cursor + length
            timestamp_delta, cursor = read_varint(data, cursor + 1)
            offset_delta, cursor = read_varint(data, cursor)
            length, cursor = read_varint(data, cursor)
            key: bytes | None = None
            if length >= 0:
                key = data[cursor : cursor + length]
                cursor += length
            value_length, cursor = read_varint(data, cursor)
        except IndexError:
            raise DecodeError("a record ends beyond its batch") from None
        if cursor + max(0, value_length) >= end or end > size:
            raise DecodeError(f"the record at byte {start} of a batch does not fit its length")
        if not previous < offset_delta <= header.last_offset_delta:
            raise DecodeError(f"offset delta {offset_delta} after {previous}")
        previous = offset_delta
        yield start, end, offset_delta, timestamp_delta, key, value_length >= 0
        cursor = end
    if cursor != size:
        raise DecodeError(f"{size - cursor} bytes are left over after the last record")
