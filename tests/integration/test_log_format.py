"""The committed fixture of the on-disk format is opened by today's code, and nothing in it is lost.

A test of this file that fails means: what is on the disks of users can no longer be read. Then the
change needs a migration, or a refusal in one sentence (see `storage.marks`), and a fixture of its
own; this one is never made again.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ottla.cli.main import run
from ottla.core.clock import ManualClock
from ottla.record.batch import iter_headers, iter_records
from storage.directory import StopState
from storage.log import Log
from storage.manager import LogManager
from storage.vfs import OsVfs
from tests.fixtures.make_log_format import CLUSTER_ID, CONFIG, NODE_ID, TIMESTAMP_MS, TOPICS
from tests.support.disk import batch

FIXTURE = Path(__file__).parents[1] / "fixtures" / "log-format-1"
EXPECTED: dict[str, Any] = json.loads(FIXTURE.with_suffix(".json").read_text("utf-8"))


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return shutil.copytree(FIXTURE, tmp_path / "log")


def start(directory: Path) -> LogManager:
    manager = LogManager.open(
        [str(directory)],
        cluster_id=CLUSTER_ID,
        node_id=NODE_ID,
        clock=ManualClock(timestamp_ms=TIMESTAMP_MS),
        vfs=OsVfs(),
    )
    manager.mark_running(18)
    return manager


def records(log: Log) -> Iterator[dict[str, Any]]:
    """Every record that is stored from the log's start on, control records included."""

    def shown(data: bytes | None) -> str | None:
        return None if data is None else data.hex()

    offset = log.log_start_offset
    while (piece := log.read(offset, 700, end_offset=log.log_end_offset)) is not None:
        data = piece.read()
        for position, header in iter_headers(data):
            offset = header.next_offset
            for record in iter_records(data, position, header):
                yield {
                    "offset": record.offset,
                    "timestamp": record.timestamp,
                    "key": shown(record.key),
                    "value": shown(record.value),
                    "headers": [[name, shown(value)] for name, value in record.headers],
                }


def check(manager: LogManager, topic: str, *, remembered: bool) -> Log:
    """Open a log and compare all of it; `remembered`: the checkpoints are there."""
    expected = EXPECTED[topic]
    log = manager.open_log(topic, 0, TOPICS[topic], CONFIG)
    first = expected["log_start_offset"] if remembered else 0
    assert (log.log_start_offset, log.log_end_offset) == (first, expected["log_end_offset"])
    # A batch is read as a whole, also when the log's start lies within it.
    start = min(next(records(log))["offset"], first)
    assert list(records(log)) == [r for r in expected["records"] if r["offset"] >= start]
    if remembered:
        assert [list(entry) for entry in log.epochs.entries] == expected["leader_epochs"]
        assert manager.high_watermark(log) == expected["high_watermark"]
        assert log.clean_offset == expected["clean_offset"]
    else:
        assert log.epochs.latest() == expected["leader_epochs"][-1][0]
    found = {str(producer): list(state) for producer, state in log.producers.summary().items()}
    assert json.loads(json.dumps(found)) == expected["producers"]
    assert [
        [one.producer_id, one.first_offset, one.last_offset, one.last_stable_offset]
        for one in log.aborted_transactions(log.log_start_offset, log.log_end_offset)
    ] == expected["aborted_transactions"]
    return log


def test_the_fixture_has_everything_in_it() -> None:
    suffixes = {file.suffix for file in FIXTURE.rglob("*")}
    assert {".log", ".index", ".timeindex", ".txnindex", ".metadata", ".mdb"} <= suffixes
    assert {"meta.properties", "stop.mark"} <= {file.name for file in FIXTURE.iterdir()}
    for topic in TOPICS:
        assert len(list((FIXTURE / f"{topic}-0").glob("*.log"))) >= 3
    assert EXPECTED["payments"]["aborted_transactions"]
    assert EXPECTED["profiles"]["log_start_offset"] > 0


def test_a_clean_start_reads_everything_and_scans_nothing(directory: Path) -> None:
    assert run(["log", "verify", "--deep", str(directory)]) == 0
    manager = start(directory)
    assert manager.directories[0].stop_state is StopState.CLEAN
    for topic in TOPICS:
        assert check(manager, topic, remembered=True).scanned_bytes == 0
    manager.close()
    assert run(["log", "verify", "--deep", str(directory)]) == 0


def test_after_a_power_cut_everything_is_read_from_the_log(directory: Path) -> None:
    (directory / "stop.mark").unlink()
    shutil.rmtree(directory / "checkpoints.lmdb")
    for index in directory.rglob("*index"):
        index.unlink()
    manager = start(directory)
    for topic in TOPICS:
        assert check(manager, topic, remembered=False).scanned_bytes > 0
    manager.close()
    assert run(["log", "verify", "--deep", str(directory)]) == 0


def test_it_goes_on_from_there(directory: Path) -> None:
    manager = start(directory)
    log = manager.open_log("orders", 0, TOPICS["orders"], CONFIG)
    placed = log.append_as_leader(batch(3), leader_epoch=5, timestamp_ms=TIMESTAMP_MS)
    assert placed.base_offset == EXPECTED["orders"]["log_end_offset"]
    manager.close()
    manager = start(directory)
    log = manager.open_log("orders", 0, TOPICS["orders"], CONFIG)
    assert log.epochs.entries[-1] == (5, placed.base_offset)
    manager.close()
