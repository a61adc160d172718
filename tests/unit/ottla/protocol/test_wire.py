from __future__ import annotations

import struct
from collections.abc import Callable

import pytest

from ottla.core.errors import DecodeError
from ottla.protocol import wire
from ottla.protocol.message import Buffer


@pytest.mark.parametrize(
    ("value", "data"),
    [
        (0, "00"),
        (1, "01"),
        (127, "7f"),
        (128, "8001"),
        (300, "ac02"),
        (16_383, "ff7f"),
        (2**31 - 1, "ffffffff07"),
    ],
)
def test_uvarint(value: int, data: str) -> None:
    raw = bytes.fromhex(data)
    out = bytearray()
    wire.write_uvarint(out, value)
    assert out == raw
    assert wire.read_uvarint(b"x" + raw + b"y", 1) == (value, 1 + len(raw))


def test_uvarint_bounds() -> None:
    assert wire.read_uvarint(bytes.fromhex("8080808000"), 0) == (0, 5)
    with pytest.raises(DecodeError, match="longer than 5 bytes"):
        wire.read_uvarint(bytes.fromhex("808080808000"), 0)
    with pytest.raises(DecodeError, match="more than 2"):
        wire.read_uvarint(bytes.fromhex("ffffffff0f"), 0)
    with pytest.raises(IndexError):
        wire.read_uvarint(bytes.fromhex("8080"), 0)


def test_compact_length_refuses_every_null() -> None:
    assert wire.long_length(b"\x01", 0, 0x80, "X.y") == (128, 1)
    with pytest.raises(DecodeError, match=r"X\.y must not be null"):
        wire.long_length(b"", 0, 0, "X.y")
    with pytest.raises(DecodeError, match=r"X\.y must not be null"):
        wire.long_length(b"\x00", 0, 0x80, "X.y")


def test_unknown_tags_are_skipped() -> None:
    data = bytes.fromhex("02 05 02 aaaa 8101 00") + b"rest"
    assert wire.skip_tags(data, 1, data[0]) == len(data) - 4
    with pytest.raises(DecodeError, match="tagged field 5 claims 9 bytes"):
        wire.skip_tags(bytes.fromhex("01 05 09 aa"), 1, 1)


def test_a_lying_number_of_tags_ends_with_the_data() -> None:
    with pytest.raises(IndexError):
        wire.skip_tags(bytes.fromhex("ffffff7f 0000"), 1, 0xFF)


@pytest.mark.parametrize("code", ["b", "h", "i", "q"])
@pytest.mark.parametrize("count", [0, 1, 3, 16, 17, 1000])
def test_number_arrays(code: str, count: int) -> None:
    bits = {"b": 8, "h": 16, "i": 32, "q": 64}[code]
    read: Callable[[Buffer, int, int], tuple[list[int], int]] = getattr(
        wire, f"read_int{bits}_array"
    )
    write: Callable[[bytearray, list[int]], None] = getattr(wire, f"write_int{bits}_array")
    values = [(index % 100) - 50 for index in range(count)]
    data = struct.pack(f">{count}{code}", *values)
    out = bytearray(b"head")
    write(out, values)
    assert out == b"head" + data
    assert read(memoryview(out), 4, count) == (values, len(out))
    with pytest.raises(DecodeError, match="do not fit"):
        read(out, 4, count + 1)


def test_text_arrays() -> None:
    texts = ["", "a", "ü" * 100]
    out = bytearray()
    wire.write_string_array(out, texts)
    assert wire.read_string_array(out, 0, 3) == (texts, len(out))
    compact = bytearray()
    wire.write_compact_string_array(compact, texts)
    assert wire.read_compact_string_array(compact, 0, 3) == (texts, len(compact))
    with pytest.raises(DecodeError, match="null"):
        wire.read_string_array(b"\xff\xff", 0, 1)
    with pytest.raises(DecodeError, match="null"):
        wire.read_compact_string_array(b"\x00", 0, 1)
    with pytest.raises(DecodeError, match="do not fit"):
        wire.read_string_array(b"\x00\x00", 0, 2)
    with pytest.raises(DecodeError, match="do not fit"):
        wire.read_compact_string_array(b"\x01", 0, 2)


def test_uuid_arrays() -> None:
    values = [bytes(16), bytes(range(16))]
    out = bytearray()
    wire.write_uuid_array(out, values)
    assert wire.read_uuid_array(memoryview(out), 0, 2) == (values, 32)
    with pytest.raises(DecodeError, match="do not fit"):
        wire.read_uuid_array(out, 1, 2)


def test_tagged_field() -> None:
    out = bytearray()
    wire.write_tagged(out, 200, b"abc")
    assert out == bytes.fromhex("c801 03 616263")
    assert wire.read_tag(out, 0) == (200, 3, 6)


def test_faults_name_the_message() -> None:
    with pytest.raises(UnicodeDecodeError) as caught:
        b"\xff".decode()
    assert "UTF-8" in str(wire.malformed("Fetch", 3, caught.value))
    assert str(wire.malformed("Fetch", 3, IndexError())) == "Fetch version 3 is cut off"
