"""ListPartitionReassignments (key 46), version 0: reassignments that are under way (KIP-455).

Answered from this broker's metadata, which has what AlterPartitionReassignments answered for. What
does not exist, or is not being reassigned, is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from broker.handlers.spec import Answer, HandlerSpec, RequestContext
from controller.state import PartitionMetadata, TopicMetadata
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.list_partition_reassignments_request import (
    ListPartitionReassignmentsRequest,
)
from ottla.protocol.messages.list_partition_reassignments_response import (
    ListPartitionReassignmentsResponse,
    OngoingPartitionReassignment,
    OngoingTopicReassignment,
)

if TYPE_CHECKING:
    from broker.handlers.services import BrokerServices


def handle(
    services: BrokerServices, context: RequestContext, request: ListPartitionReassignmentsRequest
) -> Answer:
    topics = []
    for topic, partitions in _asked(services, request):
        ongoing = [
            OngoingPartitionReassignment(
                partition.index,
                [*partition.replicas],
                [*partition.adding_replicas],
                [*partition.removing_replicas],
            )
            for partition in partitions
            if partition.is_reassigning
        ]
        if ongoing:
            topics.append(OngoingTopicReassignment(topic.name, ongoing))
    return ListPartitionReassignmentsResponse(error_message=None, topics=topics)


def _asked(
    services: BrokerServices, request: ListPartitionReassignmentsRequest
) -> Iterator[tuple[TopicMetadata, list[PartitionMetadata]]]:
    state = services.metadata.state
    if request.topics is None:
        for topic in state.topics.values():
            yield topic, [*topic.partitions]
        return
    for asked in request.topics:
        found = state.topic_named(asked.name)
        if found is not None:
            wanted = {*asked.partition_indexes}
            yield found, [p for p in found.partitions if p.index in wanted]


HANDLER = HandlerSpec(ApiKey.LIST_PARTITION_REASSIGNMENTS, 0, 0, handle)
