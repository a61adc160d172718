"""Handshakes of the raft listener, without a socket."""

from __future__ import annotations

from typing import Any

import grpc
import pytest

from controller.generated import raft_pb2
from controller.quorum.handshake import Identity
from controller.quorum.listening import RaftListener
from controller.quorum.messages import Message, encode_message
from controller.quorum.tls import QuorumTls

IDENTITY = Identity("cluster", 1, b"a" * 16, 1)
VOTE: Message = {"type": "response_vote", "term": 3}


class Recorder:
    """Where the transport reports."""

    def __init__(self) -> None:
        self.messages: list[tuple[int, Message]] = []
        self.fault: str | None = None

    def fault_of(self, peer_id: int, directory_id: bytes) -> str | None:
        return self.fault if peer_id in (2, 3) else f"node {peer_id} is not a voter"

    def committed_voters(self) -> tuple[int, bytes]:
        return 7, b"set"

    def told_voters(self, index: int, voters: bytes) -> None: ...

    def connected(self, peer_id: int, directory_id: bytes) -> None: ...

    def disconnected(self, peer_id: int) -> None: ...

    def gone(self, peer_id: int) -> None: ...

    def received(self, peer_id: int, directory_id: bytes, messages: list[Message]) -> None:
        self.messages += [(peer_id, message) for message in messages]


class Aborted(Exception):
    pass


class Context:
    """The server's side of a call."""

    def __init__(self, hello: raft_pb2.Hello | bytes | None, name: bytes = b"node-2") -> None:
        data = hello.SerializeToString() if isinstance(hello, raft_pb2.Hello) else hello
        self._metadata = () if data is None else (("ottla-hello-bin", data),)
        self._name = name
        self.refusal: tuple[grpc.StatusCode, str] | None = None
        self.welcome: raft_pb2.Welcome | None = None
        self.cancelled = False
        self.voters: raft_pb2.CommittedVoters | None = None

    def invocation_metadata(self) -> tuple[Any, ...]:
        return self._metadata

    def send_initial_metadata(self, metadata: tuple[tuple[str, bytes]]) -> None:
        self.welcome = raft_pb2.Welcome.FromString(metadata[0][1])

    def set_trailing_metadata(self, metadata: tuple[tuple[str, bytes]]) -> None:
        self.voters = raft_pb2.CommittedVoters.FromString(metadata[0][1])

    def auth_context(self) -> dict[str, list[bytes]]:
        return {"x509_subject_alternative_name": [self._name]}

    def peer(self) -> str:
        return "ipv4:127.0.0.1:1"

    def cancel(self) -> None:
        self.cancelled = True

    def abort(self, code: grpc.StatusCode, details: str) -> None:
        self.refusal = (code, details)
        raise Aborted


def _hello(connection: int = 1, incarnation: int = 1, **changes: Any) -> raft_pb2.Hello:
    fields: dict[str, Any] = {
        "protocol_version": 1,
        "cluster_id": "cluster",
        "sender_id": 2,
        "receiver_id": 1,
        "directory_id": b"b" * 16,
        "incarnation": incarnation,
        "connection": connection,
    }
    return raft_pb2.Hello(**(fields | changes))


def _batch(message: Message = VOTE) -> raft_pb2.Batch:
    return raft_pb2.Batch(messages=[encode_message(message)])


def _server(events: Recorder, tls: QuorumTls | None = None) -> RaftListener:
    return RaftListener(IDENTITY, events, tls)


def test_a_known_voter_is_welcome() -> None:
    events, context = Recorder(), Context(_hello())
    assert list(_server(events).Exchange(iter([_batch()]), context)) == []
    assert context.welcome == raft_pb2.Welcome(node_id=1, directory_id=b"a" * 16)
    assert events.messages == [(2, VOTE)]


@pytest.mark.parametrize(
    ("hello", "reason"),
    [
        (None, "protocol version 0"),
        (b"\xff\xff", "cannot be read"),
        (_hello(protocol_version=2), "protocol version 2"),
        (_hello(cluster_id="other"), "cluster 'other'"),
        (_hello(receiver_id=3), "this is voter 1, not 3"),
        (_hello(sender_id=4), "node 4 is not a voter"),
        (_hello(sender_id=1), "node 1 is not another voter"),
    ],
)
def test_a_stranger_gets_nothing_done(hello: raft_pb2.Hello | bytes | None, reason: str) -> None:
    events, context = Recorder(), Context(hello)
    with pytest.raises(Aborted):
        list(_server(events).Exchange(iter([_batch()]), context))
    assert context.refusal is not None
    assert context.refusal[0] == grpc.StatusCode.PERMISSION_DENIED
    assert reason in context.refusal[1]
    assert events.messages == []
    assert context.welcome is None


def test_a_voter_with_another_disk_is_refused() -> None:
    events, context = Recorder(), Context(_hello())
    events.fault = "voter 2 comes with another disk"
    with pytest.raises(Aborted):
        list(_server(events).Exchange(iter([_batch()]), context))
    assert context.refusal == (grpc.StatusCode.PERMISSION_DENIED, events.fault)
    assert context.voters == raft_pb2.CommittedVoters(index=7, voters=b"set")  # whom to ask


def test_the_certificate_must_name_the_node() -> None:
    tls = QuorumTls(b"", b"", b"")
    for name, allowed in ((b"node-2", True), (b"node-3", False), (b"", False)):
        events, context = Recorder(), Context(_hello(), name)
        if allowed:
            list(_server(events, tls).Exchange(iter([_batch()]), context))
        else:
            with pytest.raises(Aborted):
                list(_server(events, tls).Exchange(iter([_batch()]), context))
        assert bool(events.messages) is allowed


@pytest.mark.parametrize("stale", [_hello(1, 5), _hello(2, 5), _hello(9, 4)])
def test_a_stale_call_is_refused(stale: raft_pb2.Hello) -> None:
    events = Recorder()
    server = _server(events)
    server._accept(Context(_hello(2, 5)))
    context = Context(stale)
    with pytest.raises(Aborted):
        list(server.Exchange(iter([_batch()]), context))
    assert context.refusal is not None
    assert context.refusal[0] == grpc.StatusCode.ABORTED
    assert events.messages == []


def test_a_newer_call_ends_the_older_and_what_it_still_brings() -> None:
    events = Recorder()
    server = _server(events)
    older = Context(_hello(1))

    def messages() -> Any:
        yield _batch()
        server._accept(Context(_hello(2)))
        yield _batch()

    list(server.Exchange(messages(), older))
    assert older.cancelled
    assert len(events.messages) == 1


def test_a_replaced_disk_counts_its_incarnations_anew() -> None:
    server = _server(Recorder())
    server._accept(Context(_hello(7, 7)))
    server._accept(Context(_hello(1, 1, directory_id=b"c" * 16)))


def test_a_message_that_cannot_be_read_ends_the_call() -> None:
    events = Recorder()
    bad = raft_pb2.Batch(messages=[raft_pb2.Message()])
    list(_server(events).Exchange(iter([bad, _batch()]), Context(_hello())))
    assert events.messages == []
