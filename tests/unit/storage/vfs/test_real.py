from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from storage.vfs import OpenMode, OsVfs
from storage.vfs.real import _mount_of


def test_permissions_are_for_the_owner_only(tmp_path: Path) -> None:
    vfs = OsVfs()
    old = os.umask(0)
    try:
        vfs.mkdirs(str(tmp_path / "a" / "b"))
        vfs.open(str(tmp_path / "a" / "file"), OpenMode.CREATE)
        vfs.lock(str(tmp_path / "a" / "lock")).release()
    finally:
        os.umask(old)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "a" / "file").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "a" / "lock").stat().st_mode & 0o777 == 0o600


def test_a_dropped_file_closes_its_descriptor(tmp_path: Path) -> None:
    file = OsVfs().open(str(tmp_path / "a"), OpenMode.CREATE)
    descriptor = file.fileno()
    os.fstat(descriptor)
    del file
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


def test_a_file_that_did_not_open_is_dropped_silently(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        OsVfs().open(str(tmp_path / "a"), OpenMode.READ)


def test_a_lock_is_seen_by_another_process_and_ends_with_it(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    code = (
        "import sys\n"
        "from storage.vfs import OsVfs\n"
        "try:\n    lock = OsVfs().lock(sys.argv[1])\n"
        "except BlockingIOError:\n    print('held')\n"
        "else:\n    print('free')\n"
    )
    command = [sys.executable, "-c", code, path]
    lock = OsVfs().lock(path)
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "held\n"
    lock.release()
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "free\n"
    OsVfs().lock(path).release()


def test_the_boot_id_is_the_kernels() -> None:
    source = Path("/proc/sys/kernel/random/boot_id")
    if not source.exists():
        assert OsVfs().boot_id() != OsVfs().boot_id()
    else:
        assert OsVfs().boot_id() == source.read_text().strip()


def test_the_mount_of_a_path_is_the_deepest_of_its_device(tmp_path: Path) -> None:
    device = os.stat(tmp_path).st_dev
    name = f"{os.major(device)}:{os.minor(device)}"
    if not Path("/proc/self/mountinfo").exists():
        assert _mount_of(str(tmp_path), name) is None
        return
    identity = OsVfs().mount_identity(str(tmp_path))
    found = _mount_of(str(tmp_path), name)
    if found is None:
        assert identity.startswith(f"{name}:unknown-")
    else:
        assert identity.startswith(f"{name}:{found[1]}:")
