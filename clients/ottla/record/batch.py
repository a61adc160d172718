"""Reading and patching record batches in place (format version 2, KIP-98).

     0  base offset            int64   the first record's offset
     8  batch length           int32   bytes after this field: whole size - 12
    12  partition leader epoch int32   set by the broker
    16  magic                  int8    2
    17  CRC-32C                uint32  of everything from byte 21 on
    21  attributes             int16   0–2 codec, 3 log append time, 4 transactional, 5 control,
                                       6 base timestamp is a delete horizon (KIP-534)
    23  last offset delta      int32   last offset = base offset + this
    27  base timestamp         int64
    35  max timestamp          int64
    43  producer id            int64   -1: none
    51  producer epoch         int16
    53  base sequence          int32   -1: none
    57  record count           int32
    61  records, compressed as a whole

A record; varints are zig-zag, lengths of -1 mean null::

    length varint | attributes int8 | timestamp delta varlong | offset delta varint
    | key length varint, key | value length varint, value
    | header count varint, { key length varint, key | value length varint, value }

Base offset and leader epoch stand before the CRC's range, so a broker sets both without touching
the rest. Headers are read without copying; one object a batch, never one a record, except in
`iter_records`, which clients and tools use.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from struct import Struct
from struct import error as struct_error

from crc32c import crc32c

from ottla.core.errors import DecodeError
from ottla.record.compression import (
    DECOMPRESSED_BYTES_MAX,
    Buffer,
    Compression,
    decompress,
)

HEADER_SIZE = 61
MAGIC = 2
NO_PRODUCER_ID = -1
NO_SEQUENCE = -1

COMPRESSION_MASK = 0x07
LOG_APPEND_TIME_BIT = 0x08
TRANSACTIONAL_BIT = 0x10
CONTROL_BIT = 0x20
DELETE_HORIZON_BIT = 0x40

LENGTH_OVERHEAD = 12  # base offset and batch length do not count themselves
MAGIC_POSITION = 16
CRC_POSITION = 17
ATTRIBUTES_POSITION = 21  # where the CRC's range starts

HEADER = Struct(">qiibIhiqqqhii")
_OFFSET = Struct(">q")
_EPOCH = Struct(">i")
_CRC = Struct(">I")
_ATTRIBUTES = Struct(">h")
_MAX_TIMESTAMP = Struct(">q")
_LEADER_EPOCH_POSITION = 12
_MAX_TIMESTAMP_POSITION = 35
_CODECS = tuple(Compression)
_INT64_MIN = -(2**63)
_INT64_MAX = 2**63 - 1


@dataclass(slots=True)
class BatchHeader:
    """One batch's header. `size` counts the whole batch, header included."""

    base_offset: int
    size: int
    leader_epoch: int
    magic: int
    crc: int
    attributes: int
    last_offset_delta: int
    base_timestamp: int
    max_timestamp: int
    producer_id: int
    producer_epoch: int
    base_sequence: int
    record_count: int

    @property
    def last_offset(self) -> int:
        """Offset of the last record (inclusive), also when compaction removed that record."""
        return self.base_offset + self.last_offset_delta

    @property
    def next_offset(self) -> int:
        """Offset of the record after this batch."""
        return self.base_offset + self.last_offset_delta + 1

    @property
    def compression(self) -> Compression:
        """The codec; DecodeError for the three numbers that have none."""
        number = self.attributes & COMPRESSION_MASK
        if number >= len(_CODECS):
            raise DecodeError(f"compression type {number} does not exist")
        return _CODECS[number]

    @property
    def is_transactional(self) -> bool:
        return bool(self.attributes & TRANSACTIONAL_BIT)

    @property
    def is_control(self) -> bool:
        return bool(self.attributes & CONTROL_BIT)

    @property
    def log_append_time(self) -> bool:
        """Whether all records carry `max_timestamp`, the broker's time of the append."""
        return bool(self.attributes & LOG_APPEND_TIME_BIT)

    @property
    def delete_horizon_ms(self) -> int | None:
        """When compaction may remove this batch's tombstones (KIP-534), if it has been set."""
        return self.base_timestamp if self.attributes & DELETE_HORIZON_BIT else None

    @property
    def has_producer_id(self) -> bool:
        return self.producer_id > NO_PRODUCER_ID

    @property
    def last_sequence(self) -> int:
        """Sequence of the last record, -1 without; after 2^31 - 1 comes 0."""
        if self.base_sequence == NO_SEQUENCE:
            return NO_SEQUENCE
        return (self.base_sequence + self.last_offset_delta) & 0x7FFFFFFF


