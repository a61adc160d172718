from __future__ import annotations

from broker.groups.requests import JoinResult
from ottla.core.errors import ErrorCode


def test_a_result_without_a_generation_says_so() -> None:
    result = JoinResult("m", error=ErrorCode.MEMBER_ID_REQUIRED)
    assert result.generation == -1
    assert result.protocol is None
    assert result.members == ()
