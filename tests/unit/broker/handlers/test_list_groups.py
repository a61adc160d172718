from __future__ import annotations

from typing import Any

import pytest

from broker.groups.requests import CommitRequest, OffsetToCommit
from broker.handlers import list_groups
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.protocol.messages.list_groups_request import ListGroupsRequest
from tests.support.group_cluster import GroupCluster
from tests.support.group_driver import join_request
from tests.support.group_handlers import call, ready_cluster, versions
from tests.support.in_loop import in_loop


async def two_groups(cluster: GroupCluster) -> None:
    await cluster.lead()
    await cluster.groups.join(join_request(group_id="g", fresh_member_id="m"))
    offset = OffsetToCommit("t", 0, 1)
    await cluster.groups.commit(CommitRequest("simple", "", None, -1, (offset,)))


@pytest.mark.parametrize("version", versions(list_groups))
def test_all_groups(version: int) -> None:
    @in_loop
    async def test() -> None:
        async with await ready_cluster() as cluster:
            await two_groups(cluster)
            answer = await call(cluster, list_groups, version, ListGroupsRequest())
            assert {(g.group_id, g.protocol_type) for g in answer.groups} == {
                ("g", "consumer"),
                ("simple", ""),
            }
            states = {g.group_state for g in answer.groups}
            assert states == ({"CompletingRebalance", "Empty"} if version >= 4 else {""})
            assert {g.group_type for g in answer.groups} == {"classic" if version >= 5 else ""}

    test()


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"states_filter": ["empty"]}, {"simple"}),
        ({"states_filter": ["Empty", "CompletingRebalance"]}, {"g", "simple"}),
        ({"states_filter": ["Assigning"]}, set()),
        ({"types_filter": ["Classic"]}, {"g", "simple"}),
        ({"types_filter": ["consumer"]}, set()),
    ],
)
def test_filters(filters: dict[str, Any], expected: set[str]) -> None:
    @in_loop
    async def test() -> None:
        async with await ready_cluster() as cluster:
            await two_groups(cluster)
            answer = await call(cluster, list_groups, 5, ListGroupsRequest(**filters))
            assert {group.group_id for group in answer.groups} == expected

    test()


@in_loop
async def test_half_a_list_is_no_list() -> None:
    async with await ready_cluster() as cluster:
        await cluster.lead()
        cluster.partitions[0].change_epoch()
        cluster.tell(0, is_leader=True)
        with pytest.raises(ProtocolError) as raised:
            await call(cluster, list_groups, 5, ListGroupsRequest())
        assert raised.value.code is ErrorCode.COORDINATOR_LOAD_IN_PROGRESS