@dataclass(slots=True)
class Record:
    """One record. `timestamp` in ms since 1970; -1 when the producer gave none."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]


def read_header(buffer: Buffer, position: int = 0) -> BatchHeader:
    """The header at `position`; the records need not be in the buffer.

    DecodeError: fewer than 61 bytes, another magic than 2, or a size below 61. The header's other
    numbers are given as they are: the log checks them when it appends.
    """
    try:
        header = BatchHeader(*HEADER.unpack_from(buffer, position))
    except struct_error:
        raise _short_header(buffer, position) from None
    if header.magic != MAGIC:
        raise _wrong_magic(header.magic)
    header.size += LENGTH_OVERHEAD
    if header.size < HEADER_SIZE:
        raise DecodeError(f"a record batch claims {header.size} bytes, less than its own header")
    return header


def _short_header(buffer: Buffer, position: int) -> DecodeError:
    # Batches of the old formats may be shorter than a header of version 2.
    available = max(0, len(buffer) - position)
    if position >= 0 and available > MAGIC_POSITION:
        magic = buffer[position + MAGIC_POSITION]
        if magic != MAGIC:
            return _wrong_magic(magic)
    return DecodeError(f"a record batch header has {HEADER_SIZE} bytes; {available} are left")


def _wrong_magic(magic: int) -> DecodeError:
    if magic in (0, 1):
        return DecodeError(
            f"message format version {magic} is not supported; use a client that writes version 2, "
            "as all do since Kafka 0.11"
        )
    return DecodeError(f"message format version {magic} does not exist; 2 is supported")


def iter_headers(buffer: Buffer, position: int = 0) -> Iterator[tuple[int, BatchHeader]]:
    """(position, header) of each batch up to the end of the buffer.

    DecodeError, after the whole batches have been given: a torn batch at the end.
    """
    end = len(buffer)
    while position < end:
        header = read_header(buffer, position)
        if header.size > end - position:
            raise DecodeError(
                f"the batch at byte {position} has {header.size} bytes; {end - position} are left"
            )
        yield position, header
        position += header.size


def crc_matches(buffer: Buffer, position: int, header: BatchHeader) -> bool:
    """Whether the batch is whole and its CRC-32C is that of its bytes."""
    end = position + header.size
    if end > len(buffer):
        return False
    return crc32c(memoryview(buffer)[position + ATTRIBUTES_POSITION : end]) == header.crc


def patch_offset_and_epoch(
    buffer: bytearray | memoryview, position: int, *, base_offset: int, leader_epoch: int
) -> None:
    """Set both in place; they stand outside the CRC's range."""
    _OFFSET.pack_into(buffer, position, base_offset)
    _EPOCH.pack_into(buffer, position + _LEADER_EPOCH_POSITION, leader_epoch)


def patch_log_append_time(
    buffer: bytearray | memoryview, position: int, header: BatchHeader, timestamp_ms: int
) -> None:
    """Give all records the broker's time, in place: attribute, max timestamp, new CRC.

    `header` is brought up to date as well, here and below.
    """
    header.attributes |= LOG_APPEND_TIME_BIT
    patch_max_timestamp(buffer, position, header, timestamp_ms)


def patch_max_timestamp(
    buffer: bytearray | memoryview, position: int, header: BatchHeader, timestamp_ms: int
) -> None:
    """Set max timestamp and the header's attributes in place, and the new CRC."""
    header.max_timestamp = timestamp_ms
    _ATTRIBUTES.pack_into(buffer, position + ATTRIBUTES_POSITION, header.attributes)
    _MAX_TIMESTAMP.pack_into(buffer, position + _MAX_TIMESTAMP_POSITION, timestamp_ms)
    header.crc = crc32c(memoryview(buffer)[position + ATTRIBUTES_POSITION : position + header.size])
    _CRC.pack_into(buffer, position + CRC_POSITION, header.crc)


