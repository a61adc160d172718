"""Plans are carried out, may be taken up again, and tell the bytes that there are."""

from __future__ import annotations

import time
from typing import Any, cast

import pytest

from ottla.cli import moving
from ottla.cli.moving import carry_out
from ottla.client.configs import ResourceKind
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.reassignment.plan_file import Targets
from tests.support.moving_cluster import MovingCluster

TARGETS: Targets = {("t", 0): (2, 3, 4), ("t", 1): (3, 4, 1)}


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moving, "POLL_SECONDS", 0.0)
    monkeypatch.setattr(moving, "LINE_EVERY_SECONDS", 0.0)


@pytest.fixture
def cluster() -> MovingCluster:
    cluster = MovingCluster()
    cluster.add("t", 0, (1, 2, 3), 9_000)
    cluster.add("t", 1, (3, 1, 2), 5_000)
    return cluster


def carry(cluster: MovingCluster, rate: int | None = None, targets: Targets = TARGETS) -> int:
    return carry_out(cast(Any, cluster), targets, rate)


def test_the_bytes_said_are_those_that_were_copied(
    cluster: MovingCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    assert carry(cluster) == 9_000 + 5_000
    assert cluster.replicas == TARGETS
    lines = capsys.readouterr().err.splitlines()
    assert "of 14.0 kB" in lines[0]
    assert "0 of 2 partitions done" in lines[0]
    assert "100%  14.0 kB of 14.0 kB" in lines[-1]
    assert "2 of 2 partitions done" in lines[-1]


def test_what_is_appended_after_the_end_is_not_moved(
    cluster: MovingCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.add("t", 0, (1, 2, 3), 90_000)
    step = cluster._step

    def append_too() -> None:
        step()
        for key in cluster.replicas.keys() - cluster.ongoing.keys():
            for broker in cluster.replicas[key]:
                cluster.sizes[broker][key] += 100

    monkeypatch.setattr(cluster, "_step", append_too)
    # The second one ends long before the first, and is looked at within eight questions.
    assert 95_000 <= carry(cluster) <= 95_000 + 2 * 8 * 100


def test_what_is_there_already_moves_nothing(cluster: MovingCluster) -> None:
    assert carry(cluster, targets={("t", 0): (1, 2, 3)}) == 0
    assert cluster.calls == []


def test_other_leaders_move_no_bytes(cluster: MovingCluster) -> None:
    assert carry(cluster, targets={("t", 0): (3, 2, 1)}) == 0
    assert cluster.replicas["t", 0] == (3, 2, 1)


def test_taken_up_again_it_is_not_begun_again(cluster: MovingCluster) -> None:
    cluster.alter_reassignments(TARGETS)
    cluster.calls.clear()
    assert carry(cluster) == 14_000
    assert cluster.calls == []


def test_another_target_replaces_what_is_under_way(cluster: MovingCluster) -> None:
    cluster.moving = False
    cluster.alter_reassignments({("t", 0): (1, 2, 4)})
    cluster.moving = True
    carry(cluster)
    assert cluster.replicas == TARGETS


def test_a_throttle_is_there_meanwhile_and_gone_in_the_end(cluster: MovingCluster) -> None:
    carry(cluster, rate=50)
    done = [kind for kind, _ in cluster.calls]
    assert done.index("reassign") > done.index("SET") > done.index("APPEND")
    assert done.index("SUBTRACT") > done.index("DELETE") > done.index("reassign")
    assert all(not own for own in cluster.configs.values())


def test_a_refusal_leaves_no_throttle_behind(cluster: MovingCluster) -> None:
    cluster.refusal = ProtocolError(ErrorCode.INVALID_REPLICA_ASSIGNMENT, "no broker 9")
    with pytest.raises(ProtocolError, match="no broker 9"):
        carry(cluster, rate=50)
    assert all(not own for own in cluster.configs.values())


def test_an_interrupt_leaves_the_throttle_with_the_move(
    cluster: MovingCluster, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", interrupt)
    with pytest.raises(KeyboardInterrupt):
        carry(cluster, rate=50)
    assert "The cluster goes on by itself" in capsys.readouterr().out
    assert cluster.ongoing
    assert cluster.config(ResourceKind.BROKER, 1)
    monkeypatch.undo()
    monkeypatch.setattr(moving, "POLL_SECONDS", 0.0)
    carry(cluster)
    assert all(not own for own in cluster.configs.values())


@pytest.mark.parametrize("is_known_dead", [True, False])
def test_a_broker_that_dies_has_what_it_had(
    cluster: MovingCluster,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    is_known_dead: bool,
) -> None:
    looks = 0

    def sleep(_: float) -> None:
        nonlocal looks
        looks += 1
        if looks == 3:
            (cluster.dead if is_known_dead else cluster.silent).add(4)
        if looks == 6:
            cluster.dead.clear()
            cluster.silent.clear()

    monkeypatch.setattr(time, "sleep", sleep)
    assert carry(cluster) == 14_000
    shares = [
        int(line.split("]")[1].split("%")[0]) for line in capsys.readouterr().err.splitlines()
    ]
    assert shares == sorted(shares)
    assert shares[-1] == 100


def test_one_that_never_answers_again_does_not_keep_it_from_ending(
    cluster: MovingCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = 0

    def sleep(_: float) -> None:
        nonlocal looks
        looks += 1
        if looks == 3:
            cluster.silent.add(4)

    monkeypatch.setattr(time, "sleep", sleep)
    assert 0 < carry(cluster) < 14_000
    assert cluster.replicas == TARGETS
