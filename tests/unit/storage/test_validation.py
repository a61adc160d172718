from __future__ import annotations

import struct
from collections.abc import Callable

import pytest
from crc32c import crc32c

from ottla.core.errors import ErrorCode, ProtocolError
from ottla.record.build import build_batch
from storage.config import LogConfig
from storage.validation import check_replicated, marker_of, validate_batch
from tests.support.disk import batch, marker, replicated

CONFIG = LogConfig(max_message_bytes=2_000, segment_bytes=3_000)


def patched(data: memoryview, layout: str, position: int, value: int) -> memoryview:
    """With a field changed and the CRC made right again."""
    copy = bytearray(data)
    struct.pack_into(layout, copy, position, value)
    struct.pack_into(">I", copy, 17, crc32c(copy[21:]))
    return memoryview(copy)


def code_of(data: memoryview, config: LogConfig = CONFIG, *, internal: bool = False) -> ErrorCode:
    with pytest.raises(ProtocolError) as caught:
        validate_batch(data, config, internal=internal)
    return caught.value.code


def test_a_good_batch_gives_its_header() -> None:
    header = validate_batch(batch(3), CONFIG, internal=False)
    assert (header.record_count, header.last_offset_delta) == (3, 2)
    assert validate_batch(batch(producer_id=1, sequence=0), CONFIG, internal=False).size
    assert validate_batch(marker(1), CONFIG, internal=True).is_control


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda b: b[:30], ErrorCode.CORRUPT_MESSAGE),
        (lambda b: b[:-1], ErrorCode.CORRUPT_MESSAGE),
        (lambda b: memoryview(bytes(b) + b"x"), ErrorCode.INVALID_RECORD),
        (lambda b: memoryview(bytes(b) * 2), ErrorCode.INVALID_RECORD),
        (lambda b: memoryview(bytes(b)[:-1] + b"\xff"), ErrorCode.CORRUPT_MESSAGE),
        (lambda b: patched(b, ">b", 16, 1), ErrorCode.INVALID_RECORD),
        (lambda b: patched(b, ">b", 16, 0), ErrorCode.INVALID_RECORD),
        (lambda b: patched(b, ">i", 8, 10), ErrorCode.CORRUPT_MESSAGE),
        (lambda b: patched(b, ">i", 57, 0), ErrorCode.INVALID_RECORD),
        (lambda b: patched(b, ">i", 57, -1), ErrorCode.INVALID_RECORD),
        (lambda b: patched(b, ">i", 57, 4), ErrorCode.INVALID_RECORD),
        (lambda b: patched(b, ">i", 23, 1), ErrorCode.INVALID_RECORD),
        (lambda b: patched(b, ">i", 23, -1), ErrorCode.INVALID_RECORD),
        (lambda b: patched(b, ">h", 21, 5), ErrorCode.UNSUPPORTED_COMPRESSION_TYPE),
        (lambda b: patched(b, ">h", 21, 0x20), ErrorCode.INVALID_RECORD),
        (lambda b: patched(b, ">h", 21, 0x40), ErrorCode.INVALID_RECORD),
        (lambda b: patched(b, ">h", 21, 0x08), ErrorCode.INVALID_TIMESTAMP),
        (lambda b: patched(b, ">h", 21, 0x10), ErrorCode.INVALID_RECORD),
        (lambda b: patched(b, ">q", 43, 5), ErrorCode.INVALID_RECORD),
    ],
)
def test_bad_batches(spoil: Callable[[memoryview], memoryview], code: ErrorCode) -> None:
    assert code_of(spoil(batch(3))) is code


def test_an_old_format_is_refused_with_the_remedy() -> None:
    with pytest.raises(ProtocolError, match=r"use a client that writes version 2") as caught:
        validate_batch(patched(batch(3), ">b", 16, 1), CONFIG, internal=False)
    assert caught.value.code is ErrorCode.INVALID_RECORD


def test_sizes() -> None:
    limit = len(batch(1, 1_000))
    exact = LogConfig(max_message_bytes=limit, segment_bytes=limit)
    validate_batch(batch(1, 1_000), exact, internal=False)
    small = LogConfig(max_message_bytes=limit - 1)
    assert code_of(batch(1, 1_000), small) is ErrorCode.MESSAGE_TOO_LARGE
    assert code_of(batch(1, 1_000), small, internal=True) is ErrorCode.MESSAGE_TOO_LARGE
    tight = LogConfig(segment_bytes=limit - 1)
    assert code_of(batch(1, 1_000), tight) is ErrorCode.RECORD_LIST_TOO_LARGE


def test_control_batches_are_for_coordinators() -> None:
    assert code_of(marker(1)) is ErrorCode.INVALID_RECORD
    assert marker_of(marker(1), validate_batch(marker(1), CONFIG, internal=True)) is not None
    broken = memoryview(
        build_batch([(b"", b"", (), 1)], control=True, producer_id=1, producer_epoch=0)
    )
    header = validate_batch(broken, CONFIG, internal=True)
    with pytest.raises(ProtocolError) as caught:
        marker_of(broken, header)
    assert caught.value.code is ErrorCode.INVALID_RECORD


def test_batches_from_the_leader() -> None:
    data = replicated(batch(2), marker(3), batch(1), base_offset=10, leader_epoch=4)
    checked = check_replicated(data, 10, 4, "t-0")
    assert [header.base_offset for _, header, _ in checked] == [10, 12, 13]
    assert [found is not None for _, _, found in checked] == [False, True, False]
    assert checked[1][0] == len(batch(2))
    assert check_replicated(memoryview(b""), 10, 4, "t-0") == []
    assert check_replicated(replicated(batch(), base_offset=15), 10, -1, "t-0")  # compacted


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (replicated(batch(2), base_offset=8), ErrorCode.OFFSET_OUT_OF_RANGE),
        (replicated(batch(), base_offset=9), ErrorCode.OFFSET_OUT_OF_RANGE),
        (replicated(batch(), batch(), base_offset=10)[:-1], ErrorCode.CORRUPT_MESSAGE),
        (replicated(batch(), base_offset=10, leader_epoch=-1), ErrorCode.CORRUPT_MESSAGE),
        (
            memoryview(bytes(replicated(batch(), base_offset=10))[:-1] + b"x"),
            ErrorCode.CORRUPT_MESSAGE,
        ),
    ],
)
def test_what_a_follower_refuses(data: memoryview, code: ErrorCode) -> None:
    with pytest.raises(ProtocolError, match="t-0") as caught:
        check_replicated(data, 10, 0, "t-0")
    assert caught.value.code is code


def test_leader_epochs_must_not_fall_within_a_message() -> None:
    data = memoryview(
        bytes(replicated(batch(), base_offset=10, leader_epoch=5))
        + bytes(replicated(batch(), base_offset=11, leader_epoch=4))
    )
    with pytest.raises(ProtocolError, match="leader epoch 4 after 5"):
        check_replicated(data, 10, 0, "t-0")
