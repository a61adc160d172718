"""Which folders an inspection takes for what."""

from __future__ import annotations

import pytest

from ottla.core.errors import ConfigError
from storage.inspection.places import LogFolder, Place, find_places
from storage.vfs import MemoryVfs, OpenMode

LOG = "00000000000000000000.log"


@pytest.fixture
def vfs() -> MemoryVfs:
    vfs = MemoryVfs()
    for folder in (
        "/d/t-0",
        "/d/t-1",
        "/d/t-1.aa-delete",
        "/d/x-2.bb-stray",
        "/copy",
        "/other/a-1",
    ):
        vfs.mkdirs(folder)
    for file in (
        "/d/meta.properties",
        f"/d/t-0/{LOG}",
        "/d/t-1/partition.metadata",
        f"/copy/{LOG}",
    ):
        vfs.open(file, OpenMode.CREATE)
    return vfs


def test_a_log_directory_and_its_logs(vfs: MemoryVfs) -> None:
    logs = (LogFolder("/d/t-0", "t", 0), LogFolder("/d/t-1", "t", 1))
    assert find_places(vfs, ["/d/"]) == [Place("/d", True, logs)]
    assert find_places(vfs, ["/d", "/d/t-0"]) == [Place("/d", True, logs)]
    assert find_places(vfs, ["/d/t-0", "/d/t-0", "/d/t-1"]) == [Place("/d", False, logs)]
    assert find_places(vfs, ["/d/t-0", "/d"]) == [Place("/d", True, logs)]


def test_a_log_whose_folder_has_another_name(vfs: MemoryVfs) -> None:
    assert find_places(vfs, ["/copy"]) == [Place("/", False, (LogFolder("/copy", "", 0),))]


@pytest.mark.parametrize("path", ["/other", "/gone", "/d/meta.properties"])
def test_what_is_neither_is_refused_in_a_sentence(vfs: MemoryVfs, path: str) -> None:
    with pytest.raises(ConfigError, match=path):
        find_places(vfs, [path])


def test_a_log_directory_that_was_missed_by_a_folder_is_named(vfs: MemoryVfs) -> None:
    vfs.mkdirs("/node/log")
    vfs.open("/node/log/meta.properties", OpenMode.CREATE)
    with pytest.raises(ConfigError, match="; /node/log is one"):
        find_places(vfs, ["/node"])
