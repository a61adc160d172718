"""Marks and the environment of the checkpoints, with real LMDB."""

from __future__ import annotations

import errno
import logging
from collections.abc import Sequence
from pathlib import Path

import pytest

from ottla.core.clock import ManualClock
from storage import marks, names
from storage.checkpoints import LogCheckpoint, LogKey
from storage.directories import Directories
from storage.directory import LogDirectory
from storage.manager import LogManager
from storage.marks import MarkState
from storage.vfs import OsVfs
from tests.support.disk import SMALL, TOPIC_ID, fill

CHECKPOINT = LogCheckpoint(7, 7, 0, ())


def take(paths: Sequence[Path]) -> Directories:
    return Directories.take(
        [str(path) for path in paths],
        cluster_id="c",
        node_id=1,
        clock=ManualClock(),
        vfs=OsVfs(),
        checkpoints=None,
        min_free_bytes=0,
    )


def close(directories: Directories) -> None:
    for directory in directories.all:
        if not directory.offline:
            directories.mark(directory, MarkState.CLEAN)
    directories.checkpoints.close()
    directories.release()


def key(directory: LogDirectory) -> LogKey:
    return LogKey(directory.directory_id, TOPIC_ID, 0)


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    return [tmp_path / "a", tmp_path / "b"]


def make_unusable(path: Path) -> None:
    """Whoever runs this: a file where a folder should be."""
    path.rename(path.with_suffix(".away"))
    path.write_text("")


def make_usable(path: Path) -> None:
    path.unlink()
    path.with_suffix(".away").rename(path)


def test_the_checkpoints_go_to_the_first_directory_that_can_be_used(paths: list[Path]) -> None:
    close(take(paths))
    assert (paths[0] / names.CHECKPOINTS).is_dir()
    make_unusable(paths[0])
    directories = take(paths)
    assert [directory.offline for directory in directories.all] == [True, False]
    directories.mark_running(1)
    close(directories)
    assert (paths[1] / names.CHECKPOINTS).is_dir()


def test_an_environment_from_before_is_not_believed(paths: list[Path]) -> None:
    """A fails, B goes on with its own checkpoints, A comes back with those it had of B."""
    directories = take(paths)
    directories.mark_running(1)
    for directory in directories.all:
        directories.checkpoints.note_log(key(directory), CHECKPOINT)
    directories.checkpoints.commit()
    close(directories)

    make_unusable(paths[0])
    directories = take(paths)
    assert directories.checkpoints.log(key(directories.all[1])) is None
    directories.mark_running(2)
    directories.checkpoints.note_log(key(directories.all[1]), LogCheckpoint(3, 3, 0, ()))
    directories.checkpoints.commit()
    close(directories)

    make_usable(paths[0])
    directories = take(paths)
    assert directories.checkpoints.log(key(directories.all[0])) == CHECKPOINT
    assert directories.checkpoints.log(key(directories.all[1])) is None
    directories.mark_running(3)
    close(directories)
    directories = take(paths)  # forgotten for good
    assert directories.checkpoints.log(key(directories.all[0])) == CHECKPOINT
    assert directories.checkpoints.log(key(directories.all[1])) is None
    close(directories)


def test_a_mark_without_an_environment_is_of_the_one_that_is_there(paths: list[Path]) -> None:
    directories = take(paths)
    directories.mark_running(1)
    directories.checkpoints.note_log(key(directories.all[0]), CHECKPOINT)
    directories.checkpoints.commit()
    close(directories)
    mark = paths[0] / names.STOP_MARK
    lines = mark.read_text().splitlines(keepends=True)
    mark.write_text("".join(line for line in lines if not line.startswith("checkpoints.id")))
    directories = take(paths)
    assert directories.checkpoints.log(key(directories.all[0])) == CHECKPOINT
    close(directories)


def test_the_rest_serves_on_when_the_checkpoints_directory_fails(
    paths: list[Path], caplog: pytest.LogCaptureFixture
) -> None:
    clock = ManualClock(timestamp_ms=1_000)

    def start() -> LogManager:
        return LogManager.open(
            [str(path) for path in paths], cluster_id="c", node_id=1, clock=clock, vfs=OsVfs()
        )

    manager = start()
    manager.mark_running(1)
    manager.open_log("t", 0, TOPIC_ID, SMALL)
    log = manager.open_log("t", 1, TOPIC_ID, SMALL)
    assert log.directory is manager.directories[1]
    fill(log, 12)
    log.flush()
    log.note_checkpoint()
    manager.checkpoints.commit()
    manager.directories[0].fail(OSError(errno.EIO, "broken"))
    with caplog.at_level(logging.ERROR):
        manager._directories.mark_failed()
    assert "the next start scans the logs" in caplog.text
    # Below the recovery point that the environment holds, and other batches in their place.
    log.truncate_to(3)
    fill(log, 2)
    assert not log.directory.offline
    manager.close()
    assert marks.read_checkpoints_id(OsVfs(), str(paths[1])) == ""

    manager = start()
    manager.mark_running(2)
    log = manager.open_log("t", 1, TOPIC_ID, SMALL)
    assert log.log_end_offset == 5
    assert log.scanned_bytes == log.size_bytes
    manager.close()


def test_an_environment_that_fails_by_itself_takes_no_directory_along(paths: list[Path]) -> None:
    directories = take(paths)
    directories.mark_running(1)
    checkpoints = directories.checkpoints
    checkpoints.note_log(key(directories.all[1]), CHECKPOINT)

    def fail(changes: object) -> None:
        raise OSError(errno.EIO, "broken")

    checkpoints._store.write = fail  # type: ignore[method-assign]
    checkpoints.commit()
    checkpoints.commit()
    assert not any(directory.offline for directory in directories.all)
    assert checkpoints.log(key(directories.all[1])) == CHECKPOINT
    for path in paths:
        assert marks.read_checkpoints_id(OsVfs(), str(path)) == ""
    directories.release()


def test_a_full_disk_keeps_the_environment(paths: list[Path]) -> None:
    directories = take(paths)
    directories.mark_running(1)
    identity = directories.checkpoints.identify()

    def fail(changes: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    directories.checkpoints._store.write = fail  # type: ignore[method-assign]
    directories.checkpoints.note_log(key(directories.all[1]), CHECKPOINT)
    with pytest.raises(OSError, match="full"):
        directories.checkpoints.commit()
    assert marks.read_checkpoints_id(OsVfs(), str(paths[1])) == identity
    directories.release()


def test_new_logs_go_where_there_is_room(paths: list[Path]) -> None:
    directories = take(paths)
    first, second = directories.all
    assert directories.for_new([first]) is second
    second.room.refused()
    assert directories.for_new([first]) is first
    first.room.refused()
    assert directories.for_new([first]) is second
    close(directories)
