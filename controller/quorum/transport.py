"""Messages between voters over gRPC: in order for each pair, at most once, from known voters only.

Every voter dials every other one and sends on the call it opened, so that two one-way streams make
a pair. Threads: per peer one that dials and waits for the end of the call, gRPC's own that pulls
what is to be sent, and one of the server's pool per call that came in. None of them is the
broker's loop, and none may block the quorum's thread, which only puts messages into bounded queues.

A call is accepted before its first message is read (proto/raft.proto), and only if cluster id, both
node ids, the voter's directory and, with TLS, the name in the certificate are right. A pair
(incarnation, connection) that is not above the one in use is stale; a newer one ends the older.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

import grpc

from controller.generated import raft_pb2, raft_pb2_grpc
from controller.quorum.messages import Message, decode_message, encode_message
from controller.quorum.timings import Timings
from ottla.core.errors import ConfigError, DecodeError
from ottla.core.identifiers import Uuid

_log = logging.getLogger(__name__)

PROTOCOL_VERSION = 1
QUEUED_BYTES_MAX = 32 << 20  # to one voter; more means that it does not keep up: start over
CREDIT_BYTES_MAX = 4 << 20  # above it no further piece of a snapshot is queued
BATCH_BYTES_MAX = 1 << 20

_HELLO = "ottla-hello-bin"
_WELCOME = "ottla-welcome-bin"
_OPTIONS = [
    ("grpc.enable_http_proxy", 0),
    ("grpc.keepalive_time_ms", 1000),
    ("grpc.keepalive_timeout_ms", 1000),
    ("grpc.keepalive_permit_without_calls", 0),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.http2.min_ping_interval_without_data_ms", 500),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 500),
    ("grpc.http2.max_ping_strikes", 0),
]
_CHANNEL_OPTIONS = [
    *_OPTIONS,
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.min_reconnect_backoff_ms", 1000),  # also how long one attempt to connect may take
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.dns_min_time_between_resolutions_ms", 1000),
]
_SERVER_OPTIONS = [*_OPTIONS, ("grpc.so_reuseport", 0)]


def default_name_of(node_id: int) -> str:
    """The name that the certificate of a node bears, unless told otherwise."""
    return f"node-{node_id}"


@dataclass(frozen=True, slots=True)
class QuorumTls:
    """Mutual TLS between voters: PEM contents, and which name proves which node."""

    authority: bytes
    certificate: bytes
    private_key: bytes
    name_of: Callable[[int], str] = default_name_of


@dataclass(frozen=True, slots=True)
class Identity:
    """Who this voter is, for the handshake."""

    cluster_id: str
    node_id: int
    directory_id: Uuid
    incarnation: int


class Events(Protocol):
    """Where the transport reports; called from its own threads, never under its lock."""

    def fault_of_directory(self, peer_id: int, directory_id: Uuid) -> str | None:
        """Why a voter with its log in that directory may not take part, or None."""
        ...

    def connected(self, peer_id: int, directory_id: Uuid) -> None:
        """What is sent to that voter from now on may arrive."""
        ...

    def disconnected(self, peer_id: int) -> None: ...

    def received(self, peer_id: int, directory_id: Uuid, messages: list[Message]) -> None:
        """May block for a while: that holds up this voter's call and, in the end, its sender."""
        ...


class Transport:
    """All connections of one voter. `send` and `has_credit` never block."""

    def __init__(
        self,
        identity: Identity,
        voters: Mapping[int, tuple[str, int]],
        listen: tuple[str, int],
        events: Events,
        *,
        timings: Timings,
        tls: QuorumTls | None = None,
    ) -> None:
        self._server = _Server(identity, set(voters) - {identity.node_id}, events, tls)
        self._listen = listen
        self._peers = {
            peer_id: _Peer(identity, peer_id, address, events, timings, tls)
            for peer_id, address in voters.items()
            if peer_id != identity.node_id
        }

    def start(self) -> int:
        """Listen, then dial; the port. A quorum of one does neither. ConfigError: cannot bind."""
        if not self._peers:
            return 0
        port = self._server.start(*self._listen)
        for peer in self._peers.values():
            peer.start()
        return port

    def send(self, peer_id: int, message: Message) -> None:
        """Queue a message; dropped when that voter is not connected."""
        self._peers[peer_id].send(message)

    def has_credit(self, peer_id: int) -> bool:
        return self._peers[peer_id].queued_bytes < CREDIT_BYTES_MAX

    def stop(self) -> None:
        """Close everything and wait for all threads; blocking."""
        for peer in self._peers.values():
            peer.close()
        if self._peers:
            self._server.stop()
        for peer in self._peers.values():
            peer.join()


class _Outgoing:
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


