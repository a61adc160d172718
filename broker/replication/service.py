"""The leader's end of the streams: handshake, then a LeaderSession per follower and kind.

A stranger learns nothing and costs little: without the right cluster id and leader id in a first
message that comes in time, the call is refused before anything is kept for it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import grpc
import grpc.aio
from google.protobuf.message import DecodeError as ProtobufDecodeError

from broker.generated.replication_pb2 import (
    STREAM_KIND_CATCH_UP,
    STREAM_KIND_IN_SYNC,
    StreamHello,
    StreamWelcome,
)
from broker.internal.server import CallContext, GrpcServer
from broker.internal.stream import StreamClosed
from broker.replication.cold_reads import ColdReads
from broker.replication.leader_session import LeaderSession
from broker.replication.partition import Partition
from broker.replication.settings import ReplicationSettings
from broker.replication.throttle import Throttle
from broker.replication.transport import (
    METHOD,
    PROTOCOL_VERSION,
    SERVICE,
    ReplicaStream,
)
from ottla.core.clock import Clock
from ottla.core.errors import DecodeError
from ottla.core.identifiers import Uuid

logger = logging.getLogger(__name__)

HELLO_BYTES_MAX = 1_024


class Refused(Exception):
    """The caller is not whom we serve; the text is told to it."""


class ReplicationService:
    """Serves the followers of this broker's partitions; `find` raises ProtocolError."""

    def __init__(
        self,
        find: Callable[[Uuid, int], Partition],
        settings: ReplicationSettings,
        clock: Clock,
    ) -> None:
        self._find = find
        self._settings = settings
        self._clock = clock
        self._reads = ColdReads()
        self.throttle = Throttle(settings.throttled_rate_out)
        """Of all streams together: what is sent to throttled replicas."""
        self._sessions: dict[tuple[int, int], LeaderSession] = {}
        """By follower and kind of stream."""
        self._epochs: dict[int, int] = {}
        """Broker epochs of the followers in `_sessions`."""

    @property
    def streams(self) -> tuple[tuple[int, int], ...]:
        """(follower, kind) of the open streams."""
        return tuple(self._sessions)

    def close(self) -> None:
        """No more reads in the background."""
        self._reads.close()

    def add_to_server(self, server: GrpcServer) -> None:
        """Register the stream on the server of the internal listener, before it starts."""
        handler: grpc.RpcMethodHandler[bytes, bytes] = grpc.stream_stream_rpc_method_handler(
            self._call
        )
        server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(SERVICE, {METHOD: handler}),)
        )

    async def _call(self, _requests: object, context: CallContext) -> None:
        try:
            await self.serve(context.open_stream())
        except Refused as refusal:
            logger.warning("refused a replication stream from %s: %s", context.peer(), refusal)
            await context.abort(grpc.StatusCode.PERMISSION_DENIED, str(refusal))
        except StreamClosed:
            pass

    async def serve(self, stream: ReplicaStream) -> None:
        """Serve one stream to its end; Refused or StreamClosed."""
        hello = await self._handshake(stream)
        settings = self._settings
        woken = asyncio.Event()
        session = LeaderSession(
            hello.follower_id,
            find=self._find,
            clock=self._clock,
            wake=woken.set,
            credit_bytes=hello.credit_bytes,
            partition_credit_bytes=hello.partition_credit_bytes,
            message_bytes=settings.message_bytes,
            keepalive_ms=settings.keepalive_ms,
            subscriptions_max=settings.subscriptions_max,
            reader=self._reads,
            catch_up=hello.kind == STREAM_KIND_CATCH_UP,
            throttle=self.throttle,
        )
        self._take_place(hello, session)
        logger.info(
            "broker %d %s from here on",
            hello.follower_id,
            "catches up" if session.catch_up else "follows",
        )
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._send(session, stream, woken))
                group.create_task(self._tick(session))
                while True:
                    session.receive(await stream.read())
        except* StreamClosed as closed:
            logger.info("the stream of broker %d ended: %s", hello.follower_id, _first(closed))
        except* DecodeError as broken:
            logger.warning("closing broker %d's stream: %s", hello.follower_id, _first(broken))
        finally:
            session.close()
            self._leave_place(hello, session)

    def _take_place(self, hello: StreamHello, session: LeaderSession) -> None:
        """The follower dialled anew: its old stream of this kind proves nothing any more, and
        neither does any of the process before it."""
        follower_id = hello.follower_id
        self._check_not_replaced(hello)  # its successor may have come during the handshake
        replaced = self._epochs.get(follower_id) != hello.follower_broker_epoch
        self._epochs[follower_id] = hello.follower_broker_epoch
        for kind in (STREAM_KIND_IN_SYNC, STREAM_KIND_CATCH_UP):
            if replaced or kind == hello.kind:
                earlier = self._sessions.pop((follower_id, kind), None)
                if earlier is not None:
                    earlier.close()
        self._sessions[follower_id, hello.kind] = session

    def _check_not_replaced(self, hello: StreamHello) -> None:
        if hello.follower_broker_epoch < self._epochs.get(hello.follower_id, -1):
            # Else the word of a process that was replaced would count for the one that is there.
            raise Refused(f"another process has registered as broker {hello.follower_id}")

    def _leave_place(self, hello: StreamHello, session: LeaderSession) -> None:
        follower_id = hello.follower_id
        if self._sessions.get((follower_id, hello.kind)) is session:
            del self._sessions[follower_id, hello.kind]
        if all(follower != follower_id for follower, _ in self._sessions):
            self._epochs.pop(follower_id, None)

    async def _handshake(self, stream: ReplicaStream) -> StreamHello:
        settings = self._settings
        try:
            async with asyncio.timeout(settings.handshake_ms_max / 1000):
                first = await stream.read()
        except TimeoutError as error:
            raise Refused("no hello came in time") from error
        hello = StreamHello()
        try:
            if len(first) > HELLO_BYTES_MAX:
                raise Refused("the hello is too large")
            hello.ParseFromString(bytes(first))
        except ProtobufDecodeError as error:
            raise Refused("the first message is no hello") from error
        if hello.cluster_id != settings.cluster_id:
            raise Refused("this node belongs to another cluster")
        if hello.protocol_version != PROTOCOL_VERSION:
            raise Refused(f"protocol version {PROTOCOL_VERSION} is spoken here")
        if hello.leader_id != settings.node_id:
            raise Refused(f"this is node {settings.node_id}, not {hello.leader_id}")
        if hello.follower_id == settings.node_id:
            raise Refused(f"node {settings.node_id} does not follow itself")
        if hello.kind not in (STREAM_KIND_IN_SYNC, STREAM_KIND_CATCH_UP):
            raise Refused(f"no stream of kind {hello.kind} is known")
        self._check_not_replaced(hello)
        welcome = StreamWelcome(
            protocol_version=PROTOCOL_VERSION,
            leader_id=settings.node_id,
            heartbeat_interval_ms=settings.keepalive_ms,
        )
        await stream.write(welcome.SerializeToString())
        return hello

    async def _send(
        self, session: LeaderSession, stream: ReplicaStream, woken: asyncio.Event
    ) -> None:
        while not session.closed:
            await woken.wait()
            woken.clear()
            while (message := session.next_message()) is not None:
                await stream.write(message)
        raise StreamClosed("a newer stream took its place")

    async def _tick(self, session: LeaderSession) -> None:
        while True:
            await asyncio.sleep(self._settings.heartbeat_ms / 1000)
            session.on_tick(self._clock.now_ms())


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
