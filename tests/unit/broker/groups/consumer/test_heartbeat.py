"""Members of a consumer group join, exchange partitions, leave; the log gives the same state."""

from __future__ import annotations

from typing import Any

import pytest

from broker.coordinator.machine import Moment, Turn
from broker.groups.consumer.group import ConsumerGroup
from broker.groups.consumer.heartbeat import decide_heartbeat, expire
from broker.groups.consumer.records import decode, encode
from broker.groups.consumer.requests import (
    ConsumerHeartbeat,
    ConsumerHeartbeatResult,
    TopicsView,
)
from broker.groups.consumer.stored import TopicPartitions
from broker.groups.settings import GroupSettings
from ottla.core.errors import ErrorCode, ProtocolError

TOPIC = bytes([1] * 16)
NOTHING: TopicPartitions = frozenset()
SETTINGS = GroupSettings()


class Log:
    """A group, and everything that was written about it."""

    def __init__(self, partitions: int = 6) -> None:
        self.view = TopicsView({"t": (TOPIC, partitions)})
        self.group = ConsumerGroup("g")
        self.entries: list[tuple[bytes, bytes | None]] = []
        self.now_ms = 0

    def beat(
        self,
        member_id: str,
        epoch: int,
        owned: TopicPartitions | None = None,
        instance_id: str | None = None,
        topics: tuple[str, ...] | None = None,
    ) -> ConsumerHeartbeatResult:
        if epoch == 0:
            topics, owned = ("t",), NOTHING
        request = ConsumerHeartbeat(
            "g", member_id, epoch, instance_id, None, "client", "/host", 10_000, topics, None, owned
        )
        turn: Turn[Any] = Turn(Moment(self.now_ms, self.now_ms))
        result = decide_heartbeat(self.group, request, self.view, turn, SETTINGS)
        self.replay(turn)
        return result

    def replay(self, turn: Turn[Any]) -> None:
        for record in turn.records:
            assert decode(*encode(record)) == record
            self.entries.append(encode(record))
            self.group.replay(record)
        again = ConsumerGroup("g")
        for key, value in self.entries:
            again.replay(decode(key, value))
        for field in ("epoch", "metadata_hash", "assignment_epoch", "members", "targets"):
            assert getattr(again, field) == getattr(self.group, field)
        assert again.currents == self.group.currents


def test_a_single_member_joins_and_leaves() -> None:
    log = Log()
    joined = log.beat("a", 0)
    assert joined.member_epoch == 1
    assert joined.assignment == frozenset((TOPIC, index) for index in range(6))
    assert log.group.state.value == "Stable"
    assert log.beat("a", 1).assignment is None
    log.beat("a", -1)
    assert log.group.state.value == "Empty"
    assert not log.group.currents


def test_a_partition_is_given_on_once_its_owner_has_confirmed() -> None:
    log = Log()
    everything = log.beat("a", 0).assignment
    assert everything is not None
    joined = log.beat("b", 0)
    assert joined.assignment == NOTHING
    kept = log.beat("a", 1, everything)
    assert kept.member_epoch == 1
    assert kept.assignment is not None
    assert len(kept.assignment) == 3
    assert log.beat("b", joined.member_epoch).assignment is None
    assert log.beat("a", 1, everything).member_epoch == 1
    assert log.group.state.value == "Reconciling"
    assert log.beat("a", 1, kept.assignment).member_epoch == 2
    taken = log.beat("b", joined.member_epoch, NOTHING).assignment
    assert taken == everything - kept.assignment
    assert log.group.state.value == "Stable"


def test_more_partitions_make_a_new_epoch() -> None:
    log = Log()
    log.beat("a", 0)
    log.view = TopicsView({"t": (TOPIC, 8)})
    result = log.beat("a", 1)
    assert result.member_epoch == 2
    assert result.assignment is not None
    assert len(result.assignment) == 8


def test_wrong_epochs_and_members_are_fenced() -> None:
    log = Log()
    log.beat("a", 0)
    for member_id, epoch, code in (
        ("a", 9, ErrorCode.FENCED_MEMBER_EPOCH),
        ("x", 1, ErrorCode.UNKNOWN_MEMBER_ID),
        ("x", -1, ErrorCode.UNKNOWN_MEMBER_ID),
    ):
        with pytest.raises(ProtocolError) as raised:
            log.beat(member_id, epoch)
        assert raised.value.code is code


def test_a_static_member_comes_back_to_its_partitions() -> None:
    log = Log()
    had = log.beat("a", 0, instance_id="i").assignment
    with pytest.raises(ProtocolError) as raised:
        log.beat("b", 0, instance_id="i")
    assert raised.value.code is ErrorCode.UNRELEASED_INSTANCE_ID
    log.beat("a", -2, instance_id="i")
    back = log.beat("b", 0, instance_id="i")
    assert (back.assignment, back.member_epoch) == (had, 1)
    assert set(log.group.members) == {"b"}


def test_who_does_not_heartbeat_or_revoke_in_time_is_removed() -> None:
    log = Log()
    everything = log.beat("a", 0).assignment
    log.beat("b", 0)
    log.beat("a", 1, everything)
    log.now_ms = 10_000
    log.beat("a", 1, everything)
    turn: Turn[Any] = Turn(Moment(log.now_ms, 0))
    expire(log.group, turn)
    log.replay(turn)
    assert set(log.group.members) == {"b"}
    assert log.beat("b", 2).assignment == everything
