"""Every state that a crash can leave of a swap, and what the next start makes of it."""

from __future__ import annotations

import pytest

from ottla.core.errors import DecodeError
from storage import names
from storage.compaction import swap
from storage.vfs import MemoryVfs, OpenMode, SimulatedCrash, read_file
from tests.support.disk import batch, replicated

FOLDER = "/t-0"
SOURCES = (10, 20, 30)


def path(base_offset: int) -> str:
    return f"{FOLDER}/{names.segment_name(base_offset)}"


def write(vfs: MemoryVfs, name: str, data: bytes) -> None:
    vfs.open(name, OpenMode.CREATE_NEW).write(data)


def prepared() -> MemoryVfs:
    """Segments 10 and 20 are to be replaced, 30 follows."""
    vfs = MemoryVfs(0)
    vfs.mkdirs(FOLDER)
    for base_offset in SOURCES:
        for suffix in names.SEGMENT_SUFFIXES:
            if suffix != names.TRANSACTION_INDEX_SUFFIX or base_offset == 10:
                write(vfs, path(base_offset) + suffix, b"old")
    cleaned = bytes(replicated(batch(), base_offset=13)) + bytes(
        replicated(batch(2), base_offset=28)
    )
    write(vfs, path(10) + ".log.cleaned", cleaned)
    for suffix in names.INDEX_SUFFIXES:
        write(vfs, path(10) + suffix + ".cleaned", b"new")
    return vfs


def replace(vfs: MemoryVfs) -> None:
    """As `LogState.replace_segments` does it."""
    swap.stage(vfs, path(10))
    for base_offset in (10, 20):
        for suffix in names.SEGMENT_SUFFIXES:
            if vfs.exists(path(base_offset) + suffix):
                vfs.rename(path(base_offset) + suffix, path(base_offset) + suffix + ".deleted")
    swap.install(vfs, path(10))


def start(vfs: MemoryVfs) -> list[str]:
    """What recovery does first."""
    found = swap.complete_swaps(vfs, FOLDER, vfs.listdir(FOLDER))
    assert found == vfs.listdir(FOLDER)
    # Indexes without a log go in recovery's own next step.
    left = [n for n in found if not n.endswith((".cleaned", ".deleted"))]
    return [n for n in left if n[:20] + ".log" in left]


def check(vfs: MemoryVfs, found: list[str]) -> bool:
    """Whether the cleaned segment has taken the place; a mixture fails."""
    content = {n: read_file(vfs, f"{FOLDER}/{n}") for n in found}
    assert len(content["00000000000000000030.log"]) == 3
    is_new = len(content["00000000000000000010.log"]) > 3
    for name, data in content.items():
        base_offset = int(name[:20])
        assert (data != b"old") == (is_new and base_offset == 10), name
    assert ("00000000000000000020.log" in content) == (not is_new)
    expected = len(names.SEGMENT_SUFFIXES) if is_new else 2 * len(names.SEGMENT_SUFFIXES) - 1
    assert len([n for n in found if not n.startswith("00000000000000000030")]) == expected
    return is_new


def test_undisturbed() -> None:
    vfs = prepared()
    replace(vfs)
    assert check(vfs, start(vfs))


def test_a_crash_between_any_two_renames_leaves_one_or_the_other_also_when_it_comes_twice() -> None:
    outcomes = []
    for first in range(40):
        for second in range(40):
            vfs = prepared()
            vfs.crash_after(first)
            try:
                replace(vfs)
            except SimulatedCrash:
                vfs.process_crash()
            vfs.heal()
            vfs.crash_after(second)
            try:
                start(vfs)
            except SimulatedCrash:
                vfs.process_crash()
            vfs.heal()
            outcomes.append(check(vfs, start(vfs)))
    assert True in outcomes
    assert False in outcomes


def test_a_damaged_cleaned_segment_changes_nothing() -> None:
    vfs = prepared()
    swap.stage(vfs, path(10))
    vfs.open(path(10) + ".log.swap", OpenMode.WRITE).pwrite(b"\xff" * 20, 0)
    before = vfs.listdir(FOLDER)
    with pytest.raises(DecodeError):
        swap.complete_swaps(vfs, FOLDER, before)
    assert vfs.listdir(FOLDER) == before


def test_discarding_leaves_the_sources() -> None:
    vfs = prepared()
    swap.discard(vfs, path(10))
    assert not check(vfs, start(vfs))
    assert not [n for n in vfs.listdir(FOLDER) if n.endswith(".cleaned")]
