"""What a topic's settings ask of a batch from a client beyond the format itself. Pure.

Kafka looks at every record of every batch. Here most topics are decided by the header, and what
cannot be is looked at only where the topic asks for it (SAFETY.md, rule 19):

| rule | decided by | when |
|---|---|---|
| `message.timestamp.after.max.ms` | the header's max timestamp | CreateTime |
| `message.timestamp.before.max.ms` | the records | CreateTime, and set below never |
| a key in every record | the records | `cleanup.policy` has compact |
| `compression.type` | the header, then the records | it names another codec than the batch has |

Looking at the records costs, on the event loop: their decompression (bounded by
`decompressed_bytes_max`) and about a microsecond a record; a new compression what its codec and
level take, 4 to 30 ms per MB at the defaults. It also proves what Kafka always checks: the number
of records, offset deltas 0, 1, 2 …, every length, and the header's max timestamp, which is
corrected. Elsewhere these are the producer's word, and consumers find out.

A batch that is refused for some of its records is refused whole; the answer names them (KIP-467).
"""

from __future__ import annotations

from itertools import islice

from ottla.core.errors import DecodeError, ErrorCode, ProtocolError, RecordsRefused
from ottla.record.batch import HEADER_SIZE, BatchHeader, patch_max_timestamp, records_in
from ottla.record.build import recompress
from ottla.record.compression import (
    DECOMPRESSED_BYTES_MAX,
    Compression,
    TooLarge,
    decompress,
)
from ottla.record.walk import NO_TIMESTAMP, walk_records
from storage.config import NEVER, LogConfig, TimestampType
from storage.validation import check_size

_RATIO_MAX = 16
_RATIO_OF_BYTES_MIN = 1 << 20
_ERRORS_MAX = 1_000
"""Of one batch, in the answer."""
_SEARCHED_MAX = 100_000
"""Records of a refused batch among which those are found: this costs twice what the walk does."""


def apply_rules(
    batch: memoryview, header: BatchHeader, config: LogConfig, timestamp_ms: int
) -> memoryview:
    """What is to be appended for a validated batch: `batch`, or what was made of it.

    `header` is brought up to date; `timestamp_ms` is the broker's time.

    INVALID_TIMESTAMP, INVALID_RECORD: some records break a rule, which are named (RecordsRefused),
    or the records are not what the header says. MESSAGE_TOO_LARGE, RECORD_LIST_TOO_LARGE: above
    the bound of decompression, or too large in the topic's compression; producers split such a
    batch.
    """
    create_time = config.timestamp_type is TimestampType.CREATE_TIME
    if create_time and header.max_timestamp - timestamp_ms > config.timestamp_after_max_ms:
        raise _refused(_records_of(batch, header, config), header, config, timestamp_ms)
    codec = config.codec
    if codec is None or codec == header.compression:
        if not (config.compacts or (create_time and config.timestamp_before_max_ms != NEVER)):
            return batch
        codec = None
    data = _records_of(batch, header, config)
    try:
        walk = walk_records(data, header)
    except DecodeError as error:
        raise ProtocolError(ErrorCode.INVALID_RECORD, str(error)) from error
    untimely = (
        create_time
        and walk.min_timestamp != NO_TIMESTAMP
        and (
            _time_fault(walk.min_timestamp, config, timestamp_ms)
            or _time_fault(walk.max_timestamp, config, timestamp_ms)
        )
    )
    if untimely or (walk.without_key and config.compacts):
        raise _refused(data, header, config, timestamp_ms)
    if codec is not None:
        header.max_timestamp = walk.max_timestamp
        batch = memoryview(recompress(header, data, codec, _level(codec, config)))
        check_size(header.size, config)
    elif create_time and header.max_timestamp != walk.max_timestamp:
        patch_max_timestamp(batch, 0, header, walk.max_timestamp)
    return batch


def decompressed_bytes_max(config: LogConfig) -> int:
    """What the records of one batch may come to: sixteen times `max.message.bytes`, and at least
    16 MiB, at most 128 MiB. So a small bomb stops the loop for a second at worst."""
    return min(
        DECOMPRESSED_BYTES_MAX, _RATIO_MAX * max(config.max_message_bytes, _RATIO_OF_BYTES_MIN)
    )


def _records_of(batch: memoryview, header: BatchHeader, config: LogConfig) -> bytes:
    limit = decompressed_bytes_max(config)
    try:
        return decompress(batch[HEADER_SIZE:], header.compression, limit)
    except TooLarge as error:
        raise ProtocolError(
            ErrorCode.MESSAGE_TOO_LARGE,
            f"{error}, the bound that follows from max.message.bytes; send smaller batches",
        ) from error
    except DecodeError as error:
        raise ProtocolError(ErrorCode.INVALID_RECORD, str(error)) from error


def _time_fault(timestamp: int, config: LogConfig, now_ms: int) -> str | None:
    if timestamp - now_ms > config.timestamp_after_max_ms:
        return (
            f"timestamp {timestamp} is above {now_ms + config.timestamp_after_max_ms}, which is "
            f"message.timestamp.after.max.ms ({config.timestamp_after_max_ms}) after the broker's "
            "time"
        )
    if now_ms - timestamp > config.timestamp_before_max_ms:
        return (
            f"timestamp {timestamp} is below {now_ms - config.timestamp_before_max_ms}, which is "
            f"message.timestamp.before.max.ms ({config.timestamp_before_max_ms}) before the "
            "broker's time"
        )
    return None


def _refused(data: bytes, header: BatchHeader, config: LogConfig, now_ms: int) -> ProtocolError:
    """The refusal of a batch, with what is wrong with each of its records."""
    code = ErrorCode.INVALID_RECORD
    faults: list[tuple[int, str]] = []
    count = 0
    try:
        for index, record in enumerate(islice(records_in(data, header), _SEARCHED_MAX)):
            fault = None
            if record.key is None and config.compacts:
                fault = "a record without a key, where cleanup.policy has compact"
            elif (
                record.timestamp != NO_TIMESTAMP
                and config.timestamp_type is TimestampType.CREATE_TIME
                and (fault := _time_fault(record.timestamp, config, now_ms)) is not None
            ):
                code = ErrorCode.INVALID_TIMESTAMP
            if fault is not None:
                count += 1
                if count <= _ERRORS_MAX:
                    faults.append((index, fault))
    except DecodeError as error:
        return ProtocolError(ErrorCode.INVALID_RECORD, str(error))
    if not faults:
        fault = _time_fault(header.max_timestamp, config, now_ms)
        if fault is not None:
            return ProtocolError(ErrorCode.INVALID_TIMESTAMP, f"the batch's max {fault}")
        return ProtocolError(
            ErrorCode.INVALID_RECORD, f"a record after the first {_SEARCHED_MAX} was refused"
        )
    index, fault = faults[0]
    return RecordsRefused(
        code,
        f"{count} of {header.record_count} records were refused; record {index}: {fault}",
        tuple(faults),
    )


def _level(codec: Compression, config: LogConfig) -> int | None:
    match codec:
        case Compression.GZIP:
            return config.compression_gzip_level if config.compression_gzip_level > 0 else None
        case Compression.LZ4:
            return config.compression_lz4_level
        case Compression.ZSTD:
            return config.compression_zstd_level
    return None
