"""The raft listener: accepts calls of the other voters and of nobody else."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
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
from controller.quorum.messages import decode_message
from controller.quorum.tls import QuorumTls, certificate_names
from controller.quorum.voter_set import VOTERS_MAX
from ottla.core.errors import ConfigError, DecodeError
from ottla.core.identifiers import Uuid

_log = logging.getLogger(__name__)

CALLS_MAX = 4 * VOTERS_MAX + 4  # each occupies a thread; one that is refused, for a moment
WARN_SECONDS = 60
WARNINGS_MAX = 16  # different ones in that time
_SERVER_OPTIONS = [*OPTIONS, ("grpc.so_reuseport", 0)]


@dataclass(slots=True, eq=False)
class _Link:
    """A call that came in."""

    peer_id: int
    directory_id: Uuid
    number: tuple[int, int]
    context: grpc.ServicerContext


class RaftListener(raft_pb2_grpc.RaftServicer):
    """One server; see the module. `called` hears, from any thread, of each voter that is let in."""

    def __init__(
        self,
        identity: Identity,
        events: Events,
        tls: QuorumTls | None,
        called: Callable[[int], None] = lambda peer_id: None,
    ) -> None:
        self._identity = identity
        self._events = events
        self._tls = tls
        self._called = called
        self._lock = threading.Lock()
        self._links: dict[int, _Link] = {}
        self._warned: dict[str, float] = {}
        self._server: grpc.Server | None = None
        self._pool = ThreadPoolExecutor(CALLS_MAX, thread_name_prefix="quorum-call")

    def start(self, host: str, port: int) -> int:
        server = grpc.server(self._pool, options=_SERVER_OPTIONS)
        raft_pb2_grpc.add_RaftServicer_to_server(self, server)
        target = target_of(host, port)
        try:
            if self._tls is None:
                port = server.add_insecure_port(target)
            else:
                port = server.add_secure_port(target, self._tls.server_credentials())
        except RuntimeError as error:
            raise ConfigError(
                f"raft.listener {target} cannot be opened: choose a free port and an address of "
                "this machine, and check the TLS files"
            ) from error
        server.start()
        self._server = server
        return port

    def drop(self, peer_id: int) -> None:
        """End the call of a node that may not be heard any more."""
        with self._lock:
            link = self._links.pop(peer_id, None)
        if link is not None:
            link.context.cancel()

    def stop(self, timeout_seconds: float) -> bool:
        """End all calls and close the port; whether that was done in time."""
        with self._lock:
            links = list(self._links.values())
            self._links.clear()
        for link in links:
            link.context.cancel()
        stopped = self._server is None or self._server.stop(None).wait(timeout_seconds)
        self._pool.shutdown(wait=False, cancel_futures=True)
        return stopped

    def Exchange(  # noqa: N802 - the name in the proto
        self, request_iterator: Any, context: Any
    ) -> Iterator[raft_pb2.Nothing]:
        link = self._accept(context)
        welcome = raft_pb2.Welcome(
            node_id=self._identity.node_id, directory_id=self._identity.directory_id
        )
        context.send_initial_metadata(((WELCOME, welcome.SerializeToString()),))
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
        if fault is None and (fault := self._events.fault_of(hello.sender_id, hello.directory_id)):
            index, voters = self._events.committed_voters()
            known = raft_pb2.CommittedVoters(index=index, voters=voters)
            context.set_trailing_metadata(((VOTERS, known.SerializeToString()),))
        if fault is not None:
            self._warn(context.peer(), fault)
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
        self._called(link.peer_id)
        return link

    def _warn(self, caller: str, fault: str) -> None:
        """Each fault once in a while: a stranger can neither fill the log nor this memory."""
        now = time.monotonic()
        with self._lock:
            recent = {one: at for one, at in self._warned.items() if now - at < WARN_SECONDS}
            silent = fault in recent or len(recent) >= WARNINGS_MAX
            self._warned = recent if silent else recent | {fault: now}
        if not silent:
            _log.warning("a call from %s is refused: %s", caller, fault)

    def _is_current(self, link: _Link) -> bool:
        with self._lock:
            return self._links.get(link.peer_id) is link

    def _hello(self, context: Any) -> raft_pb2.Hello:
        found = dict(context.invocation_metadata()).get(HELLO, b"")
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
        if hello.sender_id == own.node_id:
            return f"node {hello.sender_id} is not another voter"
        if self._tls is not None:
            expected = self._tls.name_of(hello.sender_id)
            names = certificate_names(context)
            if expected not in names:
                return f"the certificate of node {hello.sender_id} does not name {expected!r}"
        return None
