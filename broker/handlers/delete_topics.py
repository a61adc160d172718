"""DeleteTopics (key 20), versions 1–6.

5   messages for people; THROTTLING_QUOTA_EXCEEDED (KIP-599)
6   topics by id as well as by name (KIP-516)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from broker.handlers.admin_calls import ask, bounded_timeout, repeated
from broker.handlers.mutation_quota import mutation_quota
from broker.handlers.spec import Answer, HandlerSpec, RequestContext
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.core.identifiers import NIL_UUID, Uuid
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.delete_topics_request import DeleteTopicsRequest
from ottla.protocol.messages.delete_topics_response import (
    DeletableTopicResult,
    DeleteTopicsResponse,
)

if TYPE_CHECKING:
    from broker.handlers.services import BrokerServices


_STRICT_SINCE: Final = 5


async def handle(
    services: BrokerServices, context: RequestContext, request: DeleteTopicsRequest
) -> Answer:
    asked = _asked(request, context.api_version)
    twice = repeated(name if isinstance(name, str) else name.hex() for name in asked)
    results = []
    quota = mutation_quota(services, context, strict_since=_STRICT_SINCE)
    wanted: list[str | Uuid] = []
    for name in dict.fromkeys(asked):
        if (name if isinstance(name, str) else name.hex()) in twice:
            message = "the request names the topic more than once"
            results.append(_error(name, ErrorCode.INVALID_REQUEST, message))
            continue
        try:
            quota.take(name, _partition_count(services, name))
        except ProtocolError as error:
            results.append(_error(name, error.code, error.message))
        else:
            wanted.append(name)
    if wanted:
        timeout_ms = bounded_timeout(request.timeout_ms)
        try:
            done = await ask(services.controller.delete_topics(wanted, timeout_ms), timeout_ms)
        except ProtocolError as error:
            for name in wanted:
                quota.give_back(name)
                results.append(_error(name, error.code, error.message))
        else:
            for name, result in zip(wanted, done, strict=True):
                if result.code:
                    quota.give_back(name)
                results.append(
                    DeletableTopicResult(
                        result.name or None, result.topic_id, int(result.code), result.message
                    )
                )
    return DeleteTopicsResponse(quota.throttle_ms(), results)


def _partition_count(services: BrokerServices, name: str | Uuid) -> int:
    state = services.metadata.state
    topic = state.topic_named(name) if isinstance(name, str) else state.topics.get(name)
    return 0 if topic is None else len(topic.partitions)


def fail(
    request: DeleteTopicsRequest, version: int, code: ErrorCode, message: str | None
) -> DeleteTopicsResponse:
    """The same error for every topic."""
    return DeleteTopicsResponse(
        responses=[_error(name, code, message) for name in _asked(request, version)]
    )


def _asked(request: DeleteTopicsRequest, version: int) -> list[str | Uuid]:
    if version < 6:
        return list(request.topic_names)
    return [t.name if t.name is not None else t.topic_id for t in request.topics]


def _error(name: str | Uuid, code: ErrorCode, message: str | None) -> DeletableTopicResult:
    if isinstance(name, str):
        return DeletableTopicResult(name, NIL_UUID, int(code), message)
    return DeletableTopicResult(None, name, int(code), message)


HANDLER = HandlerSpec(ApiKey.DELETE_TOPICS, 1, 6, handle, fail)
