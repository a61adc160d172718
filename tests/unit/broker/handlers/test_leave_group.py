from __future__ import annotations

import pytest

from broker.handlers import leave_group
from ottla.core.errors import ErrorCode
from ottla.protocol.messages.leave_group_request import LeaveGroupRequest, MemberIdentity
from tests.support.group_driver import join_request
from tests.support.group_handlers import call, ready_cluster, versions
from tests.support.in_loop import in_loop


def request(version: int, *member_ids: str) -> LeaveGroupRequest:
    if version < 3:
        return LeaveGroupRequest(group_id="g", member_id=member_ids[0])
    reason = {"reason": "done"} if version >= 5 else {}
    members = [MemberIdentity(member_id=member_id, **reason) for member_id in member_ids]
    return LeaveGroupRequest(group_id="g", members=members)


@pytest.mark.parametrize("version", versions(leave_group))
def test_a_member_leaves_and_cannot_leave_again(version: int) -> None:
    @in_loop
    async def test() -> None:
        async with await ready_cluster() as cluster:
            await cluster.lead()
            unknown_group = await call(cluster, leave_group, version, request(version, "m"))
            await cluster.groups.join(join_request(group_id="g", fresh_member_id="m"))
            left = await call(cluster, leave_group, version, request(version, "m"))
            again = await call(cluster, leave_group, version, request(version, "m"))
            assert left.error_code == 0
            if version >= 3:
                assert [member.error_code for member in left.members] == [0]
                for answer in (unknown_group, again):
                    assert answer.error_code == 0
                    assert [(m.member_id, m.error_code) for m in answer.members] == [
                        ("m", ErrorCode.UNKNOWN_MEMBER_ID)
                    ]
            else:
                assert unknown_group.error_code == again.error_code == ErrorCode.UNKNOWN_MEMBER_ID

    test()


@in_loop
async def test_several_leave_at_once() -> None:
    async with await ready_cluster() as cluster:
        await cluster.lead()
        await cluster.groups.join(join_request(group_id="g", fresh_member_id="m"))
        answer = await call(cluster, leave_group, 5, request(5, "ghost", "m"))
        codes = [member.error_code for member in answer.members]
        assert codes == [ErrorCode.UNKNOWN_MEMBER_ID, 0]


@in_loop
async def test_elsewhere_nobody_leaves() -> None:
    async with await ready_cluster() as cluster:
        answer = await call(cluster, leave_group, 5, request(5, "m"))
        assert answer.error_code == ErrorCode.NOT_COORDINATOR
        assert answer.members == []
