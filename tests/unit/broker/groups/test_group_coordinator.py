from __future__ import annotations

import asyncio
from typing import Any

import pytest

from broker.groups.requests import (
    CommitRequest,
    FetchedOffset,
    FetchRequest,
    HeartbeatRequest,
    LeaveRequest,
    LeavingMember,
    OffsetToCommit,
    SyncRequest,
)
from broker.groups.stored import CommittedOffset
from ottla.core.errors import ErrorCode, ProtocolError
from tests.support.group_cluster import PARTITIONS, GroupCluster, code_of, index_of
from tests.support.group_driver import join_request
from tests.support.in_loop import in_loop, turns

ID_1, ID_2 = bytes([1] * 16), bytes([2] * 16)


def commit(cluster: GroupCluster, group_id: str = "g", **fields: Any) -> asyncio.Future[Any]:
    offset = OffsetToCommit("t", 0, fields.pop("offset", 5), **fields)
    return cluster.groups.commit(CommitRequest(group_id, "", None, -1, (offset,)))


def fetch(cluster: GroupCluster, group_id: str = "g") -> asyncio.Future[Any]:
    return cluster.groups.fetch(FetchRequest(group_id, (("t", (0,)),)))


@in_loop
async def test_a_member_joins_syncs_beats_commits_and_leaves() -> None:
    async with GroupCluster() as cluster:
        cluster.create_offsets_topic()
        await cluster.lead()
        groups = cluster.groups
        member_id = groups.new_member_id("client")
        joined = groups.join(join_request(fresh_member_id=member_id)).result()
        assert (joined.generation, joined.leader_id) == (1, member_id)
        sync = SyncRequest("group", 1, member_id, None, None, None, {member_id: b"all"})
        assert groups.sync(sync).result().assignment == b"all"
        beat = HeartbeatRequest("group", 1, member_id, None)
        assert groups.heartbeat(beat).result() is None
        offset = OffsetToCommit("t", 0, 5)
        committed = groups.commit(CommitRequest("group", member_id, None, 1, (offset,)))
        assert committed.result() == [ErrorCode.NONE]
        assert fetch(cluster, "group").result()[0].committed.offset == 5
        assert groups.describe("group").result().members[0].member_id == member_id
        left = groups.leave(LeaveRequest("group", (LeavingMember(member_id),)))
        assert left.result() == [ErrorCode.NONE]
        assert groups.delete("group").result() is None


@in_loop
async def test_a_group_lives_where_javas_hash_says() -> None:
    async with GroupCluster() as cluster:
        assert cluster.groups.partition_of("g") is None
        assert code_of(fetch(cluster)) is ErrorCode.NOT_COORDINATOR
        cluster.create_offsets_topic()
        partition = cluster.groups.partition_of("g")
        assert partition is not None
        assert partition.index == index_of("g") == ord("g") % PARTITIONS
        await cluster.lead(index_of("g"))
        assert commit(cluster).result() == [ErrorCode.NONE]
        assert code_of(commit(cluster, "h")) is ErrorCode.NOT_COORDINATOR
        assert cluster.partitions[index_of("g")].appends == 1


@in_loop
async def test_other_topics_leaders_are_no_business_of_ours() -> None:
    async with GroupCluster() as cluster:
        cluster.create_offsets_topic()
        cluster.tell(0, is_leader=True, topic="t")
        await turns()
        assert cluster.groups.runtime.indexes == ()


@pytest.mark.parametrize("timeout_ms", [5_999, 1_800_001])
def test_session_timeouts_have_bounds(timeout_ms: int) -> None:
    @in_loop
    async def test() -> None:
        cluster = GroupCluster()
        future = cluster.groups.join(join_request(session_timeout_ms=timeout_ms))
        assert code_of(future) is ErrorCode.INVALID_SESSION_TIMEOUT

    test()


