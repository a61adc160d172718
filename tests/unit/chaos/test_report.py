from __future__ import annotations

import json

from tests.chaos.availability import Injury
from tests.chaos.checker import Kind, Violation
from tests.chaos.report import Result, Row, rows_of, summary, table, told_by_logs

PLACE, OTHER = ("topic", 0), ("topic", 1)


def test_a_row_counts_what_happened_while_its_faults_held() -> None:
    first = Injury("kill", "node 1", 10.0, 5.0, healed_at=20.0, whole_at=24.0)
    second = Injury("kill", "node 2", 50.0, 5.0, healed_at=52.0, whole_at=53.0)
    times = {PLACE: [9.0, 11.0, 19.0, 23.0, 40.0, 51.0], OTHER: [5.0, 12.0, 51.5, 52.5]}
    lost = [Violation(Kind.LOST, PLACE, "", at) for at in (11.0, 21.0)]
    moved = Violation(Kind.MOVED, PLACE, "", 11.0)
    row = rows_of([first, second], times, [PLACE, OTHER], [*lost, moved])["kill"]
    assert row.times == 2
    assert row.seconds == 12.0
    assert row.acknowledged == 3 + 2
    assert row.lost == 1
    assert row.unavailable_seconds == [39.5, 39.5]
    row = rows_of([first, second], times, [PLACE], [])["kill"]
    assert row.acknowledged == 3 + 2
    assert row.unavailable_seconds == [17.0, 11.0]


def test_a_campaign_is_clean_without_violations_and_with_an_end() -> None:
    result = Result(1, 60.0, "loopback")
    assert result.is_clean
    assert "nothing lost" in summary(result)
    result.failure = "not in sync"
    assert not result.is_clean
    assert "FAILED: not in sync" in summary(result)
    result.failure = None
    result.violations.append(Violation(Kind.LOST, PLACE, "message 1/2"))
    assert not result.is_clean
    assert "VIOLATED lost: 1" in summary(result)
    assert json.loads(json.dumps(result.as_json()))["violations"][0]["kind"] == "lost"


def test_the_table_has_a_line_a_kind() -> None:
    shown = table({"kill": Row(2, 12.0, 1500, 1, [1.0, 3.0]), "cut": Row()})
    assert [line.split()[0] for line in shown.splitlines()] == ["fault", "cut", "kill"]
    assert shown.splitlines()[2].split() == ["kill", "2", "12.0", "1,500", "1", "2.00", "3.00"]


def test_what_the_logs_tell() -> None:
    told = told_by_logs(["the event loop stood still for 70 ms\n", "broker 2 is dead: fence it\n"])
    assert "1 times as dead" in told
    assert "the longest 70 ms" in told
