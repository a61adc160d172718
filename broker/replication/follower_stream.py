"""The follower's end of one stream to a leader: dial, handshake, run a session, dial again.

The set of followed partitions outlives the connection; each new one starts a FollowerSession that
subscribes all of them anew.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Iterator

from google.protobuf.message import DecodeError as ProtobufDecodeError

from broker.generated.replication_pb2 import (
    STREAM_KIND_CATCH_UP,
    STREAM_KIND_IN_SYNC,
    StreamHello,
    StreamWelcome,
)
from broker.internal.stream import StreamClosed
from broker.replication.follower_session import FollowerSession, PartitionKey
from broker.replication.partition import Partition
from broker.replication.settings import ReplicationSettings
from broker.replication.throttle import Throttle
from broker.replication.transport import PROTOCOL_VERSION, Dial, ReplicaStream
from ottla.core.clock import Clock
from ottla.core.errors import DecodeError

logger = logging.getLogger(__name__)

SILENT_KEEPALIVES_MAX = 10
"""A stream that was silent for so many keep-alive intervals is dead: dial again."""


class FollowerStream:
    """Follows partitions of `leader_id`. `address` gives where it listens, None while unknown;
    `broker_epoch` the own registration, None before it. `requests` and `elsewhere` are the
    session's, and so is `throttle`."""

    def __init__(
        self,
        leader_id: int,
        *,
        address: Callable[[], tuple[str, int] | None],
        broker_epoch: Callable[[], int | None],
        dial: Dial,
        settings: ReplicationSettings,
        clock: Clock,
        rng: random.Random,
        requests: Iterator[int],
        elsewhere: Callable[[Partition], None],
        throttle: Throttle,
        catch_up: bool = False,
    ) -> None:
        self.leader_id = leader_id
        self._requests = requests
        self._elsewhere = elsewhere
        self._catch_up = catch_up
        self._throttle = throttle
        self._address = address
        self._broker_epoch = broker_epoch
        self._dial = dial
        self._settings = settings
        self._clock = clock
        self._rng = rng
        self._partitions: dict[PartitionKey, Partition] = {}
        self._session: FollowerSession | None = None
        self._wanted = asyncio.Event()
        self._redial = asyncio.Event()

    @property
    def partition_count(self) -> int:
        return len(self._partitions)

    def follow(self, partition: Partition) -> None:
        """Follow from the log's end, also when its leader epoch changed."""
        self._partitions[partition.topic_id, partition.index] = partition
        self._wanted.set()
        if self._session is not None:
            self._session.follow(partition)

    def unfollow(self, key: PartitionKey) -> None:
        self._partitions.pop(key, None)
        if self._session is not None:
            self._session.unfollow(key)
        if not self._partitions:
            self._wanted.clear()

    def note_flushed(self, partition: Partition) -> None:
        if self._session is not None:
            self._session.note_flushed(partition)

    def leave_full(self) -> None:
        if self._session is not None:
            self._session.leave_full()

    def note_log_start(self, partition: Partition) -> None:
        if self._session is not None:
            self._session.note_log_start(partition)

    def redial(self) -> None:
        """The leader's registration changed: do not wait for a back-off to end."""
        self._redial.set()

    async def run(self) -> None:
        """Keep a stream while there are partitions to follow; runs until cancelled."""
        settings = self._settings
        pause_ms = settings.reconnect_ms_min
        complained = ""
        while True:
            await self._wanted.wait()
            self._redial.clear()
            try:
                connected_ms = self._clock.now_ms()
                await self._connect_and_follow()
            except StreamClosed as closed:
                task = asyncio.current_task()
                if task is not None and task.cancelling():
                    # A cancellation that ends the call can come back as its error.
                    raise asyncio.CancelledError from closed
                if str(closed) != complained:
                    complained = str(closed)
                    logger.info("no stream to broker %d: %s", self.leader_id, complained)
            if self._clock.now_ms() - connected_ms > settings.reconnect_ms_max:
                pause_ms = settings.reconnect_ms_min
            try:
                # Jitter keeps the followers of a dead leader from dialling in step.
                async with asyncio.timeout(pause_ms * self._rng.uniform(0.5, 1.0) / 1000):
                    await self._redial.wait()
                pause_ms = settings.reconnect_ms_min
            except TimeoutError:
                pause_ms = min(2 * pause_ms, settings.reconnect_ms_max)

    async def _connect_and_follow(self) -> None:
        address = self._address()
        broker_epoch = self._broker_epoch()
        if address is None or broker_epoch is None:
            raise StreamClosed("its address is not known" if address is None else "not registered")
        async with self._dial(*address) as stream:
            await self._handshake(stream, broker_epoch)
            woken = asyncio.Event()
            session = FollowerSession(
                self.leader_id,
                broker_epoch=self._broker_epoch,
                settings=self._settings,
                clock=self._clock,
                wake=woken.set,
                requests=self._requests,
                elsewhere=self._elsewhere,
                throttle=self._throttle,
                catch_up=self._catch_up,
            )
            self._session = session
            what = "catching up with" if self._catch_up else "following"
            logger.info("%s broker %d at %s:%d", what, self.leader_id, *address)
            try:
                for partition in [*self._partitions.values()]:
                    session.follow(partition)
                await self._pump(session, stream, woken)
            finally:
                self._session = None

    async def _handshake(self, stream: ReplicaStream, broker_epoch: int) -> None:
        settings = self._settings
        if self._catch_up:
            credit_bytes = settings.catch_up_credit_bytes
            partition_credit_bytes = settings.catch_up_partition_credit_bytes
        else:
            credit_bytes = settings.credit_bytes
            partition_credit_bytes = settings.partition_credit_bytes
        hello = StreamHello(
            protocol_version=PROTOCOL_VERSION,
            cluster_id=settings.cluster_id,
            follower_id=settings.node_id,
            follower_broker_epoch=broker_epoch,
            leader_id=self.leader_id,
            kind=STREAM_KIND_CATCH_UP if self._catch_up else STREAM_KIND_IN_SYNC,
            credit_bytes=credit_bytes,
            partition_credit_bytes=partition_credit_bytes,
        )
        try:
            async with asyncio.timeout(settings.handshake_ms_max / 1000):
                await stream.write(hello.SerializeToString())
                first = await stream.read()
        except TimeoutError as error:
            raise StreamClosed("no answer in time") from error
        try:
            StreamWelcome.FromString(bytes(first))
        except ProtobufDecodeError as error:
            raise StreamClosed("the answer is no welcome") from error

    async def _pump(
        self, session: FollowerSession, stream: ReplicaStream, woken: asyncio.Event
    ) -> None:
        """Run the session until the stream ends: StreamClosed."""
        reason = ""
        try:
            async with asyncio.TaskGroup() as group:
                heard = _Heard(self._clock.now_ms())
                group.create_task(self._send(session, stream, woken))
                group.create_task(self._tick(session, heard))
                while True:
                    message = await stream.read()
                    heard.at_ms = self._clock.now_ms()
                    session.receive(message)
        except* (StreamClosed, DecodeError) as ended:
            reason = "; ".join(str(error) for error in ended.exceptions)
        raise StreamClosed(reason)

    async def _send(
        self, session: FollowerSession, stream: ReplicaStream, woken: asyncio.Event
    ) -> None:
        while True:
            await woken.wait()
            woken.clear()
            while (message := session.next_message()) is not None:
                await stream.write(message)

    async def _tick(self, session: FollowerSession, heard: _Heard) -> None:
        settings = self._settings
        used_ms = self._clock.now_ms()
        while True:
            await asyncio.sleep(settings.retry_ms / 1000 if session.paused else 0.1)
            now_ms = self._clock.now_ms()
            session.on_tick(now_ms)
            if now_ms - heard.at_ms > SILENT_KEEPALIVES_MAX * settings.keepalive_ms:
                raise StreamClosed("the leader is silent")
            if self._partitions:
                used_ms = now_ms
            elif now_ms - used_ms > settings.idle_ms_max:
                raise StreamClosed("nothing is to be followed")


class _Heard:
    """When the leader was last heard."""

    __slots__ = ("at_ms",)

    def __init__(self, at_ms: int) -> None:
        self.at_ms = at_ms
