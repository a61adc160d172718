"""ConsumerGroupHeartbeat, ConsumerGroupDescribe, and OffsetFetch of their members."""

from __future__ import annotations

import pytest

from broker.handlers import consumer_group_describe, consumer_group_heartbeat, offset_fetch
from ottla.core.errors import ErrorCode
from ottla.protocol.messages.consumer_group_describe_request import ConsumerGroupDescribeRequest
from ottla.protocol.messages.consumer_group_heartbeat_request import (
    ConsumerGroupHeartbeatRequest,
    TopicPartitions,
)
from ottla.protocol.messages.offset_fetch_request import (
    OffsetFetchRequest,
    OffsetFetchRequestGroup,
)
from tests.support.group_cluster import index_of
from tests.support.group_handlers import TOPIC_ID, call, ready_cluster, versions
from tests.support.in_loop import in_loop


def beat(member_id: str = "m", epoch: int = 0, **fields: object) -> ConsumerGroupHeartbeatRequest:
    values = {
        "group_id": "g",
        "member_id": member_id,
        "member_epoch": epoch,
        "rebalance_timeout_ms": 10_000,
        "subscribed_topic_names": ["t"],
        "topic_partitions": [] if epoch == 0 else None,
    }
    return ConsumerGroupHeartbeatRequest(**{**values, **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize("version", versions(consumer_group_heartbeat))
def test_a_member_joins_and_is_described(version: int) -> None:
    @in_loop
    async def test() -> None:
        async with await ready_cluster() as cluster:
            await cluster.lead(index_of("g"))
            answer = await call(cluster, consumer_group_heartbeat, version, beat())
            assert (answer.error_code, answer.member_id, answer.member_epoch) == (0, "m", 1)
            assert answer.heartbeat_interval_ms == 5_000
            given = [(t.topic_id, t.partitions) for t in answer.assignment.topic_partitions]
            assert given == [(TOPIC_ID, [0, 1, 2])]
            owned = [TopicPartitions(TOPIC_ID, [0, 1, 2])]
            stays = beat("m", 1, subscribed_topic_names=None, topic_partitions=owned)
            assert (await call(cluster, consumer_group_heartbeat, version, stays)).error_code == 0
            request = ConsumerGroupDescribeRequest(
                ["g", "other"], include_authorized_operations=True
            )
            described = await call(cluster, consumer_group_describe, version, request)
            group, unknown = described.groups
            assert (group.group_state, group.group_epoch, group.assignment_epoch) == (
                "Stable",
                1,
                1,
            )
            assert group.assignor_name == "uniform"
            assert group.authorized_operations > 0
            assert unknown.error_code in (ErrorCode.NOT_COORDINATOR, ErrorCode.GROUP_ID_NOT_FOUND)
            [member] = group.members
            assert (member.member_id, member.member_epoch) == ("m", 1)
            assert member.subscribed_topic_names == ["t"]
            assert member.assignment.topic_partitions[0].topic_name == "t"
            assert member.assignment == member.target_assignment
            assert member.member_type == (-1 if version == 0 else 1)

    test()


@in_loop
async def test_who_makes_the_member_id() -> None:
    async with await ready_cluster() as cluster:
        await cluster.lead(index_of("g"))
        made = await call(cluster, consumer_group_heartbeat, 0, beat(""))
        assert made.member_id.startswith("client-")
        refused = await call(cluster, consumer_group_heartbeat, 1, beat(""))
        assert refused.error_code == ErrorCode.INVALID_REQUEST
        unnamed = await call(cluster, consumer_group_heartbeat, 0, beat("", -1))
        assert unnamed.error_code == ErrorCode.INVALID_REQUEST
        dynamic = await call(cluster, consumer_group_heartbeat, 1, beat(made.member_id, -2))
        assert dynamic.error_code == ErrorCode.INVALID_REQUEST


@in_loop
async def test_a_regular_expression_is_taken_and_a_wrong_one_explained() -> None:
    async with await ready_cluster() as cluster:
        await cluster.lead(index_of("g"))
        wrong = beat(subscribed_topic_names=None, subscribed_topic_regex="t(")
        refused = await call(cluster, consumer_group_heartbeat, 1, wrong)
        assert refused.error_code == ErrorCode.INVALID_REGULAR_EXPRESSION
        assert "'t('" in refused.error_message
        right = beat(subscribed_topic_names=None, subscribed_topic_regex="t.*")
        answer = await call(cluster, consumer_group_heartbeat, 1, right)
        assert answer.assignment.topic_partitions[0].partitions == [0, 1, 2]


@pytest.mark.parametrize(
    ("member_id", "epoch", "code"),
    [
        (None, -1, ErrorCode.NONE),
        ("m", 1, ErrorCode.NONE),
        ("m", 0, ErrorCode.STALE_MEMBER_EPOCH),
        ("x", 1, ErrorCode.UNKNOWN_MEMBER_ID),
    ],
)
def test_who_reads_offsets_as_a_member_must_be_one(
    member_id: str | None, epoch: int, code: ErrorCode
) -> None:
    @in_loop
    async def test() -> None:
        async with await ready_cluster() as cluster:
            await cluster.lead(index_of("g"))
            await call(cluster, consumer_group_heartbeat, 1, beat())
            group = OffsetFetchRequestGroup("g", member_id, epoch, None)
            answer = await call(cluster, offset_fetch, 9, OffsetFetchRequest(groups=[group]))
            assert answer.groups[0].error_code == code

    test()
