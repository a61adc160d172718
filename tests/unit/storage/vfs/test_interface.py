"""What both file systems promise alike."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from storage.vfs import MemoryVfs, OpenMode, OsVfs, Vfs


@pytest.fixture(params=["os", "memory"])
def vfs(request: pytest.FixtureRequest) -> Vfs:
    return OsVfs() if request.param == "os" else MemoryVfs()


@pytest.fixture
def folder(vfs: Vfs, tmp_path: Path) -> str:
    path = str(tmp_path / "data")
    vfs.mkdirs(path)
    return path


def test_write_goes_to_the_end_whatever_pwrite_did(vfs: Vfs, folder: str) -> None:
    file = vfs.open(f"{folder}/a", OpenMode.CREATE_NEW)
    assert file.write(b"hello") == 5
    assert file.pwrite(b"J", 0) == 1
    assert file.write(memoryview(b" world")) == 6
    assert file.pread(100, 0) == b"Jello world"
    assert file.pread(3, 2) == b"llo"
    assert file.pread(3, 50) == b""
    assert file.size() == 11
    assert file.path == f"{folder}/a"


def test_a_write_after_truncation_goes_to_the_new_end(vfs: Vfs, folder: str) -> None:
    file = vfs.open(f"{folder}/a", OpenMode.CREATE)
    file.write(b"0123456789")
    file.truncate(4)
    file.write(b"x")
    file.truncate(7)
    file.fsync()
    assert file.pread(100, 0) == b"0123x\0\0"


def test_a_pwrite_beyond_the_end_fills_with_zeros(vfs: Vfs, folder: str) -> None:
    file = vfs.open(f"{folder}/a", OpenMode.CREATE)
    file.pwrite(b"z", 3)
    file.write(b"!")
    assert file.pread(9, 0) == b"\0\0\0z!"


def test_open_modes(vfs: Vfs, folder: str) -> None:
    path = f"{folder}/a"
    for mode in (OpenMode.READ, OpenMode.WRITE):
        with pytest.raises(FileNotFoundError):
            vfs.open(path, mode)
    vfs.open(path, OpenMode.CREATE).write(b"kept")
    with pytest.raises(FileExistsError):
        vfs.open(path, OpenMode.CREATE_NEW)
    for mode in (OpenMode.READ, OpenMode.WRITE, OpenMode.CREATE):
        assert vfs.open(path, mode).pread(9, 0) == b"kept"
    with pytest.raises(OSError, match="Bad file descriptor"):
        vfs.open(path, OpenMode.READ).write(b"x")


def test_a_closed_file_is_of_no_use(vfs: Vfs, folder: str) -> None:
    file = vfs.open(f"{folder}/a", OpenMode.CREATE)
    file.close()
    file.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        file.write(b"x")


def test_names(vfs: Vfs, folder: str) -> None:
    vfs.mkdirs(f"{folder}/x/y")
    vfs.mkdirs(f"{folder}/x/y")
    vfs.open(f"{folder}/x/b", OpenMode.CREATE).write(b"b")
    vfs.open(f"{folder}/x/a", OpenMode.CREATE).write(b"a")
    assert vfs.listdir(f"{folder}/x") == ["a", "b", "y"]
    assert vfs.is_dir(f"{folder}/x/y")
    assert not vfs.is_dir(f"{folder}/x/a")
    vfs.rename(f"{folder}/x/b", f"{folder}/x/a")
    assert vfs.open(f"{folder}/x/a", OpenMode.READ).pread(1, 0) == b"b"
    vfs.rename(f"{folder}/x/y", f"{folder}/z")
    assert vfs.listdir(folder) == ["x", "z"]
    vfs.unlink(f"{folder}/x/a")
    assert not vfs.exists(f"{folder}/x/a")
    vfs.fsync_dir(f"{folder}/x")
    vfs.open(f"{folder}/x/c", OpenMode.CREATE)
    vfs.rmtree(f"{folder}/x")
    assert vfs.listdir(folder) == ["z"]
    for call in (vfs.unlink, vfs.rmtree, vfs.listdir, vfs.fsync_dir):
        with pytest.raises(FileNotFoundError):
            call(f"{folder}/gone")
    with pytest.raises(FileNotFoundError):
        vfs.rename(f"{folder}/gone", f"{folder}/new")


def test_an_unlinked_file_can_still_be_read(vfs: Vfs, folder: str) -> None:
    file = vfs.open(f"{folder}/a", OpenMode.CREATE)
    file.write(b"still here")
    vfs.unlink(f"{folder}/a")
    assert file.pread(10, 0) == b"still here"


def test_a_lock_is_exclusive_until_released(vfs: Vfs, folder: str) -> None:
    lock = vfs.lock(f"{folder}/.lock")
    with pytest.raises(BlockingIOError):
        vfs.lock(f"{folder}/.lock")
    lock.release()
    vfs.lock(f"{folder}/.lock").release()


@pytest.mark.skipif(not os.path.exists("/proc/locks"), reason="this system does not say it")
def test_a_lock_is_looked_at_without_being_taken_or_made(vfs: Vfs, folder: str) -> None:
    assert vfs.lock_held(f"{folder}/.lock") is False
    assert not vfs.exists(f"{folder}/.lock")
    lock = vfs.lock(f"{folder}/.lock")
    assert vfs.lock_held(f"{folder}/.lock")
    lock.release()
    assert vfs.lock_held(f"{folder}/.lock") is False


def test_identities_are_stable(vfs: Vfs, folder: str) -> None:
    assert vfs.boot_id() == vfs.boot_id()
    assert vfs.mount_identity(folder) == vfs.mount_identity(folder)
    assert vfs.free_bytes(folder) > 0


def test_open_files_are_limited(vfs: Vfs, folder: str) -> None:
    assert vfs.files_max() > 100


def test_paths_without_a_folder_are_possible(vfs: Vfs, tmp_path: Path) -> None:
    before = os.getcwd()
    os.chdir(tmp_path)
    try:
        vfs.mkdirs("relative/deeper")
        vfs.fsync_dir("relative")
        assert vfs.exists("relative/deeper")
    finally:
        os.chdir(before)
