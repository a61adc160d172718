"""CreatePartitions (key 37), versions 0–3: more partitions for existing topics (KIP-195).

3   THROTTLING_QUOTA_EXCEEDED (KIP-599)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from broker.control.requests import NewPartitions
from broker.handlers.admin_calls import ask, bounded_timeout, repeated
from broker.handlers.mutation_quota import mutation_quota
from broker.handlers.spec import Answer, HandlerSpec, RequestContext
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.create_partitions_request import CreatePartitionsRequest
from ottla.protocol.messages.create_partitions_response import (
    CreatePartitionsResponse,
    CreatePartitionsTopicResult,
)

if TYPE_CHECKING:
    from broker.handlers.services import BrokerServices


_STRICT_SINCE: Final = 3


async def handle(
    services: BrokerServices, context: RequestContext, request: CreatePartitionsRequest
) -> Answer:
    twice = repeated(topic.name for topic in request.topics)
    results = [
        _result(name, ErrorCode.INVALID_REQUEST, "the request names the topic more than once")
        for name in sorted(twice)
    ]
    quota = mutation_quota(
        services, context, strict_since=_STRICT_SINCE, is_trial=request.validate_only
    )
    wanted = []
    for topic in request.topics:
        if topic.name in twice:
            continue
        known = services.metadata.state.topic_named(topic.name)
        try:
            quota.take(topic.name, 0 if known is None else topic.count - len(known.partitions))
        except ProtocolError as error:
            results.append(_result(topic.name, error.code, error.message))
            continue
        assignments = topic.assignments
        wanted.append(
            NewPartitions(
                topic.name,
                topic.count,
                None if assignments is None else [tuple(one.broker_ids) for one in assignments],
            )
        )
    if wanted:
        timeout_ms = bounded_timeout(request.timeout_ms)
        try:
            done = await ask(
                services.controller.create_partitions(
                    wanted, validate_only=request.validate_only, timeout_ms=timeout_ms
                ),
                timeout_ms,
            )
        except ProtocolError as error:
            results += [_result(topic.name, error.code, error.message) for topic in wanted]
        else:
            results += [_result(one.name, one.code, one.message) for one in done]
    for result in results:
        if result.error_code:
            quota.give_back(result.name)
    return CreatePartitionsResponse(quota.throttle_ms(), results)


def fail(
    request: CreatePartitionsRequest, version: int, code: ErrorCode, message: str | None
) -> CreatePartitionsResponse:
    """The same error for every topic."""
    return CreatePartitionsResponse(
        results=[_result(topic.name, code, message) for topic in request.topics]
    )


def _result(name: str, code: ErrorCode, message: str | None) -> CreatePartitionsTopicResult:
    return CreatePartitionsTopicResult(name, int(code), message)


HANDLER = HandlerSpec(ApiKey.CREATE_PARTITIONS, 0, 3, handle, fail)
