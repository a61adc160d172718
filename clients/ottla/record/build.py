"""Building record batches, or compressing them anew (the layout is drawn in `batch`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from struct import Struct
from struct import error as struct_error
from typing import TypeAlias

from crc32c import crc32c

from ottla.record.batch import (
    ATTRIBUTES_POSITION,
    COMPRESSION_MASK,
    CONTROL_BIT,
    CRC_POSITION,
    HEADER,
    HEADER_SIZE,
    LENGTH_OVERHEAD,
    LOG_APPEND_TIME_BIT,
    MAGIC,
    NO_PRODUCER_ID,
    NO_SEQUENCE,
    TRANSACTIONAL_BIT,
    BatchHeader,
)
from ottla.record.compression import Buffer, Compression, compress

Headers: TypeAlias = Sequence[tuple[str, Buffer | None]]
RecordFields: TypeAlias = tuple[Buffer | None, Buffer | None, Headers, int]
"""key, value, headers, timestamp in ms"""

RECORD_OVERHEAD_MAX = 31
"""Bytes of a record beside key, value and headers: length 5, attributes 1, timestamp delta 10,
offset delta 5, key length 5, value length 5; and one of the header count up to 63 headers."""

_CRC = Struct(">I")


class BatchBuilder:
    """Collects records; `build` makes the batch and may be called once."""

    __slots__ = ("_base_timestamp", "_last_offset_delta", "_max_timestamp", "_records", "count")

    def __init__(self) -> None:
        self._records = bytearray()
        self._base_timestamp = 0
        self._max_timestamp = 0
        self._last_offset_delta = -1
        self.count = 0

    @property
    def size(self) -> int:
        """Bytes that the batch would have without compression."""
        return HEADER_SIZE + len(self._records)

    def append(
        self,
        key: Buffer | None,
        value: Buffer | None,
        headers: Headers = (),
        timestamp_ms: int = -1,
        *,
        offset_delta: int | None = None,
    ) -> None:
        """Add a record; its bytes are copied.

        `offset_delta` leaves gaps, as compaction does; it must rise from record to record.
        """
        if offset_delta is None:
            offset_delta = self._last_offset_delta + 1
        elif offset_delta <= self._last_offset_delta:
            raise ValueError(
                f"offset delta {offset_delta} does not follow {self._last_offset_delta}"
            )
        if self.count == 0:
            self._base_timestamp = self._max_timestamp = timestamp_ms
        elif timestamp_ms > self._max_timestamp:
            self._max_timestamp = timestamp_ms
        body = bytearray(1)  # attributes, unused
        append_varint(body, timestamp_ms - self._base_timestamp)
        append_varint(body, offset_delta)
        _append_bytes(body, key)
        _append_bytes(body, value)
        append_varint(body, len(headers))
        for name, header_value in headers:
            _append_bytes(body, name.encode("utf-8"))
            _append_bytes(body, header_value)
        append_varint(self._records, len(body))
        self._records += body
        self._last_offset_delta = offset_delta
        self.count += 1

    def build(
        self,
        *,
        base_offset: int = 0,
        leader_epoch: int = -1,
        compression: Compression = Compression.NONE,
        producer_id: int = NO_PRODUCER_ID,
        producer_epoch: int = -1,
        base_sequence: int = NO_SEQUENCE,
        transactional: bool = False,
        control: bool = False,
        log_append_time: int | None = None,
    ) -> bytearray:
        """The batch. ValueError: no records, or a number that its field cannot hold.

        `log_append_time` sets the broker's time in ms for all records.
        """
        if self.count == 0:
            raise ValueError("a record batch needs at least one record")
        attributes = int(compression)
        if transactional:
            attributes |= TRANSACTIONAL_BIT
        if control:
            attributes |= CONTROL_BIT
        max_timestamp = self._max_timestamp
        if log_append_time is not None:
            attributes |= LOG_APPEND_TIME_BIT
            max_timestamp = log_append_time
        records: Buffer = self._records
        if compression is not Compression.NONE:
            records = compress(records, compression)
        return pack_batch(
            records,
            base_offset=base_offset,
            leader_epoch=leader_epoch,
            attributes=attributes,
            last_offset_delta=self._last_offset_delta,
            base_timestamp=self._base_timestamp,
            max_timestamp=max_timestamp,
            producer_id=producer_id,
            producer_epoch=producer_epoch,
            base_sequence=base_sequence,
            record_count=self.count,
        )


def build_batch(
    records: Iterable[RecordFields],
    *,
    base_offset: int = 0,
    leader_epoch: int = -1,
    compression: Compression = Compression.NONE,
    producer_id: int = NO_PRODUCER_ID,
    producer_epoch: int = -1,
    base_sequence: int = NO_SEQUENCE,
    transactional: bool = False,
    control: bool = False,
    log_append_time: int | None = None,
) -> bytearray:
    """One batch of (key, value, headers, timestamp in ms); ValueError as `BatchBuilder.build`."""
    builder = BatchBuilder()
    for key, value, headers, timestamp_ms in records:
        builder.append(key, value, headers, timestamp_ms)
    return builder.build(
        base_offset=base_offset,
        leader_epoch=leader_epoch,
        compression=compression,
        producer_id=producer_id,
        producer_epoch=producer_epoch,
        base_sequence=base_sequence,
        transactional=transactional,
        control=control,
        log_append_time=log_append_time,
    )


def empty_batch(
    base_offset: int,
    last_offset: int,
    leader_epoch: int,
    *,
    attributes: int = 0,
    max_timestamp: int = -1,
    producer_id: int = NO_PRODUCER_ID,
    producer_epoch: int = -1,
    base_sequence: int = NO_SEQUENCE,
) -> bytearray:
    """A batch without records: what compaction leaves where its offsets or its producer's sequence
    must not be forgotten. Offsets inclusive; `attributes` without a codec.

    ValueError: a number that its field cannot hold.
    """
    return pack_batch(
        b"",
        base_offset=base_offset,
        leader_epoch=leader_epoch,
        attributes=attributes,
        last_offset_delta=last_offset - base_offset,
        base_timestamp=max_timestamp,
        max_timestamp=max_timestamp,
        producer_id=producer_id,
        producer_epoch=producer_epoch,
        base_sequence=base_sequence,
        record_count=0,
    )


def pack_batch(
    records: Buffer,
    *,
    base_offset: int,
    leader_epoch: int,
    attributes: int,
    last_offset_delta: int,
    base_timestamp: int,
    max_timestamp: int,
    producer_id: int,
    producer_epoch: int,
    base_sequence: int,
    record_count: int,
) -> bytearray:
    """A batch of records that are encoded, and compressed as `attributes` say; with its CRC.

    ValueError: a number that its field cannot hold.
    """
    batch = bytearray(HEADER_SIZE)
    batch += records
    try:
        HEADER.pack_into(
            batch,
            0,
            base_offset,
            len(batch) - LENGTH_OVERHEAD,
            leader_epoch,
            MAGIC,
            0,
            attributes,
            last_offset_delta,
            base_timestamp,
            max_timestamp,
            producer_id,
            producer_epoch,
            base_sequence,
            record_count,
        )
    except struct_error as error:
        raise ValueError(f"a number does not fit its field of the batch: {error}") from error
    _CRC.pack_into(batch, CRC_POSITION, crc32c(memoryview(batch)[ATTRIBUTES_POSITION:]))
    return batch


def recompress(
    header: BatchHeader, data: bytes, codec: Compression, level: int | None = None
) -> bytearray:
    """The batch of `header` anew, its decompressed records `data` compressed with `codec`.

    All else is kept; `header` is brought up to date: size, codec, CRC. `level`: see `compress`.
    """
    header.attributes = header.attributes & ~COMPRESSION_MASK | codec
    batch = pack_batch(
        data if codec is Compression.NONE else compress(data, codec, level),
        base_offset=header.base_offset,
        leader_epoch=header.leader_epoch,
        attributes=header.attributes,
        last_offset_delta=header.last_offset_delta,
        base_timestamp=header.base_timestamp,
        max_timestamp=header.max_timestamp,
        producer_id=header.producer_id,
        producer_epoch=header.producer_epoch,
        base_sequence=header.base_sequence,
        record_count=header.record_count,
    )
    header.size = len(batch)
    (header.crc,) = _CRC.unpack_from(batch, CRC_POSITION)
    return batch


def append_varint(out: bytearray, value: int) -> None:
    """`value`, within 64 bits, as a zig-zag varint."""
    value = (value << 1) ^ (value >> 63)
    while value > 0x7F:
        out.append((value & 0x7F) | 0x80)
        value >>= 7
    out.append(value)


def _append_bytes(out: bytearray, data: Buffer | None) -> None:
    if data is None:
        out.append(1)  # -1
    else:
        append_varint(out, len(data))
        out += data
