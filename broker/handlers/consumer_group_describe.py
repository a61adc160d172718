"""ConsumerGroupDescribe (key 69), versions 0–1: groups of the consumer protocol (KIP-848).

1   whether a member speaks the classic or the consumer protocol (KIP-1099)

A classic group is GROUP_ID_NOT_FOUND: tools then ask DescribeGroups.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from broker.groups.consumer.records import by_topic
from broker.groups.consumer.requests import ConsumerGroupDescription, DescribedConsumer
from broker.groups.consumer.stored import TopicPartitions as Partitions
from broker.handlers.describe_groups import ALL_OPERATIONS
from broker.handlers.spec import Answer, HandlerSpec, RequestContext
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.consumer_group_describe_request import ConsumerGroupDescribeRequest
from ottla.protocol.messages.consumer_group_describe_response import (
    Assignment,
    ConsumerGroupDescribeResponse,
    DescribedGroup,
    Member,
    TopicPartitions,
)

if TYPE_CHECKING:
    from broker.handlers.services import BrokerServices

CLASSIC_MEMBER: Final = 0
CONSUMER_MEMBER: Final = 1


def handle(
    services: BrokerServices, context: RequestContext, request: ConsumerGroupDescribeRequest
) -> Answer:
    futures = [services.groups.describe_consumers(group_id) for group_id in request.group_ids]
    return _answer(services, request, futures)


async def _answer(
    services: BrokerServices,
    request: ConsumerGroupDescribeRequest,
    futures: list[asyncio.Future[ConsumerGroupDescription]],
) -> Answer:
    groups = []
    results = await asyncio.gather(*futures, return_exceptions=True)
    for group_id, result in zip(request.group_ids, results, strict=True):
        if isinstance(result, ProtocolError):
            groups.append(_failed(group_id, result.code, result.message))
            continue
        if isinstance(result, BaseException):
            raise result
        described = _described(services, result)
        if request.include_authorized_operations:
            described.authorized_operations = ALL_OPERATIONS
        groups.append(described)
    return ConsumerGroupDescribeResponse(groups=groups)


def _described(services: BrokerServices, group: ConsumerGroupDescription) -> DescribedGroup:
    return DescribedGroup(
        group_id=group.group_id,
        group_state=group.state,
        group_epoch=group.epoch,
        assignment_epoch=group.assignment_epoch,
        assignor_name=group.assignor,
        members=[_member(services, member) for member in group.members],
    )


def _member(services: BrokerServices, member: DescribedConsumer) -> Member:
    subscriber = member.subscriber
    return Member(
        member_id=member.member_id,
        instance_id=subscriber.instance_id,
        rack_id=subscriber.rack_id,
        member_epoch=member.member_epoch,
        client_id=subscriber.client_id,
        client_host=subscriber.client_host,
        subscribed_topic_names=list(subscriber.topics),
        subscribed_topic_regex=subscriber.regex or None,
        assignment=_assignment(services, member.assigned),
        target_assignment=_assignment(services, member.target),
        member_type=CONSUMER_MEMBER if subscriber.classic is None else CLASSIC_MEMBER,
    )


def _assignment(services: BrokerServices, partitions: Partitions) -> Assignment:
    """By id and name; a topic that is gone has no name, and is left out."""
    names = services.groups.topics_view().names
    return Assignment(
        [
            TopicPartitions(topic_id, names[topic_id], indexes)
            for topic_id, indexes in by_topic(partitions)
            if topic_id in names
        ]
    )


def _failed(group_id: str, code: ErrorCode, message: str | None) -> DescribedGroup:
    return DescribedGroup(error_code=int(code), error_message=message, group_id=group_id)


def fail(
    request: ConsumerGroupDescribeRequest, version: int, code: ErrorCode, message: str | None
) -> ConsumerGroupDescribeResponse:
    """The same error for every group."""
    return ConsumerGroupDescribeResponse(
        groups=[_failed(group_id, code, message) for group_id in request.group_ids]
    )


HANDLER = HandlerSpec(ApiKey.CONSUMER_GROUP_DESCRIBE, 0, 1, handle, fail)
