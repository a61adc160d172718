"""The four codecs of record batches, with bounded output.

Output is written into a buffer of ours that never grows beyond the caller's limit, so that a
decompression bomb (zstd reaches 40,000 : 1) ends in `DecodeError` after at most that much memory;
formats that declare their size (snappy) are refused before anything is allocated.

Framing, as the Java client writes and reads it:
- gzip: RFC 1952, level 6; several members in a row are read as one.
- snappy: written in xerial's framing, read in either. Raw snappy has no frame at all. Xerial::

      82 'S' 'N' 'A' 'P' 'P' 'Y' 00 | version int32 | compatible int32
      | { length int32 | raw block }*

- lz4: frame format 1.5.1 with *independent* blocks; Java refuses linked ones.
- zstd: RFC 8878, level 3.
"""

from __future__ import annotations

from enum import IntEnum
from struct import Struct
from typing import TypeAlias

import cramjam

from ottla.core.errors import DecodeError

Buffer: TypeAlias = bytes | bytearray | memoryview

DECOMPRESSED_BYTES_MAX = 128 * 1024 * 1024
"""The default limit of one batch's records when decompressed (inclusive)."""

_GZIP_LEVEL = 6
_ZSTD_LEVEL = 3
_LZ4_LEVELS = {None: 4, 9: 1, 1: 3, 2: 3}  # Kafka's numbers that mean another one of the library's
_FIRST_GUESS_BYTES = 64 * 1024
_GROWTH = 4
_XERIAL_MAGIC = b"\x82SNAPPY\x00"
_XERIAL_HEADER = _XERIAL_MAGIC + b"\x00\x00\x00\x01\x00\x00\x00\x01"
_XERIAL_BLOCK_BYTES = 32 * 1024
_SNAPPY_RATIO_MAX = 22  # a copy element turns 3 bytes into 64
_INT32 = Struct(">i")
# The text of Rust's std::io::ErrorKind::WriteZero: the output buffer was full, the input may be
# sound. Every other text means damage, and growing the buffer would only help an attacker.
_OUTPUT_FULL = "whole buffer"


class TooLarge(DecodeError):
    """More output than the caller allows; the data may be sound."""


class Compression(IntEnum):
    """Bits 0–2 of a batch's attributes."""

    NONE = 0
    GZIP = 1
    SNAPPY = 2
    LZ4 = 3
    ZSTD = 4

    @classmethod
    def named(cls, name: str) -> Compression:
        """The codec that Kafka's settings call `name`; ValueError names the allowed ones."""
        try:
            return cls[name.upper()]
        except KeyError:
            allowed = ", ".join(codec.name.lower() for codec in cls)
            raise ValueError(f"unknown compression type {name!r}; it is one of {allowed}") from None


def compress(data: Buffer, codec: Compression, level: int | None = None) -> bytes:
    """`data` in the framing that Java clients read.

    `level` is of gzip (1–9), lz4 (1–17) or zstd (-131072–22); None: the codec's default here. As in
    Kafka, lz4's level 9 means the fast compressor, all others the thorough one.
    """
    match codec:
        case Compression.NONE:
            return bytes(data)
        case Compression.GZIP:
            return bytes(cramjam.gzip.compress(data, level=_GZIP_LEVEL if level is None else level))
        case Compression.SNAPPY:
            return _compress_xerial(data)
        case Compression.LZ4:
            compressor = cramjam.lz4.Compressor(
                level=_LZ4_LEVELS.get(level, level), block_linked=False, content_checksum=False
            )
            compressor.compress(bytes(data))  # takes nothing but bytes
            return bytes(compressor.finish())
        case Compression.ZSTD:
            return bytes(cramjam.zstd.compress(data, level=_ZSTD_LEVEL if level is None else level))


