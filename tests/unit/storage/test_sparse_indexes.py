"""A segment's two indexes between memory and their files; see test_indexes for what they hold."""

from __future__ import annotations

import pytest

from ottla.core.errors import DecodeError
from storage.indexes import StoredOffsetIndex
from storage.sparse_indexes import SparseIndexes
from storage.vfs import MemoryVfs, OpenMode

PATH = "/00000000000000000100"


def made(vfs: MemoryVfs) -> SparseIndexes:
    return SparseIndexes(vfs, PATH, "", 100)


def grown(vfs: MemoryVfs, count: int = 4) -> SparseIndexes:
    indexes = made(vfs)
    indexes.begin()
    for number in range(1, count + 1):
        indexes.append(100 + 10 * number, 1_000 * number, (5_000 + number, 100 + 10 * number))
    return indexes


def entries(vfs: MemoryVfs) -> list[tuple[int, int]]:
    found = StoredOffsetIndex(vfs.open(PATH + ".index", OpenMode.READ), 100).load()
    return [entry for n in range(found.count) if (entry := found._entry(n)) is not None]


def test_saved_and_done_they_are_searched_in_their_files() -> None:
    vfs = MemoryVfs(0)
    indexes = grown(vfs)
    indexes.save(None, is_done=False)
    assert not indexes.is_full(1_000)
    indexes.finish((9_000, 145))
    indexes.save(None, is_done=True)
    assert indexes.is_full(1_000)  # it grows no more
    assert isinstance(indexes.offsets, StoredOffsetIndex)
    assert indexes.offsets.floor(125) == (120, 2_000)
    assert indexes.times.last() == (9_000, 145)
    indexes.drop_files()
    assert indexes.offsets.floor(125) == (120, 2_000)


def test_loaded_they_grow_on() -> None:
    vfs = MemoryVfs(0)
    grown(vfs).save((5_004, 140), is_done=False)
    indexes = made(vfs)
    indexes.grow_on(*indexes.load())
    indexes.append(150, 5_000, (6_000, 150))
    indexes.save(None, is_done=True)
    assert entries(vfs)[-2:] == [(140, 4_000), (150, 5_000)]


@pytest.mark.parametrize("in_memory", [True, False])
def test_cut_they_leave_nothing_of_what_was_cut_in_the_files(in_memory: bool) -> None:
    vfs = MemoryVfs(0)
    indexes = grown(vfs)
    indexes.save(None, is_done=not in_memory)
    indexes.cut(3_000, 125)
    assert indexes.offsets.last() == (120, 2_000)
    indexes.save(None, is_done=True)
    assert entries(vfs) == [(110, 1_000), (120, 2_000)]


def test_cut_while_they_are_saved_they_stay_in_memory_until_the_next_save() -> None:
    vfs = MemoryVfs(0)
    indexes = grown(vfs)
    original = vfs.open

    def open_and_cut(path: str, mode: OpenMode) -> object:
        if path.endswith(".timeindex"):
            vfs.open = original  # type: ignore[method-assign]
            indexes.cut(3_000, 125)
        return original(path, mode)

    vfs.open = open_and_cut  # type: ignore[assignment, method-assign]
    indexes.save(None, is_done=True)
    assert len(entries(vfs)) == 4
    assert indexes.offsets.last() == (120, 2_000)
    indexes.save(None, is_done=True)
    assert entries(vfs) == [(110, 1_000), (120, 2_000)]


def test_missing_or_torn_files_are_noticed_and_nothing_has_changed() -> None:
    vfs = MemoryVfs(0)
    indexes = made(vfs)
    with pytest.raises(DecodeError, match="missing"):
        indexes.cut(0, 100)
    grown(vfs).save(None, is_done=True)
    vfs.open(PATH + ".timeindex", OpenMode.WRITE).write(b"x")
    for attempt in (indexes.check_files, indexes.load, lambda: indexes.cut(0, 100)):
        with pytest.raises(DecodeError, match="within an entry"):
            attempt()
