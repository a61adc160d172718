"""OffsetFetch (key 9), versions 1–10.

2   null topics: everything that the group has committed; an error for the whole group
5   leader epochs (KIP-320)
7   require_stable (KIP-447): UNSTABLE_OFFSET_COMMIT while an open transaction may change an offset
8   many groups at once (KIP-709)
9   member id and epoch (KIP-848), which only a group of the consumer protocol checks
10  topics by id

A partition without a committed offset has offset -1 and no error, likewise one whose offset was
committed for a deleted topic of the same name.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final

from broker.groups.requests import FetchedOffset, FetchRequest
from broker.handlers.group_answers import answer_when_done
from broker.handlers.spec import Answer, HandlerSpec, RequestContext
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.core.identifiers import NIL_UUID, Uuid
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.offset_fetch_request import (
    OffsetFetchRequest,
    OffsetFetchRequestGroup,
    OffsetFetchRequestTopics,
)
from ottla.protocol.messages.offset_fetch_response import (
    OffsetFetchResponse,
    OffsetFetchResponseGroup,
    OffsetFetchResponsePartition,
    OffsetFetchResponsePartitions,
    OffsetFetchResponseTopic,
    OffsetFetchResponseTopics,
)

if TYPE_CHECKING:
    from broker.handlers.services import BrokerServices

_MANY_GROUPS: Final = 8
_BY_ID: Final = 10
_NO_OFFSET: Final = -1


def handle(
    services: BrokerServices, context: RequestContext, request: OffsetFetchRequest
) -> Answer:
    version = context.api_version
    groups = _groups(request, version)
    stable = request.require_stable
    futures = [_fetch(services, version, group) for group in groups]
    if len(groups) == 1:
        group = groups[0]
        return answer_when_done(
            futures[0],
            lambda fetched: _response(
                version, [_fetched(services, version, group, fetched, stable)]
            ),
            partial(fail, request, version),
        )
    return _answer_many(services, version, groups, futures, stable)


async def _answer_many(
    services: BrokerServices,
    version: int,
    groups: list[OffsetFetchRequestGroup],
    futures: list[asyncio.Future[list[FetchedOffset]]],
    stable: bool,
) -> Answer:
    answers = []
    results = await asyncio.gather(*futures, return_exceptions=True)
    for group, result in zip(groups, results, strict=True):
        if isinstance(result, ProtocolError):
            answers.append(_failed(group, version, result.code))
        elif isinstance(result, BaseException):
            raise result
        else:
            answers.append(_fetched(services, version, group, result, stable))
    return _response(version, answers)


def _groups(request: OffsetFetchRequest, version: int) -> list[OffsetFetchRequestGroup]:
    """The request as version 8 and later have it."""
    if version >= _MANY_GROUPS:
        return request.groups
    topics = None
    if request.topics is not None:
        topics = [
            OffsetFetchRequestTopics(name=topic.name, partition_indexes=topic.partition_indexes)
            for topic in request.topics
        ]
    return [OffsetFetchRequestGroup(group_id=request.group_id, topics=topics)]


def _fetch(
    services: BrokerServices, version: int, group: OffsetFetchRequestGroup
) -> asyncio.Future[list[FetchedOffset]]:
    topics = None
    if group.topics is not None:
        topics = tuple(
            # A topic id that is unknown here gets an empty name, for which nothing is committed.
            (_name(services, version, topic) or "", tuple(topic.partition_indexes))
            for topic in group.topics
        )
    return services.groups.fetch(
        FetchRequest(group.group_id, topics, group.member_id, group.member_epoch)
    )


def _name(services: BrokerServices, version: int, asked: OffsetFetchRequestTopics) -> str | None:
    if version < _BY_ID:
        return asked.name
    topic = services.metadata.state.topics.get(asked.topic_id)
    return None if topic is None else topic.name


def _fetched(
    services: BrokerServices,
    version: int,
    group: OffsetFetchRequestGroup,
    fetched: list[FetchedOffset],
    stable: bool,
) -> OffsetFetchResponseGroup:
    partitions = [_partition(services, offset, stable) for offset in fetched]
    if group.topics is None:
        return _everything(services, version, group, fetched, partitions)
    topics = []
    rest = iter(partitions)
    for asked in group.topics:
        is_unknown = _name(services, version, asked) is None
        found = [next(rest) for _ in asked.partition_indexes]
        if is_unknown:
            for partition in found:
                partition.error_code = int(ErrorCode.UNKNOWN_TOPIC_ID)
        topics.append(OffsetFetchResponseTopics(asked.name, asked.topic_id, found))
    return OffsetFetchResponseGroup(group.group_id, topics)


def _everything(
    services: BrokerServices,
    version: int,
    group: OffsetFetchRequestGroup,
    fetched: list[FetchedOffset],
    partitions: list[OffsetFetchResponsePartitions],
) -> OffsetFetchResponseGroup:
    """All topics of the group; from version 10 on, which tells no names, those that have an id."""
    topics: dict[str, OffsetFetchResponseTopics] = {}
    topic_ids = services.metadata.state.topic_ids
    for offset, partition in zip(fetched, partitions, strict=True):
        topic_id: Uuid = NIL_UUID
        if version >= _BY_ID:
            if offset.topic not in topic_ids:
                continue
            topic_id = topic_ids[offset.topic]
        if partition.committed_offset == _NO_OFFSET and not partition.error_code:
            continue
        topic = topics.get(offset.topic)
        if topic is None:
            topic = topics[offset.topic] = OffsetFetchResponseTopics(offset.topic, topic_id, [])
        topic.partitions.append(partition)
    return OffsetFetchResponseGroup(group.group_id, list(topics.values()))


def _partition(
    services: BrokerServices, fetched: FetchedOffset, stable: bool
) -> OffsetFetchResponsePartitions:
    committed = fetched.committed
    if stable and fetched.is_unstable:
        code = int(ErrorCode.UNSTABLE_OFFSET_COMMIT)
        return OffsetFetchResponsePartitions(fetched.partition, _NO_OFFSET, -1, "", code)
    if committed is None or not services.groups.is_current(fetched):
        return OffsetFetchResponsePartitions(fetched.partition, _NO_OFFSET, -1, "", 0)
    return OffsetFetchResponsePartitions(
        fetched.partition, committed.offset, committed.leader_epoch, committed.metadata, 0
    )


def _failed(
    group: OffsetFetchRequestGroup, version: int, code: ErrorCode
) -> OffsetFetchResponseGroup:
    """Version 1 has no place for the error but the partitions; later ones then leave them out."""
    if version >= 2 or group.topics is None:
        return OffsetFetchResponseGroup(group.group_id, [], int(code))
    topics = [
        OffsetFetchResponseTopics(
            asked.name,
            asked.topic_id,
            [
                OffsetFetchResponsePartitions(index, _NO_OFFSET, -1, "", int(code))
                for index in asked.partition_indexes
            ],
        )
        for asked in group.topics
    ]
    return OffsetFetchResponseGroup(group.group_id, topics, int(code))


def _response(version: int, groups: list[OffsetFetchResponseGroup]) -> OffsetFetchResponse:
    if version >= _MANY_GROUPS:
        return OffsetFetchResponse(groups=groups)
    only = groups[0]
    return OffsetFetchResponse(
        topics=[
            OffsetFetchResponseTopic(
                topic.name,
                [
                    OffsetFetchResponsePartition(
                        partition.partition_index,
                        partition.committed_offset,
                        partition.committed_leader_epoch,
                        partition.metadata,
                        partition.error_code,
                    )
                    for partition in topic.partitions
                ],
            )
            for topic in only.topics
        ],
        error_code=only.error_code,
    )


def fail(
    request: OffsetFetchRequest, version: int, code: ErrorCode, message: str | None
) -> OffsetFetchResponse:
    """The same error for every group."""
    return _response(
        version, [_failed(group, version, code) for group in _groups(request, version)]
    )


HANDLER = HandlerSpec(ApiKey.OFFSET_FETCH, 1, 10, handle, fail)
