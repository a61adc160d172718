"""The frames of a replication stream: pure encoding and decoding.

A gRPC message is one frame after another, each a header of nine bytes and a body, big-endian:

    0        1                 5                 9
    +--------+-----------------+-----------------+------ ... ------+
    | kind   | number          | body size       | body            |
    | uint8  | uint32          | uint32          |                 |
    +--------+-----------------+-----------------+------ ... ------+

`number` is the number of a subscription, or, in a subscribe and in its answer, of the request. The
bodies are drawn in README.md. A size is checked against what the message holds before anything is
taken from it; unknown kinds are skipped, so that a newer peer may say more.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from broker.generated import replication_pb2
from ottla.core.errors import DecodeError
from ottla.core.identifiers import Uuid

Buffer: TypeAlias = bytes | bytearray | memoryview

SUBSCRIBE = int(replication_pb2.SUBSCRIBE)
ACKNOWLEDGE = int(replication_pb2.ACKNOWLEDGE)
UNSUBSCRIBE = int(replication_pb2.UNSUBSCRIBE)
CANNOT_APPEND = int(replication_pb2.CANNOT_APPEND)
LOG_START = int(replication_pb2.LOG_START)
SUBSCRIBED = int(replication_pb2.SUBSCRIBED)
DIVERGING = int(replication_pb2.DIVERGING)
RESET = int(replication_pb2.RESET)
REFUSED = int(replication_pb2.REFUSED)
DATA = int(replication_pb2.DATA)
STATE = int(replication_pb2.STATE)
CANCELLED = int(replication_pb2.CANCELLED)
HEARTBEAT = int(replication_pb2.HEARTBEAT)
OTHER_STREAM = int(replication_pb2.OTHER_STREAM)

HEADER = struct.Struct(">BII")
SUBSCRIBE_BODY = struct.Struct(">16siiqqiq")
OFFSET_BODY = struct.Struct(">q")
CODE_BODY = struct.Struct(">h")
SUBSCRIBED_BODY = struct.Struct(">Iqq")
DIVERGING_BODY = struct.Struct(">iq")
STATE_BODY = struct.Struct(">qq")
DATA_PREFIX = struct.Struct(">qqq")
"""Position, high watermark, log start offset; whole record batches follow."""

_NO_EPOCH = -1
"""On the wire only: a log without records has no last epoch."""


@dataclass(frozen=True, slots=True)
class Subscribe:
    """What a follower says of its log when it asks for a partition (SAFETY rule 10)."""

    topic_id: Uuid
    partition: int
    leader_epoch: int
    broker_epoch: int
    log_end_offset: int
    last_epoch: int | None
    """Leader epoch of the last record in the log; None when the log holds none."""
    log_start_offset: int
    """What is saved of it, as in LOG_START."""


def frame(kind: int, number: int, body: bytes = b"") -> bytes:
    """One frame whose body is at hand."""
    return HEADER.pack(kind, number, len(body)) + body


def encode_subscribe(request: int, ask: Subscribe) -> bytes:
    return HEADER.pack(SUBSCRIBE, request, SUBSCRIBE_BODY.size) + SUBSCRIBE_BODY.pack(
        ask.topic_id,
        ask.partition,
        ask.leader_epoch,
        ask.broker_epoch,
        ask.log_end_offset,
        _NO_EPOCH if ask.last_epoch is None else ask.last_epoch,
        ask.log_start_offset,
    )


def decode_subscribe(body: Buffer) -> Subscribe:
    """DecodeError when the body has another size than a subscribe."""
    topic_id, partition, leader_epoch, broker_epoch, log_end, last_epoch, log_start = unpack(
        SUBSCRIBE_BODY, body
    )
    return Subscribe(
        topic_id,
        partition,
        leader_epoch,
        broker_epoch,
        log_end,
        None if last_epoch == _NO_EPOCH else last_epoch,
        log_start,
    )


def data_header(
    subscription: int, position: int, high_watermark: int, log_start: int, size: int
) -> bytes:
    """All of a data frame but its `size` bytes of batches."""
    return HEADER.pack(DATA, subscription, DATA_PREFIX.size + size) + DATA_PREFIX.pack(
        position, high_watermark, log_start
    )


def unpack(layout: struct.Struct, body: Buffer) -> tuple[Any, ...]:
    """The fields of a body of fixed size; DecodeError when it has another one."""
    if len(body) != layout.size:
        raise DecodeError(f"a frame body of {len(body)} bytes where {layout.size} are due")
    return layout.unpack(body)


def iter_frames(message: Buffer) -> Iterator[tuple[int, int, memoryview]]:
    """(kind, number, body) of every frame; bodies are borrowed from `message`.

    DecodeError on a torn header, or on a body that claims more than the message holds.
    """
    view = memoryview(message)
    size = len(view)
    position = 0
    while position < size:
        start = position + HEADER.size
        if start > size:
            raise DecodeError(f"a torn frame header at byte {position} of {size}")
        kind, number, body_size = HEADER.unpack_from(view, position)
        position = start + body_size
        if position > size:
            raise DecodeError(
                f"a frame of kind {kind} claims {body_size} bytes; {size - start} are left"
            )
        yield kind, number, view[start:position]
