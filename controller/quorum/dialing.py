"""The way to one other voter: a thread that dials, and the queue of what is to be sent."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import grpc

from controller.generated import raft_pb2, raft_pb2_grpc
from controller.quorum.handshake import (
    HELLO,
    OPTIONS,
    PROTOCOL_VERSION,
    VOTERS,
    WELCOME,
    Events,
    Identity,
    target_of,
)
from controller.quorum.messages import Message, encode_message
from controller.quorum.timings import Timings
from controller.quorum.tls import QuorumTls
from controller.quorum.voter_set import Address
from ottla.core.identifiers import Uuid

_log = logging.getLogger(__name__)

QUEUED_BYTES_MAX = 32 << 20  # to one voter; more means that it does not keep up: start over
BATCH_BYTES_MAX = 1 << 20
_LOOK_SECONDS = 0.5
_REDIAL_PAUSES_MS = (0, 10, 30)
"""Before each look: a dying process may accept for a moment longer than its call lasted."""
REFUSED_PAUSES = 5  # who is refused can wait; who is admitted meanwhile is called

_CHANNEL_OPTIONS = [
    *OPTIONS,
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.min_reconnect_backoff_ms", 1000),  # how long one attempt to connect may take
    ("grpc.dns_min_time_between_resolutions_ms", 1000),
]


class Outgoing:
    """The messages of one call, from the quorum's thread to gRPC's."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._messages: deque[raft_pb2.Message] = deque()
        self._closed = False
        self.queued_bytes = 0

    def put(self, message: raft_pb2.Message) -> bool:
        """False when the queue is full or closed."""
        size = message.ByteSize()
        with self._condition:
            if self._closed or self.queued_bytes + size > QUEUED_BYTES_MAX:
                return False
            self._messages.append(message)
            self.queued_bytes += size
            self._condition.notify()
        return True

    def close(self) -> None:
        with self._condition:
            self._closed = True
            self._condition.notify()

    def __iter__(self) -> Iterator[raft_pb2.Batch]:
        while True:
            with self._condition:
                while not self._messages and not self._closed:
                    self._condition.wait()
                if self._closed:
                    return
                batch = raft_pb2.Batch()
                size = 0
                while self._messages and size < BATCH_BYTES_MAX:
                    message = self._messages.popleft()
                    size += message.ByteSize()
                    batch.messages.append(message)
                self.queued_bytes -= size
            yield batch


class _Visit:
    """One call, between the thread that dials and the one that waits for the call's end."""

    __slots__ = ("connected", "ended", "is_over", "outgoing")

    def __init__(self) -> None:
        self.outgoing = Outgoing()
        self.ended = threading.Event()
        self.connected = False
        self.is_over = False  # nothing is told of it any more


