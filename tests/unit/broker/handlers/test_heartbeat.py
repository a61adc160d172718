from __future__ import annotations

import pytest

from broker.handlers import heartbeat
from ottla.core.errors import ErrorCode
from ottla.protocol.messages.heartbeat_request import HeartbeatRequest
from tests.support.group_driver import join_request
from tests.support.group_handlers import call, ready_cluster, versions
from tests.support.in_loop import in_loop


@pytest.mark.parametrize("version", versions(heartbeat))
def test_heartbeats(version: int) -> None:
    @in_loop
    async def test() -> None:
        async with await ready_cluster() as cluster:
            await cluster.lead()
            await cluster.groups.join(join_request(group_id="g", fresh_member_id="m"))
            good = HeartbeatRequest(group_id="g", generation_id=1, member_id="m")
            assert (await call(cluster, heartbeat, version, good)).error_code == 0
            bad = HeartbeatRequest(group_id="g", generation_id=1, member_id="ghost")
            answer = await call(cluster, heartbeat, version, bad)
            assert answer.error_code == ErrorCode.UNKNOWN_MEMBER_ID

    test()
