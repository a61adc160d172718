from __future__ import annotations

import contextlib
import struct

import pytest

from ottla.core.errors import DecodeError
from storage.indexes import (
    OFFSET_ENTRY_SIZE,
    OffsetIndex,
    StoredOffsetIndex,
    StoredTimeIndex,
    TimeIndex,
    save_entries,
)
from storage.vfs import MemoryVfs, OpenMode, SimulatedCrash, read_file

BASE = 1_000


def offset_index() -> OffsetIndex:
    index = OffsetIndex(BASE)
    for number in range(1, 6):
        index.append(BASE + 10 * number, 4096 * number)
    return index


def time_index() -> TimeIndex:
    index = TimeIndex(BASE)
    for number in range(1, 6):
        assert index.maybe_append(100 * number, BASE + 10 * number)
    return index


def stored(data: bytes, name: str = "/i") -> tuple[MemoryVfs, str]:
    vfs = MemoryVfs()
    vfs.open(name, OpenMode.CREATE).write(data)
    return vfs, name


def test_the_layout_is_kafkas() -> None:
    assert offset_index().encode()[:16] == struct.pack(">iiii", 10, 4096, 20, 8192)
    assert time_index().encode()[:24] == struct.pack(">qiqi", 100, 10, 200, 20)


@pytest.mark.parametrize("on_disk", [False, True])
def test_finding_the_entry_before(on_disk: bool) -> None:
    index: OffsetIndex | StoredOffsetIndex = offset_index()
    if on_disk:
        vfs, path = stored(offset_index().encode())
        index = StoredOffsetIndex(vfs.open(path, OpenMode.READ), BASE)
    assert index.count == 5
    assert index.floor(BASE + 9) is None
    assert index.floor(0) is None
    assert index.floor(BASE + 10) == (BASE + 10, 4096)
    assert index.floor(BASE + 39) == (BASE + 30, 3 * 4096)
    assert index.floor(BASE + 10**9) == (BASE + 50, 5 * 4096) == index.last()
    assert index.floor_position(4095) is None
    assert index.floor_position(4096) == (BASE + 10, 4096)
    assert index.floor_position(4096 * 3 - 1) == (BASE + 20, 4096 * 2)


@pytest.mark.parametrize("on_disk", [False, True])
def test_finding_the_time_before(on_disk: bool) -> None:
    index: TimeIndex | StoredTimeIndex = time_index()
    if on_disk:
        vfs, path = stored(time_index().encode())
        index = StoredTimeIndex(vfs.open(path, OpenMode.READ), BASE)
    assert index.count == 5
    assert index.floor(99) is None
    assert index.floor(100) == (100, BASE + 10)
    assert index.floor(10**15) == (500, BASE + 50) == index.last()
    assert index.floor_offset(BASE + 9) is None
    assert index.floor_offset(BASE + 20) == (200, BASE + 20)
    assert index.floor_offset(BASE + 29) == (200, BASE + 20)


def test_empty_indexes_know_nothing() -> None:
    assert OffsetIndex(BASE).last() is OffsetIndex(BASE).floor(BASE) is None
    assert TimeIndex(BASE).last() is TimeIndex(BASE).floor(10) is None
    assert OffsetIndex(BASE).encode() == TimeIndex(BASE).encode() == b""


def test_a_time_entry_must_be_later_than_the_last() -> None:
    index = TimeIndex(BASE)
    assert not index.maybe_append(-1, BASE)
    assert index.maybe_append(100, BASE)
    assert not index.maybe_append(100, BASE + 1)
    assert not index.maybe_append(99, BASE + 2)
    assert index.count == 1


def test_they_come_back_from_their_bytes() -> None:
    offsets = OffsetIndex.decode(offset_index().encode(), BASE)
    assert offsets.encode() == offset_index().encode()
    assert offsets.encode(3) == offset_index().encode()[24:]
    times = TimeIndex.decode(time_index().encode(), BASE)
    assert times.encode() == time_index().encode()
    assert times.encode(4) == time_index().encode()[48:]


@pytest.mark.parametrize(
    "data",
    [
        b"x",
        struct.pack(">iiii", 10, 1, 10, 2),
        struct.pack(">iiii", 10, 2, 11, 2),
        struct.pack(">iiii", 10, 1, 0, 0),
    ],
)
def test_damaged_offset_indexes_are_refused(data: bytes) -> None:
    with pytest.raises(DecodeError):
        OffsetIndex.decode(data, BASE)


@pytest.mark.parametrize(
    "data",
    [
        b"x",
        struct.pack(">qiqi", 10, 1, 10, 2),
        struct.pack(">qiqi", 10, 2, 11, 2),
        struct.pack(">qi", -1, 0),
        struct.pack(">qi", 1, -1),
    ],
)
def test_damaged_time_indexes_are_refused(data: bytes) -> None:
    with pytest.raises(DecodeError):
        TimeIndex.decode(data, BASE)


def test_cutting() -> None:
    index = offset_index()
    index.cut(4096 * 3)
    assert index.last() == (BASE + 20, 4096 * 2)
    index.cut(0)
    assert index.count == 0
    times = time_index()
    times.cut(BASE + 31)
    assert times.last() == (300, BASE + 30)
    times.cut(BASE + 30)
    assert times.last() == (200, BASE + 20)
    times.cut(BASE)
    assert times.count == 0


def test_saving_appends_what_is_new() -> None:
    vfs = MemoryVfs()
    index = offset_index()
    assert save_entries(vfs, "/i", index.encode, OFFSET_ENTRY_SIZE, 0) == 5
    index.append(BASE + 60, 4096 * 6)
    assert save_entries(vfs, "/i", index.encode, OFFSET_ENTRY_SIZE, 5) == 6
    assert read_file(vfs, "/i") == index.encode()
    assert save_entries(vfs, "/i", index.encode, OFFSET_ENTRY_SIZE, 6) == 6


def test_saving_over_something_else_never_leaves_half_of_it() -> None:
    old = offset_index().encode() + b"garbage"
    seen = set()
    for operations in range(8):
        for seed in range(5):
            vfs = MemoryVfs(seed)
            file = vfs.open("/i", OpenMode.CREATE)
            file.write(old)
            file.fsync()
            vfs.fsync_dir("/")
            vfs.crash_after(operations)
            with contextlib.suppress(SimulatedCrash):
                save_entries(vfs, "/i", offset_index().encode, OFFSET_ENTRY_SIZE, 0)
            vfs.power_cut()
            seen.add(read_file(vfs, "/i"))
    assert seen == {old, offset_index().encode()}


def test_a_stored_index_that_ends_early_is_noticed() -> None:
    vfs, path = stored(offset_index().encode())
    index = StoredOffsetIndex(vfs.open(path, OpenMode.READ), BASE)
    vfs.open(path, OpenMode.WRITE).truncate(20)
    with pytest.raises(DecodeError, match="ends before its entry"):
        index.last()
    with pytest.raises(DecodeError):
        index.load()
