"""A consumer group in the machine of its partition: commits, tools, time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from broker.coordinator.machine import Moment, Turn
from broker.groups.consumer.requests import ConsumerHeartbeat, TopicsView
from broker.groups.machine import GroupMachine
from broker.groups.requests import CommitRequest, OffsetToCommit
from broker.groups.settings import GroupSettings
from ottla.core.errors import ErrorCode, ProtocolError

VIEW = TopicsView({"t": (bytes([1] * 16), 2)})


def do(machine: GroupMachine, decide: Callable[[Turn[Any]], None], now_ms: int = 0) -> Turn[Any]:
    turn: Turn[Any] = Turn(Moment(now_ms, now_ms))
    decide(turn)
    for record in turn.records:
        again = machine.decode(*machine.encode(record))
        assert again is not None
        machine.replay(again)
    return turn


def joined() -> GroupMachine:
    machine = GroupMachine(GroupSettings(), lambda: VIEW)
    machine.loaded(Moment(0, 0))
    beat = ConsumerHeartbeat("g", "m", 0, None, None, "c", "/h", 10_000, ("t",), None, frozenset())
    do(machine, lambda turn: machine.consumer_heartbeat(beat, 1, turn))
    return machine


@pytest.mark.parametrize(
    ("member_id", "epoch", "code"),
    [
        ("m", 1, None),
        ("m", 2, ErrorCode.STALE_MEMBER_EPOCH),
        ("x", 1, ErrorCode.UNKNOWN_MEMBER_ID),
        ("", -1, ErrorCode.UNKNOWN_MEMBER_ID),
    ],
)
def test_commits_are_of_the_current_epoch(
    member_id: str, epoch: int, code: ErrorCode | None
) -> None:
    machine = joined()
    request = CommitRequest("g", member_id, None, epoch, (OffsetToCommit("t", 0, 5),))
    if code is None:
        do(machine, lambda turn: machine.commit(request, 2, turn))
        assert machine.offsets.of_group("g")["t"][0].offset == 5
        return
    with pytest.raises(ProtocolError) as raised:
        do(machine, lambda turn: machine.commit(request, 2, turn))
    assert raised.value.code is code


def test_a_silent_member_is_removed_and_the_group_can_be_deleted() -> None:
    machine = joined()
    with pytest.raises(ProtocolError) as raised:
        do(machine, lambda turn: machine.delete("g", 2, turn))
    assert raised.value.code is ErrorCode.NON_EMPTY_GROUP
    assert machine.next_deadline() == 45_000
    do(machine, machine.on_deadline, 45_000)
    assert not machine.consumers.groups["g"].members
    do(machine, lambda turn: machine.delete("g", 3, turn))
    assert not machine.consumers.groups
