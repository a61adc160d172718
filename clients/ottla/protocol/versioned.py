"""Messages that carry their own version: int16 version, then the body in that version.

So travel the keys and values of ``__consumer_offsets`` and ``__transaction_state`` and the consumer
protocol's subscriptions and assignments, which clients put into JoinGroup and SyncGroup.
"""

from __future__ import annotations

import struct
from typing import TypeVar, cast

from ottla.core.errors import DecodeError
from ottla.protocol.message import Buffer, Message

_VERSION = struct.Struct(">h")
VERSION_SIZE = _VERSION.size

MessageT = TypeVar("MessageT", bound=Message)


def encode_versioned(message: Message, version: int) -> bytes:
    """`version` and the message in it; ValueError as `Message.encode`."""
    out = bytearray(_VERSION.pack(version))
    message.encode_into(out, version)
    return bytes(out)


def peek_version(data: Buffer) -> int:
    """The version that `data` starts with: for record keys it also tells the kind of the key."""
    if len(data) < VERSION_SIZE:
        raise DecodeError("a versioned message is shorter than its version")
    (version,) = _VERSION.unpack_from(data)
    return int(version)


def decode_versioned(
    kind: type[MessageT], data: Buffer, *, newer_as_newest: bool = False
) -> tuple[MessageT, int]:
    """The message and the version that it says it has; DecodeError for an unknown version.

    With `newer_as_newest` a version above the known ones is read as the newest known one: clients
    are to extend the consumer protocol only at its end (KIP-429), and bytes behind are ignored.
    """
    version = peek_version(data)
    read_as = min(version, kind.MAX_VERSION) if newer_as_newest else version
    return cast(MessageT, kind.decode(data, read_as, VERSION_SIZE)), version
