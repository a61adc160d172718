from __future__ import annotations

from typing import Any

import pytest

from broker.groups.requests import FetchRequest
from broker.handlers import offset_commit
from ottla.core.errors import ErrorCode
from ottla.protocol.messages.offset_commit_request import (
    OffsetCommitRequest,
    OffsetCommitRequestPartition,
    OffsetCommitRequestTopic,
)
from tests.support.group_cluster import GroupCluster
from tests.support.group_handlers import TOPIC_ID, call, ready_cluster, versions
from tests.support.in_loop import in_loop


def request(version: int, *partitions: int, topic: str = "t", **fields: Any) -> OffsetCommitRequest:
    asked = OffsetCommitRequestTopic(
        partitions=[
            OffsetCommitRequestPartition(
                partition_index=index,
                committed_offset=10 + index,
                committed_leader_epoch=4 if version >= 6 else -1,
                committed_metadata=None,
            )
            for index in partitions
        ]
    )
    if version >= 10:
        asked.topic_id = TOPIC_ID if topic == "t" else bytes([7] * 16)
    else:
        asked.name = topic
    return OffsetCommitRequest(group_id="g", topics=[asked], **fields)


async def committed(cluster: GroupCluster, partition: int) -> Any:
    return (await cluster.groups.fetch(FetchRequest("g", (("t", (partition,)),))))[0].committed


@pytest.mark.parametrize("version", versions(offset_commit))
def test_offsets_are_committed_with_their_topics_id(version: int) -> None:
    @in_loop
    async def test() -> None:
        async with await ready_cluster() as cluster:
            await cluster.lead()
            answer = await call(cluster, offset_commit, version, request(version, 0, 2))
            [topic] = answer.topics
            assert [(p.partition_index, p.error_code) for p in topic.partitions] == [(0, 0), (2, 0)]
            assert (topic.name, topic.topic_id) == (
                ("t", bytes(16)) if version < 10 else ("", TOPIC_ID)
            )
            found = await committed(cluster, 2)
            assert (found.offset, found.metadata, found.topic_id) == (12, "", TOPIC_ID)
            assert found.leader_epoch == (4 if version >= 6 else -1)

    test()


@pytest.mark.parametrize("version", versions(offset_commit))
def test_unknown_topics_and_partitions_do_not_spoil_the_rest(version: int) -> None:
    @in_loop
    async def test() -> None:
        async with await ready_cluster() as cluster:
            await cluster.lead()
            asked = request(version, 0)
            asked.topics.append(request(version, 3, 1, -1).topics[0])
            asked.topics.append(request(version, 0, topic="u").topics[0])
            answer = await call(cluster, offset_commit, version, asked)
            codes = [[p.error_code for p in topic.partitions] for topic in answer.topics]
            unknown = int(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
            unknown_topic = int(ErrorCode.UNKNOWN_TOPIC_ID) if version >= 10 else unknown
            assert codes == [[0], [unknown, 0, unknown], [unknown_topic]]
            assert (await committed(cluster, 1)).offset == 11

    test()


@in_loop
async def test_an_error_of_the_group_is_every_partitions() -> None:
    async with await ready_cluster() as cluster:
        await cluster.lead()
        asked = request(9, 0, 1, generation_id_or_member_epoch=3, member_id="m")
        answer = await call(cluster, offset_commit, 9, asked)
        codes = [p.error_code for p in answer.topics[0].partitions]
        assert codes == 2 * [ErrorCode.ILLEGAL_GENERATION]


@in_loop
async def test_old_clients_name_a_retention_time() -> None:
    async with await ready_cluster() as cluster:
        await cluster.lead()
        await call(cluster, offset_commit, 4, request(4, 0, retention_time_ms=1_000))
        found = await committed(cluster, 0)
        assert found.expire_timestamp_ms == cluster.clock.timestamp_ms() + 1_000
