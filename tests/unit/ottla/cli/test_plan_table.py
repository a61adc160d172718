from __future__ import annotations

import pytest

from ottla.cli.plan_table import ids_text, plan_json, show_plan
from ottla.reassignment.planner import Change

CHANGES = [
    Change("t", 0, (1, 2, 3), (4, 2, 3), 1_500),
    Change("t", 1, (1, 2), (2, 1), 9_000),
]


def test_a_plan_as_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    show_plan(CHANGES)
    lines = [line for line in capsys.readouterr().out.splitlines() if line.strip()]
    assert lines[0].split()[:3] == ["Topic", "Partition", "Replicas"]
    assert lines[2].split() == ["t", "0", "1,", "2,", "3", "4,", "2,", "3", "4", "1", "1.5", "kB"]
    assert lines[3].split()[-4:] == ["none", "none", "0", "B"]
    assert lines[-1] == "2 partitions change, 1 replicas are copied: 1.5 kB to move."


def test_an_empty_plan(capsys: pytest.CaptureFixture[str]) -> None:
    show_plan([])
    assert capsys.readouterr().out.startswith("Nothing to do")


def test_as_json() -> None:
    assert plan_json(CHANGES)[0] == {
        "topic": "t",
        "partition": 0,
        "before": [1, 2, 3],
        "after": [4, 2, 3],
        "bytes_to_move": 1_500,
    }
    assert [one["bytes_to_move"] for one in plan_json(CHANGES)] == [1_500, 0]


def test_ids() -> None:
    assert (ids_text([3, 1]), ids_text([])) == ("3, 1", "none")
