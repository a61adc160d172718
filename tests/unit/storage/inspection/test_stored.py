"""Checkpoints are read without a lock and without making a file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ottla.core.errors import DecodeError
from storage.checkpoints import Checkpoints, LogCheckpoint, LogKey
from storage.inspection.stored import ReadOnlyStore, StoredLog, open_checkpoints
from storage.lmdb_store import LmdbStore
from storage.producers import ProducerState

KEY = LogKey(bytes(16), bytes(range(16)), 3)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    checkpoints = Checkpoints(LmdbStore(str(tmp_path / "checkpoints.lmdb")))
    checkpoints.note_log(KEY, LogCheckpoint(5, 4, 1, ((0, 0),)))
    checkpoints.note_high_watermark(KEY, 6)
    checkpoints.note_clean_offset(KEY, 3)
    checkpoints.note_snapshot(KEY, 2, ProducerState().encode())
    checkpoints.note_snapshot(KEY, 4, b"damaged")
    checkpoints.commit()
    checkpoints.close()
    return tmp_path


def test_what_is_remembered_of_a_log(directory: Path) -> None:
    checkpoints = open_checkpoints(str(directory))
    assert checkpoints is not None
    stored = StoredLog.load(checkpoints, KEY)
    assert stored.checkpoint == LogCheckpoint(5, 4, 1, ((0, 0),))
    assert (stored.high_watermark, stored.clean_offset) == (6, 3)
    assert list(stored.snapshots) == [2, 4]
    assert stored.snapshots[2] is not None
    assert stored.snapshots[4] is None
    unknown = StoredLog.load(checkpoints, LogKey(bytes(16), bytes(16), 0))
    assert (unknown.checkpoint, unknown.high_watermark, unknown.snapshots) == (None, None, {})


def test_nothing_is_made_or_changed(directory: Path) -> None:
    folder = directory / "checkpoints.lmdb"
    (folder / "lock.mdb").unlink()
    before = {name: (folder / name).read_bytes() for name in os.listdir(folder)}
    checkpoints = open_checkpoints(str(directory))
    assert checkpoints is not None
    StoredLog.load(checkpoints, KEY)
    assert {name: (folder / name).read_bytes() for name in os.listdir(folder)} == before
    with pytest.raises(OSError, match="read only"):
        ReadOnlyStore(str(folder)).write({})


def test_without_checkpoints(tmp_path: Path) -> None:
    assert open_checkpoints(str(tmp_path)) is None
    (tmp_path / "checkpoints.lmdb").mkdir()
    with pytest.raises(DecodeError, match=r"data\.mdb"):
        open_checkpoints(str(tmp_path))


@pytest.mark.parametrize("size", [8192, 10_000])
def test_a_file_that_was_cut_is_refused_before_its_pages_are_touched(
    directory: Path, size: int
) -> None:
    os.truncate(directory / "checkpoints.lmdb" / "data.mdb", size)
    with pytest.raises(DecodeError, match="it was cut"):
        open_checkpoints(str(directory))


def test_a_file_of_something_else_is_damaged(directory: Path) -> None:
    (directory / "checkpoints.lmdb" / "data.mdb").write_bytes(b"nothing" * 3000)
    with pytest.raises(DecodeError):
        open_checkpoints(str(directory))


def test_another_format_is_refused(tmp_path: Path) -> None:
    store = LmdbStore(str(tmp_path / "checkpoints.lmdb"))
    store.write({b"v": (9).to_bytes(4, "big")})
    store.close()
    with pytest.raises(DecodeError, match="has format 9"):
        open_checkpoints(str(tmp_path))
