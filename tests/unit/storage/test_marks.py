from __future__ import annotations

import errno
import os

import pytest

from ottla.core.errors import ConfigError
from ottla.core.identifiers import uuid_text
from storage import marks
from storage.directory import StopState
from storage.marks import MarkState, MetaProperties
from storage.vfs import MemoryVfs, OpenMode, SimulatedCrash, read_file

META = MetaProperties("cluster", 3, bytes(range(16)))


def disk(seed: int = 0) -> MemoryVfs:
    vfs = MemoryVfs(seed)
    vfs.mkdirs("/d")
    vfs.fsync_dir("/")
    return vfs


def write(vfs: MemoryVfs, path: str, text: str) -> None:
    vfs.open(path, OpenMode.CREATE).write(text.encode())


def test_identity_survives_a_power_cut() -> None:
    vfs = disk()
    assert marks.read_meta(vfs, "/d") is None
    marks.write_meta(vfs, "/d", META)
    vfs.power_cut()
    assert marks.read_meta(vfs, "/d") == META
    lines = read_file(vfs, "/d/meta.properties").decode().splitlines()
    directory_id = uuid_text(META.directory_id)
    assert lines == [
        "version=1",
        "cluster.id=cluster",
        "node.id=3",
        f"directory.id={directory_id}",
    ]


def test_a_newer_format_is_refused() -> None:
    vfs = disk()
    write(vfs, "/d/meta.properties", "version=2\n")
    with pytest.raises(ConfigError, match="format version 2, this version of Ottla reads up to 1"):
        marks.read_meta(vfs, "/d")


@pytest.mark.parametrize(
    "text", ["", "version=1\n", "version=0\ncluster.id=c\nnode.id=1\n", "version=1\ncluster.id=c\n"
             "node.id=x\ndirectory.id=y\n", "\xff\xfe"]
)  # fmt: skip
def test_a_damaged_identity_is_refused(text: str) -> None:
    vfs = disk()
    write(vfs, "/d/meta.properties", text)
    with pytest.raises(ConfigError, match="damaged"):
        marks.read_meta(vfs, "/d")


def test_how_it_stopped() -> None:
    vfs = disk()
    assert marks.read_stop_state(vfs, "/d") == (StopState.UNCLEAN, False)
    marks.write_mark(vfs, "/d", MarkState.RUNNING, 5)
    vfs.process_crash()
    assert marks.read_stop_state(vfs, "/d") == (StopState.PROCESS_CRASH, False)
    vfs.power_cut()
    assert marks.read_stop_state(vfs, "/d") == (StopState.UNCLEAN, False)
    marks.write_mark(vfs, "/d", MarkState.CLEAN, 5)
    vfs.power_cut()
    assert marks.read_stop_state(vfs, "/d") == (StopState.CLEAN, False)
    marks.write_mark(vfs, "/d", MarkState.FAILED, 5)
    assert marks.read_stop_state(vfs, "/d") == (StopState.UNCLEAN, True)


def test_who_left_it() -> None:
    vfs = disk()
    assert marks.read_broker_epoch(vfs, "/d") is None
    marks.write_mark(vfs, "/d", MarkState.CLEAN, 5)
    assert marks.read_broker_epoch(vfs, "/d") == 5
    write(vfs, "/d/stop.mark", "broker.epoch=x\n")
    assert marks.read_broker_epoch(vfs, "/d") is None


def test_another_mount_is_a_power_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    vfs = disk()
    marks.write_mark(vfs, "/d", MarkState.RUNNING, 5)
    monkeypatch.setattr(vfs, "mount_identity", lambda path: "mounted again")
    assert marks.read_stop_state(vfs, "/d") == (StopState.UNCLEAN, False)


@pytest.mark.parametrize("text", ["", "state=", "state=merry\n", "\x00\x00\x00"])
def test_a_damaged_mark_is_an_unclean_stop(text: str) -> None:
    vfs = disk()
    write(vfs, "/d/stop.mark", text)
    assert marks.read_stop_state(vfs, "/d") == (StopState.UNCLEAN, False)


def test_a_mark_is_never_half_written() -> None:
    for operations in range(10):
        for seed in range(5):
            vfs = disk(seed)
            marks.write_mark(vfs, "/d", MarkState.CLEAN, 5)
            vfs.crash_after(operations)
            try:
                marks.write_mark(vfs, "/d", MarkState.RUNNING, 6)
                finished = True
            except SimulatedCrash:
                finished = False
            vfs.power_cut()
            state, _ = marks.read_stop_state(vfs, "/d")
            # After the power cut a running mark is an unclean stop.
            assert state is StopState.UNCLEAN or not finished
            assert state in (StopState.UNCLEAN, StopState.CLEAN)


def test_partition_metadata_is_kafkas() -> None:
    vfs = disk()
    topic_id = bytes(range(16))
    text = marks.partition_metadata_text(topic_id)
    assert text == b"version: 0\ntopic_id: AAECAwQFBgcICQoLDA0ODw"
    assert marks.read_partition_metadata(vfs, "/d") is None
    write(vfs, "/d/partition.metadata", text.decode() + "\n")
    assert marks.read_partition_metadata(vfs, "/d") == topic_id


@pytest.mark.parametrize("text", ["", "version: 0\n", "topic_id: short", "\x00" * 43])
def test_damaged_partition_metadata_is_none(text: str) -> None:
    vfs = disk()
    write(vfs, "/d/partition.metadata", text)
    assert marks.read_partition_metadata(vfs, "/d") is None


def test_a_full_disk_takes_another_mark() -> None:
    vfs = disk()
    marks.write_mark(vfs, "/d", MarkState.CLEAN, 9)
    size = vfs.open("/d/stop.mark", OpenMode.READ).size()
    vfs.capacity = vfs.used_bytes()
    marks.write_mark(vfs, "/d", MarkState.RUNNING, 1_000_000, "checkpoints")
    assert vfs.open("/d/stop.mark", OpenMode.READ).size() == size
    vfs.process_crash()
    assert marks.read_stop_state(vfs, "/d") == (StopState.PROCESS_CRASH, False)
    assert marks.read_broker_epoch(vfs, "/d") == 1_000_000
    assert marks.read_checkpoints_id(vfs, "/d") == "checkpoints"
    vfs.power_cut()
    assert marks.read_stop_state(vfs, "/d") == (StopState.UNCLEAN, False)


def test_a_full_disk_takes_no_first_mark() -> None:
    vfs = disk()
    vfs.capacity = vfs.used_bytes()
    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
        marks.write_mark(vfs, "/d", MarkState.RUNNING, 1)
