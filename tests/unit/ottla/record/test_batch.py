from __future__ import annotations

import pytest

from ottla.core.errors import DecodeError
from ottla.record.batch import (
    HEADER_SIZE,
    crc_matches,
    iter_headers,
    iter_records,
    patch_log_append_time,
    patch_offset_and_epoch,
    read_header,
)
from ottla.record.build import build_batch
from ottla.record.compression import Compression

RECORDS = [
    (b"key", b"value", (), 1000),
    (None, b"", (("name", b"x"), ("ä", None)), 3000),
    (b"", None, (), 2000),
]


def batch(**settings: object) -> bytearray:
    return build_batch(RECORDS, **settings)  # type: ignore[arg-type]


def raw_batch(body: bytes, count: int = 1, last_delta: int = 0) -> bytearray:
    """A batch with a hand-made body; its CRC is not set."""
    data = build_batch([(None, None, (), 0)])[:HEADER_SIZE] + body
    data[8:12] = (len(data) - 12).to_bytes(4, "big")
    data[23:27] = last_delta.to_bytes(4, "big")
    data[57:61] = count.to_bytes(4, "big", signed=True)
    return data


def test_header_fields() -> None:
    data = batch(
        base_offset=7,
        leader_epoch=3,
        compression=Compression.LZ4,
        producer_id=2**40,
        producer_epoch=5,
        base_sequence=11,
        transactional=True,
    )
    header = read_header(data)
    assert header.size == len(data)
    assert (header.base_offset, header.last_offset, header.next_offset) == (7, 9, 10)
    assert (header.leader_epoch, header.magic, header.record_count) == (3, 2, 3)
    assert header.compression is Compression.LZ4
    assert header.is_transactional
    assert not header.is_control
    assert not header.log_append_time
    assert header.delete_horizon_ms is None
    assert header.has_producer_id
    assert (header.producer_id, header.producer_epoch) == (2**40, 5)
    assert (header.base_sequence, header.last_sequence) == (11, 13)
    assert (header.base_timestamp, header.max_timestamp) == (1000, 3000)


def test_header_without_producer() -> None:
    header = read_header(batch())
    assert not header.has_producer_id
    assert header.last_sequence == -1


def test_sequences_wrap_to_zero() -> None:
    header = read_header(batch(producer_id=1, producer_epoch=0, base_sequence=2**31 - 2))
    assert header.last_sequence == 0


def test_delete_horizon() -> None:
    data = batch()
    data[22] |= 0x40
    assert read_header(data).delete_horizon_ms == 1000


def test_unknown_codec_is_a_decode_error() -> None:
    data = batch()
    data[22] |= 7
    header = read_header(data)
    with pytest.raises(DecodeError, match="compression type 7"):
        iter_records(data, 0, header)


@pytest.mark.parametrize("size", [0, 1, 16, 60])
def test_short_header(size: int) -> None:
    with pytest.raises(DecodeError, match=f"61 bytes; {size} are left"):
        read_header(batch()[:size])


@pytest.mark.parametrize(("magic", "words"), [(0, "Kafka 0.11"), (1, "version 1"), (3, "exist")])
@pytest.mark.parametrize("size", [17, 200])
def test_other_formats_are_named(magic: int, words: str, size: int) -> None:
    data = bytearray(size)
    data[16] = magic
    with pytest.raises(DecodeError, match=words):
        read_header(data)


@pytest.mark.parametrize("length", [-(2**31), -1, 0, 48])
def test_size_below_the_header_is_refused(length: int) -> None:
    data = batch()
    data[8:12] = length.to_bytes(4, "big", signed=True)
    with pytest.raises(DecodeError, match="less than its own header"):
        read_header(data)


def test_iter_headers_over_several_batches_and_a_torn_tail() -> None:
    first, second = batch(base_offset=0), batch(base_offset=3)
    whole = b"pad" + first + second
    found = list(iter_headers(whole, 3))
    assert [(at, header.base_offset) for at, header in found] == [(3, 0), (3 + len(first), 3)]
    torn = iter_headers(whole[:-1], 3)
    assert next(torn)[0] == 3
    with pytest.raises(DecodeError, match="are left"):
        next(torn)
    assert list(iter_headers(b"")) == []


def test_crc() -> None:
    data = memoryview(b"pad" + batch())
    header = read_header(data, 3)
    assert crc_matches(data, 3, header)
    assert not crc_matches(data[:-1], 3, header)
    for position in (24, 64, len(data) - 1):
        broken = bytearray(data)
        broken[position] ^= 1
        assert not crc_matches(broken, 3, read_header(broken, 3))


def test_a_batch_that_is_cut_off_has_no_matching_crc() -> None:
    # The CRC of what is there may well match: the size is what was lied about.
    data = batch()
    data[8:12] = (len(data) - 12 + 5).to_bytes(4, "big")
    assert not crc_matches(data, 0, read_header(data))


