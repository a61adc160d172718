"""CreateTopics (key 19), versions 2–7.

    4   -1 partitions or replicas mean the defaults (KIP-464); accepted in all versions
    5   the topic as it was made, with its configuration (KIP-525)
    6   THROTTLING_QUOTA_EXCEEDED (KIP-599)
    7   topic ids

Forwarded to the controller; answered when every live broker has applied the change, or when the
client's time is up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from broker.control.requests import NewTopic, TopicResult
from broker.handlers.admin_calls import ask, bounded_timeout, repeated
from broker.handlers.mutation_quota import mutation_quota
from broker.handlers.spec import Answer, HandlerSpec, RequestContext
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.create_topics_request import CreatableTopic, CreateTopicsRequest
from ottla.protocol.messages.create_topics_response import (
    CreatableTopicConfigs,
    CreatableTopicResult,
    CreateTopicsResponse,
)

if TYPE_CHECKING:
    from broker.handlers.services import BrokerServices
    from broker.settings import NodeSettings

_STRICT_SINCE: Final = 6
_SOURCE_TOPIC: Final = 1
_SOURCE_DEFAULT: Final = 5


async def handle(
    services: BrokerServices, context: RequestContext, request: CreateTopicsRequest
) -> Answer:
    twice = repeated(topic.name for topic in request.topics)
    results = {
        name: _error(name, ErrorCode.INVALID_REQUEST, "the request names the topic more than once")
        for name in twice
    }
    quota = mutation_quota(
        services, context, strict_since=_STRICT_SINCE, is_trial=request.validate_only
    )
    asked: dict[str, CreatableTopic] = {}
    topics = []
    for topic in request.topics:
        if topic.name in twice:
            continue
        try:
            new = _new_topic(topic)
            quota.take(topic.name, _partition_count(new, services.settings))
            topics.append(new)
            asked[topic.name] = topic
        except ProtocolError as error:
            results[topic.name] = _error(topic.name, error.code, error.message)
    if topics:
        timeout_ms = bounded_timeout(request.timeout_ms)
        try:
            made = await ask(
                services.controller.create_topics(
                    topics, validate_only=request.validate_only, timeout_ms=timeout_ms
                ),
                timeout_ms,
            )
        except ProtocolError as error:
            results |= {name: _error(name, error.code, error.message) for name in asked}
        else:
            results |= {result.name: _result(result, asked.get(result.name)) for result in made}
    for name, result in results.items():
        if result.error_code:
            quota.give_back(name)
    return CreateTopicsResponse(quota.throttle_ms(), list(results.values()))


def fail(
    request: CreateTopicsRequest, version: int, code: ErrorCode, message: str | None
) -> CreateTopicsResponse:
    """The same error for every topic."""
    return CreateTopicsResponse(topics=[_error(t.name, code, message) for t in request.topics])


def _new_topic(topic: CreatableTopic) -> NewTopic:
    assignments = None
    if topic.assignments:
        if topic.num_partitions != -1 or topic.replication_factor != -1:
            raise ProtocolError(
                ErrorCode.INVALID_REQUEST,
                "give either an assignment of replicas, or numbers of partitions and replicas",
            )
        assignments = {a.partition_index: tuple(a.broker_ids) for a in topic.assignments}
        if len(assignments) != len(topic.assignments):
            raise ProtocolError(
                ErrorCode.INVALID_REPLICA_ASSIGNMENT, "the assignment names a partition twice"
            )
    if repeated(config.name for config in topic.configs):
        raise ProtocolError(ErrorCode.INVALID_REQUEST, "a setting is given more than once")
    return NewTopic(
        topic.name,
        topic.num_partitions,
        topic.replication_factor,
        assignments,
        {config.name: config.value for config in topic.configs},
    )


def _partition_count(topic: NewTopic, settings: NodeSettings) -> int:
    if topic.assignments is not None:
        return len(topic.assignments)
    return settings.num_partitions if topic.partition_count == -1 else topic.partition_count


def _result(result: TopicResult, asked: CreatableTopic | None) -> CreatableTopicResult:
    if result.code != ErrorCode.NONE:
        return _error(result.name, result.code, result.message)
    given = frozenset(config.name for config in asked.configs) if asked is not None else frozenset()
    return CreatableTopicResult(
        name=result.name,
        topic_id=result.topic_id,
        num_partitions=result.partition_count,
        replication_factor=result.replication_factor,
        configs=[
            CreatableTopicConfigs(
                name, value, False, _SOURCE_TOPIC if name in given else _SOURCE_DEFAULT, False
            )
            for name, value in sorted(result.configs.items())
        ],
    )


def _error(name: str, code: ErrorCode, message: str | None) -> CreatableTopicResult:
    return CreatableTopicResult(name=name, error_code=int(code), error_message=message, configs=[])


HANDLER = HandlerSpec(ApiKey.CREATE_TOPICS, 2, 7, handle, fail)
