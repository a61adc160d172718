from __future__ import annotations

import pytest

from broker.handlers import describe_groups
from ottla.core.errors import ErrorCode
from ottla.protocol.messages.describe_groups_request import DescribeGroupsRequest
from tests.support.group_cluster import index_of
from tests.support.group_driver import join_request
from tests.support.group_handlers import call, ready_cluster, versions
from tests.support.in_loop import in_loop


@pytest.mark.parametrize("version", versions(describe_groups))
def test_known_unknown_and_others_groups(version: int) -> None:
    @in_loop
    async def test() -> None:
        async with await ready_cluster() as cluster:
            await cluster.lead(index_of("g"))
            joining = join_request(group_id="g", fresh_member_id="m", instance_id="i")
            await cluster.groups.join(joining)
            ghost = next(f"x{n}" for n in range(99) if index_of(f"x{n}") == index_of("g"))
            request = DescribeGroupsRequest(
                groups=["g", ghost, "h"], include_authorized_operations=version >= 3
            )
            answer = await call(cluster, describe_groups, version, request)
            known, unknown, elsewhere = answer.groups
            assert (known.error_code, known.group_id) == (0, "g")
            assert (known.group_state, known.protocol_type) == ("CompletingRebalance", "consumer")
            assert [member.member_id for member in known.members] == ["m"]
            assert known.members[0].group_instance_id == ("i" if version >= 4 else None)
            operations = describe_groups.ALL_OPERATIONS if version >= 3 else -(2**31)
            assert known.authorized_operations == operations
            assert (unknown.group_id, unknown.group_state) == (ghost, "Dead")
            assert unknown.error_code == (ErrorCode.GROUP_ID_NOT_FOUND if version >= 6 else 0)
            assert (unknown.error_message is not None) == (version >= 6)
            assert elsewhere.error_code == ErrorCode.NOT_COORDINATOR

    test()


@in_loop
async def test_operations_only_when_asked() -> None:
    async with await ready_cluster() as cluster:
        await cluster.lead()
        await cluster.groups.join(join_request(group_id="g", fresh_member_id="m"))
        answer = await call(cluster, describe_groups, 5, DescribeGroupsRequest(groups=["g"]))
        assert answer.groups[0].authorized_operations == -(2**31)
