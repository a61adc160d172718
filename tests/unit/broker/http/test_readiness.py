from __future__ import annotations

from dataclasses import dataclass, field

from broker.http.readiness import (
    REPLICAS_NAMED_MAX,
    Flag,
    Readiness,
    broker_reasons,
    controller_reasons,
)
from controller.state import ClusterState, PartitionMetadata, PartitionsChanged, TopicCreated

TOPIC_ID = bytes(15) + b"\x01"


@dataclass
class IsSet:
    value: bool = True

    def is_set(self) -> bool:
        return self.value


@dataclass
class Broker:
    registered: Flag = field(default_factory=IsSet)
    unfenced: Flag = field(default_factory=IsSet)
    caught_up: bool = True


@dataclass
class Quorum:
    leader_id: int | None = 1
    is_voter: bool = True
    has_caught_up: bool = True


def state(*isrs: tuple[int, ...]) -> ClusterState:
    made = ClusterState()
    made.replay(TopicCreated("orders", TOPIC_ID, internal=False))
    made.replay(
        PartitionsChanged(
            TOPIC_ID,
            tuple(
                PartitionMetadata(TOPIC_ID, index, (1, 2), isr, isr[0], 1, 1)
                for index, isr in enumerate(isrs)
            ),
        )
    )
    return made


def test_a_broker_in_every_isr_is_ready() -> None:
    assert list(broker_reasons(Broker(), state((1, 2), (2, 1)), 1)) == []


def test_replicas_of_others_do_not_count() -> None:
    assert list(broker_reasons(Broker(), state((1,)), 3)) == []
    assert list(broker_reasons(Broker(), state((1,)), 1)) == []


def test_a_replica_out_of_its_isr_is_named() -> None:
    reasons = list(broker_reasons(Broker(), state((1, 2), (1,)), 2))
    assert reasons == ["the replica of orders-1 is not in its ISR"]


def test_of_many_replicas_the_first_are_named() -> None:
    reasons = list(broker_reasons(Broker(), state(*[(1,)] * (REPLICAS_NAMED_MAX + 5)), 2))
    assert len(reasons) == REPLICAS_NAMED_MAX + 1
    assert reasons[-1] == "so are 5 more replicas"


def test_a_broker_must_be_a_member_that_hears_the_controller() -> None:
    nothing = state()
    assert list(broker_reasons(Broker(registered=IsSet(False)), nothing, 1)) == [
        "the broker is not registered with a controller"
    ]
    assert list(broker_reasons(Broker(unfenced=IsSet(False)), nothing, 1)) == [
        "the broker is fenced"
    ]
    assert list(broker_reasons(Broker(caught_up=False), nothing, 1)) == [
        "no controller keeps the metadata up to date"
    ]


def test_a_controller_needs_a_leader_and_what_it_has_committed() -> None:
    assert list(controller_reasons(Quorum())) == []
    assert list(controller_reasons(Quorum(leader_id=None))) == ["the quorum has no leader"]
    assert "has not applied" in next(controller_reasons(Quorum(has_caught_up=False)))
    assert "no voter" in next(controller_reasons(Quorum(is_voter=False)))


def test_a_node_that_starts_or_stops_is_not_ready_whatever_the_rest_says() -> None:
    readiness = Readiness()
    assert readiness.reasons() == ["the node is starting"]
    readiness.stage = None
    readiness.add(lambda: controller_reasons(Quorum()))
    assert readiness.reasons() == []
    readiness.add(lambda: controller_reasons(Quorum(leader_id=None)))
    assert readiness.reasons() == ["the quorum has no leader"]
