from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from broker.metrics import controller as module
from broker.metrics.controller import controller_families
from tests.support.metrics_page import values


def quorum(leader_id: int | None = 1) -> Any:
    return SimpleNamespace(
        leader_id=leader_id,
        is_voter=True,
        term=3,
        last_applied=40,
        unapplied=5,
        elections=6,
        waiting_commands=7,
        proposals=8,
        proposal_ns=9_000_000_000,
        proposal_failures=10,
    )


def partition(leader_id: int | None, isr: tuple[int, ...], replicas: tuple[int, ...]) -> Any:
    return SimpleNamespace(leader_id=leader_id, isr=isr, replicas=replicas)


def service(epoch: int | None, *topics: list[Any]) -> Any:
    brokers = [
        SimpleNamespace(active=True, fenced=False),
        SimpleNamespace(active=True, fenced=False),
        SimpleNamespace(active=False, fenced=True),
        SimpleNamespace(active=False, fenced=False),
    ]
    state = SimpleNamespace(
        brokers=dict(enumerate(brokers)),
        topics={number: SimpleNamespace(partitions=made) for number, made in enumerate(topics)},
    )
    return SimpleNamespace(
        office=SimpleNamespace(controller_epoch=epoch), image=SimpleNamespace(state=state)
    )


def test_who_is_not_active_tells_of_its_quorum_alone() -> None:
    found = values(controller_families(quorum(None), service(None)))
    assert found["ottla_controller_active",] == 0
    assert found["ottla_quorum_has_leader",] == 0
    assert found["ottla_quorum_voter",] == 1
    assert found["ottla_quorum_term",] == 3
    assert found["ottla_quorum_last_applied",] == 40
    assert found["ottla_quorum_unapplied_entries",] == 5
    assert found["ottla_quorum_elections_total",] == 6
    assert found["ottla_quorum_proposals_waiting",] == 7
    assert found["ottla_quorum_proposals_total",] == 8
    assert found["ottla_quorum_proposal_seconds_total",] == 9
    assert found["ottla_quorum_proposal_failures_total",] == 10
    assert not any(key[0].startswith("ottla_controller_partitions") for key in found)


def test_the_active_one_tells_of_the_cluster() -> None:
    made = service(
        4,
        [partition(1, (1, 2), (1, 2)), partition(2, (2, 1), (1, 2)), partition(None, (1,), (1, 2))],
        [partition(1, (1,), (1, 2, 3))],
    )
    found = values(controller_families(quorum(), made))
    assert found["ottla_controller_active",] == 1
    assert found["ottla_quorum_has_leader",] == 1
    assert found["ottla_controller_epoch",] == 4
    states = {state: found["ottla_controller_brokers", state] for state in ("active", "fenced")}
    assert states == {"active": 2, "fenced": 1}
    assert found["ottla_controller_brokers", "stopping"] == 1
    assert found["ottla_controller_topics",] == 2
    assert found["ottla_controller_partitions",] == 4
    assert found["ottla_controller_partitions_offline",] == 1
    assert found["ottla_controller_partitions_under_replicated",] == 2
    assert found["ottla_controller_partitions_led_elsewhere",] == 2


def test_others_have_turns_while_many_partitions_are_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "PARTITIONS_PER_PAUSE", 10)
    made = service(4, [partition(1, (1,), (1,)) for _ in range(35)])
    assert list(controller_families(cast(Any, quorum()), made)).count(None) == 3