class _Peer:
    """The way to one other voter."""

    def __init__(
        self,
        identity: Identity,
        peer_id: int,
        address: tuple[str, int],
        events: Events,
        timings: Timings,
        tls: QuorumTls | None,
    ) -> None:
        self._identity = identity
        self._peer_id = peer_id
        self._address = _target(*address)
        self._events = events
        self._timings = timings
        self._tls = tls
        self._connections = 0
        self._outgoing: _Outgoing | None = None
        self._call: Any = None
        self._closing = threading.Event()
        self._last_fault = ""
        self._thread = threading.Thread(
            target=self._run, name=f"quorum-dial-{peer_id}", daemon=True
        )

    @property
    def queued_bytes(self) -> int:
        outgoing = self._outgoing
        return 0 if outgoing is None else outgoing.queued_bytes

    def start(self) -> None:
        self._thread.start()

    def send(self, message: Message) -> None:
        outgoing = self._outgoing
        if outgoing is not None and not outgoing.put(encode_message(message)):
            self._hang_up()  # messages are missing now: only a new call may carry later ones

    def close(self) -> None:
        self._closing.set()
        self._hang_up()

    def join(self) -> None:
        self._thread.join()

    def _hang_up(self) -> None:
        outgoing, call = self._outgoing, self._call
        if outgoing is not None:
            outgoing.close()
        if call is not None:
            call.cancel()

    def _run(self) -> None:
        with self._channel() as channel:
            stub = raft_pb2_grpc.RaftStub(channel)
            while not self._closing.is_set():
                self._connect(stub)
                self._closing.wait(self._timings.dial_retry_ms / 1000)

    def _channel(self) -> grpc.Channel:
        if self._tls is None:
            return grpc.insecure_channel(self._address, options=_CHANNEL_OPTIONS)
        credentials = grpc.ssl_channel_credentials(
            self._tls.authority, self._tls.private_key, self._tls.certificate
        )
        name = ("grpc.ssl_target_name_override", self._tls.name_of(self._peer_id))
        return grpc.secure_channel(self._address, credentials, options=[*_CHANNEL_OPTIONS, name])

    def _connect(self, stub: raft_pb2_grpc.RaftStub) -> None:
        """Open one call and stay until it ends."""
        self._connections += 1
        hello = raft_pb2.Hello(
            protocol_version=PROTOCOL_VERSION,
            cluster_id=self._identity.cluster_id,
            sender_id=self._identity.node_id,
            receiver_id=self._peer_id,
            directory_id=self._identity.directory_id,
            incarnation=self._identity.incarnation,
            connection=self._connections,
        )
        outgoing = _Outgoing()
        call = stub.Exchange(iter(outgoing), metadata=((_HELLO, hello.SerializeToString()),))
        self._call = call
        timer = threading.Timer(self._timings.dial_timeout_ms / 1000, call.cancel)
        timer.daemon = True
        timer.start()
        connected = False
        try:
            if self._closing.is_set():
                return
            directory_id = self._welcome(call)
            timer.cancel()
            if directory_id is None:
                return
            self._outgoing = outgoing
            connected = True
            self._last_fault = ""
            self._events.connected(self._peer_id, directory_id)
            for _ in call:
                pass
        except grpc.RpcError as error:
            self._report(error)
        finally:
            timer.cancel()
            self._outgoing = None
            outgoing.close()
            call.cancel()
            if connected:
                self._events.disconnected(self._peer_id)

    def _welcome(self, call: Any) -> Uuid | None:
        """The directory of the voter that answered; None when it is not the one that was meant."""
        found = dict(call.initial_metadata()).get(_WELCOME)
        if found is None:
            for _ in call:  # ends with the reason of the refusal
                pass
            return None
        welcome = raft_pb2.Welcome.FromString(found)
        fault = self._events.fault_of_directory(self._peer_id, welcome.directory_id)
        if welcome.node_id != self._peer_id:
            fault = f"voter {welcome.node_id} answers at {self._address}"
        if fault is not None:
            self._warn(fault)
            return None
        return welcome.directory_id

    def _report(self, error: grpc.RpcError) -> None:
        code, details = error.code(), error.details()
        if code == grpc.StatusCode.PERMISSION_DENIED:
            self._warn(f"voter {self._peer_id} refuses this one: {details}")
        elif code != grpc.StatusCode.CANCELLED:
            _log.debug("the call to voter %d ended: %s %s", self._peer_id, code, details)

    def _warn(self, fault: str) -> None:
        """Once for each fault, not at each attempt."""
        if fault != self._last_fault:
            self._last_fault = fault
            _log.warning("%s", fault)


@dataclass(slots=True, eq=False)
class _Link:
    """A call that came in."""

    peer_id: int
    directory_id: Uuid
    number: tuple[int, int]
    context: grpc.ServicerContext