@in_loop
async def test_names_that_no_record_could_hold_never_reach_the_log() -> None:
    async with GroupCluster() as cluster:
        cluster.create_offsets_topic()
        await cluster.lead()
        groups = cluster.groups
        assert code_of(groups.join(join_request(group_id=""))) is ErrorCode.INVALID_GROUP_ID
        assert commit(cluster, "").result() == [ErrorCode.NONE]
        for group_id in ("x" * 32_768, "€" * 10_923):
            assert code_of(commit(cluster, group_id)) is ErrorCode.INVALID_GROUP_ID
        assert commit(cluster, "€" * 10_922).result() == [ErrorCode.NONE]
        for fields in (
            {"client_id": "x" * 32_768},
            {"instance_id": "x" * 32_768},
            {"protocols": (("x" * 32_768, b""),)},
        ):
            future = groups.join(join_request(**fields))
            assert code_of(future) is ErrorCode.INVALID_REQUEST
        assert all(groups.runtime.is_active(index) for index in range(PARTITIONS))


@in_loop
async def test_groups_of_all_partitions_are_listed() -> None:
    async with GroupCluster() as cluster:
        cluster.create_offsets_topic()
        await cluster.lead()
        for group_id in ("a", "b", "c"):
            commit(cluster, group_id)
        listed = await cluster.groups.list_groups()
        assert {group.group_id for group in listed} == {"a", "b", "c"}
        partition = cluster.partitions[index_of("a")]
        partition.append_error = ProtocolError(ErrorCode.NOT_ENOUGH_REPLICAS)
        assert code_of(commit(cluster, "a")) is ErrorCode.COORDINATOR_NOT_AVAILABLE
        with pytest.raises(ProtocolError) as raised:
            await cluster.groups.list_groups()
        assert raised.value.code is ErrorCode.COORDINATOR_LOAD_IN_PROGRESS


@in_loop
async def test_a_partition_that_moves_meanwhile_is_left_out_of_the_list() -> None:
    async with GroupCluster() as cluster:
        cluster.create_offsets_topic()
        await cluster.lead()
        commit(cluster, "a")
        cluster.partitions[index_of("b")].change_epoch(is_leader=False)
        assert [group.group_id for group in await cluster.groups.list_groups()] == ["a"]


@in_loop
async def test_offsets_of_deleted_topics_are_dropped() -> None:
    async with GroupCluster() as cluster:
        cluster.create_offsets_topic()
        cluster.create_topic("t", ID_1)
        await cluster.lead()
        commit(cluster, topic_id=ID_1)
        cluster.delete_topic(ID_1)
        assert fetch(cluster).result()[0].committed is None


@in_loop
async def test_topics_that_vanished_unnoticed_are_dropped_at_the_second_look() -> None:
    async with GroupCluster() as cluster:
        cluster.create_offsets_topic()
        cluster.create_topic("t", ID_1)
        await cluster.lead()
        commit(cluster, topic_id=ID_2)
        commit(cluster, "h", topic_id=ID_1)
        commit(cluster, "i")
        cluster.groups.forget_vanished_topics()
        assert fetch(cluster).result()[0].committed is not None
        cluster.groups.forget_vanished_topics()
        assert fetch(cluster).result()[0].committed is None
        assert fetch(cluster, "h").result()[0].committed is not None
        assert fetch(cluster, "i").result()[0].committed is not None


@in_loop
async def test_offsets_of_a_topics_predecessor_are_not_current() -> None:
    cluster = GroupCluster()
    cluster.create_topic("t", ID_2)

    def fetched(topic: str, topic_id: bytes) -> FetchedOffset:
        return FetchedOffset(topic, 0, CommittedOffset(1, -1, "", 0, None, topic_id))

    assert not cluster.groups.is_current(fetched("t", ID_1))
    assert cluster.groups.is_current(fetched("t", ID_2))
    assert cluster.groups.is_current(fetched("t", bytes(16)))
    assert cluster.groups.is_current(fetched("not known here yet", ID_1))
    assert cluster.groups.is_current(FetchedOffset("t", 0, None))


@in_loop
async def test_member_ids_are_unique_and_begin_with_their_name() -> None:
    cluster = GroupCluster()
    ids = {cluster.groups.new_member_id("client") for _ in range(100)}
    assert len(ids) == 100
    assert all(len(member_id) == len("client-") + 36 for member_id in ids)
    assert all(member_id.startswith("client-") for member_id in ids)
