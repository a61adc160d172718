from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import pytest
from crc32c import crc32c

from ottla.core.errors import ErrorCode, ProtocolError, RecordsRefused
from ottla.record.batch import BatchHeader, crc_matches, iter_records, read_header
from ottla.record.build import BatchBuilder, build_batch
from ottla.record.compression import Compression
from storage.config import LogConfig, TimestampType
from storage.message_rules import apply_rules, decompressed_bytes_max

NOW = 1_700_000_000_000
HOUR = 3_600_000
COMPACTED = LogConfig(cleanup_policy=frozenset({"compact"}))
SECOND_OLD = LogConfig(timestamp_before_max_ms=1_000)


def records(*times: int, key: bytes | None = b"k") -> memoryview:
    return memoryview(build_batch([(key, b"v", (), time) for time in times]))


def apply(batch: memoryview, config: LogConfig) -> tuple[memoryview, BatchHeader]:
    header = read_header(batch)
    made = apply_rules(batch, header, config, NOW)
    assert header == read_header(made)
    assert crc_matches(made, 0, header)
    return made, header


def refusal(batch: memoryview, config: LogConfig) -> ProtocolError:
    before = bytes(batch)
    with pytest.raises(ProtocolError) as caught:
        apply(batch, config)
    assert bytes(batch) == before
    return caught.value


def named(error: ProtocolError) -> list[int]:
    assert isinstance(error, RecordsRefused)
    return [index for index, _ in error.record_errors]


def unreadable(codec: Compression = Compression.NONE) -> memoryview:
    """A batch with a right CRC whose records are no records."""
    batch = build_batch([(b"k", b"v", (), NOW)])
    batch[61:] = b"\xff" * (len(batch) - 61)
    struct.pack_into(">h", batch, 21, codec)
    struct.pack_into(">I", batch, 17, crc32c(batch[21:]))
    return memoryview(batch)


# Times


def test_how_far_in_the_future_a_time_may_lie() -> None:
    batch = records(NOW, NOW + HOUR, NOW - 1_000 * HOUR, -1)
    assert apply(batch, LogConfig())[0] is batch
    error = refusal(records(NOW, NOW + HOUR + 1, NOW + HOUR + 2), LogConfig())
    assert error.code is ErrorCode.INVALID_TIMESTAMP
    assert named(error) == [1, 2]
    assert error.message is not None
    for part in ("2 of 3", str(NOW + HOUR + 1), "message.timestamp.after.max.ms (3600000)"):
        assert part in error.message


def test_how_far_in_the_past_a_time_may_lie() -> None:
    batch = records(NOW, NOW - 1_000, -1)
    assert apply(batch, SECOND_OLD)[0] is batch
    error = refusal(records(NOW, NOW - 1_001, NOW - 1_000, -1, 0), SECOND_OLD)
    assert error.code is ErrorCode.INVALID_TIMESTAMP
    assert named(error) == [1, 4]
    assert error.message is not None
    assert "message.timestamp.before.max.ms (1000)" in error.message
    assert str(NOW - 1_001) in error.message


def test_a_header_that_understates_its_times_is_found_out_where_records_are_looked_at() -> None:
    batch = bytearray(records(NOW, NOW + HOUR + 1))
    struct.pack_into(">q", batch, 35, NOW)
    struct.pack_into(">I", batch, 17, crc32c(batch[21:]))
    assert named(refusal(memoryview(batch), SECOND_OLD)) == [1]


def test_records_without_times_have_none_that_is_wrong() -> None:
    batch = records(-1, -1)
    assert apply(batch, SECOND_OLD)[0] is batch


def test_a_header_alone_that_claims_the_future_is_refused() -> None:
    batch = bytearray(records(NOW))
    struct.pack_into(">q", batch, 35, NOW + HOUR + 1)
    struct.pack_into(">I", batch, 17, crc32c(batch[21:]))
    error = refusal(memoryview(batch), LogConfig())
    assert error.code is ErrorCode.INVALID_TIMESTAMP
    assert "the batch's max timestamp" in str(error)


