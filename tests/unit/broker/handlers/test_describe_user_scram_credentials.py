from __future__ import annotations

from typing import TYPE_CHECKING, cast

from broker.handlers import describe_user_scram_credentials
from ottla.core.errors import ErrorCode
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.describe_user_scram_credentials_request import (
    DescribeUserScramCredentialsRequest,
    UserName,
)
from ottla.protocol.messages.describe_user_scram_credentials_response import (
    DescribeUserScramCredentialsResponse,
)

if TYPE_CHECKING:
    from tests.unit.broker.handlers.conftest import World


def described(world: World, names: list[str] | None) -> dict[str, int]:
    context = world.context(ApiKey.DESCRIBE_USER_SCRAM_CREDENTIALS, 0)
    users = None if names is None else [UserName(name) for name in names]
    asked = DescribeUserScramCredentialsRequest(users)
    answer = describe_user_scram_credentials.handle(world.services, context, asked)
    answer = cast(DescribeUserScramCredentialsResponse, answer)
    answer = DescribeUserScramCredentialsResponse.decode(answer.encode(0), 0)
    assert (answer.error_code, answer.error_message) == (0, None)
    assert all(result.error_message for result in answer.results)
    assert not any(result.credential_infos for result in answer.results)
    return {result.user: result.error_code for result in answer.results}


def test_nobody_has_any(world: World) -> None:
    assert described(world, None) == {}
    assert described(world, []) == {}
    assert described(world, ["a", "b", "b"]) == {
        "a": ErrorCode.RESOURCE_NOT_FOUND,
        "b": ErrorCode.DUPLICATE_RESOURCE,
    }
