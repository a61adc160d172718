from __future__ import annotations

from typing import Any

import pytest

from broker.handlers import find_coordinator
from controller.state import BrokerRegistration
from ottla.core.errors import ErrorCode
from ottla.protocol.messages.find_coordinator_request import FindCoordinatorRequest
from tests.support.group_cluster import GroupCluster
from tests.support.group_handlers import call, versions
from tests.support.in_loop import in_loop


async def find(cluster: GroupCluster, version: int, key: str = "g", key_type: int = 0) -> Any:
    """(error, node, host, port, message)"""
    request = FindCoordinatorRequest(key_type=key_type)
    if version >= 4:
        request.coordinator_keys = [key]
    else:
        request.key = key
    answer = await call(cluster, find_coordinator, version, request)
    if version >= 4:
        [answer] = answer.coordinators
        assert answer.key == key
    return answer.error_code, answer.node_id, answer.host, answer.port, answer.error_message


@pytest.mark.parametrize("version", versions(find_coordinator))
def test_the_first_question_creates_the_topic(version: int) -> None:
    @in_loop
    async def test() -> None:
        cluster = GroupCluster()
        assert (await find(cluster, version))[:4] == (0, 1, "host1", 9092)
        assert (await find(cluster, version))[:4] == (0, 1, "host1", 9092)
        assert cluster.creations == 1

    test()


@in_loop
async def test_many_keys_at_once() -> None:
    cluster = GroupCluster()
    cluster.create_offsets_topic()
    request = FindCoordinatorRequest(coordinator_keys=["a", "b", "c"])
    answer = await call(cluster, find_coordinator, 4, request)
    assert [found.key for found in answer.coordinators] == ["a", "b", "c"]
    assert {found.node_id for found in answer.coordinators} == {1}


def fence(cluster: GroupCluster, broker_id: int) -> None:
    broker: BrokerRegistration = cluster.metadata.state.brokers[broker_id]
    fields = {name: getattr(broker, name) for name in BrokerRegistration.__slots__}
    cluster.apply(BrokerRegistration(**(fields | {"fenced": True})))


@pytest.mark.parametrize("version", [0, 3, 6])
def test_no_coordinator_at_the_moment(version: int) -> None:
    @in_loop
    async def test() -> None:
        cluster = GroupCluster()
        cluster.create_offsets_topic()
        fence(cluster, 1)
        code, node, host, port, _ = await find(cluster, version)
        assert (code, node, host, port) == (ErrorCode.COORDINATOR_NOT_AVAILABLE, -1, "", -1)

    test()


@in_loop
async def test_too_few_brokers_for_the_topic_is_told_in_a_sentence() -> None:
    cluster = GroupCluster()
    fence(cluster, 2)
    code, _, _, _, message = await find(cluster, 1)
    assert code == ErrorCode.COORDINATOR_NOT_AVAILABLE
    assert message == (
        "__consumer_offsets needs 3 brokers and 2 are there; start more, or set "
        "offsets.topic.replication.factor"
    )


@in_loop
async def test_other_kinds_are_refused() -> None:
    cluster = GroupCluster()
    assert (await find(cluster, 6, key_type=2))[0] == ErrorCode.INVALID_REQUEST
    assert cluster.creations == 0


@in_loop
async def test_an_address_of_the_listener_that_was_asked() -> None:
    cluster = GroupCluster()
    cluster.create_offsets_topic()
    request = FindCoordinatorRequest(key="g")
    answer = await call(cluster, find_coordinator, 0, request, listener="OTHER")
    assert answer.error_code == ErrorCode.COORDINATOR_NOT_AVAILABLE
