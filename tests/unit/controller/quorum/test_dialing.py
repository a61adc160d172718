"""The queue of what is to be sent to a voter."""

from __future__ import annotations

import pytest

from controller.generated import raft_pb2
from controller.quorum import dialing as module
from controller.quorum.dialing import Outgoing
from controller.quorum.messages import Message, encode_message

VOTE: Message = {"type": "response_vote", "term": 3}


def test_messages_leave_in_order_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH_BYTES_MAX", 10)
    outgoing = Outgoing()
    messages = [encode_message(VOTE | {"term": term}) for term in range(1, 8)]
    assert all(outgoing.put(message) for message in messages)
    assert outgoing.queued_bytes == sum(message.ByteSize() for message in messages)
    left: list[raft_pb2.Message] = []
    batches = iter(outgoing)
    while outgoing.queued_bytes:
        left += next(batches).messages
    assert left == messages
    outgoing.close()
    assert list(batches) == []
    assert not outgoing.put(messages[0])


def test_a_queue_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "QUEUED_BYTES_MAX", 10)
    outgoing = Outgoing()
    results = [outgoing.put(encode_message(VOTE)) for _ in range(5)]
    assert results[0]
    assert not results[-1]
    assert outgoing.queued_bytes <= 10
