"""The handshake between voters: who calls, from where, and what both sides send with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from controller.quorum.messages import Message
from ottla.core.identifiers import Uuid

PROTOCOL_VERSION = 1
HELLO = "ottla-hello-bin"  # metadata of the call: raft_pb2.Hello
VOTERS = "ottla-voters-bin"  # trailing metadata of a refusal: raft_pb2.CommittedVoters
WELCOME = "ottla-welcome-bin"  # initial metadata of the answer: raft_pb2.Welcome

OPTIONS = [
    ("grpc.enable_http_proxy", 0),
    ("grpc.keepalive_time_ms", 1000),
    ("grpc.keepalive_timeout_ms", 1000),
    ("grpc.keepalive_permit_without_calls", 0),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.http2.min_ping_interval_without_data_ms", 500),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 500),
    ("grpc.http2.max_ping_strikes", 0),
]
"""Of both sides: a voter that vanished is noticed within two seconds, also by who only listens."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who this voter is, for the handshake."""

    cluster_id: str
    node_id: int
    directory_id: Uuid
    incarnation: int


class Events(Protocol):
    """Where the transport reports; called from its own threads, never under its lock."""

    def fault_of(self, peer_id: int, directory_id: Uuid) -> str | None:
        """Why that node, with its log in that directory, may not take part, or None."""
        ...

    def committed_voters(self) -> tuple[int, bytes]:
        """The committed set of voters, encoded, and its index."""
        ...

    def told_voters(self, index: int, voters: bytes) -> None:
        """A voter that refused this node says which set is committed."""
        ...

    def connected(self, peer_id: int, directory_id: Uuid) -> None:
        """What is sent to that voter from now on may arrive."""
        ...

    def disconnected(self, peer_id: int) -> None: ...

    def gone(self, peer_id: int) -> None:
        """After `disconnected`: no process listens at that voter's address any more."""
        ...

    def received(self, peer_id: int, directory_id: Uuid, messages: list[Message]) -> None:
        """May block for a while: that holds up this voter's call and, in the end, its sender."""
        ...


def target_of(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
