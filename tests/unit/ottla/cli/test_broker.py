"""`ottla broker`, against a cluster in memory."""

from __future__ import annotations

import pytest

from ottla.cli import common, moving
from tests.support.command_line import CommandLine
from tests.support.moving_cluster import MovingCluster


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> MovingCluster:
    cluster = MovingCluster()
    for index in range(4):
        cluster.add("t", index, tuple((index + n) % 4 + 1 for n in range(3)), 1_000)
    monkeypatch.setattr(common, "admin", lambda bootstrap: cluster)
    monkeypatch.setattr(moving, "POLL_SECONDS", 0.0)
    return cluster


def test_brokers_are_listed_with_what_they_hold(ottla: CommandLine, cluster: MovingCluster) -> None:
    rows = ottla("broker", "list", "--json").json
    assert rows[1] == {
        "broker": 2,
        "address": "host:9002",
        "rack": "rack-2",
        "replicas": 3,
        "in_sync": 3,
        "leads": 1,
        "bytes": 3_000,
    }
    cluster.dead.add(4)
    done = ottla("broker", "list")
    assert [line.split()[0] for line in done.lines[2:5]] == ["1", "2", "3"]
    assert done.lines[-1] == "Administration goes to broker 1."


def test_a_broker_is_described(ottla: CommandLine, cluster: MovingCluster) -> None:
    found = ottla("broker", "describe", "2", "--json").json
    assert found["directories"] == [
        {"path": "/logs", "error": None, "bytes": 3_000, "disk_bytes": 10_000, "free_bytes": 5_000}
    ]
    assert [(one["partition"], one["leads"]) for one in found["partitions"]] == [
        (0, False),
        (1, True),
        (3, False),
    ]
    shown = ottla("broker", "describe", "2").text
    assert "/logs" in shown
    assert "leader" in shown
    missing = ottla("broker", "describe", "9")
    assert (missing.code, "broker 9 is not live" in missing.errors) == (1, True)


def test_one_is_drained_and_filled_again(ottla: CommandLine, cluster: MovingCluster) -> None:
    before = dict(cluster.replicas)
    planned = ottla("broker", "drain", "4", "--dry-run")
    assert "3 partitions change" in planned.text
    assert cluster.replicas == before
    done = ottla("broker", "drain", "4", "--throttle", "1MB/s")
    assert done.lines[-1] == "Done: 3 partitions are where they should be, 3.0 kB moved."
    assert all(4 not in replicas for replicas in cluster.replicas.values())
    assert cluster.replicas["t", 0] == before["t", 0]  # it was not on 4, and is not touched
    assert all(not own for own in cluster.configs.values())
    filled = ottla("broker", "fill", "4", "--json").json
    assert filled["bytes_moved"] == 3_000
    assert sum(4 in replicas for replicas in cluster.replicas.values()) == 3
    assert ottla("broker", "fill", "4", "--json").json == {"partitions": 0, "bytes_moved": 0}


def test_a_wrong_rate_moves_nothing(ottla: CommandLine, cluster: MovingCluster) -> None:
    done = ottla("broker", "drain", "4", "--throttle", "much")
    assert (done.code, cluster.calls) == (2, [])


def test_one_is_unregistered(ottla: CommandLine, cluster: MovingCluster) -> None:
    assert ottla("broker", "unregister", "3").lines == ["Broker 3 is no longer registered."]
    assert ottla("broker", "unregister", "3", "--json").json["unregistered"] is True
    assert cluster.calls == [("unregister", 3)] * 2
