from __future__ import annotations

import pytest

from storage import names
from storage.directory import LogDirectory, StopState
from storage.folders import Folders
from storage.vfs import MemoryVfs, OpenMode, read_file

ID, OTHER = bytes(range(16)), bytes(range(1, 17))


@pytest.fixture
def vfs() -> MemoryVfs:
    vfs = MemoryVfs()
    vfs.mkdirs("/a")
    vfs.mkdirs("/b")
    return vfs


def directory(path: str) -> LogDirectory:
    return LogDirectory(path, bytes(16), StopState.CLEAN)


A, B = directory("/a"), directory("/b")


def test_finding_what_was_made(vfs: MemoryVfs) -> None:
    folders = Folders(vfs)
    assert folders.find([A, B], "t", 0, ID) is None
    folders.create(B, "t", 0, ID)
    assert folders.find([A, B], "t", 0, ID) is B
    assert folders.topic_id(B, "t", 0) == ID
    assert folders.topic_id(A, "t", 0) is None
    assert folders.path(B, "t", 0) == "/b/t-0"


def test_only_logs_are_listed(vfs: MemoryVfs) -> None:
    folders = Folders(vfs)
    folders.create(A, "t", 0, ID)
    folders.create(A, "t-1", 2, ID)
    folders.create(A, "gone", 0, ID)
    retired = folders.rename_away(A, "gone", 0, names.DELETE_ENDING)
    vfs.mkdirs("/a/checkpoints.lmdb")
    vfs.open("/a/meta.properties", OpenMode.CREATE)
    assert folders.all_in(A) == [("t", 0), ("t-1", 2)]
    assert folders.deleted_in(A) == [retired]


def test_what_is_not_this_topics_goes_out_of_the_way(vfs: MemoryVfs) -> None:
    folders = Folders(vfs)
    folders.create(A, "t", 0, OTHER)
    assert folders.find([A], "t", 0, ID) is None
    (stray,) = vfs.listdir("/a")
    assert stray.startswith("t-0.")
    assert stray.endswith("-stray")


@pytest.mark.parametrize("records", [False, True])
def test_a_folder_without_identity_is_kept_if_it_holds_records(
    vfs: MemoryVfs, records: bool
) -> None:
    folders = Folders(vfs)
    vfs.mkdirs("/a/t-0")
    vfs.open("/a/t-0/00000000000000000000.log", OpenMode.CREATE).write(b"x" * records)
    assert folders.find([A], "t", 0, ID) is None
    assert [name.endswith("-stray") for name in vfs.listdir("/a")] == [True] * records


def test_writing_the_identity_again(vfs: MemoryVfs) -> None:
    folders = Folders(vfs)
    folders.create(A, "t", 0, ID)
    before = read_file(vfs, "/a/t-0/partition.metadata")
    folders.write_identity_again(A, "t", 0, ID)
    assert read_file(vfs, "/a/t-0/partition.metadata") == before
