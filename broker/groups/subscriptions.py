"""What a consumer's metadata says of its topics; opaque to the coordinator except for housekeeping.

    version int16 | ConsumerProtocolSubscription

Newer versions only append fields, so a newer one is read as the newest that is known (KIP-429).
"""

from __future__ import annotations

from struct import Struct
from typing import Final

from ottla.core.errors import DecodeError
from ottla.protocol.messages.consumer_protocol_subscription import ConsumerProtocolSubscription

_VERSION: Final = Struct(">h")


def subscribed_topics(metadata: bytes) -> frozenset[str] | None:
    """The topics of a member whose protocol type is ``consumer``; None when it cannot be read."""
    if len(metadata) < 2:
        return None
    version = _VERSION.unpack_from(metadata)[0]
    if version < 0:
        return None
    known = min(version, ConsumerProtocolSubscription.MAX_VERSION)
    try:
        return frozenset(ConsumerProtocolSubscription.decode(metadata, known, 2).topics)
    except DecodeError:
        return None
