from __future__ import annotations

import pytest

from broker.groups.requests import CommitRequest, OffsetToCommit
from broker.handlers import delete_groups
from ottla.core.errors import ErrorCode
from ottla.protocol.messages.delete_groups_request import DeleteGroupsRequest
from tests.support.group_driver import join_request
from tests.support.group_handlers import call, ready_cluster, versions
from tests.support.in_loop import in_loop


@pytest.mark.parametrize("version", versions(delete_groups))
def test_each_group_has_its_result(version: int) -> None:
    @in_loop
    async def test() -> None:
        async with await ready_cluster() as cluster:
            await cluster.lead()
            await cluster.groups.join(join_request(group_id="g", fresh_member_id="m"))
            offset = OffsetToCommit("t", 0, 1)
            await cluster.groups.commit(CommitRequest("simple", "", None, -1, (offset,)))
            request = DeleteGroupsRequest(groups_names=["g", "simple", "ghost", "simple"])
            answer = await call(cluster, delete_groups, version, request)
            assert {result.group_id: result.error_code for result in answer.results} == {
                "g": ErrorCode.NON_EMPTY_GROUP,
                "simple": 0,
                "ghost": ErrorCode.GROUP_ID_NOT_FOUND,
            }
            assert len(answer.results) == 3
            assert [g.group_id for g in await cluster.groups.list_groups()] == ["g"]

    test()
