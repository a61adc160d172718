"""Walking the decompressed records of a batch without making an object of each: a broker's check.

Layout of a record: see `batch`. The walk follows every length; keys and values are not copied.
"""

from __future__ import annotations

from dataclasses import dataclass

from ottla.core.errors import DecodeError
from ottla.record.batch import BatchHeader, read_varint

NO_TIMESTAMP = -1
_INT64_MIN = -(2**63)
_INT64_MAX = 2**63 - 1


@dataclass(slots=True)
class Walk:
    """What the records of a batch say together. Timestamps in ms, inclusive; of the records that
    have one, both -1 when none has."""

    min_timestamp: int
    max_timestamp: int
    without_key: int
    """How many records have no key; an empty key is one."""


def walk_records(data: bytes, header: BatchHeader) -> Walk:
    """Check the records in `data` against each other and against `header`, as a producer sent it.

    DecodeError: another number of records, offset deltas other than 0, 1, 2 …, a length that does
    not fit, a number or a time that does not fit its bits, or bytes after the last record.
    """
    cursor = 0
    without_key = 0
    without_timestamp = NO_TIMESTAMP - header.base_timestamp
    lowest: int | None = None
    highest = 0
    number = 0
    try:
        for number in range(header.record_count):
            # Almost all of these numbers have one byte or two: those cases are written out.
            byte = data[cursor]
            if byte < 0x80:
                length = (byte >> 1) ^ -(byte & 1)
                cursor += 1
            elif (second := data[cursor + 1]) < 0x80:
                length = (second << 6 | (byte & 0x7F) >> 1) ^ -(byte & 1)
                cursor += 2
            else:
                length, cursor = read_varint(data, cursor)
            record_end = cursor + length
            cursor += 1  # attributes, unused
            byte = data[cursor]
            if byte < 0x80:
                delta = (byte >> 1) ^ -(byte & 1)
                cursor += 1
            elif (second := data[cursor + 1]) < 0x80:
                delta = (second << 6 | (byte & 0x7F) >> 1) ^ -(byte & 1)
                cursor += 2
            else:
                delta, cursor = read_varint(data, cursor)
            if delta != without_timestamp:
                if lowest is None:
                    lowest = highest = delta
                elif delta > highest:
                    highest = delta
                elif delta < lowest:
                    lowest = delta
            byte = data[cursor]
            if byte < 0x80:
                offset_delta = (byte >> 1) ^ -(byte & 1)
                cursor += 1
            elif (second := data[cursor + 1]) < 0x80:
                offset_delta = (second << 6 | (byte & 0x7F) >> 1) ^ -(byte & 1)
                cursor += 2
            else:
                offset_delta, cursor = read_varint(data, cursor)
            if offset_delta != number:
                raise DecodeError(f"record {number} has offset delta {offset_delta}")
            byte = data[cursor]
            if byte < 0x80:
                length = (byte >> 1) ^ -(byte & 1)
                cursor += 1
            elif (second := data[cursor + 1]) < 0x80:
                length = (second << 6 | (byte & 0x7F) >> 1) ^ -(byte & 1)
                cursor += 2
            else:
                length, cursor = read_varint(data, cursor)
            if length >= 0:
                cursor += length
            else:
                without_key += 1
            byte = data[cursor]
            if byte < 0x80:
                length = (byte >> 1) ^ -(byte & 1)
                cursor += 1
            elif (second := data[cursor + 1]) < 0x80:
                length = (second << 6 | (byte & 0x7F) >> 1) ^ -(byte & 1)
                cursor += 2
            else:
                length, cursor = read_varint(data, cursor)
            if length >= 0:
                cursor += length
            if data[cursor]:
                cursor = _skip_headers(data, cursor)
            else:
                cursor += 1
            if cursor != record_end:
                raise DecodeError(f"record {number} should end {record_end - cursor} bytes later")
    except IndexError:
        raise DecodeError(
            f"record {number} of {header.record_count} ends beyond its batch"
        ) from None
    if cursor != len(data):
        raise DecodeError(f"{len(data) - cursor} bytes are left over after the last record")
    if lowest is None:
        return Walk(NO_TIMESTAMP, NO_TIMESTAMP, without_key)
    base = header.base_timestamp
    if base + lowest < _INT64_MIN or base + highest > _INT64_MAX:
        raise DecodeError("a record's timestamp does not fit 64 bits")
    return Walk(base + lowest, base + highest, without_key)


def _skip_headers(data: bytes, cursor: int) -> int:
    """The position after the headers of a record, whose count stands at `cursor`."""
    count, cursor = read_varint(data, cursor)
    if count < 0:
        raise DecodeError(f"a record claims {count} headers")
    for _ in range(count):  # each takes two bytes or more: IndexError ends a lie early
        length, cursor = read_varint(data, cursor)
        if length < 0:
            raise DecodeError("a record header has no key")
        length, cursor = read_varint(data, cursor + length)
        if length > 0:
            cursor += length
    return cursor
