"""`ottla reassign`, against a cluster in memory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pytest

from ottla.cli import common, moving
from ottla.cli.move_throttle import MoveThrottle
from ottla.reassignment.progress import Copying
from tests.support.command_line import CommandLine
from tests.support.moving_cluster import MovingCluster


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> MovingCluster:
    cluster = MovingCluster()
    monkeypatch.setattr(common, "admin", lambda bootstrap: cluster)
    monkeypatch.setattr(moving, "POLL_SECONDS", 0.0)
    return cluster


def spread(cluster: MovingCluster) -> None:
    """Four partitions on brokers 1 to 3; 4 has nothing."""
    for index in range(4):
        first = index % 3
        cluster.add("t", index, tuple((first + n) % 3 + 1 for n in range(3)), 1_000)


def balanced(cluster: MovingCluster) -> None:
    for index in range(4):
        cluster.add("t", index, tuple((index + n) % 4 + 1 for n in range(3)), 1_000)


def test_a_plan_is_shown_and_written(
    ottla: CommandLine, cluster: MovingCluster, tmp_path: Path
) -> None:
    spread(cluster)
    file = tmp_path / "plan.json"
    done = ottla("reassign", "plan", "--out", str(file))
    assert done.code == 0, done
    assert "3 replicas are copied: 3.0 kB to move." in done.text
    assert f"'ottla reassign apply {file}' carries it out" in done.text
    written = json.loads(file.read_text())
    found = ottla("reassign", "plan", "--json").json
    assert {(one["topic"], one["partition"]): one["after"] for one in found} == {
        (one["topic"], one["partition"]): one["replicas"] for one in written["partitions"]
    }
    assert sum(one["bytes_to_move"] for one in found) == 3_000
    assert cluster.calls == []


def test_the_plan_of_a_balanced_cluster_is_empty(
    ottla: CommandLine, cluster: MovingCluster
) -> None:
    balanced(cluster)
    assert ottla("reassign", "plan").lines == [
        "Nothing to do: the replicas and leaders are where they should be."
    ]
    assert ottla("reassign", "plan", "--json").json == []


def test_brokers_and_drain_say_who_may_have_replicas(
    ottla: CommandLine, cluster: MovingCluster
) -> None:
    balanced(cluster)
    for arguments in (("--brokers", "1,2,3"), ("--drain", "4")):
        found = ottla("reassign", "plan", *arguments, "--json").json
        assert found
        assert all(4 not in one["after"] and len(one["after"]) == 3 for one in found)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("plan", "--brokers", "1,x"), 2, "expected broker ids"),
        (("plan", "--brokers", "1,2,9"), 1, "broker 9 is not live"),
        (("plan", "--topic", "nowhere"), 1, "there is no topic 'nowhere'"),
        (("apply", "nowhere.json"), 1, "cannot read the plan nowhere.json"),
    ],
)
def test_bad_input_gets_a_sentence(
    ottla: CommandLine, cluster: MovingCluster, arguments: tuple[str, ...], code: int, words: str
) -> None:
    balanced(cluster)
    done = ottla("reassign", *arguments)
    assert done.code == code
    assert words in done.errors
    assert "Traceback" not in done.errors
    assert cluster.calls == []


def test_a_plan_is_carried_out(ottla: CommandLine, cluster: MovingCluster, tmp_path: Path) -> None:
    spread(cluster)
    file = str(tmp_path / "plan.json")
    ottla("reassign", "plan", "--out", file)
    done = ottla("reassign", "apply", file, "--throttle", "1MB/s")
    assert done.code == 0, done
    partitions = len(json.loads(Path(file).read_text())["partitions"])
    assert done.lines == [f"Done: {partitions} partitions are where they should be, 3.0 kB moved."]
    assert "100%" in done.errors
    assert ottla("reassign", "plan", "--json").json == []
    again = ottla("reassign", "apply", file, "--json")
    assert again.json == {"partitions": partitions, "bytes_moved": 0}


@pytest.mark.parametrize("rate", ["fast", "0", "-5", "1.5.2MB"])
def test_a_rate_that_is_none(
    ottla: CommandLine, cluster: MovingCluster, tmp_path: Path, rate: str
) -> None:
    spread(cluster)
    file = str(tmp_path / "plan.json")
    ottla("reassign", "plan", "--out", file)
    done = ottla("reassign", "apply", file, "--throttle", rate)
    assert done.code == 2
    assert "expected bytes a second" in done.errors
    assert cluster.calls == []


def test_status_tells_the_bytes(ottla: CommandLine, cluster: MovingCluster) -> None:
    balanced(cluster)
    assert ottla("reassign", "status").lines == ["No partition is being reassigned."]
    cluster.moving = False
    cluster.alter_reassignments({("t", 0): (1, 2, 4)})
    cluster.sizes[4]["t", 0] = 250
    assert ottla("reassign", "status", "--json").json == [
        {
            "topic": "t",
            "partition": 0,
            "replicas": [1, 2, 4],
            "adding": [4],
            "removing": [3],
            "bytes_copied": 250,
            "bytes_in_all": 1_000,
        }
    ]
    row = ottla("reassign", "status").lines[-1]
    assert row.split() == ["t", "0", "1,", "2,", "4", "4", "3", "250", "B", "1.0", "kB"]


def test_cancel_calls_off_and_takes_the_throttle_away(
    ottla: CommandLine, cluster: MovingCluster
) -> None:
    balanced(cluster)
    cluster.add("u", 0, (1, 2, 3))
    cluster.moving = False
    cluster.alter_reassignments({("t", 0): (1, 2, 4), ("u", 0): (1, 2, 4)})
    MoveThrottle(cast(Any, cluster), [("t", 0)]).begin([Copying("t", 0, (4,), (1, 2, 3))], 50)
    done = ottla("reassign", "cancel", "--topic", "t")
    assert done.lines == ["Called off for 1 partitions."]
    assert cluster.replicas["t", 0] == (1, 2, 3)
    assert [*cluster.ongoing] == [("u", 0)]
    assert all(not own for own in cluster.configs.values())
    assert ottla("reassign", "cancel", "--json").json == [{"topic": "u", "partition": 0}]
    assert ottla("reassign", "cancel").lines == ["Nothing is under way."]
