"""What a leader serves its followers from: the subscriptions of one partition and its tail."""

from __future__ import annotations

import struct
from collections import deque
from typing import TYPE_CHECKING

from broker.replication.frames import Buffer
from broker.replication.tail import Tail, TailBudget
from ottla.core.errors import ErrorCode
from ottla.core.identifiers import Uuid

if TYPE_CHECKING:
    from broker.replication.leader_session import LeaderSession
    from broker.replication.partition import Partition
    from storage.log import Log, LogSlice

_BATCH_START = struct.Struct(">qi")  # base offset, batch length
_LAST_OFFSET_DELTA = struct.Struct(">i")
_LAST_OFFSET_DELTA_POSITION = 23
_LENGTH_OVERHEAD = 12


class Subscription:
    """One partition on one stream, seen from the leader.

    `position` is where the next data frame starts; the bytes in flight are those sent and not yet
    acknowledged.
    """

    __slots__ = (
        "active",
        "follower_id",
        "in_flight",
        "in_flight_bytes",
        "number",
        "partition",
        "position",
        "queued",
        "read",
        "reading",
        "session",
        "throttled",
        "topic_id",
    )

    def __init__(
        self,
        session: LeaderSession,
        number: int,
        partition: Partition,
        follower_id: int,
        position: int,
    ) -> None:
        self.session = session
        self.number = number
        self.partition = partition
        self.topic_id: Uuid = partition.topic_id
        self.follower_id = follower_id
        self.position = position
        self.in_flight: deque[tuple[int, int]] = deque()
        """(offset after the frame, bytes), in the order sent."""
        self.in_flight_bytes = 0
        self.queued = False
        self.throttled = False
        """As it was when it was last looked at; only of the catch-up stream."""
        self.reading = False
        """A thread reads for it."""
        self.read: bytes | None = None
        """What a thread has read, from `position` on."""
        self.active = True


class ReplicaFeed:
    """The subscriptions of a partition, at most one a follower, and the bytes just appended."""

    __slots__ = ("_tail", "subscriptions")

    def __init__(self, budget: TailBudget) -> None:
        self._tail = Tail(budget)
        self.subscriptions: list[Subscription] = []

    def add(self, subscription: Subscription) -> None:
        """Replaces an earlier subscription of the same follower, whichever stream it came by."""
        for other in [*self.subscriptions]:
            if other.follower_id == subscription.follower_id:
                self.subscriptions.remove(other)
                other.session.drop(other)
        self.subscriptions.append(subscription)

    def remove(self, subscription: Subscription) -> bool:
        """Whether it was there."""
        if subscription not in self.subscriptions:
            return False
        self.subscriptions.remove(subscription)
        if not self.subscriptions:
            self._tail.clear()
        return True

    def appended(self, base_offset: int, next_offset: int, batch: memoryview) -> None:
        """Keep what was appended and wake the streams."""
        kept = False
        for subscription in self.subscriptions:
            if not kept and not subscription.session.catch_up:
                kept = True
                self._tail.append(base_offset, next_offset, batch)
            subscription.session.appended(subscription, len(batch))

    def state_changed(self) -> None:
        for subscription in self.subscriptions:
            subscription.session.mark_state(subscription)

    def cancel_all(self, code: ErrorCode) -> None:
        for subscription in self.subscriptions:
            subscription.session.cancel(subscription, code)
        self.subscriptions.clear()
        self._tail.clear()

    def find(
        self, log: Log, position: int, bytes_max: int
    ) -> tuple[list[bytes], int] | LogSlice | None:
        """(whole batches from `position`, offset after them) that are kept, else where they lie in
        the log; None at the log end.

        ProtocolError(OFFSET_OUT_OF_RANGE) when retention has passed `position`,
        KAFKA_STORAGE_ERROR.
        """
        if position >= log.log_end_offset:
            return None
        kept = self._tail.read(position, bytes_max)
        if kept is not None:
            return kept
        return log.read(position, bytes_max, end_offset=log.log_end_offset, at_least_one=True)

    def sent(self) -> None:
        """Positions moved: let go of what all have sent."""
        first = self._first_position()
        if first is None:
            self._tail.clear()
        else:
            self._tail.release(first)

    def _first_position(self) -> int | None:
        """Of those in sync: who is far behind would only keep the tail from moving on."""
        return min((s.position for s in self.subscriptions if not s.session.catch_up), default=None)


def next_offset_of(batches: Buffer) -> int:
    """The offset after the last of one or more whole batches."""
    position = 0
    size = len(batches)
    while True:
        base_offset, length = _BATCH_START.unpack_from(batches, position)
        following = position + length + _LENGTH_OVERHEAD
        if following >= size:
            (delta,) = _LAST_OFFSET_DELTA.unpack_from(
                batches, position + _LAST_OFFSET_DELTA_POSITION
            )
            return int(base_offset + delta + 1)
        position = following
