"""`ottla log verify` and `ottla log dump`, on a directory of a real file system."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from ottla.cli.main import run
from ottla.core.clock import ManualClock
from storage.manager import LogManager
from storage.vfs import OsVfs
from tests.support.disk import SMALL, TOPIC_ID, fill

LOG = "00000000000000000000.log"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A log directory with one log, cleanly stopped."""
    path = tmp_path / "log"
    manager = LogManager.open(
        [str(path)], cluster_id="c", node_id=1, clock=ManualClock(timestamp_ms=1_000), vfs=OsVfs()
    )
    manager.mark_running(1)
    fill(manager.open_log("t", 0, TOPIC_ID, SMALL), 20)
    manager.close()
    return path


def snapshot(folder: Path) -> dict[str, tuple[bytes, float]]:
    return {
        str(file): (file.read_bytes(), file.stat().st_mtime)
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def test_a_sound_directory(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = snapshot(directory)
    assert run(["log", "verify", "--deep", str(directory)]) == 0
    shown = capsys.readouterr()
    assert "stopped: clean" in shown.out
    assert "sound" in shown.out
    assert shown.out.splitlines()[-1] == "1 logs, 3.4 kB: 0 errors, 0 warnings"
    assert not shown.err
    assert snapshot(directory) == before


def test_damage_is_exit_code_1(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with open(directory / "t-0" / LOG, "r+b") as file:
        file.seek(100)
        file.write(b"\xff")
    assert run(["log", "verify", str(directory)]) == 1
    assert (
        f"error: {directory}/t-0/{LOG}, byte 0, offset 0: a batch is damaged: its CRC is wrong"
        in (capsys.readouterr().out)
    )
    assert run(["log", "verify", "--json", str(directory / "t-0")]) == 1
    (found,) = json.loads(capsys.readouterr().out)["directories"]
    (log,) = found["logs"]
    assert (log["errors"], log["recovery_point"], log["batches"]) == (1, 20, 20)
    assert log["findings"][0]["position"] == 0


def test_replicas_are_compared(
    directory: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other"
    shutil.copytree(directory, other)
    assert run(["log", "verify", str(directory), str(other)]) == 0
    assert "are the same in offsets 0 to 19" in capsys.readouterr().out
    assert run(["log", "verify", "--compare", "--json", f"{directory}/t-0", f"{other}/t-0"]) == 0
    (comparison,) = json.loads(capsys.readouterr().out)["comparisons"]
    assert (comparison["differs"], comparison["end_offset"]) == (False, 20)
    (other / "t-0").rename(tmp_path / "copy")
    assert run(["log", "verify", "--compare", f"{directory}/t-0", f"{tmp_path}/copy"]) == 0
    assert "are the same in offsets 0 to 19" in capsys.readouterr().out


def test_wrong_usage_is_exit_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["log", "verify", str(tmp_path)]) == 2
    assert run(["log", "verify", str(tmp_path / "gone")]) == 2
    assert run(["log", "verify"]) == 2
    assert run(["log", "dump", "--checkpoints", str(tmp_path)]) == 2


def test_a_folder_that_may_not_be_read(
    directory: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(self: OsVfs, path: str, mode: object) -> None:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(OsVfs, "open", refuse)
    assert run(["log", "verify", str(directory)]) == 1
    assert run(["log", "dump", str(directory / "t-0" / LOG)]) == 1
    assert capsys.readouterr().err.splitlines()[-1] == (
        f"error: {directory}/t-0/{LOG}: Permission denied"
    )


def test_dump(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = directory / "t-0"
    assert run(["log", "dump", "--records", "--json", "--from", "2", str(folder / LOG)]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["offset"] for line in lines if line["type"] == "record"] == [2, 3, 4]
    assert run(["log", "dump", *(str(file) for file in sorted(folder.glob("*.log")))]) == 0
    assert capsys.readouterr().out.count("crc ok") == 20
    assert run(["log", "dump", "--checkpoints", str(folder)]) == 0
    assert "recovery point 20, index point 20" in capsys.readouterr().out
    assert run(["log", "dump", str(folder / "partition.metadata"), str(folder / LOG)]) == 1
    shown = capsys.readouterr()
    assert "neither a segment nor an index" in shown.err
    assert "crc ok" in shown.out
