"""Members of a consumer group join, exchange partitions, leave; the log gives the same state."""

from __future__ import annotations

from typing import Any

import pytest

from broker.groups.consumer.group import ConsumerGroup
from broker.groups.consumer.requests import ConsumerHeartbeatResult, TopicsView
from broker.groups.consumer.stored import TopicPartitions
from ottla.core.errors import ErrorCode
from tests.support.consumer_driver import TOPIC, ConsumerDriver
from tests.support.group_driver import GROUP

NOTHING: TopicPartitions = frozenset()


class Log(ConsumerDriver):
    """A group, and everything that was written about it."""

    @property
    def group_of_consumers(self) -> ConsumerGroup:
        return self.machine.consumers.groups[GROUP]

    def beat(self, *arguments: Any, **fields: Any) -> ConsumerHeartbeatResult:
        result: ConsumerHeartbeatResult = self.answer(self.consumer_beat(*arguments, **fields))
        assert isinstance(result, ConsumerHeartbeatResult), result
        return result

    def refused(self, *arguments: Any, **fields: Any) -> ErrorCode:
        return self.error(self.consumer_beat(*arguments, **fields))


def test_a_single_member_joins_and_leaves() -> None:
    log = Log()
    joined = log.beat("a", 0)
    assert joined.member_epoch == 1
    assert joined.assignment == frozenset((TOPIC, index) for index in range(6))
    assert log.group_of_consumers.state.value == "Stable"
    assert log.beat("a", 1).assignment is None
    log.beat("a", -1)
    assert log.group_of_consumers.state.value == "Empty"
    assert not log.group_of_consumers.currents


def test_a_partition_is_given_on_once_its_owner_has_confirmed() -> None:
    log = Log()
    everything = log.beat("a", 0).assignment
    assert everything is not None
    joined = log.beat("b", 0)
    assert joined.assignment == NOTHING
    assert joined.heartbeat_interval_ms == 500
    kept = log.beat("a", 1, everything)
    assert kept.member_epoch == 1
    assert kept.assignment is not None
    assert len(kept.assignment) == 3
    assert log.beat("b", joined.member_epoch).assignment is None
    assert log.beat("a", 1, everything).member_epoch == 1
    assert log.group_of_consumers.state.value == "Reconciling"
    assert log.beat("a", 1, kept.assignment).member_epoch == 2
    taken = log.beat("b", joined.member_epoch, NOTHING).assignment
    assert taken == everything - kept.assignment
    assert log.beat("b", 2).heartbeat_interval_ms == 5_000
    assert log.group_of_consumers.state.value == "Stable"


def test_more_partitions_make_a_new_epoch() -> None:
    log = Log()
    log.beat("a", 0)
    log.view = TopicsView({"t": (TOPIC, 8)}, 1)
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
        assert log.refused(member_id, epoch) is code


def test_a_static_member_comes_back_to_its_partitions() -> None:
    log = Log()
    had = log.beat("a", 0, instance_id="i").assignment
    assert log.refused("b", 0, instance_id="i") is ErrorCode.UNRELEASED_INSTANCE_ID
    log.beat("a", -2, instance_id="i")
    back = log.beat("b", 0, instance_id="i")
    assert (back.assignment, back.member_epoch) == (had, 1)
    assert set(log.group_of_consumers.members) == {"b"}


def test_who_does_not_heartbeat_or_revoke_in_time_is_removed() -> None:
    log = Log()
    everything = log.beat("a", 0).assignment
    log.beat("b", 0)
    log.beat("a", 1, everything)
    log.advance(9_999)
    log.beat("a", 1, everything)
    log.advance(1)
    assert set(log.group_of_consumers.members) == {"b"}
    assert log.beat("b", 2).assignment == everything


def test_a_static_member_that_left_is_out_after_its_session() -> None:
    log = Log()
    log.beat("a", 0, instance_id="i")
    log.beat("b", 0)
    log.beat("a", -2, instance_id="i")
    assert log.refused("a", 1, instance_id="i") is ErrorCode.FENCED_MEMBER_EPOCH
    log.advance(44_999)
    log.beat("b", 2)
    assert set(log.group_of_consumers.members) == {"a", "b"}
    log.advance(1)
    assert set(log.group_of_consumers.members) == {"b"}


@pytest.mark.parametrize(
    "fields",
    [
        {"topics": None},
        {"owned": None},
        {"owned": frozenset({(TOPIC, 0)})},
        {"rebalance_timeout_ms": -1},
    ],
)
def test_a_join_tells_everything(fields: dict[str, Any]) -> None:
    assert Log().refused("a", 0, **fields) is ErrorCode.INVALID_REQUEST


def test_regular_expressions_match_whole_names_and_follow_the_cluster() -> None:
    log = Log()
    log.view = TopicsView({"t": (TOPIC, 1), "to": (bytes([2] * 16), 1)}, 1)
    assert log.refused("a", 0, topics=None, regex="(") is ErrorCode.INVALID_REGULAR_EXPRESSION
    joined = log.beat("a", 0, topics=None, regex="t.?")
    assert joined.assignment == frozenset({(TOPIC, 0), (bytes([2] * 16), 0)})
    log.view = TopicsView({"t": (TOPIC, 1), "other": (bytes([3] * 16), 1)}, 2)
    following = log.beat("a", 1, joined.assignment)
    assert following.assignment == frozenset({(TOPIC, 0)})
    gone = log.beat("a", 1, following.assignment, topics=("other",), regex="")
    assert not log.group_of_consumers.regexes
    assert gone.assignment == NOTHING  # what it has is not wanted any longer: it gives it up
    assert log.beat("a", 1, NOTHING).assignment == frozenset({(bytes([3] * 16), 0)})


def test_the_assignor_is_voted_on() -> None:
    log = Log()
    log.view = TopicsView({"t": (TOPIC, 1), "u": (bytes([2] * 16), 1)}, 1)
    log.beat("a", 0, topics=("t", "u"), assignor="range")
    assert log.machine.consumers.describe(GROUP).assignor == "range"
    assert log.refused("b", 0, assignor="sticky") is ErrorCode.UNSUPPORTED_ASSIGNOR
    log.beat("b", 0, topics=("t", "u"), assignor="range")
    targets = log.group_of_consumers.targets
    assert targets["a"] == {(TOPIC, 0), (bytes([2] * 16), 0)}
    assert targets["b"] == NOTHING


def test_a_heartbeat_that_changes_nothing_writes_nothing() -> None:
    log = Log()
    log.beat("a", 0)
    written = len(log.log)
    log.view = TopicsView({"t": (TOPIC, 6), "unrelated": (bytes([9] * 16), 4)}, 1)
    log.beat("a", 1)
    assert len(log.log) == written