def iter_records(
    buffer: Buffer,
    position: int,
    header: BatchHeader,
    *,
    decompressed_bytes_max: int = DECOMPRESSED_BYTES_MAX,
) -> Iterator[Record]:
    """The records of the batch at `position`, of data and control batches alike.

    The CRC is not looked at. DecodeError: a torn batch, damaged compression, more output than
    `decompressed_bytes_max`, a record that is not what its lengths say, an offset outside the
    batch, or bytes left over after the last record.
    """
    end = position + header.size
    if end > len(buffer):
        raise DecodeError(
            f"a record batch has {header.size} bytes; {len(buffer) - position} are left"
        )
    if header.record_count < 0:
        raise DecodeError(f"a record batch claims {header.record_count} records")
    codec = header.compression
    compressed = memoryview(buffer)[position + HEADER_SIZE : end]
    data = decompress(compressed, codec, decompressed_bytes_max)
    return records_in(data, header)


def records_in(data: bytes, header: BatchHeader) -> Iterator[Record]:
    """As `iter_records`, of bytes that are decompressed already."""
    base_offset = header.base_offset
    last_offset_delta = header.last_offset_delta
    base_timestamp = header.base_timestamp
    append_time = header.max_timestamp if header.log_append_time else None
    cursor = 0
    for _ in range(header.record_count):
        try:
            length, cursor = read_varint(data, cursor)
            record_end = cursor + length
            timestamp_delta, cursor = read_varint(data, cursor + 1)  # 1: attributes, unused
            offset_delta, cursor = read_varint(data, cursor)
            length, cursor = read_varint(data, cursor)
            key: bytes | None = None
            if length >= 0:
                key = data[cursor : cursor + length]
                cursor += length
            length, cursor = read_varint(data, cursor)
            value: bytes | None = None
            if length >= 0:
                value = data[cursor : cursor + length]
                cursor += length
            header_count, cursor = read_varint(data, cursor)
            headers: tuple[tuple[str, bytes | None], ...] = ()
            if header_count:
                headers, cursor = _read_record_headers(data, cursor, header_count)
        except IndexError:
            raise DecodeError("a record ends beyond its batch") from None
        # All lengths above only move the cursor forward, so this one comparison catches any of
        # them that pointed out of the record.
        if cursor != record_end or cursor > len(data):
            raise DecodeError(f"a record should end at byte {record_end} and ends at {cursor}")
        if not 0 <= offset_delta <= last_offset_delta:
            raise DecodeError(f"offset delta {offset_delta} is outside 0–{last_offset_delta}")
        timestamp = base_timestamp + timestamp_delta if append_time is None else append_time
        if not _INT64_MIN <= timestamp <= _INT64_MAX:
            raise DecodeError("a record's timestamp does not fit 64 bits")
        yield Record(base_offset + offset_delta, timestamp, key, value, headers)
    if cursor != len(data):
        raise DecodeError(f"{len(data) - cursor} bytes are left over after the last record")


def _read_record_headers(
    data: bytes, cursor: int, count: int
) -> tuple[tuple[tuple[str, bytes | None], ...], int]:
    if count < 0:
        raise DecodeError(f"a record claims {count} headers")
    headers: list[tuple[str, bytes | None]] = []
    for _ in range(count):  # each takes two bytes or more: IndexError ends a lie early
        length, cursor = read_varint(data, cursor)
        if length < 0:
            raise DecodeError("a record header has no key")
        try:
            name = data[cursor : cursor + length].decode("utf-8")
        except UnicodeDecodeError:
            raise DecodeError("a record header's key is not UTF-8") from None
        cursor += length
        length, cursor = read_varint(data, cursor)
        if length < 0:
            headers.append((name, None))
        else:
            headers.append((name, data[cursor : cursor + length]))
            cursor += length
    return tuple(headers), cursor


def read_varint(data: bytes, cursor: int) -> tuple[int, int]:
    """A zig-zag varint of up to 64 bits and the position after it; IndexError at the end."""
    byte = data[cursor]
    if byte < 0x80:
        return (byte >> 1) ^ -(byte & 1), cursor + 1
    value = byte & 0x7F
    shift = 7
    while True:
        cursor += 1
        byte = data[cursor]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
        shift += 7
        if shift > 63:
            raise DecodeError("a varint has more than 10 bytes")
    if value > 0xFFFFFFFFFFFFFFFF:
        raise DecodeError("a varint has more than 64 bits")
    return (value >> 1) ^ -(value & 1), cursor + 1
