from __future__ import annotations

import pytest

from broker.groups.subscriptions import subscribed_topics
from ottla.protocol.messages.consumer_protocol_subscription import ConsumerProtocolSubscription


@pytest.mark.parametrize("version", range(4))
def test_the_topics_of_every_version(version: int) -> None:
    message = ConsumerProtocolSubscription(topics=["a", "b"])
    metadata = version.to_bytes(2, "big") + message.encode(version)
    assert subscribed_topics(metadata) == frozenset({"a", "b"})


def test_a_newer_version_is_read_as_far_as_known() -> None:
    message = ConsumerProtocolSubscription(topics=["a"])
    assert subscribed_topics(b"\0\x63" + message.encode(3) + b"more") == frozenset({"a"})


@pytest.mark.parametrize("metadata", [b"", b"\0", b"\xff\xff", b"\0\1\0\0\0\5"])
def test_what_cannot_be_read_is_unknown(metadata: bytes) -> None:
    assert subscribed_topics(metadata) is None
