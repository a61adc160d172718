"""What classic consumers say of their topics and are given; for others the bytes are opaque.

    version int16 | ConsumerProtocolSubscription or ConsumerProtocolAssignment

Newer versions only append fields, so a newer one is read as the newest that is known (KIP-429).
"""

from __future__ import annotations

from collections.abc import Iterable
from struct import Struct
from typing import Final

from ottla.core.errors import DecodeError
from ottla.protocol.messages import consumer_protocol_assignment
from ottla.protocol.messages.consumer_protocol_assignment import ConsumerProtocolAssignment
from ottla.protocol.messages.consumer_protocol_subscription import ConsumerProtocolSubscription

_VERSION: Final = Struct(">h")


def read_subscription(metadata: bytes) -> ConsumerProtocolSubscription | None:
    """Of a member whose protocol type is ``consumer``; None when it cannot be read."""
    version = _version(metadata, ConsumerProtocolSubscription.MAX_VERSION)
    if version is None:
        return None
    try:
        return ConsumerProtocolSubscription.decode(metadata, version, 2)
    except DecodeError:
        return None


def subscribed_topics(metadata: bytes) -> frozenset[str] | None:
    """The topics of `read_subscription`."""
    subscription = read_subscription(metadata)
    return None if subscription is None else frozenset(subscription.topics)


def read_assignment(assignment: bytes) -> list[tuple[str, int]]:
    """(topic, partition) of what a leader gave; nothing when it cannot be read."""
    version = _version(assignment, ConsumerProtocolAssignment.MAX_VERSION)
    if version is None:
        return []
    try:
        given = ConsumerProtocolAssignment.decode(assignment, version, 2)
    except DecodeError:
        return []
    return [(t.topic, index) for t in given.assigned_partitions for index in t.partitions]


def write_assignment(topics: Iterable[tuple[str, list[int]]], metadata: bytes) -> bytes:
    """For the member with `metadata`, in its version."""
    version = _version(metadata, ConsumerProtocolAssignment.MAX_VERSION) or 0
    parts = [consumer_protocol_assignment.TopicPartition(*topic) for topic in topics]
    return _VERSION.pack(version) + ConsumerProtocolAssignment(parts).encode(version)


def _version(data: bytes, newest: int) -> int | None:
    if len(data) < _VERSION.size:
        return None
    version: int = _VERSION.unpack_from(data)[0]
    return None if version < 0 else min(version, newest)
