"""The consumer protocol inside the group protocol: subscriptions, assignments, offsets.

Subscriptions and assignments are opaque to the coordinator: a two-byte version and then the
message of that version. The range assignor is Kafka's, so members written in other languages and
ours may share a group.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from struct import Struct

from ottla.client.coordinator import GroupCoordinatorLink
from ottla.client.errors import check_code
from ottla.client.offsets import TopicPartition
from ottla.core.errors import DecodeError
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.consumer_protocol_assignment import (
    ConsumerProtocolAssignment,
)
from ottla.protocol.messages.consumer_protocol_assignment import (
    TopicPartition as AssignedTopic,
)
from ottla.protocol.messages.consumer_protocol_subscription import (
    ConsumerProtocolSubscription,
)
from ottla.protocol.messages.offset_fetch_request import (
    OffsetFetchRequest,
    OffsetFetchRequestTopic,
)
from ottla.protocol.messages.offset_fetch_response import OffsetFetchResponse

PROTOCOL_TYPE = "consumer"
RANGE = "range"
_VERSION = Struct(">h")


def encode_subscription(topics: Iterable[str]) -> bytes:
    """A member's subscription, version 0, which every client reads."""
    return _VERSION.pack(0) + ConsumerProtocolSubscription(sorted(topics)).encode(0)


def decode_subscription(data: bytes) -> list[str]:
    """The topics of a subscription of any version; DecodeError."""
    version = _version(data)
    known = min(version, ConsumerProtocolSubscription.MAX_VERSION)
    return ConsumerProtocolSubscription.decode(data, known, _VERSION.size).topics


def encode_assignment(partitions: Iterable[TopicPartition]) -> bytes:
    """A member's assignment, version 0."""
    topics: dict[str, list[int]] = defaultdict(list)
    for topic, index in partitions:
        topics[topic].append(index)
    assigned = [AssignedTopic(topic, sorted(indexes)) for topic, indexes in sorted(topics.items())]
    return _VERSION.pack(0) + ConsumerProtocolAssignment(assigned).encode(0)


def decode_assignment(data: bytes) -> list[TopicPartition]:
    """The partitions of an assignment of any version; none for an empty one. DecodeError."""
    if not data:
        return []
    known = min(_version(data), ConsumerProtocolAssignment.MAX_VERSION)
    assignment = ConsumerProtocolAssignment.decode(data, known, _VERSION.size)
    return [
        (topic.topic, index)
        for topic in assignment.assigned_partitions
        for index in topic.partitions
    ]


def _version(data: bytes) -> int:
    if len(data) < _VERSION.size:
        raise DecodeError("a group member's data is shorter than its version")
    (version,) = _VERSION.unpack_from(data)
    if version < 0:
        raise DecodeError(f"a group member's data has version {version}")
    return int(version)


def assign_ranges(
    subscriptions: Mapping[str, Collection[str]], partition_counts: Mapping[str, int]
) -> dict[str, list[TopicPartition]]:
    """Kafka's RangeAssignor: of each topic, every subscriber gets neighbouring partitions.

    `subscriptions` maps member id → topics. The first members, by id, get one more where the
    division leaves a rest. Topics without a count (they do not exist) are left out.
    """
    assignment: dict[str, list[TopicPartition]] = {member: [] for member in subscriptions}
    for topic in sorted({topic for topics in subscriptions.values() for topic in topics}):
        members = sorted(member for member, topics in subscriptions.items() if topic in topics)
        each, rest = divmod(partition_counts.get(topic, 0), len(members))
        first = 0
        for number, member in enumerate(members):
            count = each + (1 if number < rest else 0)
            assignment[member] += [(topic, index) for index in range(first, first + count)]
            first += count
    return assignment


def read_committed_offsets(
    link: GroupCoordinatorLink,
    partitions: Collection[TopicPartition] | None,
    *,
    require_stable: bool = False,
) -> dict[TopicPartition, int]:
    """A group's committed offsets, asked once; of all its partitions when None.

    Partitions without one are left out. ProtocolError with the coordinator's code; with
    `require_stable` (KIP-447) also UNSTABLE_OFFSET_COMMIT while an open transaction may change one.
    """
    topics: list[OffsetFetchRequestTopic] | None = None
    if partitions is not None:
        by_topic: dict[str, list[int]] = defaultdict(list)
        for topic, index in partitions:
            by_topic[topic].append(index)
        topics = [OffsetFetchRequestTopic(topic, indexes) for topic, indexes in by_topic.items()]
    request = OffsetFetchRequest(
        group_id=link.group_id, topics=topics, require_stable=require_stable
    )
    response = link.ask(ApiKey.OFFSET_FETCH, request, OffsetFetchResponse)
    link.check(response.error_code)
    committed: dict[TopicPartition, int] = {}
    for found in response.topics:
        for partition in found.partitions:
            index = partition.partition_index
            check_code(partition.error_code, f"partition {index} of topic '{found.name}'")
            if partition.committed_offset >= 0:
                committed[found.name, index] = partition.committed_offset
    return committed
