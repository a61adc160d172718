from __future__ import annotations

from typing import Any

import pytest

from broker.groups.requests import CommitRequest, OffsetToCommit
from broker.handlers import offset_fetch
from ottla.core.errors import ErrorCode
from ottla.protocol.messages.offset_fetch_request import (
    OffsetFetchRequest,
    OffsetFetchRequestGroup,
    OffsetFetchRequestTopic,
    OffsetFetchRequestTopics,
)
from tests.support.group_cluster import GroupCluster, index_of
from tests.support.group_handlers import TOPIC_ID, call, ready_cluster, versions
from tests.support.in_loop import in_loop

FORMER_ID = bytes([5] * 16)


async def commit(
    cluster: GroupCluster, partition: int, group_id: str = "g", topic: str = "t", **fields: Any
) -> None:
    fields = {"topic_id": TOPIC_ID} | fields
    offset = OffsetToCommit(topic, partition, 10 + partition, 4, "note", **fields)
    await cluster.groups.commit(CommitRequest(group_id, "", None, -1, (offset,)))


def group_of(version: int, group_id: str, *partitions: int) -> OffsetFetchRequestGroup:
    topics = [OffsetFetchRequestTopics(partition_indexes=list(partitions))]
    if version >= 10:
        topics[0].topic_id = TOPIC_ID
    else:
        topics[0].name = "t"
    return OffsetFetchRequestGroup(group_id=group_id, topics=topics if partitions else None)


def request(version: int, *partitions: int) -> OffsetFetchRequest:
    """For group g; without partitions: everything."""
    if version >= 8:
        return OffsetFetchRequest(groups=[group_of(version, "g", *partitions)])
    topics = [OffsetFetchRequestTopic("t", list(partitions))]
    return OffsetFetchRequest(group_id="g", topics=topics if partitions else None)


async def fetch(cluster: GroupCluster, version: int, *partitions: int) -> tuple[int, Any]:
    """(error of the group, (partition, offset, epoch, metadata, error) by topic)"""
    answer = await call(cluster, offset_fetch, version, request(version, *partitions))
    if version >= 8:
        [answer] = answer.groups
        assert answer.group_id == "g"
    found = {}
    for topic in answer.topics:
        found[topic.topic_id if version >= 10 else topic.name] = [
            (p.partition_index, p.committed_offset, p.committed_leader_epoch, p.metadata)
            for p in topic.partitions
        ]
    return answer.error_code, found


@pytest.mark.parametrize("version", versions(offset_fetch))
def test_what_is_committed_and_what_is_not(version: int) -> None:
    @in_loop
    async def test() -> None:
        async with await ready_cluster() as cluster:
            await cluster.lead()
            await commit(cluster, 1)
            code, found = await fetch(cluster, version, 1, 2)
            key = TOPIC_ID if version >= 10 else "t"
            epoch = 4 if version >= 5 else -1
            assert code == 0
            assert found == {key: [(1, 11, epoch, "note"), (2, -1, -1, "")]}

    test()


@pytest.mark.parametrize("version", range(2, 11))
def test_everything_of_a_group(version: int) -> None:
    @in_loop
    async def test() -> None:
        async with await ready_cluster() as cluster:
            await cluster.lead()
            await commit(cluster, 0)
            await commit(cluster, 0, topic="not here", topic_id=FORMER_ID)
            code, found = await fetch(cluster, version)
            assert code == 0
            assert set(found) == ({TOPIC_ID} if version >= 10 else {"t", "not here"})

    test()


@in_loop
async def test_offsets_of_a_topics_predecessor_are_not_told() -> None:
    async with await ready_cluster() as cluster:
        await cluster.lead()
        await commit(cluster, 0, topic_id=FORMER_ID)
        assert await fetch(cluster, 7, 0) == (0, {"t": [(0, -1, -1, "")]})
        assert await fetch(cluster, 7) == (0, {})


@pytest.mark.parametrize("version", versions(offset_fetch))
def test_an_error_of_the_group(version: int) -> None:
    @in_loop
    async def test() -> None:
        async with await ready_cluster() as cluster:
            answer = await call(cluster, offset_fetch, version, request(version, 1))
            if version >= 8:
                [answer] = answer.groups
            if version >= 2:
                assert answer.error_code == ErrorCode.NOT_COORDINATOR
                assert answer.topics == []
            else:
                [partition] = answer.topics[0].partitions
                assert partition.error_code == ErrorCode.NOT_COORDINATOR
                assert partition.committed_offset == -1

    test()


@pytest.mark.parametrize("version", [8, 9, 10])
def test_many_groups_at_once(version: int) -> None:
    @in_loop
    async def test() -> None:
        async with await ready_cluster() as cluster:
            await cluster.lead(index_of("g"))
            await commit(cluster, 0)
            groups = [group_of(version, "g", 0), group_of(version, "h", 0)]
            answer = await call(cluster, offset_fetch, version, OffsetFetchRequest(groups=groups))
            good, bad = answer.groups
            assert (good.group_id, good.error_code) == ("g", 0)
            assert good.topics[0].partitions[0].committed_offset == 10
            assert (bad.group_id, bad.error_code) == ("h", ErrorCode.NOT_COORDINATOR)
            answer = await call(cluster, offset_fetch, version, OffsetFetchRequest(groups=[]))
            assert answer.groups == []

    test()


@in_loop
async def test_an_unknown_topic_id() -> None:
    async with await ready_cluster() as cluster:
        await cluster.lead()
        asked = request(10, 0)
        assert asked.groups[0].topics is not None
        asked.groups[0].topics[0].topic_id = FORMER_ID
        answer = await call(cluster, offset_fetch, 10, asked)
        [topic] = answer.groups[0].topics
        assert topic.topic_id == FORMER_ID
        assert topic.partitions[0].error_code == ErrorCode.UNKNOWN_TOPIC_ID
