from __future__ import annotations

import pytest

from ottla.client.cluster import Cluster
from ottla.client.coordinator import GroupCoordinatorLink
from ottla.client.groups import (
    assign_ranges,
    decode_assignment,
    decode_subscription,
    encode_assignment,
    encode_subscription,
    read_committed_offsets,
)
from ottla.core.errors import DecodeError
from ottla.protocol.messages.consumer_protocol_subscription import ConsumerProtocolSubscription
from tests.support.fake_kafka import FakeKafka


def test_subscriptions() -> None:
    data = encode_subscription(["b", "a"])
    assert data == bytes.fromhex("0000 00000002 0001 61 0001 62 ffffffff")
    assert decode_subscription(data) == ["a", "b"]


def test_a_subscription_of_a_later_version() -> None:
    later = b"\x00\x63" + ConsumerProtocolSubscription(["a"]).encode(3) + b"new fields"
    assert decode_subscription(later) == ["a"]


def test_assignments() -> None:
    data = encode_assignment([("b", 1), ("a", 2), ("b", 0)])
    assert decode_assignment(data) == [("a", 2), ("b", 0), ("b", 1)]
    assert decode_assignment(b"") == []


@pytest.mark.parametrize("data", [b"\x00", b"\xff\xff", b"\x00\x00\x7f\xff\xff\xff"])
def test_bad_member_data(data: bytes) -> None:
    with pytest.raises(DecodeError):
        decode_assignment(data)
    with pytest.raises(DecodeError):
        decode_subscription(data)


def test_ranges_as_kafkas_range_assignor_gives_them() -> None:
    # Examples of org.apache.kafka.clients.consumer.RangeAssignor's documentation.
    two = {"c1": ["t0", "t1"], "c0": ["t0", "t1"]}
    assert assign_ranges(two, {"t0": 3, "t1": 3}) == {
        "c0": [("t0", 0), ("t0", 1), ("t1", 0), ("t1", 1)],
        "c1": [("t0", 2), ("t1", 2)],
    }


def test_ranges_with_different_subscriptions_and_missing_topics() -> None:
    members = {"a": ["x"], "b": ["x", "y"], "c": ["gone"]}
    assert assign_ranges(members, {"x": 1, "y": 2}) == {
        "a": [("x", 0)],
        "b": [("y", 0), ("y", 1)],
        "c": [],
    }


def test_committed_offsets() -> None:
    kafka = FakeKafka()
    kafka.committed = {("t", 0): 5, ("t", 1): 0}
    link = GroupCoordinatorLink(Cluster(kafka.bootstrap, kafka.options()), "g")
    assert read_committed_offsets(link, [("t", 0), ("t", 2)]) == {("t", 0): 5}
    assert read_committed_offsets(link, None) == {("t", 0): 5, ("t", 1): 0}
