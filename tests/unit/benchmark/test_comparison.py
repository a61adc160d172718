from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmark.compare.__main__ import START, Comparison, Family
from tests.benchmark.compare.samples import KAFKA, OTTLA, Measure, Results
from tests.benchmark.compare.session import Session
from tests.benchmark.compare.system import System

RATE = Measure("produce/rate", "rate", "MB/s", False)


class FakeSystem(System):
    """Notes what is done to it in a list that all share."""

    def __init__(self, name: str, done: list[str]) -> None:
        self.name = name
        self._done = done
        self._done.append(f"{name} made")

    @property
    def bootstrap(self) -> str:
        return ""

    def spawn(self, node_id: int) -> None:
        self._done.append(f"{self.name} {node_id} spawned")

    def pid(self, node_id: int) -> int:
        raise NotImplementedError

    def kill(self, node_id: int) -> None:
        raise NotImplementedError

    def kill_all(self) -> None:
        raise NotImplementedError

    def close(self) -> None:
        self._done.append(f"{self.name} closed")

    def log_directories(self) -> list[Path]:
        return []


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was done, in order; a spawned cluster is ready at once."""
    ready = "tests.benchmark.compare.starts.wait_first_acknowledged"
    monkeypatch.setattr(ready, lambda system, topic: None)
    return []


def families(done: list[str], *names: str, failing: str = "") -> dict[str, Family]:
    def family(name: str) -> Family:
        def run(session: Session) -> None:
            done.append(f"{session.system.name} {name} {session.round}")
            if name == failing:
                raise RuntimeError("it broke")
            session.note(RATE, 1.0)

        return run

    return {name: family(name) for name in names}


def comparison(
    done: list[str], chosen: dict[str, Family], saved: list[int], minutes: float = 1.0
) -> Comparison:
    def save(results: Results) -> None:
        saved.append(len(results.samples))

    def make(name: str) -> System:
        return FakeSystem(name, done)

    return Comparison(make, chosen, (OTTLA, KAFKA), save, minutes=minutes)


def one_cluster(name: str, *families: str) -> list[str]:
    spawned = [f"{name} {node} spawned" for node in (1, 2, 3)]
    return [f"{name} made", *spawned, *families, f"{name} closed"]


def test_rounds_alternate_and_a_cluster_serves_all_families(done: list[str]) -> None:
    saved: list[int] = []
    both = comparison(done, families(done, "produce", "consume"), saved)
    both.round(1)
    both.round(2)
    assert done == [
        *one_cluster(OTTLA, "ottla produce 1", "ottla consume 1"),
        *one_cluster(KAFKA, "kafka produce 1", "kafka consume 1"),
        *one_cluster(KAFKA, "kafka produce 2", "kafka consume 2"),
        *one_cluster(OTTLA, "ottla produce 2", "ottla consume 2"),
    ]
    assert saved[:2] == [1, 2]
    assert saved[-1] == 8


def test_the_start_has_a_cluster_of_its_own_that_was_not_started(done: list[str]) -> None:
    comparison(done, families(done, START, "produce"), []).round(1)
    ours = [line for line in done if line.startswith(OTTLA)]
    assert ours == ["ottla made", "ottla start 1", *one_cluster(OTTLA, "ottla produce 1")]


def test_a_family_that_fails_is_kept_and_the_next_has_a_new_cluster(done: list[str]) -> None:
    both = comparison(done, families(done, "produce", "consume", failing="produce"), [])
    both.round(1)
    ours = [line for line in done if line.startswith(OTTLA)]
    assert ours == [
        *one_cluster(OTTLA, "ottla produce 1"),
        *one_cluster(OTTLA, "ottla consume 1"),
    ]
    assert both.results.failures == [
        "produce: ottla, round 1: RuntimeError('it broke')",
        "produce: kafka, round 1: RuntimeError('it broke')",
    ]


def test_nothing_begins_when_the_time_is_over(done: list[str]) -> None:
    both = comparison(done, families(done, START, "produce"), [], minutes=0)
    both.round(1)
    assert done == []
    assert len(both.results.failures) == 4
    assert both.results.failures[0] == "start: ottla, round 1: no time left"
