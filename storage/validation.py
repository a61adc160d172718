"""What is checked of every batch before it is appended. Pure; data is not decompressed.

Kafka's rules for message format 2, SAFETY.md rule 19; what a topic's settings ask beyond them is in
`message_rules`. Duplicates and sequences are the producer state's business, and come before any
byte is patched.
"""

from __future__ import annotations

from ottla.core.errors import DecodeError, ErrorCode, ProtocolError
from ottla.record.batch import (
    COMPRESSION_MASK,
    CONTROL_BIT,
    DELETE_HORIZON_BIT,
    LOG_APPEND_TIME_BIT,
    MAGIC,
    MAGIC_POSITION,
    TRANSACTIONAL_BIT,
    BatchHeader,
    crc_matches,
    iter_headers,
    read_header,
)
from ottla.record.compression import Compression
from storage.config import LogConfig
from storage.markers import Marker, read_marker

_CODEC_MAX = max(Compression)
_BROKERS_BITS = CONTROL_BIT | LOG_APPEND_TIME_BIT | DELETE_HORIZON_BIT


def validate_batch(batch: memoryview, config: LogConfig, *, internal: bool) -> BatchHeader:
    """The header of the one batch that `batch` consists of.

    `internal`: from a coordinator of ours, which alone may write control batches.

    CORRUPT_MESSAGE: cut short, or a wrong CRC. INVALID_RECORD: another magic (as Kafka answers
    from Produce version 3 on), more than one batch, a control batch, an impossible count, or
    sequence numbers without a producer. INVALID_TIMESTAMP: it claims the broker's time.
    MESSAGE_TOO_LARGE, RECORD_LIST_TOO_LARGE: above `max.message.bytes`, `segment.bytes`.
    UNSUPPORTED_COMPRESSION_TYPE: a codec that does not exist.
    """
    try:
        header = read_header(batch)
    except DecodeError as error:
        other_magic = len(batch) > MAGIC_POSITION and batch[MAGIC_POSITION] != MAGIC
        code = ErrorCode.INVALID_RECORD if other_magic else ErrorCode.CORRUPT_MESSAGE
        raise ProtocolError(code, str(error)) from error
    size = len(batch)
    if header.size != size:
        if header.size > size:
            raise ProtocolError(
                ErrorCode.CORRUPT_MESSAGE, f"a batch of {header.size} bytes came as {size}"
            )
        raise ProtocolError(
            ErrorCode.INVALID_RECORD, "a partition's records must be exactly one batch"
        )
    check_size(size, config)
    if not crc_matches(batch, 0, header):
        raise ProtocolError(ErrorCode.CORRUPT_MESSAGE, "the CRC of a batch is wrong")
    count = header.record_count
    if count < 1 or header.last_offset_delta != count - 1:
        raise ProtocolError(
            ErrorCode.INVALID_RECORD,
            f"a batch of {count} records whose last offset delta is {header.last_offset_delta}",
        )
    attributes = header.attributes
    if attributes & COMPRESSION_MASK > _CODEC_MAX:
        raise ProtocolError(
            ErrorCode.UNSUPPORTED_COMPRESSION_TYPE,
            f"compression type {attributes & COMPRESSION_MASK} does not exist",
        )
    if not internal and attributes & _BROKERS_BITS:
        raise _not_a_clients(attributes)
    if header.producer_id >= 0:
        # A coordinator's transactional batches are no producer's, and have no sequence.
        needs_sequence = not attributes & CONTROL_BIT and not (
            internal and attributes & TRANSACTIONAL_BIT
        )
        if header.producer_epoch < 0 or (needs_sequence and header.base_sequence < 0):
            raise ProtocolError(
                ErrorCode.INVALID_RECORD,
                f"producer {header.producer_id} sent sequence {header.base_sequence} "
                f"of epoch {header.producer_epoch}",
            )
    elif attributes & TRANSACTIONAL_BIT:
        raise ProtocolError(ErrorCode.INVALID_RECORD, "a transactional batch without producer id")
    return header


def _not_a_clients(attributes: int) -> ProtocolError:
    if attributes & CONTROL_BIT:
        return ProtocolError(ErrorCode.INVALID_RECORD, "clients may not write control batches")
    if attributes & LOG_APPEND_TIME_BIT:
        return ProtocolError(
            ErrorCode.INVALID_TIMESTAMP, "only the broker gives records the time of their append"
        )
    return ProtocolError(ErrorCode.INVALID_RECORD, "only compaction sets a delete horizon")


def check_size(size: int, config: LogConfig) -> None:
    """MESSAGE_TOO_LARGE, RECORD_LIST_TOO_LARGE: above `max.message.bytes`, `segment.bytes`."""
    if size > config.max_message_bytes:
        raise ProtocolError(
            ErrorCode.MESSAGE_TOO_LARGE,
            f"a batch of {size} bytes; max.message.bytes is {config.max_message_bytes}",
        )
    if size > config.segment_bytes:
        raise ProtocolError(
            ErrorCode.RECORD_LIST_TOO_LARGE,
            f"a batch of {size} bytes; segment.bytes is {config.segment_bytes}",
        )


def marker_of(batch: memoryview, header: BatchHeader) -> Marker | None:
    """The transaction marker in a coordinator's control batch; INVALID_RECORD: malformed."""
    try:
        return read_marker(batch, 0, header)
    except DecodeError as error:
        raise ProtocolError(ErrorCode.INVALID_RECORD, str(error)) from error


def check_replicated(
    batches: memoryview, expected_offset: int, leader_epoch: int, name: str
) -> list[tuple[int, BatchHeader, Marker | None]]:
    """(position, header, marker) of every batch that came from the leader.

    `expected_offset`: the log end; `leader_epoch`: the newest in the log, -1 for none.

    Offsets may leave gaps: the leader's log may be compacted.

    OFFSET_OUT_OF_RANGE: a batch that begins below the log end or the batch before it.
    CORRUPT_MESSAGE: a torn batch, a wrong CRC, or a leader epoch that falls.
    """
    checked = []
    try:
        for position, header in iter_headers(batches):
            if header.base_offset < expected_offset:
                raise ProtocolError(
                    ErrorCode.OFFSET_OUT_OF_RANGE,
                    f"{name}: got offset {header.base_offset}, expected {expected_offset}",
                )
            if header.last_offset_delta < 0 or not crc_matches(batches, position, header):
                raise DecodeError(f"the batch at offset {expected_offset} is damaged")
            if header.leader_epoch < leader_epoch:
                raise DecodeError(
                    f"offset {expected_offset} has leader epoch {header.leader_epoch} "
                    f"after {leader_epoch}"
                )
            leader_epoch = header.leader_epoch
            marker = read_marker(batches, position, header) if header.is_control else None
            checked.append((position, header, marker))
            expected_offset = header.next_offset
    except DecodeError as error:
        raise ProtocolError(ErrorCode.CORRUPT_MESSAGE, f"{name}: {error}") from error
    return checked
