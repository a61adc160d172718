"""The leader's end of one stream, without the stream: messages in, messages out.

A follower subscribes partitions; this session proves each prefix, then sends what is appended,
coalesced over all partitions, within the follower's credit. Positions live as long as the session
(SAFETY rule 10). A subscription that belongs on the follower's other stream is dropped and told so
(rule 11). service.py puts it on gRPC, the simulator on a virtual network.

Bounds: `subscriptions_max` partitions; bytes in flight at most the follower's credit, in all and
per partition, plus one batch, and at most half of it of what is throttled (KIP-73); the queues hold
each subscription at most once; COLD_READS_MAX reads in threads.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from broker.replication import frames, leader_log, record_deletion
from broker.replication.cold_reads import SliceReader
from broker.replication.feed import Subscription, next_offset_of
from broker.replication.frames import Buffer, Subscribe
from broker.replication.gathering import Gathering
from broker.replication.partition import Partition
from broker.replication.throttle import Throttle
from broker.replication.truncation import Diverging, Matched, ResetTo
from ottla.core.clock import Clock
from ottla.core.errors import DecodeError, ErrorCode, ProtocolError
from ottla.core.identifiers import Uuid

if TYPE_CHECKING:
    from storage.log import LogSlice

logger = logging.getLogger(__name__)

THROTTLED_BYTES_MIN = 64 * 1024
THROTTLED_SHARE_MS = 200
"""What is under way to throttled replicas of a stream is so much of this broker's rate: a follower
that holds back too has to take it all the same, from each of its leaders."""
COLD_READS_MAX = 4
"""Of one stream at a time, each of a message's size or one batch."""


