"""DescribeUserScramCredentials (key 50), version 0: which SCRAM credentials users have (KIP-554).

None are kept here, since clients are not authenticated by SCRAM: of all users nothing is told, and
who is named is answered RESOURCE_NOT_FOUND, as in Kafka. Its tool for users asks for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from broker.handlers.admin_calls import repeated
from broker.handlers.spec import Answer, HandlerSpec, RequestContext
from ottla.core.errors import ErrorCode
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.describe_user_scram_credentials_request import (
    DescribeUserScramCredentialsRequest,
)
from ottla.protocol.messages.describe_user_scram_credentials_response import (
    DescribeUserScramCredentialsResponse,
    DescribeUserScramCredentialsResult,
)

if TYPE_CHECKING:
    from broker.handlers.services import BrokerServices


def handle(
    services: BrokerServices, context: RequestContext, request: DescribeUserScramCredentialsRequest
) -> Answer:
    names = [user.name for user in request.users or ()]
    twice = repeated(names)
    return DescribeUserScramCredentialsResponse(
        error_message=None, results=[_result(name, twice) for name in dict.fromkeys(names)]
    )


def _result(name: str, twice: frozenset[str]) -> DescribeUserScramCredentialsResult:
    if name in twice:
        code, message = ErrorCode.DUPLICATE_RESOURCE, f"the request names '{name}' more than once"
    else:
        code, message = ErrorCode.RESOURCE_NOT_FOUND, f"'{name}' has no SCRAM credentials"
    return DescribeUserScramCredentialsResult(name, int(code), message)


HANDLER = HandlerSpec(ApiKey.DESCRIBE_USER_SCRAM_CREDENTIALS, 0, 0, handle)