class Peer:
    """The way to one other voter; its addresses, one at least, are tried in turn."""

    def __init__(
        self,
        identity: Identity,
        peer_id: int,
        addresses: Sequence[Address],
        events: Events,
        timings: Timings,
        tls: QuorumTls | None,
    ) -> None:
        self._identity = identity
        self._peer_id = peer_id
        self.addresses = tuple(addresses)
        self._address = ""
        self._events = events
        self._timings = timings
        self._tls = tls
        self._connections = 0
        self._outgoing: Outgoing | None = None
        self._call: Any = None
        self._telling = threading.Lock()
        self._closing = threading.Event()
        self._dial = threading.Event()
        self._last_fault = ""
        self._refused = False
        self._thread = threading.Thread(
            target=self._run, name=f"quorum-dial-{peer_id}", daemon=True
        )

    @property
    def queued_bytes(self) -> int:
        outgoing = self._outgoing
        return 0 if outgoing is None else outgoing.queued_bytes

    @property
    def is_running(self) -> bool:
        return self._thread.is_alive()

    def start(self) -> None:
        self._thread.start()

    def send(self, message: Message) -> None:
        outgoing = self._outgoing
        if outgoing is not None and not outgoing.put(encode_message(message)):
            self._hang_up()  # messages are missing now: only a new call may carry later ones

    def dial_now(self) -> None:
        """That voter has just called us, so it is up: do not wait for the next attempt."""
        self._dial.set()

    def close(self) -> None:
        with self._telling:
            self._closing.set()
        self._dial.set()
        self._hang_up()

    def join(self, timeout_seconds: float) -> bool:
        """Wait for the thread, which `close` has told to end; whether it did."""
        self._thread.join(timeout_seconds)
        return not self._thread.is_alive()

    def _hang_up(self) -> None:
        outgoing, call = self._outgoing, self._call
        if outgoing is not None:
            outgoing.close()
        if call is not None:
            call.cancel()

    def _run(self) -> None:
        pause = self._timings.dial_retry_ms / 1000
        not_before = float("-inf")
        while True:
            self._dial.clear()
            if self._closing.is_set():
                return
            where = self.addresses[self._connections % len(self.addresses)]
            self._address = target_of(*where)
            # A channel backs off for up to a second after failures, and a voter that is back
            # would wait as long for its votes: each attempt has a channel of its own.
            with self._channel() as channel:
                self._connect(raft_pb2_grpc.RaftStub(channel), where)
            if self._dial.wait(REFUSED_PAUSES * pause if self._refused else pause):
                # Two that refuse each other must not call each other back without end.
                self._closing.wait(max(0.0, not_before - time.monotonic()))
                not_before = time.monotonic() + pause

    def _channel(self) -> grpc.Channel:
        if self._tls is None:
            return grpc.insecure_channel(self._address, options=_CHANNEL_OPTIONS)
        credentials = self._tls.channel_credentials()
        name = ("grpc.ssl_target_name_override", self._tls.name_of(self._peer_id))
        return grpc.secure_channel(self._address, credentials, options=[*_CHANNEL_OPTIONS, name])

    def _connect(self, stub: raft_pb2_grpc.RaftStub, where: Address) -> None:
        """Open one call and stay until it ends."""
        self._connections += 1
        self._refused = False
        hello = raft_pb2.Hello(
            protocol_version=PROTOCOL_VERSION,
            cluster_id=self._identity.cluster_id,
            sender_id=self._identity.node_id,
            receiver_id=self._peer_id,
            directory_id=self._identity.directory_id,
            incarnation=self._identity.incarnation,
            connection=self._connections,
        )
        visit = _Visit()
        call: Any = stub.Exchange(
            iter(visit.outgoing), metadata=((HELLO, hello.SerializeToString()),)
        )
        self._call = call
        timer = threading.Timer(self._timings.dial_timeout_ms / 1000, call.cancel)
        timer.daemon = True
        timer.start()
        threading.Thread(
            target=self._stay,
            args=(call, visit, timer),
            name=f"quorum-call-{self._peer_id}",
            daemon=True,
        ).start()
        # Not in the thread that waits for the call: gRPC was seen to end one without letting go of
        # who waits for its metadata or messages, and that voter would never be dialed again.
        while not visit.ended.wait(_LOOK_SECONDS):
            if call.done() and not visit.ended.wait(_LOOK_SECONDS):
                _log.warning("a call to voter %d ended unnoticed", self._peer_id)
                break
        timer.cancel()
        with self._telling:
            visit.is_over = True
        self._outgoing = None
        visit.outgoing.close()
        call.cancel()
        if visit.connected:
            self._tell(lambda: self._events.disconnected(self._peer_id))
            if self._is_gone(where):
                self._tell(lambda: self._events.gone(self._peer_id))

    def _is_gone(self, where: Address) -> bool:
        """Whether no process listens there: the kernel of a dead one refuses at once. Silence, or
        no route, proves nothing."""
        for pause_ms in _REDIAL_PAUSES_MS:
            if self._closing.wait(pause_ms / 1000):
                break
            try:
                socket.create_connection(where, _LOOK_SECONDS).close()
            except ConnectionRefusedError:
                return True
            except OSError:
                break
        return False

    def _stay(self, call: Any, visit: _Visit, timer: threading.Timer) -> None:
        """Wait for the call to be accepted, and then for its end."""
        try:
            if self._closing.is_set():
                return
            directory_id = self._welcome(call)
            timer.cancel()
            if directory_id is None:
                return
            with self._telling:
                if self._closing.is_set() or visit.is_over:
                    return
                self._outgoing = visit.outgoing
                self._last_fault = ""
                visit.connected = True
                self._events.connected(self._peer_id, directory_id)
            for _ in call:
                pass
        except grpc.RpcError as error:
            if not visit.is_over:
                self._report(error)
        finally:
            visit.ended.set()

    def _tell(self, event: Callable[[], None]) -> None:
        """Nothing any more once it is closed: another way to that voter may be open by then."""
        with self._telling:
            if not self._closing.is_set():
                event()

    def _welcome(self, call: Any) -> Uuid | None:
        """The directory of the voter that answered; None when it is not the one that was meant."""
        found = dict(call.initial_metadata()).get(WELCOME)
        if found is None:
            for _ in call:  # ends with the reason of the refusal
                pass
            return None
        welcome = raft_pb2.Welcome.FromString(found)
        fault = self._events.fault_of(self._peer_id, welcome.directory_id)
        if welcome.node_id != self._peer_id:
            fault = f"voter {welcome.node_id} answers at {self._address}"
        if fault is not None:
            self._warn(fault)
            return None
        return welcome.directory_id

    def _report(self, error: grpc.RpcError) -> None:
        code, details = error.code(), error.details()
        if code == grpc.StatusCode.PERMISSION_DENIED:
            self._refused = True
            trailing: Any = error.trailing_metadata() or ()
            for told in (value for name, value in trailing if name == VOTERS):
                known = raft_pb2.CommittedVoters.FromString(told)
                self._events.told_voters(known.index, known.voters)
            self._warn(f"voter {self._peer_id} refuses this one: {details}")
        elif code != grpc.StatusCode.CANCELLED:
            _log.debug("the call to voter %d ended: %s %s", self._peer_id, code, details)

    def _warn(self, fault: str) -> None:
        """Once for each fault, not at each attempt."""
        if fault != self._last_fault:
            self._last_fault = fault
            _log.warning("%s", fault)