class LeaderSession:
    """See the module. `find` gives a partition or raises ProtocolError; `wake` asks the shell to
    call `next_message` soon; it is called often and must be cheap. `throttle` counts what is sent
    to throttled replicas, and holds it back on a catch-up stream."""

    def __init__(
        self,
        follower_id: int,
        *,
        find: Callable[[Uuid, int], Partition],
        clock: Clock,
        wake: Callable[[], None],
        credit_bytes: int,
        partition_credit_bytes: int,
        message_bytes: int,
        keepalive_ms: int,
        subscriptions_max: int,
        reader: SliceReader,
        catch_up: bool = False,
        throttle: Throttle | None = None,
    ) -> None:
        self.follower_id = follower_id
        self.catch_up = catch_up
        self.closed = False
        self._reader = reader
        self._throttle = throttle
        self._cold_reads = 0
        self._find = find
        self._clock = clock
        self._wake = wake
        self._credit_bytes = credit_bytes
        self._partition_credit_bytes = partition_credit_bytes
        self._message_bytes = message_bytes
        self._keepalive_ms = keepalive_ms
        self._subscriptions_max = subscriptions_max
        self._subscriptions: dict[int, Subscription] = {}
        self._next_number = 1
        self._control = bytearray()
        self._internal: deque[Subscription] = deque()
        self._queue: deque[Subscription] = deque()
        self._throttled_queue: deque[Subscription] = deque()
        self._throttled_in_flight_bytes = 0
        self._untold: dict[Subscription, None] = {}
        self._in_flight_bytes = 0
        self._gathering = Gathering()
        self._last_message_ms = clock.now_ms()

    # ---- from the follower

    def receive(self, message: Buffer) -> None:
        """Take one message; DecodeError when the follower breaks the protocol."""
        if self.closed:
            return  # another stream has its place, and may know more
        for kind, number, body in frames.iter_frames(message):
            if kind == frames.ACKNOWLEDGE:
                (log_end,) = frames.unpack(frames.OFFSET_BODY, body)
                self._acknowledged(number, log_end)
            elif kind == frames.SUBSCRIBE:
                self._subscribe(number, frames.decode_subscribe(body))
            elif kind == frames.UNSUBSCRIBE:
                if (subscription := self._subscriptions.get(number)) is not None:
                    self.drop(subscription)
                    leader_log.unsubscribed(subscription)
            elif kind == frames.CANNOT_APPEND:
                (code,) = frames.unpack(frames.CODE_BODY, body)
                self._cannot_append(number, code)
            elif kind == frames.LOG_START:
                (log_start,) = frames.unpack(frames.OFFSET_BODY, body)
                if (subscription := self._subscriptions.get(number)) is not None:
                    record_deletion.told(subscription, log_start)

    def _subscribe(self, request: int, ask: Subscribe) -> None:
        try:
            if len(self._subscriptions) >= self._subscriptions_max:
                raise ProtocolError(ErrorCode.REQUEST_TIMED_OUT, "too many subscriptions")
            partition = self._find(ask.topic_id, ask.partition)
            leader_log.check_order(partition, self.follower_id, ask, request)
            verdict = leader_log.admit(partition, ask)
        except ProtocolError as error:
            body = frames.CODE_BODY.pack(error.code)
            self._tell(frames.frame(frames.REFUSED, request, body))
            return
        match verdict:
            case Diverging():
                body = frames.DIVERGING_BODY.pack(verdict.leader_epoch, verdict.end_offset)
                self._tell(frames.frame(frames.DIVERGING, request, body))
            case ResetTo():
                body = frames.OFFSET_BODY.pack(verdict.log_start_offset)
                self._tell(frames.frame(frames.RESET, request, body))
            case Matched():
                self._admit(request, ask, partition, verdict)

    def _admit(self, request: int, ask: Subscribe, partition: Partition, verdict: Matched) -> None:
        number = self._next_number
        self._next_number += 1
        subscription = Subscription(self, number, partition, self.follower_id, ask.log_end_offset)
        self._subscriptions[number] = subscription
        body = frames.SUBSCRIBED_BODY.pack(
            number, partition.high_watermark, partition.log_start_offset
        )
        self._tell(frames.frame(frames.SUBSCRIBED, request, body))
        leader_log.subscribed(subscription, verdict, ask.broker_epoch)
        record_deletion.told(subscription, ask.log_start_offset)
        self.mark_dirty(subscription)

    def _acknowledged(self, number: int, log_end: int) -> None:
        subscription = self._subscriptions.get(number)
        if subscription is None:
            return  # an earlier subscription's: it proves nothing about this one
        if log_end > subscription.position:
            raise DecodeError(
                f"broker {self.follower_id} acknowledges {log_end}; "
                f"it was sent up to {subscription.position}"
            )
        in_flight = subscription.in_flight
        freed = 0
        while in_flight and in_flight[0][0] <= log_end:
            freed += in_flight.popleft()[1]
        self._change_in_flight(subscription, -freed)
        partition = subscription.partition
        leader_log.progressed(subscription, log_end)
        if (
            subscription.active
            and not subscription.queued
            and subscription.position < partition.machine.log_end_offset
        ):
            self.mark_dirty(subscription)
        elif self._waiting:
            self._wake()

    def _cannot_append(self, number: int, code: int) -> None:
        subscription = self._subscriptions.get(number)
        if subscription is None:
            return
        partition = subscription.partition
        logger.warning(
            "broker %d cannot append to %s-%d (error %d)",
            self.follower_id,
            partition.topic,
            partition.index,
            code,
        )
        self.drop(subscription)
        leader_log.cannot_append(subscription)

    # ---- from the partitions

    def appended(self, subscription: Subscription, size: int) -> None:
        """`size` bytes were appended to its partition."""
        ends_wait = self._gathering.appended(size)
        if not subscription.queued:
            self.mark_dirty(subscription)
        elif ends_wait:
            self._wake()

    def mark_dirty(self, subscription: Subscription) -> None:
        """There is more to send."""
        if not subscription.queued and not subscription.reading and subscription.active:
            subscription.queued = True
            if self.catch_up and self._look_at_throttle(subscription):
                self._throttled_queue.append(subscription)
            elif subscription.partition.internal:
                self._internal.append(subscription)
            else:
                self._queue.append(subscription)
            self._wake()

    def _look_at_throttle(self, subscription: Subscription) -> bool:
        """Whether it is throttled now; the lists may be others."""
        throttled = leader_log.is_throttled(subscription)
        if throttled is not subscription.throttled:
            subscription.throttled = throttled
            held = subscription.in_flight_bytes
            self._throttled_in_flight_bytes += held if throttled else -held
        return throttled

    def _change_in_flight(self, subscription: Subscription, size: int) -> None:
        subscription.in_flight_bytes += size
        self._in_flight_bytes += size
        if subscription.throttled:
            self._throttled_in_flight_bytes += size

    def mark_state(self, subscription: Subscription) -> None:
        """The high watermark or log start offset moved: told with the next data or heartbeat."""
        self._untold[subscription] = None

    def cancel(self, subscription: Subscription, code: ErrorCode) -> None:
        """The partition serves this subscription no more; the follower is told."""
        self.drop(subscription)
        body = frames.CODE_BODY.pack(code)
        self._tell(frames.frame(frames.CANCELLED, subscription.number, body))

    def _give_up(self, subscription: Subscription, code: ErrorCode) -> None:
        """Retention passed the follower, or the disk failed: it asks again, or elsewhere."""
        if subscription.active:
            leader_log.unsubscribed(subscription)
            self.cancel(subscription, code)

    def _send_elsewhere(self, subscription: Subscription) -> None:
        """Its position is forgotten here; the follower proves one anew on its other stream."""
        leader_log.unsubscribed(subscription)
        if self.catch_up:
            leader_log.note_arrived(subscription)
        self.drop(subscription)
        self._tell(frames.frame(frames.OTHER_STREAM, subscription.number))

    def drop(self, subscription: Subscription) -> None:
        """Forget it; its late acknowledgements will meet an unknown number."""
        if self._subscriptions.pop(subscription.number, None) is None:
            return
        subscription.active = False
        subscription.read = None
        self._change_in_flight(subscription, -subscription.in_flight_bytes)
        subscription.in_flight.clear()
        self._untold.pop(subscription, None)
        if self._waiting:
            self._wake()

    # ---- to the follower

    def next_message(self) -> bytes | None:
        """The next message, about `message_bytes` at most unless one batch is larger."""
        parts: list[Buffer] = []
        self._add_control(parts)  # before the data: it may introduce new numbers
        size = 0
        for queue in () if self._waits else (self._internal, self._queue):
            rounds = len(queue)
            while rounds and size < self._message_bytes:
                if self._in_flight_bytes and self._in_flight_bytes >= self._credit_bytes:
                    break
                rounds -= 1
                subscription = queue.popleft()
                subscription.queued = False
                if subscription.active:
                    size += self._add_data(parts, subscription, self._message_bytes - size)
        if self._throttled_queue and size < self._message_bytes:
            self._add_throttled(parts, self._message_bytes - size)
        self._add_control(parts)  # reading may have ended a subscription
        if not parts:
            return None
        self._last_message_ms = self._clock.now_ms()
        if size:
            self._gathering.sent(self._last_message_ms)
        return b"".join(parts)

    def _add_throttled(self, parts: list[Buffer], room: int) -> None:
        """Of each in turn, while the rate and its part of the credit allow it."""
        queue = self._throttled_queue
        now_ms = self._clock.now_ms()
        credit = self._throttled_credit_bytes
        for _ in range(len(queue)):
            held = self._throttled_in_flight_bytes
            if room <= 0 or (held and held >= credit):
                break
            subscription = queue.popleft()
            if not subscription.active:
                continue
            if self._must_wait(now_ms) and leader_log.is_throttled_here(subscription):
                queue.append(subscription)
                continue
            subscription.queued = False
            if not self._look_at_throttle(subscription):
                self.mark_dirty(subscription)  # no longer: its turn comes with the others
                continue
            room -= self._add_data(parts, subscription, min(room, credit - held))

    @property
    def _throttled_credit_bytes(self) -> int:
        most = self._credit_bytes // 2
        if self._throttle is None:
            return most
        share = self._throttle.bytes_per_second * THROTTLED_SHARE_MS // 1_000
        return min(most, max(share, THROTTLED_BYTES_MIN))

    def _add_control(self, parts: list[Buffer]) -> None:
        if self._control:
            parts.append(bytes(self._control))
            self._control.clear()

    def _add_data(self, parts: list[Buffer], subscription: Subscription, room: int) -> int:
        """Add one data frame if there is something to send and credit for it; its bytes."""
        partition = subscription.partition
        position = subscription.position
        share = self._partition_credit_bytes - subscription.in_flight_bytes
        if (
            subscription.in_flight_bytes
            and share <= 0
            and position < partition.machine.log_end_offset
        ):
            return 0  # an acknowledgement queues it again
        try:
            found = self._find_data(subscription, min(room, share))
        except ProtocolError as error:
            self._give_up(subscription, error.code)
            return 0
        if found is None:
            return 0
        batches, next_offset = found
        size = sum(map(len, batches))
        machine = partition.machine
        parts.append(
            frames.data_header(
                subscription.number,
                position,
                machine.high_watermark,
                partition.log_start_offset,
                size,
            )
        )
        parts.extend(batches)
        subscription.position = next_offset
        subscription.in_flight.append((next_offset, size))
        subscription.partition.traffic.replication_bytes_out += size
        self._change_in_flight(subscription, size)
        self._untold.pop(subscription, None)
        partition.feed.sent()
        if self._throttle is not None and leader_log.is_throttled_here(subscription):
            self._throttle.take(size, self._clock.now_ms())
        is_all = next_offset >= machine.log_end_offset
        self._gathering.add(subscription, is_all=is_all)
        if subscription.throttled:
            self._go_on_throttled(subscription)
        elif not is_all or self.catch_up:
            self.mark_dirty(subscription)
        return size

    def _go_on_throttled(self, subscription: Subscription) -> None:
        """Its next turn may be long in coming: whether it is there is looked at now."""
        try:
            arrived = leader_log.has_arrived(subscription)
        except ProtocolError as error:
            self._give_up(subscription, error.code)
            return
        if arrived:
            self._send_elsewhere(subscription)
        else:
            self.mark_dirty(subscription)

    def _find_data(
        self, subscription: Subscription, bytes_max: int
    ) -> tuple[list[bytes], int] | None:
        """(whole batches, offset after them). None: there is nothing to send, or it is being read,
        or it belongs on the other stream."""
        if subscription.read is not None:
            batches, subscription.read = subscription.read, None
            return [batches], next_offset_of(batches)
        partition = subscription.partition
        found = leader_log.find(partition, subscription.position, bytes_max)
        if leader_log.belongs_elsewhere(subscription, found):
            self._send_elsewhere(subscription)
            return None
        if found is None or isinstance(found, tuple):
            return found
        if not self._reader.is_cached(found):
            if self._cold_reads < COLD_READS_MAX:
                self._read_cold(subscription, found)
            else:
                self.mark_dirty(subscription)
            return None
        try:
            batches = found.read()
        except OSError as error:
            leader_log.read_failed(partition, error)
        return [batches], next_offset_of(batches)

    def _read_cold(self, subscription: Subscription, found: LogSlice) -> None:
        def done(read: bytes | OSError) -> None:
            self._cold_reads -= 1
            subscription.reading = False
            if not subscription.active:
                pass  # an error too is none of the log's that is there now, which may be closed
            elif isinstance(read, bytes):
                subscription.read = read
                self.mark_dirty(subscription)
            else:
                try:
                    leader_log.read_failed(subscription.partition, read)
                except ProtocolError as error:
                    self._give_up(subscription, error.code)
            if self._waiting:
                self._wake()

        self._cold_reads += 1
        subscription.reading = True
        self._reader.read(found, done)

    @property
    def _waits(self) -> bool:
        """Whether data gathers; an acknowledgement, an append or a tick ends it."""
        return not self.catch_up and self._gathering.waits(self._clock.now_ms())

    @property
    def _waiting(self) -> bool:
        return bool(self._queue or self._internal or self._throttled_queue)

    def _must_wait(self, now_ms: int) -> bool:
        return self._throttle is not None and self._throttle.wait_ms(now_ms) > 0

    def on_tick(self, now_ms: int) -> None:
        """Tell changed states, and that the stream lives."""
        for subscription in self._untold:
            partition = subscription.partition
            body = frames.STATE_BODY.pack(partition.high_watermark, partition.log_start_offset)
            self._control += frames.frame(frames.STATE, subscription.number, body)
        self._untold.clear()
        if not self._control and now_ms - self._last_message_ms >= self._keepalive_ms:
            self._control += frames.frame(frames.HEARTBEAT, 0)
        if self._control or self._waiting:
            self._wake()

    def close(self) -> None:
        """The stream ended: every position that came by it is forgotten."""
        self.closed = True
        for subscription in [*self._subscriptions.values()]:
            self.drop(subscription)
            leader_log.unsubscribed(subscription)
        self._queue.clear()
        self._internal.clear()
        self._throttled_queue.clear()
        self._wake()

    def _tell(self, encoded: bytes) -> None:
        self._control += encoded
        self._wake()
