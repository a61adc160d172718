from __future__ import annotations

import errno

import pytest

from storage.vfs import MemoryVfs, OpenMode, SimulatedCrash, read_file, replace_file, write_all


def test_write_all_goes_on_after_short_writes() -> None:
    vfs = MemoryVfs()
    file = vfs.open("/a", OpenMode.CREATE)
    vfs.shorten_writes(1, 2, 3)
    write_all(file, b"0123456789")
    write_all(file, b"")
    assert read_file(vfs, "/a") == b"0123456789"


def test_write_all_gives_up_on_a_write_that_takes_nothing() -> None:
    vfs = MemoryVfs()
    file = vfs.open("/a", OpenMode.CREATE)
    vfs.shorten_writes(1, 0)
    with pytest.raises(OSError, match="took no bytes"):
        write_all(file, b"0123456789")


def test_write_all_on_a_full_disk_says_so() -> None:
    vfs = MemoryVfs(capacity=4)
    file = vfs.open("/a", OpenMode.CREATE)
    with pytest.raises(OSError, match="No space left") as caught:
        write_all(file, b"0123456789")
    assert caught.value.errno == errno.ENOSPC


def test_read_file_reads_beyond_one_chunk() -> None:
    vfs = MemoryVfs()
    content = b"0123456789" * 250_000
    vfs.open("/a", OpenMode.CREATE).write(content)
    assert read_file(vfs, "/a") == content


def test_replace_file_leaves_the_old_or_the_new_content_wherever_it_is_cut() -> None:
    seen = set()
    for operations in range(12):
        for seed in range(10):
            vfs = MemoryVfs(seed)
            replace_file(vfs, "/a", b"old")
            vfs.crash_after(operations)
            try:
                replace_file(vfs, "/a", b"new")
                finished = True
            except SimulatedCrash:
                finished = False
            vfs.power_cut()
            content = read_file(vfs, "/a")
            assert content == b"new" if finished else content in (b"old", b"new")
            seen.add(content)
            replace_file(vfs, "/a", b"again")
            assert read_file(vfs, "/a") == b"again"
    assert seen == {b"old", b"new"}
