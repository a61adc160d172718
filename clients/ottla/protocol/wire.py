"""Primitives of the wire format that generated code calls when its fast path does not apply.

Layouts: lengths of classic versions are signed int16 (text) or int32 (everything else), -1 is null.
Flexible versions (KIP-482) write length + 1 as an unsigned varint, 0 is null, and end every
structure with tagged fields: count, then (tag, size, bytes) each, all unsigned varints.

Bounds: an unsigned varint takes at most 5 bytes and holds at most 2**31 - 1. The number of elements
of an array is compared with the bytes that are left before a list is made. Slices beyond the end
come out short; `Message.decode_from` compares the final position with the length of the data, so
that no generated line has to.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence

from ottla.core.errors import DecodeError
from ottla.protocol.message import Buffer
from ottla.protocol.parts import Part, RecordsSource

INT32_MAX = 2**31 - 1
VARINT_BYTES_MAX = 5
_SHORT_ARRAY_MAX = 16
MALFORMED = (IndexError, struct.error, UnicodeDecodeError)
"""What reading beyond the end or invalid UTF-8 raises inside generated code."""

_pack_int16 = struct.Struct(">h").pack
_pack_int32 = struct.Struct(">i").pack


def malformed(name: str, version: int, error: Exception) -> DecodeError:
    """The DecodeError for one of MALFORMED."""
    if isinstance(error, UnicodeDecodeError):
        return DecodeError(f"{name} version {version}: a text is not valid UTF-8")
    return DecodeError(f"{name} version {version} is cut off")


def unknown_version(name: str, version: int) -> DecodeError:
    """The DecodeError for a version outside the schema."""
    return DecodeError(f"{name} has no version {version}")


def null_fault(field: str) -> DecodeError:
    """The DecodeError for null in a field that allows none."""
    return DecodeError(f"{field} must not be null")


def count_fault(name: str, count: int) -> DecodeError:
    """The DecodeError for an array that claims more elements than bytes are left."""
    return DecodeError(f"{count} elements of {name} do not fit into the bytes that are left")


def tag_fault(name: str, tag: int) -> DecodeError:
    """The DecodeError for a tagged field whose content does not end where its size says."""
    return DecodeError(f"tagged field {tag} of {name} has another size than its content")


def absent_fault(field: str, version: int) -> ValueError:
    """The ValueError for a field that `version` does not carry but must not lose."""
    return ValueError(f"{field} is set but version {version} does not carry it")


def null_value_fault(field: str, version: int) -> ValueError:
    """The ValueError for None in a field that allows no null in `version`."""
    return ValueError(f"{field} must not be None in version {version}")


def long_uvarint(data: Buffer, position: int, first: int) -> tuple[int, int]:
    """The rest of an unsigned varint whose first byte `first` has been read: (value, position)."""
    value = first & 0x7F
    shift = 7
    while first > 127:
        if shift == 7 * VARINT_BYTES_MAX:
            raise DecodeError("an unsigned varint is longer than 5 bytes")
        first = data[position]
        position += 1
        value |= (first & 0x7F) << shift
        shift += 7
    if value > INT32_MAX:
        raise DecodeError(f"an unsigned varint holds {value}, more than 2**31 - 1")
    return value, position


def read_uvarint(data: Buffer, position: int) -> tuple[int, int]:
    """An unsigned varint of at most 5 bytes: (value, position)."""
    return long_uvarint(data, position + 1, data[position])


def long_length(data: Buffer, position: int, first: int, field: str) -> tuple[int, int]:
    """A compact length + 1 outside 1..127: null is refused, more bytes are read."""
    if first == 0:
        raise null_fault(field)
    value, position = long_uvarint(data, position, first)
    if value == 0:
        raise null_fault(field)
    return value, position


def read_tag(data: Buffer, position: int) -> tuple[int, int, int]:
    """The head of a tagged field: (tag, position of its content, position behind it)."""
    tag, position = read_uvarint(data, position)
    size, position = read_uvarint(data, position)
    end = position + size
    if end > len(data):
        raise DecodeError(f"tagged field {tag} claims {size} bytes, more than are left")
    return tag, position, end


def skip_tags(data: Buffer, position: int, count: int) -> int:
    """The position behind the tagged fields of a structure that knows none.

    `count` is the first byte of their number. Every turn reads at least two bytes, so that a lying
    number ends at the end of the data.
    """
    if count > 127:
        count, position = long_uvarint(data, position, count)
    for _ in range(count):
        _, _, position = read_tag(data, position)
    return position


def _structs(code: str) -> list[struct.Struct]:
    """One Struct for every short array: replica lists have few elements."""
    return [struct.Struct(f">{count}{code}") for count in range(_SHORT_ARRAY_MAX + 1)]


def _number_array_reader(code: str) -> Callable[[Buffer, int, int], tuple[list[int], int]]:
    size = struct.calcsize(">" + code)
    short = [each.unpack_from for each in _structs(code)]

    def read(data: Buffer, position: int, count: int) -> tuple[list[int], int]:
        end = position + count * size
        if end > len(data):
            raise count_fault("numbers", count)
        if count <= _SHORT_ARRAY_MAX:
            return list(short[count](data, position)), end
        return list(struct.unpack_from(f">{count}{code}", data, position)), end

    return read


def _number_array_writer(code: str) -> Callable[[bytearray, Sequence[int]], None]:
    short = [each.pack for each in _structs(code)]

    def write(out: bytearray, values: Sequence[int]) -> None:
        count = len(values)
        if count <= _SHORT_ARRAY_MAX:
            out += short[count](*values)
        else:
            out += struct.pack(f">{count}{code}", *values)

    return write


read_int8_array = _number_array_reader("b")
"""`count` numbers: (list, position); so are those below."""
read_int16_array = _number_array_reader("h")
read_int32_array = _number_array_reader("i")
read_int64_array = _number_array_reader("q")

write_int8_array = _number_array_writer("b")
"""Append the elements, not their number; so do those below."""
write_int16_array = _number_array_writer("h")
write_int32_array = _number_array_writer("i")
write_int64_array = _number_array_writer("q")


def read_uuid_array(data: Buffer, position: int, count: int) -> tuple[list[bytes], int]:
    """`count` UUIDs of 16 bytes: (list, position)."""
    end = position + 16 * count
    if end > len(data):
        raise count_fault("UUIDs", count)
    return [bytes(data[start : start + 16]) for start in range(position, end, 16)], end


def read_string_array(data: Buffer, position: int, count: int) -> tuple[list[str], int]:
    """`count` texts with int16 lengths: (list, position)."""
    if position + 2 * count > len(data):
        raise count_fault("texts", count)
    texts = []
    for _ in range(count):
        size = data[position] << 8 | data[position + 1]
        position += 2
        if size > 32767:
            raise null_fault("a text in an array")
        end = position + size
        texts.append(str(data[position:end], "utf-8"))
        position = end
    return texts, position


def read_compact_string_array(data: Buffer, position: int, count: int) -> tuple[list[str], int]:
    """`count` texts with compact lengths: (list, position)."""
    if position + count > len(data):
        raise count_fault("texts", count)
    texts = []
    for _ in range(count):
        size = data[position]
        position += 1
        if not 0 < size < 128:
            size, position = long_length(data, position, size, "a text in an array")
        end = position + size - 1
        texts.append(str(data[position:end], "utf-8"))
        position = end
    return texts, position


def write_uvarint(out: bytearray, value: int) -> None:
    """Append an unsigned varint."""
    while value > 127:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)


def write_tagged(out: bytearray, tag: int, content: bytes | bytearray) -> None:
    """Append one tagged field: tag, size, content."""
    write_uvarint(out, tag)
    write_uvarint(out, len(content))
    out += content


def write_string_array(out: bytearray, texts: Sequence[str]) -> None:
    """Append the elements (not their number) with int16 lengths."""
    for text in texts:
        raw = text.encode()
        out += _pack_int16(len(raw))
        out += raw


def write_compact_string_array(out: bytearray, texts: Sequence[str]) -> None:
    """Append the elements (not their number) with compact lengths."""
    for text in texts:
        raw = text.encode()
        write_uvarint(out, len(raw) + 1)
        out += raw


def write_uuid_array(out: bytearray, values: Sequence[bytes]) -> None:
    """Append the elements, not their number."""
    for value in values:
        out += struct.pack("16s", value)


def write_records(
    out: bytearray, records: Buffer | RecordsSource, parts: list[Part] | None
) -> None:
    """Append records with their int32 length."""
    if isinstance(records, (bytes, bytearray, memoryview)):
        out += _pack_int32(len(records))
        out += records
    else:
        out += _pack_int32(records.size)
        _move_source(out, records, parts)


def write_compact_records(
    out: bytearray, records: Buffer | RecordsSource, parts: list[Part] | None
) -> None:
    """Append records with their compact length."""
    if isinstance(records, (bytes, bytearray, memoryview)):
        write_uvarint(out, len(records) + 1)
        out += records
    else:
        write_uvarint(out, records.size + 1)
        _move_source(out, records, parts)


def _move_source(out: bytearray, source: RecordsSource, parts: list[Part] | None) -> None:
    """Close the part that `out` holds and put `source` behind it."""
    if parts is None:
        raise ValueError("a message with a RecordsSource has no single encoding: use encode_parts")
    parts.append(bytes(out))
    parts.append(source)
    out.clear()
