from __future__ import annotations

import pytest

from ottla.record.batch import crc_matches, iter_records, read_header
from ottla.record.build import RECORD_OVERHEAD_MAX, BatchBuilder, build_batch


def test_one_record_byte_by_byte() -> None:
    data = build_batch([(b"k", b"v", (("h", b"w"),), 1)])
    assert data[61:] == bytes.fromhex("18 00 00 00 02 6b 02 76 02 02 68 02 77")
    assert data[:17] == bytes(8) + (len(data) - 12).to_bytes(4, "big") + b"\xff\xff\xff\xff\x02"
    assert crc_matches(data, 0, read_header(data))


def test_builder_counts() -> None:
    builder = BatchBuilder()
    assert (builder.count, builder.size) == (0, 61)
    builder.append(b"key", b"value", (), 5)
    builder.append(None, None)
    assert builder.count == 2
    data = builder.build()
    assert builder.size == len(data)
    assert [record.timestamp for record in iter_records(data, 0, read_header(data))] == [5, -1]


def test_overhead_is_an_upper_bound() -> None:
    builder = BatchBuilder()
    builder.append(b"", b"", (), 0)
    before = builder.size
    builder.append(b"k" * 2**21, b"v" * 2**21, (), 2**62, offset_delta=2**31 - 1)
    overhead = builder.size - before - 2 * 2**21
    assert overhead <= RECORD_OVERHEAD_MAX


def test_gaps_between_offsets() -> None:
    builder = BatchBuilder()
    builder.append(b"a", None, offset_delta=2)
    builder.append(b"b", None, offset_delta=9)
    with pytest.raises(ValueError, match="does not follow 9"):
        builder.append(b"c", None, offset_delta=9)
    data = builder.build(base_offset=10)
    header = read_header(data)
    assert (header.last_offset, header.record_count) == (19, 2)
    assert [record.offset for record in iter_records(data, 0, header)] == [12, 19]


def test_no_records() -> None:
    with pytest.raises(ValueError, match="at least one record"):
        build_batch([])


def test_a_number_that_does_not_fit() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        build_batch([(None, b"v", (), 0)], producer_epoch=2**15)


def test_attributes() -> None:
    header = read_header(
        build_batch([(None, b"v", (), 3)], control=True, transactional=True, log_append_time=77)
    )
    assert header.is_control
    assert header.is_transactional
    assert header.log_append_time
    assert (header.base_timestamp, header.max_timestamp) == (3, 77)
