from __future__ import annotations

from typing import Any

import pytest

from broker.handlers import join_group
from ottla.core.errors import ErrorCode
from ottla.protocol.messages.join_group_request import (
    JoinGroupRequest,
    JoinGroupRequestProtocol,
)
from tests.support.group_cluster import GroupCluster, index_of
from tests.support.group_handlers import call, ready_cluster, versions
from tests.support.in_loop import in_loop


def request(version: int, member_id: str = "", **fields: Any) -> JoinGroupRequest:
    values: dict[str, Any] = {
        "group_id": "g",
        "session_timeout_ms": 10_000,
        "member_id": member_id,
        "protocol_type": "consumer",
        "protocols": [JoinGroupRequestProtocol("range", b"meta")],
    }
    if version >= 1:
        values["rebalance_timeout_ms"] = 60_000
    return JoinGroupRequest(**(values | fields))


def member_of(cluster: GroupCluster, member_id: str) -> Any:
    shard = cluster.groups.runtime._shards[index_of("g")]
    assert shard.machine is not None
    return shard.machine.groups["g"].members[member_id]


@pytest.mark.parametrize("version", versions(join_group))
def test_a_first_member_joins_and_leads(version: int) -> None:
    @in_loop
    async def test() -> None:
        async with await ready_cluster() as cluster:
            await cluster.lead()
            answer = await call(cluster, join_group, version, request(version))
            if version >= 4:
                assert answer.error_code == ErrorCode.MEMBER_ID_REQUIRED
                assert answer.generation_id == -1
                answer = await call(
                    cluster, join_group, version, request(version, answer.member_id)
                )
            assert (answer.error_code, answer.generation_id) == (0, 1)
            assert answer.leader == answer.member_id
            assert answer.member_id.startswith("client-")
            assert answer.protocol_name == "range"
            assert answer.protocol_type == ("consumer" if version >= 7 else None)
            [member] = answer.members
            assert (member.member_id, member.metadata) == (answer.member_id, b"meta")
            held = member_of(cluster, answer.member_id)
            assert held.rebalance_timeout_ms == (60_000 if version >= 1 else 10_000)
            assert (held.client_id, held.client_host) == ("client", "/127.0.0.1")

    test()


@in_loop
async def test_a_static_member_is_named_after_its_instance() -> None:
    async with await ready_cluster() as cluster:
        await cluster.lead()
        answer = await call(cluster, join_group, 5, request(5, group_instance_id="worker"))
        assert answer.error_code == 0
        assert answer.member_id.startswith("worker-")
        assert answer.members[0].group_instance_id == "worker"
        again = await call(cluster, join_group, 9, request(9, group_instance_id="worker"))
        assert again.generation_id == 2


@pytest.mark.parametrize("version", versions(join_group))
def test_failures_keep_the_members_id(version: int) -> None:
    @in_loop
    async def test() -> None:
        async with await ready_cluster() as cluster:
            answer = await call(cluster, join_group, version, request(version, "m"))
            assert answer.error_code == ErrorCode.NOT_COORDINATOR
            assert (answer.member_id, answer.generation_id) == ("m", -1)
            assert answer.protocol_name == (None if version >= 7 else "")

    test()


@in_loop
async def test_refusals_have_their_codes() -> None:
    async with await ready_cluster() as cluster:
        await cluster.lead()
        for fields, code in (
            ({"group_id": ""}, ErrorCode.INVALID_GROUP_ID),
            ({"session_timeout_ms": 1}, ErrorCode.INVALID_SESSION_TIMEOUT),
            ({"protocols": []}, ErrorCode.INCONSISTENT_GROUP_PROTOCOL),
            ({"member_id": "ghost"}, ErrorCode.UNKNOWN_MEMBER_ID),
        ):
            answer = await call(cluster, join_group, 9, request(9, **fields))
            assert answer.error_code == code
