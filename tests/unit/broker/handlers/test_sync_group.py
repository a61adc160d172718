from __future__ import annotations

import pytest

from broker.handlers import sync_group
from ottla.core.errors import ErrorCode
from ottla.protocol.messages.sync_group_request import (
    SyncGroupRequest,
    SyncGroupRequestAssignment,
)
from tests.support.group_driver import join_request
from tests.support.group_handlers import call, ready_cluster, versions
from tests.support.in_loop import in_loop


def request(version: int, generation: int = 1) -> SyncGroupRequest:
    named = {"protocol_type": "consumer", "protocol_name": "range"} if version >= 5 else {}
    return SyncGroupRequest(
        group_id="g",
        generation_id=generation,
        member_id="m",
        assignments=[SyncGroupRequestAssignment("m", b"all")],
        **named,
    )


@pytest.mark.parametrize("version", versions(sync_group))
def test_the_leader_assigns(version: int) -> None:
    @in_loop
    async def test() -> None:
        async with await ready_cluster() as cluster:
            await cluster.lead()
            await cluster.groups.join(join_request(group_id="g", fresh_member_id="m"))
            answer = await call(cluster, sync_group, version, request(version))
            assert (answer.error_code, answer.assignment) == (0, b"all")
            if version >= 5:
                assert (answer.protocol_type, answer.protocol_name) == ("consumer", "range")
            wrong = await call(cluster, sync_group, version, request(version, generation=2))
            assert wrong.error_code == ErrorCode.ILLEGAL_GENERATION

    test()


@in_loop
async def test_from_version_5_the_protocol_must_be_named() -> None:
    async with await ready_cluster() as cluster:
        await cluster.lead()
        await cluster.groups.join(join_request(group_id="g", fresh_member_id="m"))
        answer = await call(cluster, sync_group, 5, request(4))
        assert answer.error_code == ErrorCode.INCONSISTENT_GROUP_PROTOCOL
