from __future__ import annotations

import gzip
import tracemalloc

import cramjam
import pytest

from ottla.core.errors import DecodeError
from ottla.record.compression import Compression, compress, decompress

CODECS = [codec for codec in Compression if codec is not Compression.NONE]
TEXT = b"".join(b"line %d of a text that compresses\n" % number for number in range(10_000))


@pytest.mark.parametrize("codec", list(Compression))
@pytest.mark.parametrize("data", [b"", b"x", TEXT, bytes(1_000_000)])
def test_round_trip(codec: Compression, data: bytes) -> None:
    assert decompress(compress(data, codec), codec) == data


@pytest.mark.parametrize(
    ("codec", "fast", "thorough"),
    [
        (Compression.GZIP, 1, 9),
        (Compression.LZ4, 9, 17),  # 9 is the fast compressor's number, as in Kafka
        (Compression.LZ4, 9, 1),
        (Compression.ZSTD, -50, 19),
    ],
)
def test_levels(codec: Compression, fast: int, thorough: int) -> None:
    small, large = compress(TEXT, codec, thorough), compress(TEXT, codec, fast)
    assert len(small) < len(large)
    assert decompress(small, codec) == decompress(large, codec) == TEXT


@pytest.mark.parametrize("codec", CODECS)
def test_reads_from_a_memoryview(codec: Compression) -> None:
    padded = b"before" + compress(TEXT, codec) + b"after"
    assert decompress(memoryview(padded)[6:-5], codec) == TEXT


@pytest.mark.parametrize("codec", list(Compression))
def test_limit_is_inclusive(codec: Compression) -> None:
    data = compress(TEXT, codec)
    assert decompress(data, codec, len(TEXT)) == TEXT
    with pytest.raises(DecodeError, match="more than"):
        decompress(data, codec, len(TEXT) - 1)


@pytest.mark.parametrize("codec", CODECS)
def test_output_larger_than_every_first_guess(codec: Compression) -> None:
    data = bytes(20_000_000)
    assert decompress(compress(data, codec), codec) == data


@pytest.mark.parametrize("codec", CODECS)
def test_a_bomb_costs_no_more_memory_than_the_limit(codec: Compression) -> None:
    limit = 1_000_000
    bomb = compress(bytes(50_000_000), codec)
    tracemalloc.start()
    try:
        with pytest.raises(DecodeError, match="more than 1000000 bytes"):
            decompress(bomb, codec, limit)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2 * limit + 500_000


@pytest.mark.parametrize("codec", CODECS)
def test_damage_is_a_decode_error(codec: Compression) -> None:
    data = compress(TEXT, codec)
    for broken in (b"", data[:-3], data[: len(data) // 2], b"\x00" * 64, data + b"rubbish!"):
        with pytest.raises(DecodeError):
            decompress(broken, codec)


def test_lz4_blocks_are_independent_as_java_demands() -> None:
    flags = compress(TEXT, Compression.LZ4)[4]
    assert flags >> 6 == 1  # version
    assert flags & 0x20  # block independence


def test_linked_lz4_blocks_are_read_all_the_same() -> None:
    linked = bytes(cramjam.lz4.compress(TEXT * 4))
    assert not linked[4] & 0x20
    assert decompress(linked, Compression.LZ4) == TEXT * 4


def test_snappy_is_written_in_xerial_framing() -> None:
    data = compress(TEXT, Compression.SNAPPY)
    assert data[:16] == b"\x82SNAPPY\x00\x00\x00\x00\x01\x00\x00\x00\x01"
    first = int.from_bytes(data[16:20], "big")
    assert bytes(cramjam.snappy.decompress_raw(data[20 : 20 + first])) == TEXT[: 32 * 1024]


def test_raw_snappy_and_concatenated_xerial_streams_are_read() -> None:
    assert decompress(bytes(cramjam.snappy.compress_raw(TEXT)), Compression.SNAPPY) == TEXT
    stream = compress(TEXT, Compression.SNAPPY)
    assert decompress(stream + stream, Compression.SNAPPY) == TEXT * 2


def test_gzip_members_in_a_row_are_read_as_one() -> None:
    assert decompress(gzip.compress(b"a") + gzip.compress(b"b"), Compression.GZIP) == b"ab"


def test_a_lie_about_the_size_of_a_snappy_block_is_refused() -> None:
    claims_100_mb = b"\x80\xc2\xd7\x2f" + b"\x00" * 10
    with pytest.raises(DecodeError, match="cannot hold 100000000"):
        decompress(claims_100_mb, Compression.SNAPPY)


@pytest.mark.parametrize("length", [0, -1, 5, 2**31 - 1])
def test_a_xerial_block_outside_the_stream_is_refused(length: int) -> None:
    stream = compress(b"", Compression.SNAPPY) + length.to_bytes(4, "big", signed=True) + b"abcd"
    with pytest.raises(DecodeError, match="claims"):
        decompress(stream, Compression.SNAPPY)


def test_a_xerial_stream_that_ends_inside_a_length_is_refused() -> None:
    with pytest.raises(DecodeError, match="ends inside"):
        decompress(compress(b"", Compression.SNAPPY) + b"\x00\x00", Compression.SNAPPY)


def test_codecs_by_name() -> None:
    assert Compression.named("zstd") is Compression.ZSTD
    assert Compression.named("none") is Compression.NONE
    with pytest.raises(ValueError, match="none, gzip, snappy, lz4, zstd"):
        Compression.named("brotli")
