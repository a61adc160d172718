"""Messages survive the way over the network; everything else is refused."""

from __future__ import annotations

import pytest

from controller.generated import raft_pb2
from controller.quorum.messages import Message, decode_message, encode_message
from ottla.core.errors import DecodeError, InvariantError

MESSAGES: list[Message] = [
    {"type": "request_vote", "term": 3, "last_log_index": 9, "last_log_term": 2}
    | {"directory_id": b"d" * 16},
    {"type": "response_vote", "term": 3},
    {"type": "pre_vote", "term": 3, "last_log_index": 9, "last_log_term": 2}
    | {"directory_id": b"d" * 16, "voters_index": 7},
    {"type": "pre_vote_response", "term": 2, "requested_term": 3, "granted": True}
    | {"voters_index": 8, "voters": b"set"},
    {"type": "timeout_now", "term": 3},
    {"type": "next_node_idx", "term": 3, "next_node_idx": 8, "reset": True, "success": False},
    {
        "type": "append_entries",
        "term": 3,
        "commit_index": 5,
        "prevLogIdx": 6,
        "prevLogTerm": 2,
        "entries": [(b"\x01", 7, 3), (b"\x00abc", 8, 3)],
    },
    {
        "type": "append_entries",
        "term": 3,
        "commit_index": 0,
        "prevLogIdx": 6,
        "prevLogTerm": 2,
        "entries": [],
    },
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message["type"])
def test_every_kind_comes_back(message: Message) -> None:
    data = encode_message(message).SerializeToString()
    assert decode_message(raft_pb2.Message.FromString(data)) == message


@pytest.mark.parametrize(("piece", "data"), [((b"abc", True, False), b"abc"), (None, b"")])
def test_pieces_of_a_snapshot(piece: tuple[bytes, bool, bool] | None, data: bytes) -> None:
    message: Message = {
        "type": "append_entries",
        "term": 3,
        "commit_index": 5,
        "serialized": piece,
    }
    assert decode_message(encode_message(message)) == message | {"serialized": data}


def test_what_has_no_place_on_the_network_is_our_bug() -> None:
    with pytest.raises(InvariantError):
        encode_message({"type": "apply_command", "command": b"x"})
    with pytest.raises(InvariantError):
        encode_message({"type": "append_entries", "transmission": "start"})


def test_malformed_messages_are_the_peers_fault() -> None:
    gap = encode_message(MESSAGES[-2])
    gap.append_entries.suffix.entries[1].index = 9
    nothing = encode_message(MESSAGES[-2])
    nothing.append_entries.suffix.entries[0].command = b""
    bare = raft_pb2.Message(append_entries=raft_pb2.AppendEntries(term=1))
    for message in (raft_pb2.Message(), gap, nothing, bare):
        with pytest.raises(DecodeError):
            decode_message(message)
