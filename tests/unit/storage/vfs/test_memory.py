from __future__ import annotations

import errno
import io

import pytest

from storage.vfs import MemoryVfs, OpenMode, SimulatedCrash


def test_what_was_synced_survives_a_power_cut() -> None:
    for seed in range(50):
        vfs = MemoryVfs(seed)
        vfs.mkdirs("/d")
        vfs.fsync_dir("/")
        file = vfs.open("/d/a", OpenMode.CREATE)
        file.write(b"safe")
        file.fsync()
        vfs.fsync_dir("/d")
        file.write(b"lost?" * 400)
        vfs.power_cut()
        content = vfs.open("/d/a", OpenMode.READ).pread(10_000, 0)
        assert content[:4] == b"safe"
        assert len(content) <= 2004


def test_power_cuts_leave_nothing_or_a_prefix_or_holes() -> None:
    seen = set()
    for seed in range(100):
        vfs = MemoryVfs(seed)
        file = vfs.open("/a", OpenMode.CREATE)
        vfs.fsync_dir("/")
        file.write(b"x" * 2000)
        file.write(b"y" * 2000)
        vfs.power_cut()
        content = vfs.open("/a", OpenMode.READ).pread(10_000, 0)
        if not content:
            seen.add("nothing")
        elif b"\0" in content:
            assert len(content) == 4000
            seen.add("holes")
        else:
            assert content == (b"x" * 2000 + b"y" * 2000)[: len(content)]
            seen.add("prefix")
    assert seen == {"nothing", "holes", "prefix"}


def test_a_name_that_was_not_synced_may_go_and_names_go_in_order() -> None:
    seen = set()
    for seed in range(50):
        vfs = MemoryVfs(seed)
        for name in ("a", "b", "c"):
            vfs.open(f"/{name}", OpenMode.CREATE).fsync()
        vfs.rename("/b", "/d")
        vfs.power_cut()
        seen.add("".join(vfs.listdir("/")))
    assert seen == {"", "a", "ab", "abc", "acd"}


def test_a_process_crash_keeps_everything_and_kills_files_and_locks() -> None:
    vfs = MemoryVfs()
    file = vfs.open("/a", OpenMode.CREATE)
    file.write(b"unsynced")
    vfs.lock("/lock")
    boot = vfs.boot_id()
    vfs.process_crash()
    assert vfs.open("/a", OpenMode.READ).pread(100, 0) == b"unsynced"
    assert vfs.boot_id() == boot
    vfs.lock("/lock")
    for call in (lambda: file.write(b"x"), lambda: file.pread(1, 0), file.size, file.fsync):
        with pytest.raises(OSError, match="Bad file descriptor"):
            call()
    vfs.power_cut()
    assert vfs.boot_id() != boot


def test_a_failed_sync_loses_what_was_waiting_for_ever() -> None:
    vfs = MemoryVfs()
    file = vfs.open("/a", OpenMode.CREATE)
    vfs.fsync_dir("/")
    file.write(b"doomed")
    vfs.fail("fsync", errno.EIO)
    with pytest.raises(OSError, match="Input/output error"):
        file.fsync()
    file.fsync()
    assert file.pread(10, 0) == b"doomed"
    vfs.power_cut()
    assert vfs.open("/a", OpenMode.READ).size() == 0


def test_faults_strike_by_operation_and_path() -> None:
    vfs = MemoryVfs()
    a, b = vfs.open("/a", OpenMode.CREATE), vfs.open("/b", OpenMode.CREATE)
    vfs.fail("write", errno.EIO, path="/b", times=2)
    a.write(b"fine")
    for _ in range(2):
        with pytest.raises(OSError, match="Input/output error"):
            b.write(b"x")
    b.write(b"x")
    vfs.fail("any", errno.EIO)
    with pytest.raises(OSError, match="Input/output error"):
        vfs.listdir("/")
    vfs.fail("any", errno.EIO)
    vfs.heal()
    vfs.listdir("/")


def test_short_writes_and_a_full_disk() -> None:
    vfs = MemoryVfs(capacity=10)
    file = vfs.open("/a", OpenMode.CREATE)
    vfs.shorten_writes(2, 1)
    assert [file.write(b"abcd"), file.write(b"cd"), file.write(b"d")] == [2, 1, 1]
    assert vfs.free_bytes("/") == 6
    assert file.write(b"0123456789") == 6
    with pytest.raises(OSError, match="No space left"):
        file.write(b"x")
    assert file.pwrite(b"overwriting needs no space"[:4], 0) == 4
    vfs.capacity = 11
    assert file.write(b"x") == 1


def test_a_crash_tears_the_write_in_which_it_happens() -> None:
    sizes = set()
    for seed in range(50):
        vfs = MemoryVfs(seed)
        file = vfs.open("/a", OpenMode.CREATE)
        vfs.crash_after(1)
        file.write(b"whole")
        with pytest.raises(SimulatedCrash):
            file.write(b"abc")
        vfs.process_crash()
        content = vfs.open("/a", OpenMode.READ).pread(100, 0)
        assert content == b"wholeabc"[: len(content)]
        sizes.add(len(content))
    assert sizes == {5, 6, 7, 8}


def test_a_file_in_memory_has_no_descriptor() -> None:
    with pytest.raises(io.UnsupportedOperation):
        MemoryVfs().open("/a", OpenMode.CREATE).fileno()