class _Server(raft_pb2_grpc.RaftServicer):
    """The raft listener."""

    def __init__(
        self, identity: Identity, peers: set[int], events: Events, tls: QuorumTls | None
    ) -> None:
        self._identity = identity
        self._peers = peers
        self._events = events
        self._tls = tls
        self._lock = threading.Lock()
        self._links: dict[int, _Link] = {}
        self._server: grpc.Server | None = None
        self._pool = ThreadPoolExecutor(4 * len(peers) + 4, thread_name_prefix="quorum-call")

    def start(self, host: str, port: int) -> int:
        server = grpc.server(self._pool, options=_SERVER_OPTIONS)
        raft_pb2_grpc.add_RaftServicer_to_server(self, server)
        target = _target(host, port)
        try:
            if self._tls is None:
                port = server.add_insecure_port(target)
            else:
                credentials = grpc.ssl_server_credentials(
                    [(self._tls.private_key, self._tls.certificate)],
                    root_certificates=self._tls.authority,
                    require_client_auth=True,
                )
                port = server.add_secure_port(target, credentials)
        except RuntimeError as error:
            raise ConfigError(
                f"raft.listener {target} cannot be opened: choose a free port and an address of "
                "this machine, and check the TLS files"
            ) from error
        server.start()
        self._server = server
        return port

    def stop(self) -> None:
        with self._lock:
            links = list(self._links.values())
            self._links.clear()
        for link in links:
            link.context.cancel()
        if self._server is not None:
            self._server.stop(None).wait()
        self._pool.shutdown()

    def Exchange(  # noqa: N802 - the name in the proto
        self, request_iterator: Any, context: Any
    ) -> Iterator[raft_pb2.Nothing]:
        link = self._accept(context)
        welcome = raft_pb2.Welcome(
            node_id=self._identity.node_id, directory_id=self._identity.directory_id
        )
        context.send_initial_metadata(((_WELCOME, welcome.SerializeToString()),))
        try:
            for batch in request_iterator:
                messages = [decode_message(message) for message in batch.messages]
                if not self._is_current(link):
                    break
                self._events.received(link.peer_id, link.directory_id, messages)
        except DecodeError as error:
            _log.warning("voter %d is disconnected: %s", link.peer_id, error)
        except grpc.RpcError:
            pass  # the sender hung up
        yield from ()

    def _accept(self, context: Any) -> _Link:
        """The link of a caller that may talk to us; anybody else's call is aborted."""
        hello = self._hello(context)
        fault = self._fault(hello, context)
        if fault is not None:
            _log.warning("a call from %s is refused: %s", context.peer(), fault)
            context.abort(grpc.StatusCode.PERMISSION_DENIED, fault)
        link = _Link(
            hello.sender_id,
            hello.directory_id,
            (hello.incarnation, hello.connection),
            context,
        )
        with self._lock:
            current = self._links.get(link.peer_id)
            stale = (
                current is not None
                and current.directory_id == link.directory_id
                and current.number >= link.number
            )
            if not stale:
                self._links[link.peer_id] = link
        if stale:
            context.abort(grpc.StatusCode.ABORTED, "a newer call of this voter is in use")
        if current is not None:
            current.context.cancel()
        return link

    def _is_current(self, link: _Link) -> bool:
        with self._lock:
            return self._links.get(link.peer_id) is link

    def _hello(self, context: Any) -> raft_pb2.Hello:
        found = dict(context.invocation_metadata()).get(_HELLO, b"")
        try:
            return raft_pb2.Hello.FromString(found)
        except Exception:  # protobuf's DecodeError has no stable home
            context.abort(grpc.StatusCode.PERMISSION_DENIED, "the handshake cannot be read")
            raise

    def _fault(self, hello: raft_pb2.Hello, context: Any) -> str | None:
        own = self._identity
        if hello.protocol_version != PROTOCOL_VERSION:
            return f"protocol version {hello.protocol_version} is not {PROTOCOL_VERSION}"
        if hello.cluster_id != own.cluster_id:
            return f"cluster {hello.cluster_id!r} is not this one"
        if hello.receiver_id != own.node_id:
            return f"this is voter {own.node_id}, not {hello.receiver_id}"
        if hello.sender_id not in self._peers:
            return f"node {hello.sender_id} is not another voter"
        if self._tls is not None:
            expected = self._tls.name_of(hello.sender_id)
            names = _certificate_names(context)
            if expected not in names:
                return f"the certificate of node {hello.sender_id} does not name {expected!r}"
        return self._events.fault_of_directory(hello.sender_id, hello.directory_id)


def _certificate_names(context: Any) -> set[str]:
    """The names that the caller's certificate is for: its alternative names, else its common."""
    proved: dict[str, list[bytes]] = context.auth_context()
    names = proved.get("x509_subject_alternative_name") or proved.get("x509_common_name") or []
    return {name.decode("utf-8", "replace") for name in names}


def _target(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
