from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from broker.handlers.endpoints import controller_for_clients, leader_hint, live_endpoint

if TYPE_CHECKING:
    from tests.unit.broker.handlers.conftest import World


def test_only_a_live_brokers_endpoint_of_the_listener_is_told(world: World) -> None:
    state = cast(Any, world.state)
    endpoint = live_endpoint(state, 2, "CLIENTS")
    assert endpoint is not None
    assert (endpoint.host, endpoint.port) == ("host2", 9002)
    assert live_endpoint(state, 2, "OTHER") is None
    assert live_endpoint(state, 9, "CLIENTS") is None
    world.state.brokers[2].fenced = True
    assert live_endpoint(state, 2, "CLIENTS") is None


def test_a_controller_that_clients_cannot_reach_is_replaced_by_the_lowest_broker(
    world: World,
) -> None:
    state = cast(Any, world.state)
    world.state.controller_id = 3
    assert controller_for_clients(state, "CLIENTS") == 3
    assert controller_for_clients(state, "OTHER") == -1
    world.state.controller_id = 100
    assert controller_for_clients(state, "CLIENTS") == 1


def test_the_leader_of_committed_metadata_is_the_hint(world: World) -> None:
    (partition,) = world.add_topic("t", leader_id=2)
    for topic in ("t", partition.topic_id):
        hint = leader_hint(world.services, "CLIENTS", topic, 0)
        assert hint is not None
        assert (hint.leader_id, hint.leader_epoch, hint.rack) == (2, 5, "rack2")
    assert leader_hint(world.services, "CLIENTS", "t", 7) is None
    assert leader_hint(world.services, "CLIENTS", "unknown", 0) is None
    world.add_topic("u", leader_id=None)
    assert leader_hint(world.services, "CLIENTS", "u", 0) is None
    hint = leader_hint(world.services, "OTHER", "t", 0)
    assert hint is not None
    assert hint.endpoint is None