def test_with_the_brokers_time_no_time_is_wrong() -> None:
    config = LogConfig(
        timestamp_type=TimestampType.LOG_APPEND_TIME,
        timestamp_before_max_ms=0,
        timestamp_after_max_ms=0,
    )
    batch = records(0, 2**62)
    assert apply(batch, config)[0] is batch


# Keys


def test_a_compacted_topic_needs_keys() -> None:
    mixed = [(b"k", b"", (), NOW), (None, b"", (), NOW), (b"", b"", (), NOW), (None, None, (), 0)]
    for codec in Compression:
        batch = memoryview(build_batch(mixed, compression=codec))
        error = refusal(batch, COMPACTED)
        assert error.code is ErrorCode.INVALID_RECORD
        assert named(error) == [1, 3]
        both = LogConfig(cleanup_policy=frozenset({"compact", "delete"}))
        assert named(refusal(batch, both)) == [1, 3]
        assert apply(batch, LogConfig())[0] is batch


def test_a_wrong_time_gives_its_code_to_the_whole_batch() -> None:
    config = LogConfig(cleanup_policy=frozenset({"compact"}), timestamp_before_max_ms=1_000)
    batch = memoryview(build_batch([(None, b"", (), 0), (b"k", b"", (), 0)]))
    error = refusal(batch, config)
    assert error.code is ErrorCode.INVALID_TIMESTAMP
    assert named(error) == [0, 1]


def test_the_answer_names_a_thousand_records_at_most() -> None:
    error = refusal(records(*[NOW] * 1_001, key=None), COMPACTED)
    assert named(error) == list(range(1_000))
    assert "1001 of 1001" in str(error)


def test_a_refusal_does_not_search_a_huge_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.message_rules._SEARCHED_MAX", 2)
    keys = [b"k", None, b"k", None]
    batch = memoryview(build_batch([(key, b"", (), NOW) for key in keys]))
    assert named(refusal(batch, COMPACTED)) == [1]
    keys = [b"k", b"k", b"k", None]
    batch = memoryview(build_batch([(key, b"", (), NOW) for key in keys]))
    error = refusal(batch, COMPACTED)
    assert (error.code, error.message) == (
        ErrorCode.INVALID_RECORD, "a record after the first 2 was refused"
    )  # fmt: skip


# Inside a batch


@pytest.mark.parametrize("config", [COMPACTED, SECOND_OLD, LogConfig(compression_type="gzip")])
def test_records_are_checked_where_they_are_looked_at(config: LogConfig) -> None:
    assert refusal(unreadable(), config).code is ErrorCode.INVALID_RECORD
    builder = BatchBuilder()
    builder.append(b"k", b"", timestamp_ms=NOW)
    builder.append(b"k", b"", timestamp_ms=NOW, offset_delta=2)
    gap = refusal(memoryview(builder.build()), config)
    assert (gap.code, gap.message) == (ErrorCode.INVALID_RECORD, "record 1 has offset delta 2")


@pytest.mark.parametrize("config", [LogConfig(), LogConfig(compression_type="uncompressed")])
def test_and_nowhere_else(config: LogConfig) -> None:
    batch = unreadable()
    assert apply(batch, config)[0] is batch


def test_compression_that_is_none() -> None:
    for codec in Compression:
        if codec is not Compression.NONE:
            assert refusal(unreadable(codec), COMPACTED).code is ErrorCode.INVALID_RECORD


@pytest.mark.parametrize("config", [COMPACTED, LogConfig(compression_type="gzip")])
def test_a_wrong_max_timestamp_is_put_right(config: LogConfig) -> None:
    batch = bytearray(records(NOW - 5, NOW - 7))
    struct.pack_into(">q", batch, 35, NOW)
    struct.pack_into(">I", batch, 17, crc32c(batch[21:]))
    made, header = apply(memoryview(batch), config)
    assert header.max_timestamp == NOW - 5
    assert [r.timestamp for r in iter_records(made, 0, header)] == [NOW - 5, NOW - 7]


