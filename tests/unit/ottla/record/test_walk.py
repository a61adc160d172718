from __future__ import annotations

import pytest

from ottla.core.errors import DecodeError
from ottla.record.batch import HEADER_SIZE, read_header
from ottla.record.build import BatchBuilder, build_batch
from ottla.record.walk import Walk, walk_records

NOW = 1_700_000_000_000


def walk(batch: bytearray, data: bytes | None = None) -> Walk:
    return walk_records(bytes(batch[HEADER_SIZE:]) if data is None else data, read_header(batch))


def test_what_the_records_say_together() -> None:
    batch = build_batch(
        [
            (b"k", b"v" * 100, (), NOW),
            (None, bytes(70_000), [("h", None), ("i", b""), ("j" * 70, b"x" * 9_000)], NOW - 500),
            (b"", None, (), NOW + 100_000),
        ]
    )
    assert walk(batch) == Walk(NOW - 500, NOW + 100_000, 1)


def test_a_record_without_time_has_no_part_in_the_times() -> None:
    assert walk(build_batch([(b"k", b"", (), -1), (b"k", b"", (), NOW)])) == Walk(NOW, NOW, 0)
    assert walk(build_batch([(b"k", b"", (), NOW), (b"k", b"", (), -1)])) == Walk(NOW, NOW, 0)
    assert walk(build_batch([(b"k", b"", (), -1)])) == Walk(-1, -1, 0)


def test_offset_deltas_are_checked_at_every_width() -> None:
    count = 8_300  # beyond the two bytes of a varint
    batch = build_batch([(b"k", None, (), 0)] * count)
    assert walk(batch).without_key == 0
    for gap in (0, 5, 100, 8_250):
        builder = BatchBuilder()
        for number in range(count):
            builder.append(b"k", None, offset_delta=number + (number >= gap))
        with pytest.raises(DecodeError, match=f"record {gap} has offset delta {gap + 1}"):
            walk(builder.build())


RECORD = b"\x0e\x00\x00\x00\x02k\x00\x00"  # 7 bytes: attributes, 0, 0, key "k", value "", 0


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "ends beyond"),
        (RECORD[:-1], "ends beyond"),
        (RECORD + b"\x00", "1 bytes are left over"),
        (b"\x0c" + RECORD[1:], "should end -1 bytes later"),
        (b"\x10" + RECORD[1:] + b"\x00", "should end 1 bytes later"),
        (b"\x0e\x00\x00\x00\x04k\x00\x00", "ends beyond"),
        (b"\x0e\x00\x00\x00\x02k\x04\x00", "ends beyond"),
        (b"\x0e\x00\x00\x00\x02k\x00\x01", "claims -1 headers"),
        (b"\x0e\x00\x00\x00\x02k\x00\x02", "ends beyond"),
        (b"\x12\x00\x00\x00\x02k\x00\x02\x01\x00", "header has no key"),
        (b"\x0d\x00\x00\x00\x02k\x00\x00", "should end"),
        (b"\xff" * 11, "more than 10 bytes"),
    ],
)
def test_bytes_that_are_no_records(data: bytes, reason: str) -> None:
    batch = build_batch([(b"k", b"", (), 0)])
    assert bytes(batch[HEADER_SIZE:]) == RECORD
    with pytest.raises(DecodeError, match=reason):
        walk(batch, data)


def test_a_time_beyond_64_bits() -> None:
    batch = build_batch([(b"k", b"", (), 2**63 - 1)])
    data = bytes(build_batch([(b"k", b"", (), 0), (b"k", b"", (), 1)])[HEADER_SIZE:])
    header = read_header(batch)
    header.record_count = 2
    with pytest.raises(DecodeError, match="does not fit 64 bits"):
        walk_records(data, header)
