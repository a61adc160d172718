from __future__ import annotations

from broker.groups.requests import CommitRequest, OffsetToCommit
from broker.handlers import offset_delete
from ottla.core.errors import ErrorCode
from ottla.protocol.messages.offset_delete_request import (
    OffsetDeleteRequest,
    OffsetDeleteRequestPartition,
    OffsetDeleteRequestTopic,
)
from ottla.protocol.messages.offset_delete_response import OffsetDeleteResponse
from tests.support.group_cluster import GroupCluster
from tests.support.group_driver import join_request
from tests.support.group_handlers import call, ready_cluster
from tests.support.in_loop import in_loop


async def delete(cluster: GroupCluster, group_id: str) -> OffsetDeleteResponse:
    """Partitions 0 of t, which is there, and of a topic that is not."""
    topics = [
        OffsetDeleteRequestTopic(name, [OffsetDeleteRequestPartition(0)]) for name in ("t", "ghost")
    ]
    request = OffsetDeleteRequest(group_id, topics)
    answer: OffsetDeleteResponse = await call(cluster, offset_delete, 0, request)
    return answer


@in_loop
async def test_offsets_are_deleted_one_by_one() -> None:
    async with await ready_cluster() as cluster:
        await cluster.lead()
        offsets = (OffsetToCommit("t", 0, 1), OffsetToCommit("t", 1, 1))
        await cluster.groups.commit(CommitRequest("g", "", None, -1, offsets))
        answer = await delete(cluster, "g")
        assert answer.error_code == 0
        assert [t.partitions[0].error_code for t in answer.topics] == [
            0,
            ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
        ]
        machine = cluster.groups.runtime._shards[cluster.groups.partition_of("g").index].machine  # type: ignore[union-attr]
        assert machine is not None
        assert set(machine.offsets.of_group("g")["t"]) == {1}


@in_loop
async def test_groups_that_are_not_there_or_have_other_members() -> None:
    async with await ready_cluster() as cluster:
        await cluster.lead()
        assert (await delete(cluster, "ghost")).error_code == ErrorCode.GROUP_ID_NOT_FOUND
        cluster.groups.join(
            join_request(group_id="g", fresh_member_id="m", protocol_type="connect")
        )
        assert (await delete(cluster, "g")).error_code == ErrorCode.NON_EMPTY_GROUP