def test_patches_leave_the_crc_intact() -> None:
    data = bytearray(b"pad") + batch()
    patch_offset_and_epoch(memoryview(data), 3, base_offset=2**40, leader_epoch=9)
    header = read_header(data, 3)
    assert (header.base_offset, header.leader_epoch) == (2**40, 9)
    assert crc_matches(data, 3, header)
    assert [record.offset for record in iter_records(data, 3, header)] == [
        2**40,
        2**40 + 1,
        2**40 + 2,
    ]


def test_log_append_time_replaces_all_timestamps() -> None:
    data = bytearray(b"pad") + batch(compression=Compression.GZIP) + b"next batch"
    header = read_header(data, 3)
    patch_log_append_time(data, 3, header, 5_000_000_000)
    assert header == read_header(data, 3)
    assert header.log_append_time
    assert header.compression is Compression.GZIP
    assert crc_matches(data, 3, header)
    assert {record.timestamp for record in iter_records(data, 3, header)} == {5_000_000_000}


@pytest.mark.parametrize("codec", list(Compression))
def test_records(codec: Compression) -> None:
    data = batch(base_offset=100, compression=codec)
    records = list(iter_records(memoryview(data), 0, read_header(data)))
    assert [record.offset for record in records] == [100, 101, 102]
    assert [record.timestamp for record in records] == [1000, 3000, 2000]
    assert [record.key for record in records] == [b"key", None, b""]
    assert [record.value for record in records] == [b"value", b"", None]
    assert [record.headers for record in records] == [
        (),
        (("name", b"x"), ("ä", None)),
        (),
    ]


def test_records_of_a_torn_batch() -> None:
    data = batch()
    with pytest.raises(DecodeError, match="are left"):
        iter_records(data[:-1], 0, read_header(data))


def test_a_bomb_is_refused() -> None:
    data = build_batch([(None, bytes(1_000_000), (), 0)], compression=Compression.ZSTD)
    assert len(data) < 300
    with pytest.raises(DecodeError, match="more than 1000 bytes"):
        iter_records(data, 0, read_header(data), decompressed_bytes_max=1000)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "beyond its batch"),
        (b"\x0c\x00\x00\x00\x01\x01", "beyond its batch"),
        (b"\x0a\x00\x00\x00\x01\x01\x00", "should end at byte 6 and ends at 7"),
        (b"\x0e\x00\x00\x00\x01\x01\x00\x00", "should end at byte 8 and ends at 7"),
        (b"\x01\x00\x00\x00\x01\x01\x00", "should end at"),
        (b"\x0c\x00\x00\x02\x01\x01\x00", "offset delta 1 is outside"),
        (b"\x0c\x00\x00\x01\x01\x01\x00", "offset delta -1 is outside"),
        (b"\x0c\x00\x00\x00\x01\x01\x00\x00", "1 bytes are left over"),
        (b"\x0c\x00\x00\x00\x7e\x01\x00", "beyond its batch"),
        (b"\x0c\x00\x00\x00\x01\x7e\x00", "beyond its batch"),
        (b"\x0c\x00\x00\x00\x01\x01\x01", "claims -1 headers"),
        (b"\x0c\x00\x00\x00\x01\x01\x7e", "beyond its batch"),
        (b"\x10\x00\x00\x00\x01\x01\x02\x01\x00", "has no key"),
        (b"\x12\x00\x00\x00\x01\x01\x02\x02\xff\x01", "not UTF-8"),
        (b"\x10\x00\x00\x00\x01\x01\x02\x00\x7e", "ends at"),
        (b"\xff" * 11, "more than 10 bytes"),
        (b"\xff" * 9 + b"\x7f", "more than 64 bits"),
    ],
)
def test_malformed_records(body: bytes, words: str) -> None:
    data = raw_batch(body)
    with pytest.raises(DecodeError, match=words):
        list(iter_records(data, 0, read_header(data)))


def test_a_timestamp_beyond_64_bits() -> None:
    delta = b"\xff" * 9 + b"\x01"  # -2^63
    data = raw_batch(b"\x1e\x00" + delta + b"\x00\x01\x01\x00")
    data[27:35] = (-1).to_bytes(8, "big", signed=True)
    with pytest.raises(DecodeError, match="does not fit 64 bits"):
        list(iter_records(data, 0, read_header(data)))


def test_negative_record_count() -> None:
    data = raw_batch(b"", count=-1)
    with pytest.raises(DecodeError, match="claims -1 records"):
        iter_records(data, 0, read_header(data))


def test_an_emptied_batch_has_no_records() -> None:
    # Compaction keeps the header alone when the producer's last sequence must survive.
    data = raw_batch(b"", count=0, last_delta=4)
    header = read_header(data)
    assert list(iter_records(data, 0, header)) == []
    assert header.next_offset == 5
