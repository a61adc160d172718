"""What can be wrong with one batch, by itself and after the one before it. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from ottla.core.errors import DecodeError
from ottla.record.batch import (
    COMPRESSION_MASK,
    CONTROL_BIT,
    DELETE_HORIZON_BIT,
    LOG_APPEND_TIME_BIT,
    NO_PRODUCER_ID,
    TRANSACTIONAL_BIT,
    BatchHeader,
    iter_records,
)
from ottla.record.compression import Buffer, Compression

_KNOWN_BITS = (
    COMPRESSION_MASK | LOG_APPEND_TIME_BIT | TRANSACTIONAL_BIT | CONTROL_BIT | DELETE_HORIZON_BIT
)
_CODECS = frozenset(Compression)


def header_faults(header: BatchHeader, next_offset: int, last_epoch: int) -> Iterator[str]:
    """`next_offset` is where the batch before ended, `last_epoch` its leader epoch (-1: none)."""
    if header.base_offset < next_offset:
        yield f"it begins at offset {header.base_offset}, below {next_offset} where the log was"
    offsets = header.last_offset_delta + 1
    if offsets < 1:
        yield f"it ends at offset {header.last_offset}, before it begins"
    elif not 0 <= header.record_count <= offsets:
        yield f"it claims {header.record_count} records in {offsets} offsets"
    if header.leader_epoch < last_epoch:
        yield f"its leader epoch is {header.leader_epoch}, after {last_epoch}"
    if header.attributes & COMPRESSION_MASK not in _CODECS:
        yield f"its compression type {header.attributes & COMPRESSION_MASK} does not exist"
    if header.attributes & ~_KNOWN_BITS:
        yield f"its attributes {header.attributes:#06x} have bits that are not known"
    if header.producer_id == NO_PRODUCER_ID:
        if header.is_transactional:
            yield "it is transactional and names no producer"
    elif header.producer_epoch < 0 or (header.base_sequence < 0 and not header.is_control):
        yield (
            f"producer {header.producer_id} has epoch {header.producer_epoch} "
            f"and sequence {header.base_sequence}"
        )


def record_faults(header: BatchHeader, data: Buffer) -> Iterator[str]:
    """Decompress a whole batch and walk over its records."""
    last_offset = header.base_offset - 1
    largest = -1
    try:
        for record in iter_records(data, 0, header):
            if record.offset <= last_offset:
                yield f"its record with offset {record.offset} follows that with {last_offset}"
            last_offset = record.offset
            largest = max(largest, record.timestamp)
    except DecodeError as error:
        yield f"its records cannot be read: {error}"
        return
    if header.record_count and not header.log_append_time and largest != header.max_timestamp:
        yield f"its largest timestamp is {largest}; the header says {header.max_timestamp}"


def has_keyless_record(header: BatchHeader, data: Buffer) -> bool:
    """Whether a batch holds a record without key, which compaction removes; False: cannot say."""
    if header.is_control:
        return False
    try:
        return any(record.key is None for record in iter_records(data, 0, header))
    except DecodeError:
        return False