# Compression

FIELDS: Sequence[Any] = [
    (b"k%d" % i, b"some value " * 20, (("h", b"x"),), NOW - i) for i in range(50)
]


@pytest.mark.parametrize("source", list(Compression))
@pytest.mark.parametrize("name", ["uncompressed", "gzip", "snappy", "lz4", "zstd", "producer"])
def test_the_topics_compression(source: Compression, name: str) -> None:
    batch = memoryview(
        build_batch(
            FIELDS, compression=source, producer_id=7, producer_epoch=2, base_sequence=11,
            transactional=True,
        )
    )  # fmt: skip
    old = read_header(batch)
    made, header = apply(batch, LogConfig(compression_type=name))
    wanted = {"producer": source, "uncompressed": Compression.NONE}.get(name)
    assert header.compression is (Compression.named(name) if wanted is None else wanted)
    if header.compression is source:
        assert made is batch
    assert list(iter_records(made, 0, header)) == list(iter_records(batch, 0, old))
    kept = ("producer_id", "producer_epoch", "base_sequence", "last_offset_delta", "record_count",
            "base_timestamp", "max_timestamp", "is_transactional", "log_append_time")  # fmt: skip
    assert [getattr(header, name) for name in kept] == [getattr(old, name) for name in kept]


@pytest.mark.parametrize(
    ("low", "high"),
    [
        (
            LogConfig(compression_type="gzip", compression_gzip_level=1),
            LogConfig(compression_type="gzip", compression_gzip_level=-1),
        ),
        (
            LogConfig(compression_type="lz4", compression_lz4_level=9),
            LogConfig(compression_type="lz4", compression_lz4_level=12),
        ),
        (
            LogConfig(compression_type="zstd", compression_zstd_level=-100),
            LogConfig(compression_type="zstd"),
        ),
    ],
)
def test_its_level(low: LogConfig, high: LogConfig) -> None:
    text = [(b"key %d" % i, b"%d and %d" % (i * i, i**3), (), NOW) for i in range(1_000)]
    batch = memoryview(build_batch(text))
    assert len(apply(batch, high)[0]) < len(apply(batch, low)[0])


def test_the_size_is_checked_again_in_the_topics_compression() -> None:
    batch = memoryview(build_batch([(b"k", bytes(5_000), (), NOW)], compression=Compression.ZSTD))
    exact = LogConfig(compression_type="uncompressed", max_message_bytes=5_071)
    assert len(apply(batch, exact)[0]) == 5_071
    small = LogConfig(compression_type="uncompressed", max_message_bytes=5_070)
    assert refusal(batch, small).code is ErrorCode.MESSAGE_TOO_LARGE
    tight = LogConfig(compression_type="uncompressed", segment_bytes=5_070)
    assert refusal(batch, tight).code is ErrorCode.RECORD_LIST_TOO_LARGE


def test_decompression_is_bounded() -> None:
    assert decompressed_bytes_max(LogConfig()) == 16 * 1_048_588
    assert decompressed_bytes_max(LogConfig(max_message_bytes=100)) == 16 << 20
    assert decompressed_bytes_max(LogConfig(max_message_bytes=2**31 - 1)) == 128 << 20
    bomb = memoryview(build_batch([(b"k", bytes(17 << 20), (), NOW)], compression=Compression.ZSTD))
    assert len(bomb) < 4_000
    for config in (COMPACTED, SECOND_OLD, LogConfig(compression_type="uncompressed")):
        error = refusal(bomb, config)
        assert error.code is ErrorCode.MESSAGE_TOO_LARGE
        assert "16777408 bytes, the bound that follows from max.message.bytes" in str(error)
    assert apply(bomb, LogConfig())[0] is bomb
