"""The follower's end of one stream, without the stream: messages in, messages out.

Every followed partition goes through

    ASKING ──subscribed──▶ STREAMING ──cancelled, gap, error──▶ PAUSED ──retry_at──▶ ASKING
      │ ▲                                                          ▲
      │ └──── diverging: cut by epoch; reset: start anew ────┐     │
      └──────────────────────────────────────────────────────┴─refused

until it is unfollowed, or the leader sends it to the other of the two streams (`elsewhere`).

The follower appends only at its log end and acknowledges only what its log holds (in durable mode:
what is synced). Numbers it does not know are dropped (SAFETY rule 10).

What a throttled replica takes while it catches up (KIP-73) is acknowledged once it is paid for: the
leader sends no more than its credit meanwhile, and others on the stream go on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import TypeAlias

from broker.replication import frames, replica_log
from broker.replication.frames import Buffer
from broker.replication.partition import Partition
from broker.replication.settings import ReplicationSettings
from broker.replication.throttle import Throttle
from broker.replication.throttled_replicas import NOT_THROTTLED
from broker.replication.truncation import Diverging
from ottla.core.clock import Clock
from ottla.core.errors import DecodeError, ErrorCode, ProtocolError
from ottla.core.identifiers import Uuid
from storage.errors import DiskFull

logger = logging.getLogger(__name__)

RETRY_MS_MAX = 1_000
STORAGE_RETRY_MS = 5_000
"""After a failed append; a full disk is not asked at all."""
ROUNDS_MAX = 1_000
"""Truncations in a row; each drops an epoch at least, so more of them are a bug of a peer."""

PartitionKey: TypeAlias = tuple[Uuid, int]


class _Followed:
    """One partition on this stream. Exactly one of `request`, `subscription`, `retry_at_ms` is
    set: asking, streaming, paused."""

    __slots__ = (
        "partition",
        "request",
        "retry_at_ms",
        "retry_ms",
        "rounds",
        "subscription",
        "unacknowledged",
    )

    def __init__(self, partition: Partition, retry_ms: int) -> None:
        self.partition = partition
        self.request: int | None = None
        self.subscription: int | None = None
        self.retry_at_ms: int | None = None
        self.retry_ms = retry_ms
        self.rounds = 0
        self.unacknowledged = False


class FollowerSession:
    """See the module. `broker_epoch` gives the own registration; `wake` asks the shell to call
    `next_message` soon. `requests` numbers what all streams to this leader ask, ascending;
    `throttle` is one for all streams of this broker."""

    def __init__(
        self,
        leader_id: int,
        *,
        broker_epoch: Callable[[], int | None],
        settings: ReplicationSettings,
        clock: Clock,
        wake: Callable[[], None],
        requests: Iterator[int],
        elsewhere: Callable[[Partition], None],
        throttle: Throttle,
        catch_up: bool = False,
    ) -> None:
        self.leader_id = leader_id
        self._broker_epoch = broker_epoch
        self._settings = settings
        self._clock = clock
        self._wake = wake
        self._followed: dict[PartitionKey, _Followed] = {}
        self._requests: dict[int, _Followed] = {}
        self._streaming: dict[int, _Followed] = {}
        self._paused: dict[_Followed, None] = {}
        self._unacknowledged: list[_Followed] = []
        self._request_numbers = requests
        self._elsewhere = elsewhere
        self._throttle = throttle
        self._catch_up = catch_up
        self._out = bytearray()

    @property
    def streaming_count(self) -> int:
        return len(self._streaming)

    @property
    def paused(self) -> bool:
        """Whether a partition waits for `on_tick`."""
        return bool(self._paused)

    def follow(self, partition: Partition) -> None:
        """Ask for a partition, or ask anew because its leader epoch changed."""
        key = (partition.topic_id, partition.index)
        self.unfollow(key)
        followed = _Followed(partition, self._settings.retry_ms)
        self._followed[key] = followed
        self._ask(followed)

    def leave_full(self) -> None:
        """Say of what is on a full disk that it takes nothing: before the leader counts on it."""
        for followed in [*self._followed.values()]:
            if not followed.partition.full:
                continue
            if followed.subscription is not None:
                self._cannot_append(followed)
            elif followed.request is not None:
                self._pause(followed, RETRY_MS_MAX, tell=True)

    def unfollow(self, key: PartitionKey) -> None:
        followed = self._followed.pop(key, None)
        if followed is not None:
            self._leave(followed, tell=True)

    # ---- from the leader

    def receive(self, message: Buffer) -> None:
        """Take one message; DecodeError when the leader breaks the protocol."""
        for kind, number, body in frames.iter_frames(message):
            if kind == frames.DATA:
                if (followed := self._streaming.get(number)) is not None:
                    self._data(followed, body)
            elif kind == frames.STATE:
                if (followed := self._streaming.get(number)) is not None:
                    self._state(followed, *frames.unpack(frames.STATE_BODY, body))
            elif kind == frames.SUBSCRIBED:
                self._subscribed(number, body)
            elif kind == frames.CANCELLED:
                if (followed := self._streaming.get(number)) is not None:
                    self._pause(followed, self._settings.retry_ms, tell=False)
            elif kind == frames.OTHER_STREAM:
                if (followed := self._streaming.get(number)) is not None:
                    self._leave(followed, tell=False)
                    self._elsewhere(followed.partition)
            elif kind in (frames.DIVERGING, frames.RESET, frames.REFUSED):
                self._not_admitted(kind, number, body)
        self._acknowledge()

    def _data(self, followed: _Followed, body: memoryview) -> None:
        prefix = frames.DATA_PREFIX
        if len(body) < prefix.size:
            raise DecodeError(f"a data frame of {len(body)} bytes")
        position, high_watermark, log_start = prefix.unpack_from(body)
        batches = body[prefix.size :]
        partition = followed.partition
        try:
            fits = replica_log.append_from_leader(
                partition, position, batches, high_watermark, log_start
            )
        except (ProtocolError, DecodeError) as error:
            self._failed(followed, error)
            return
        if not fits:
            self._leave(followed, tell=True)
            self._ask(followed)
            return
        if self._is_throttled(partition):
            self._throttle.take(len(batches), self._clock.now_ms())
        if not partition.durable:
            self._note_progress(followed)

    def _is_throttled(self, partition: Partition) -> bool:
        throttled = partition.throttled
        if throttled is NOT_THROTTLED:
            return False
        node_id = self._settings.node_id
        return throttled.takes(node_id) and node_id not in partition.isr

    def _subscribed(self, request: int, body: memoryview) -> None:
        number, high_watermark, log_start = frames.unpack(frames.SUBSCRIBED_BODY, body)
        followed = self._requests.pop(request, None)
        if followed is None:
            self._tell(frames.frame(frames.UNSUBSCRIBE, number))
            return
        followed.request = None
        followed.subscription = number
        followed.retry_ms = self._settings.retry_ms
        followed.rounds = 0
        self._streaming[number] = followed
        self._state(followed, high_watermark, log_start)
        if followed.partition.durable:
            followed.partition.request_flush()
        else:
            self._note_progress(followed)

    def _state(self, followed: _Followed, high_watermark: int, log_start: int) -> None:
        self._guarded(
            followed, lambda p: replica_log.apply_leader_state(p, high_watermark, log_start)
        )

    def _not_admitted(self, kind: int, request: int, body: memoryview) -> None:
        followed = self._requests.pop(request, None)
        if followed is None:
            return
        followed.request = None
        if kind == frames.REFUSED:
            (code,) = frames.unpack(frames.CODE_BODY, body)
            logger.debug("broker %d refuses %r: %d", self.leader_id, followed.partition, code)
            followed.retry_ms = min(2 * followed.retry_ms, RETRY_MS_MAX)
            self._pause(followed, followed.retry_ms, tell=False)
            return
        followed.rounds += 1
        if followed.rounds > ROUNDS_MAX:
            raise DecodeError(f"no end of truncations of {followed.partition!r}")
        if kind == frames.DIVERGING:
            diverging = Diverging(*frames.unpack(frames.DIVERGING_BODY, body))
            done = self._guarded(followed, lambda p: replica_log.cut(p, diverging))
        else:
            (log_start,) = frames.unpack(frames.OFFSET_BODY, body)
            done = self._guarded(followed, lambda p: replica_log.reset(p, log_start))
        if done:
            self._ask(followed)

    def _guarded(self, followed: _Followed, action: Callable[[Partition], None]) -> bool:
        try:
            action(followed.partition)
        except ProtocolError as error:
            self._failed(followed, error)
            return False
        return True

    def _failed(self, followed: _Followed, error: ProtocolError | DecodeError) -> None:
        """An append or a truncation failed: the leader must not wait for us (rule 9)."""
        if not isinstance(error, DiskFull):  # the directory has said it, for all of them
            logger.warning(
                "cannot follow %r from broker %d: %s", followed.partition, self.leader_id, error
            )
        storage = isinstance(error, ProtocolError) and error.code is ErrorCode.KAFKA_STORAGE_ERROR
        if storage and followed.subscription is not None:
            self._cannot_append(followed)
        else:
            self._pause(followed, STORAGE_RETRY_MS if storage else RETRY_MS_MAX, tell=True)

    def _cannot_append(self, followed: _Followed) -> None:
        code = frames.CODE_BODY.pack(ErrorCode.KAFKA_STORAGE_ERROR)
        self._tell(frames.frame(frames.CANNOT_APPEND, followed.subscription or 0, code))
        self._pause(followed, STORAGE_RETRY_MS, tell=False)

    # ---- to the leader

    def next_message(self) -> bytes | None:
        if not self._out:
            return None
        message = bytes(self._out)
        self._out.clear()
        return message

    def note_flushed(self, partition: Partition) -> None:
        """Durable mode: more of the log is synced and may be acknowledged."""
        followed = self._followed.get((partition.topic_id, partition.index))
        if followed is not None and followed.subscription is not None:
            self._note_progress(followed)
            self._acknowledge()

    def note_log_start(self, partition: Partition) -> None:
        """More of the log's start is saved: the leader may be waiting for it."""
        followed = self._followed.get((partition.topic_id, partition.index))
        if followed is not None and followed.subscription is not None:
            body = frames.OFFSET_BODY.pack(partition.machine.low_watermark.saved)
            self._tell(frames.frame(frames.LOG_START, followed.subscription, body))

    def _note_progress(self, followed: _Followed) -> None:
        if not followed.unacknowledged:
            followed.unacknowledged = True
            self._unacknowledged.append(followed)

    def on_tick(self, now_ms: int) -> None:
        """Ask again for what was paused, acknowledge what is paid for by now."""
        self._acknowledge()
        if not self._paused:
            return
        due = [f for f in self._paused if f.retry_at_ms is not None and f.retry_at_ms <= now_ms]
        for followed in due:
            del self._paused[followed]
            followed.retry_at_ms = None
            self._ask(followed)

    def _acknowledge(self) -> None:
        if not self._unacknowledged:
            return
        in_debt = self._catch_up and self._throttle.wait_ms(self._clock.now_ms()) > 0
        unpaid = []
        for followed in self._unacknowledged:
            if followed.subscription is not None:
                if in_debt and self._is_throttled(followed.partition):
                    unpaid.append(followed)
                    continue
                body = frames.OFFSET_BODY.pack(followed.partition.counted_end)
                self._out += frames.frame(frames.ACKNOWLEDGE, followed.subscription, body)
            followed.unacknowledged = False
        self._unacknowledged = unpaid
        self._wake()

    def _ask(self, followed: _Followed) -> None:
        broker_epoch = self._broker_epoch()
        if broker_epoch is None or followed.partition.full:
            # On a full disk each try would let the leader count on us again.
            self._pause(followed, RETRY_MS_MAX, tell=False)
            return
        try:
            ask = replica_log.describe(followed.partition, broker_epoch)
        except ProtocolError as error:
            self._failed(followed, error)
            return
        request = next(self._request_numbers)
        followed.request = request
        self._requests[request] = followed
        self._tell(frames.encode_subscribe(request, ask))

    def _pause(self, followed: _Followed, pause_ms: int, *, tell: bool) -> None:
        self._leave(followed, tell=tell)
        followed.retry_at_ms = self._clock.now_ms() + pause_ms
        self._paused[followed] = None

    def _leave(self, followed: _Followed, *, tell: bool) -> None:
        """Neither asking, streaming nor paused any more."""
        if followed.request is not None:
            self._requests.pop(followed.request, None)
            followed.request = None
        if followed.subscription is not None:
            self._streaming.pop(followed.subscription, None)
            if tell:
                self._tell(frames.frame(frames.UNSUBSCRIBE, followed.subscription))
            followed.subscription = None
        followed.retry_at_ms = None
        self._paused.pop(followed, None)

    def _tell(self, encoded: bytes) -> None:
        self._out += encoded
        self._wake()
