from __future__ import annotations

import errno

import pytest

from ottla.core.clock import ManualClock
from ottla.core.errors import ConfigError
from storage.directory import LogDirectory
from storage.taking import take_directories
from storage.vfs import MemoryVfs, OpenMode, VfsLock


def take(
    vfs: MemoryVfs, *paths: str, node_id: int = 1, floor: int = 0
) -> tuple[list[LogDirectory], list[VfsLock]]:
    return take_directories(
        paths, cluster_id="c", node_id=node_id, clock=ManualClock(), vfs=vfs, min_free_bytes=floor
    )


def release(locks: list[VfsLock]) -> None:
    for lock in locks:
        lock.release()


@pytest.mark.parametrize("error", [errno.EIO, errno.EROFS, errno.EACCES])
@pytest.mark.parametrize("operation", ["mkdirs", "open"])
def test_what_the_disk_does_not_give_is_offline_and_the_rest_serves(
    operation: str, error: int
) -> None:
    vfs = MemoryVfs()
    vfs.fail(operation, error, path="/a", times=9)
    directories, locks = take(vfs, "/a", "/b")
    assert [directory.offline for directory in directories] == [True, False]
    assert directories[0].path == "/a"
    assert directories[0].failure
    assert len(locks) == 1


def test_a_directory_whose_files_cannot_be_read_is_offline() -> None:
    vfs = MemoryVfs()
    release(take(vfs, "/a", "/b")[1])
    vfs.fail("pread", errno.EIO, path="/a")
    assert [directory.offline for directory in take(vfs, "/a", "/b")[0]] == [True, False]


def test_with_none_left_the_start_is_refused() -> None:
    vfs = MemoryVfs()
    vfs.fail("mkdirs", errno.EROFS, times=2)
    with pytest.raises(ConfigError, match="/a cannot be used .*Read-only"):
        take(vfs, "/a", "/b")
    take(vfs, "/a", "/b")


def test_what_is_somebody_elses_refuses_the_start_although_another_is_left() -> None:
    vfs = MemoryVfs()
    first = take(vfs, "/a")[1]
    with pytest.raises(ConfigError, match="used by another process"):
        take(vfs, "/b", "/a")
    release(first)
    with pytest.raises(ConfigError, match="belongs to node 1, not 2"):
        take(vfs, "/b", "/a", node_id=2)
    file = vfs.open("/a/meta.properties", OpenMode.WRITE)
    file.truncate(0)
    file.write(b"version=7\n")
    with pytest.raises(ConfigError, match="format version 7"):
        take(vfs, "/b", "/a")
    take(vfs, "/b")  # nothing stayed locked


def test_room_is_measured_where_the_directory_is() -> None:
    vfs = MemoryVfs()
    directory = take(vfs, "/a", floor=5)[0][0]
    vfs.capacity = vfs.used_bytes() + 1000
    assert directory.room.measure() == 1000
    assert directory.room.floor == 5


def test_a_disk_that_is_full_at_the_start_is_known_to_be() -> None:
    vfs = MemoryVfs(capacity=1000)
    directories, locks = take(vfs, "/a", floor=1000)
    assert directories[0].room.full
    assert not directories[0].offline
    release(locks)
    assert not take(vfs, "/a", floor=100)[0][0].room.full
