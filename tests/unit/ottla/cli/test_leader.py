"""`ottla leader elect`, against a cluster in memory."""

from __future__ import annotations

import pytest

from ottla.cli import common
from ottla.core.errors import ErrorCode, ProtocolError
from tests.support.command_line import CommandLine
from tests.support.moving_cluster import MovingCluster


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> MovingCluster:
    cluster = MovingCluster()
    for index in range(2):
        cluster.add("t", index, (1, 2, 3))
    monkeypatch.setattr(common, "admin", lambda bootstrap: cluster)
    return cluster


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((), (None, False)),
        (("--topic", "t"), ([("t", 0), ("t", 1)], False)),
        (("--topic", "t", "--partition", "1", "--unclean"), ([("t", 1)], True)),
    ],
)
def test_what_is_asked_for(
    ottla: CommandLine, cluster: MovingCluster, arguments: tuple[str, ...], expected: object
) -> None:
    assert ottla("leader", "elect", *arguments).lines == ["Every partition has its leader already."]
    assert cluster.calls == [("elect", expected)]


def test_outcomes_are_told(ottla: CommandLine, cluster: MovingCluster) -> None:
    error = ProtocolError(ErrorCode.PREFERRED_LEADER_NOT_AVAILABLE, "broker 2 is not there")
    cluster.elected = {("t", 1): error, ("t", 0): None}
    rows = ottla("leader", "elect").lines[2:]
    assert rows[0].split() == ["t", "0", "elected"]
    assert rows[1].split(None, 2)[2] == "broker 2 is not there (PREFERRED_LEADER_NOT_AVAILABLE)"
    assert ottla("leader", "elect", "--json").json == [
        {"topic": "t", "partition": 0, "elected": True, "error": None},
        {
            "topic": "t",
            "partition": 1,
            "elected": False,
            "error": "PREFERRED_LEADER_NOT_AVAILABLE",
        },
    ]


def test_a_partition_without_its_topic(ottla: CommandLine, cluster: MovingCluster) -> None:
    done = ottla("leader", "elect", "--partition", "1")
    assert (done.code, cluster.calls) == (2, [])
    assert "name the one topic with --topic" in done.errors