def decompress(data: Buffer, codec: Compression, limit: int = DECOMPRESSED_BYTES_MAX) -> bytes:
    """The original bytes, at most `limit` of them.

    DecodeError: damaged input; its kind TooLarge: more than `limit` bytes of output.
    """
    try:
        match codec:
            case Compression.NONE:
                if len(data) > limit:
                    raise _too_large(limit)
                return bytes(data)
            case Compression.SNAPPY:
                if bytes(data[: len(_XERIAL_MAGIC)]) == _XERIAL_MAGIC:
                    return _decompress_xerial(memoryview(data), limit)
                return _decompress_snappy(data, limit)
            case _:
                return _decompress_growing(data, codec, limit)
    except cramjam.DecompressionError as error:
        raise DecodeError(f"damaged {codec.name.lower()} data: {error}") from error


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"the records decompress to more than {limit} bytes")


def _decompress_growing(data: Buffer, codec: Compression, limit: int) -> bytes:
    """Formats that do not say how large the output is: try, and grow up to the limit.

    A retry starts over, but sizes grow by 4, so all tries together cost at most 4/3 of the last.
    """
    if codec is Compression.GZIP:
        decompress_into = cramjam.gzip.decompress_into
    elif codec is Compression.LZ4:
        decompress_into = cramjam.lz4.decompress_into
    else:
        decompress_into = cramjam.zstd.decompress_into
    size = min(limit, max(_FIRST_GUESS_BYTES, len(data) * _GROWTH))
    while True:
        output = bytearray(size)
        try:
            written = decompress_into(data, output)
        except cramjam.DecompressionError as error:
            if _OUTPUT_FULL not in str(error):
                raise
            if size >= limit:
                raise _too_large(limit) from None
            size = min(limit, size * _GROWTH)
            continue
        return bytes(memoryview(output)[:written])


def _snappy_size(block: Buffer, limit: int) -> int:
    """The size that a raw snappy block declares, refused when it cannot be true."""
    size = cramjam.snappy.decompress_raw_len(block)
    if size > limit:
        raise _too_large(limit)
    if size > len(block) * _SNAPPY_RATIO_MAX:
        raise DecodeError(f"a snappy block of {len(block)} bytes cannot hold {size}")
    return size


def _decompress_snappy(data: Buffer, limit: int) -> bytes:
    output = bytearray(_snappy_size(data, limit))
    cramjam.snappy.decompress_raw_into(data, output)
    return bytes(output)


def _compress_xerial(data: Buffer) -> bytes:
    view = memoryview(data)
    output = bytearray(_XERIAL_HEADER)
    for start in range(0, len(view), _XERIAL_BLOCK_BYTES):
        block = cramjam.snappy.compress_raw(view[start : start + _XERIAL_BLOCK_BYTES])
        output += _INT32.pack(len(block))
        output += memoryview(block)
    return bytes(output)


def _decompress_xerial(data: memoryview, limit: int) -> bytes:
    blocks: list[tuple[memoryview, int]] = []
    total = 0
    # Version and compatible version are not looked at: some writers put them in little endian.
    position = len(_XERIAL_HEADER)
    while position < len(data):
        if bytes(data[position : position + len(_XERIAL_MAGIC)]) == _XERIAL_MAGIC:
            position += len(_XERIAL_HEADER)  # concatenated streams
            continue
        if position + 4 > len(data):
            raise DecodeError("a xerial snappy stream ends inside a block length")
        (length,) = _INT32.unpack_from(data, position)
        position += 4
        if not 0 < length <= len(data) - position:
            raise DecodeError(
                f"a xerial snappy block claims {length} bytes; {len(data) - position} are left"
            )
        block = data[position : position + length]
        size = _snappy_size(block, limit)
        blocks.append((block, size))
        total += size
        if total > limit:
            raise _too_large(limit)
        position += length
    output = bytearray(total)
    view = memoryview(output)
    written = 0
    for block, size in blocks:
        cramjam.snappy.decompress_raw_into(block, view[written : written + size])
        written += size
    return bytes(output)
