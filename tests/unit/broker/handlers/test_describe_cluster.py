from __future__ import annotations

from typing import TYPE_CHECKING, Any

from broker.handlers import describe_cluster
from ottla.core.errors import ErrorCode
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.describe_cluster_request import DescribeClusterRequest
from ottla.protocol.messages.describe_cluster_response import DescribeClusterResponse

if TYPE_CHECKING:
    from tests.unit.broker.handlers.conftest import World


def call(world: World, version: int = 2, **fields: Any) -> DescribeClusterResponse:
    answer = describe_cluster.handle(
        world.services,
        world.context(ApiKey.DESCRIBE_CLUSTER, version),
        DescribeClusterRequest(**fields),
    )
    return DescribeClusterResponse.decode(answer.encode(version), version)


def test_the_cluster_its_controller_and_its_live_brokers(world: World) -> None:
    world.state.brokers[2].fenced = True
    for version in range(3):
        response = call(world, version)
        assert (response.error_code, response.controller_id) == (0, 1)
        assert response.cluster_id == world.services.cluster_id
        assert [(b.broker_id, b.host, b.port, b.rack) for b in response.brokers] == [
            (1, "host1", 9001, "rack1"),
            (3, "host3", 9003, "rack3"),
        ]


def test_fenced_brokers_on_demand(world: World) -> None:
    world.state.brokers[2].fenced = True
    brokers = call(world, include_fenced_brokers=True).brokers
    assert [(b.broker_id, b.is_fenced) for b in brokers] == [(1, False), (2, True), (3, False)]


def test_a_broker_does_not_tell_of_controllers(world: World) -> None:
    assert call(world, endpoint_type=2).error_code == ErrorCode.MISMATCHED_ENDPOINT_TYPE
    assert call(world, endpoint_type=7).error_code == ErrorCode.UNSUPPORTED_ENDPOINT_TYPE
