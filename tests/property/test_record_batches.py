"""Our record batches against kafka-python's and aiokafka's code, both directions, all codecs.

kafka-python brings gzip alone (its other codecs are optional packages); aiokafka has all of them
by cramjam. Java's are covered by the byte layouts in the unit tests.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from aiokafka.record.default_records import (
    DefaultRecordBatch as AioBatch,
)
from aiokafka.record.default_records import (
    DefaultRecordBatchBuilder as AioBuilder,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from kafka.record.default_records import (
    DefaultRecordBatch as KafkaBatch,
)
from kafka.record.default_records import (
    DefaultRecordBatchBuilder as KafkaBuilder,
)

from ottla.core.errors import DecodeError
from ottla.record.batch import (
    crc_matches,
    iter_headers,
    iter_records,
    patch_log_append_time,
    patch_offset_and_epoch,
    read_header,
)
from ottla.record.build import build_batch, recompress
from ottla.record.compression import Compression, compress, decompress
from ottla.record.walk import Walk, walk_records
from tests.support.examples import examples

Fields = tuple[bytes | None, bytes | None, list[tuple[str, bytes | None]], int]
ALL = list(Compression)
ORACLES: list[tuple[Any, Any, list[Compression]]] = [
    (KafkaBatch, KafkaBuilder, [Compression.NONE, Compression.GZIP]),
    (AioBatch, AioBuilder, ALL),
]

nullable_bytes = st.none() | st.binary(max_size=200) | st.just(b"compress me " * 40)
headers = st.lists(st.tuples(st.text(max_size=8), nullable_bytes), max_size=4)
timestamps = st.integers(0, 2**42)
fields = st.tuples(nullable_bytes, nullable_bytes, headers, timestamps)
batches = st.lists(fields, min_size=1, max_size=20)
codecs = st.sampled_from(ALL)


def ours(data: bytes | bytearray) -> list[Any]:
    header = read_header(data)
    assert header.size == len(data)
    assert crc_matches(data, 0, header)
    return [
        (record.offset, record.key, record.value, list(record.headers), record.timestamp)
        for record in iter_records(data, 0, header)
    ]


def expected(records: Sequence[Fields], base_offset: int = 0) -> list[Any]:
    return [
        (base_offset + delta, key, value, list(record_headers), timestamp)
        for delta, (key, value, record_headers, timestamp) in enumerate(records)
    ]


@settings(deadline=None)
@given(batches, codecs, st.integers(0, 2**62), st.integers(-1, 2**62), st.integers(0, 2**31 - 1))
def test_theirs_reads_ours(
    records: list[Fields],
    codec: Compression,
    base_offset: int,
    producer_id: int,
    base_sequence: int,
) -> None:
    data = build_batch(
        records,
        base_offset=base_offset,
        leader_epoch=4,
        compression=codec,
        producer_id=producer_id,
        producer_epoch=3,
        base_sequence=base_sequence,
        transactional=True,
    )
    header = read_header(data)
    for reader, _, supported in ORACLES:
        if codec not in supported:
            continue
        theirs = reader(bytes(data))
        assert theirs.validate_crc()
        assert theirs.base_offset == header.base_offset == base_offset
        assert theirs.magic == header.magic
        assert theirs.crc == header.crc
        assert theirs.attributes == header.attributes
        assert theirs.is_transactional == header.is_transactional
        assert theirs.is_control_batch == header.is_control
        assert theirs.last_offset_delta == header.last_offset_delta
        assert theirs.next_offset == header.next_offset
        assert theirs.first_timestamp == header.base_timestamp
        assert theirs.max_timestamp == header.max_timestamp
        assert theirs.producer_id == header.producer_id
        assert theirs.producer_epoch == header.producer_epoch
        assert theirs.base_sequence == header.base_sequence
        read = [
            (record.offset, record.key, record.value, list(record.headers), record.timestamp)
            for record in theirs
        ]
        assert read == expected(records, base_offset)
    assert KafkaBatch(bytes(data)).last_sequence == header.last_sequence


@settings(deadline=None)
@given(batches, codecs, st.integers(0, 2**40), st.integers(0, 2**31 - 1))
def test_ours_reads_theirs(
    records: list[Fields], codec: Compression, producer_id: int, base_sequence: int
) -> None:
    for _, builder, supported in ORACLES:
        if codec not in supported:
            continue
        theirs = builder(
            magic=2,
            compression_type=int(codec),
            is_transactional=0,
            producer_id=producer_id,
            producer_epoch=1,
            base_sequence=base_sequence,
            batch_size=10_000_000,
        )
        for delta, (key, value, record_headers, timestamp) in enumerate(records):
            theirs.append(delta, timestamp=timestamp, key=key, value=value, headers=record_headers)
        data = bytes(theirs.build())
        assert ours(data) == expected(records)
        header = read_header(data)
        assert (header.producer_id, header.base_sequence) == (producer_id, base_sequence)
        assert header.record_count == len(records)
        if codec is Compression.NONE:
            again = build_batch(
                records, producer_id=producer_id, producer_epoch=1, base_sequence=base_sequence
            )
            patch_offset_and_epoch(again, 0, base_offset=0, leader_epoch=header.leader_epoch)
            assert again == data


@settings(deadline=None)
@given(batches, codecs, st.integers(0, 2**50))
def test_theirs_reads_a_batch_with_log_append_time(
    records: list[Fields], codec: Compression, timestamp: int
) -> None:
    data = build_batch(records, compression=codec)
    patch_log_append_time(data, 0, read_header(data), timestamp)
    theirs: Any = AioBatch(bytes(data))
    assert theirs.validate_crc()
    assert [record.timestamp for record in theirs] == [timestamp] * len(records)


@settings(deadline=None)
@given(st.binary(max_size=300), codecs)
def test_codecs_round_trip(data: bytes, codec: Compression) -> None:
    assert decompress(compress(data, codec), codec) == data


def only_decode_errors(read: Callable[[], object]) -> None:
    try:
        read()
    except DecodeError:
        return


def read_all(data: bytes | bytearray) -> None:
    for position, header in iter_headers(data):
        crc_matches(data, position, header)
        list(iter_records(data, position, header, decompressed_bytes_max=1_000_000))


@settings(deadline=None, max_examples=examples(300))
@given(st.binary(max_size=400))
def test_garbage_raises_only_decode_errors(data: bytes) -> None:
    only_decode_errors(lambda: read_all(data))


@settings(deadline=None, max_examples=examples(300))
@given(st.binary(max_size=300), codecs)
def test_garbage_to_decompress_raises_only_decode_errors(data: bytes, codec: Compression) -> None:
    only_decode_errors(lambda: decompress(data, codec, 100_000))


@settings(deadline=None, max_examples=examples(300))
@given(batches, codecs, st.randoms(use_true_random=False))
def test_damaged_batches_raise_only_decode_errors(
    records: list[Fields], codec: Compression, source: random.Random
) -> None:
    data = build_batch(records, compression=codec)
    for _ in range(source.randrange(1, 4)):
        data[source.randrange(61, len(data))] = source.randrange(256)
    only_decode_errors(lambda: read_all(data))
    data[source.randrange(17, 61)] = source.randrange(256)
    only_decode_errors(lambda: read_all(data))
    only_decode_errors(lambda: read_all(data[: source.randrange(len(data))]))


@settings(deadline=None, max_examples=300)
@given(batches, st.randoms(use_true_random=False), st.booleans())
def test_walking_agrees_with_reading(
    records: list[Fields], source: random.Random, damaged: bool
) -> None:
    data = build_batch(records)
    if damaged:
        data[source.randrange(61, len(data))] = source.choice((0, 1, 0x7F, 0x80, 0xFF))
    header = read_header(data)
    try:
        read = list(iter_records(data, 0, header))
    except DecodeError as error:
        if "UTF-8" not in str(error):  # names are not looked at by a walk
            with pytest.raises(DecodeError):
                walk_records(bytes(data[61:]), header)
        return
    if [record.offset for record in read] != list(range(len(read))):
        with pytest.raises(DecodeError, match="offset delta"):
            walk_records(bytes(data[61:]), header)
        return
    times = [record.timestamp for record in read if record.timestamp != -1] or [-1]
    assert walk_records(bytes(data[61:]), header) == Walk(
        min(times), max(times), sum(record.key is None for record in read)
    )


@settings(deadline=None)
@given(batches, codecs, codecs, st.integers(-1, 2**40))
def test_a_batch_compressed_anew_is_the_same_to_readers(
    records: list[Fields], codec: Compression, other: Compression, producer_id: int
) -> None:
    data = build_batch(records, compression=codec, producer_id=producer_id, base_offset=7)
    header = read_header(data)
    again = recompress(header, decompress(data[61:], codec), other)
    assert header == read_header(again)
    assert header.compression is other
    assert ours(again) == expected(records, 7)
    theirs: Any = AioBatch(bytes(again))
    assert theirs.validate_crc()
    assert [record.value for record in theirs] == [value for _, value, _, _ in records]
    back = recompress(header, decompress(again[61:], other), Compression.NONE)
    assert back == build_batch(records, producer_id=producer_id, base_offset=7)


@pytest.mark.parametrize("codec", ALL)
def test_many_mutations_of_one_batch(codec: Compression) -> None:
    source = random.Random(int(codec))
    original = build_batch(
        [(b"k%d" % n, b"some value " * n, [("h", b"x")], n) for n in range(30)], compression=codec
    )
    for _ in range(1500):
        data = bytearray(original)
        for _ in range(source.choice((1, 1, 2, 8))):
            data[source.randrange(len(data))] = source.choice((0, 1, 0x7F, 0x80, 0xFF))
        data[16] = 2
        only_decode_errors(lambda data=data: read_all(data))  # type: ignore[misc]
