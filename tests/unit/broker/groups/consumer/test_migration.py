"""Groups that change between the classic and the consumer protocol while they live."""

from __future__ import annotations

from typing import Any

import pytest

from broker.coordinator.machine import Ticket
from broker.groups.classic_group import ClassicGroup
from broker.groups.consumer.group import ConsumerGroup
from broker.groups.consumer.requests import ConsumerHeartbeatResult
from broker.groups.requests import JoinResult, LeavingMember, SyncResult
from broker.groups.settings import GroupSettings
from broker.groups.states import GroupState
from broker.groups.subscriptions import read_assignment, write_assignment
from ottla.core.errors import ErrorCode
from tests.support.consumer_driver import TOPIC, ConsumerDriver, subscription
from tests.support.group_driver import GROUP, offset

PROTOCOLS = (("range", subscription()),)


class Mixed(ConsumerDriver):
    """Members of both protocols."""

    @property
    def consumers(self) -> ConsumerGroup:
        return self.machine.consumers.groups[GROUP]

    def classic_group(self, *member_ids: str, **fields: Any) -> int:
        """A stable classic group in which the first member has all partitions."""
        fields = {"protocols": PROTOCOLS, **fields}
        tickets = {member_ids[0]: self.join(fresh_member_id=member_ids[0], **fields)}
        for member_id in member_ids[1:]:
            self.join(fresh_member_id=member_id, **fields)
        for member_id in member_ids:
            tickets[member_id] = self.join(member_id, **fields)
        generation: int = self.answer(tickets[member_ids[0]]).generation
        leader = self.group.leader_id
        everything = write_assignment([("t", list(range(6)))], subscription())
        for member_id in member_ids:
            given = {m: everything if m == member_ids[0] else b"\0\1\0\0\0\0" for m in member_ids}
            self.sync(member_id, generation, given if member_id == leader else None)
        assert self.group.state is GroupState.STABLE
        return generation

    def beat(self, *arguments: Any, **fields: Any) -> ConsumerHeartbeatResult:
        result: ConsumerHeartbeatResult = self.answer(self.consumer_beat(*arguments, **fields))
        assert isinstance(result, ConsumerHeartbeatResult), result
        return result

    def rejoin(self, member_id: str, owned: set[int], **fields: Any) -> tuple[int, set[int]]:
        """A classic member takes its step: its generation, and what it is given."""
        joined: JoinResult = self.answer(
            self.join(member_id, protocols=(("range", subscription(owned=owned)),), **fields)
        )
        assert isinstance(joined, JoinResult), joined
        assert joined.leader_id != joined.member_id
        return joined.generation, self.given(self.sync(member_id, joined.generation))

    def given(self, ticket: Ticket) -> set[int]:
        synced = self.answer(ticket)
        assert isinstance(synced, SyncResult), synced
        return {index for _, index in read_assignment(synced.assignment)}


def test_a_live_group_is_upgraded_and_partitions_move_one_by_one() -> None:
    group = Mixed()
    generation = group.classic_group("a")
    group.commit(offset(5), member_id="a", generation=generation)
    new = group.beat("n", 0)
    assert new.assignment == frozenset()
    assert GROUP not in group.machine.groups
    assert group.error(group.heartbeat("a", generation)) is ErrorCode.REBALANCE_IN_PROGRESS
    # A cooperative member keeps its epoch until it has given up three partitions.
    epoch, has = group.rejoin("a", set(range(6)))
    assert (epoch, len(has)) == (generation, 3)
    assert group.beat("n", new.member_epoch).assignment is None
    assert group.error(group.heartbeat("a", epoch)) is ErrorCode.REBALANCE_IN_PROGRESS
    epoch, kept = group.rejoin("a", has)
    assert (epoch, kept) == (new.member_epoch, has)
    taken = group.beat("n", new.member_epoch).assignment
    assert taken == frozenset((TOPIC, index) for index in set(range(6)) - has)
    assert group.answer(group.heartbeat("a", epoch)) is None
    assert group.consumers.state.value == "Stable"
    assert group.committed() == 5
    group.commit(offset(6), member_id="a", generation=epoch)
    assert group.committed() == 6
    stale = group.answer(group.commit(offset(7), member_id="a", generation=generation))
    assert stale.code is ErrorCode.ILLEGAL_GENERATION


def test_an_eager_member_gives_everything_up_at_once() -> None:
    group = Mixed()
    group.classic_group("a", "b")
    group.beat("n", 0)
    first = {m: group.rejoin(m, set()) for m in ("a", "b")}
    second = {m: group.rejoin(m, set()) for m in ("a", "b")}
    assert {epoch for epoch, _ in (*first.values(), *second.values())} == {group.consumers.epoch}
    new = group.beat("n", group.consumers.epoch)
    assert new.assignment is not None
    assert [len(second["a"][1]), len(second["b"][1]), len(new.assignment)] == [2, 2, 2]


def test_the_last_member_of_the_consumer_protocol_leaves_a_classic_group() -> None:
    group = Mixed()
    group.classic_group("a")
    group.beat("n", 0)
    epoch, has = group.rejoin("a", set())
    assert len(has) == 3
    group.beat("n", epoch)
    group.beat("n", -1)
    assert GROUP not in group.machine.consumers.groups
    group.reload()
    assert group.group.is_leaderless
    group.advance(0)
    assert group.group.state is GroupState.PREPARING_REBALANCE
    assert group.error(group.heartbeat("a", epoch)) is ErrorCode.REBALANCE_IN_PROGRESS
    joined = group.answer(group.join("a", protocols=PROTOCOLS))
    assert (joined.leader_id, joined.generation) == ("a", epoch + 1)


@pytest.mark.parametrize(
    ("policy", "upgrades", "downgrades"),
    [
        ("bidirectional", True, True),
        ("upgrade", True, False),
        ("downgrade", False, True),
        ("disabled", False, False),
    ],
)
def test_the_policy_says_who_may_change(policy: str, upgrades: bool, downgrades: bool) -> None:
    settings = GroupSettings(initial_rebalance_delay_ms=0, consumer_migration_policy=policy)
    group = Mixed(settings)
    group.classic_group("a")
    beat = group.consumer_beat("n", 0)
    if upgrades:
        assert group.answer(beat).member_epoch > 1
    else:
        assert group.error(beat) is ErrorCode.GROUP_ID_NOT_FOUND
        assert isinstance(group.group, ClassicGroup)
    group = Mixed(settings)
    group.beat("n", 0)
    joined = group.answer(group.join(fresh_member_id="c", protocols=PROTOCOLS))
    assert joined.generation == 2
    group.beat("n", -1)
    assert (GROUP in group.machine.groups) is downgrades


def test_an_empty_group_is_of_the_kind_that_joins_next() -> None:
    group = Mixed(GroupSettings(initial_rebalance_delay_ms=0, consumer_migration_policy="disabled"))
    generation = group.classic_group("a")
    group.leave(LeavingMember("a"))
    new = group.beat("n", 0)
    assert new.member_epoch > generation
    group.beat("n", -1)
    group.classic_group("b")
    assert GROUP not in group.machine.consumers.groups


def test_a_group_of_another_protocol_type_stays_classic() -> None:
    group = Mixed()
    group.stable_group("a", protocol_type="connect", protocols=(("x", b""),))
    assert group.error(group.consumer_beat("n", 0)) is ErrorCode.GROUP_ID_NOT_FOUND
    consumers = Mixed()
    consumers.beat("n", 0)
    refused = consumers.join(protocol_type="connect", protocols=(("x", b""),))
    assert consumers.error(refused) is ErrorCode.INCONSISTENT_GROUP_PROTOCOL


def test_a_refused_first_heartbeat_changes_nothing() -> None:
    group = Mixed()
    generation = group.classic_group("a")
    refused = group.consumer_beat("n", 0, assignor="sticky")
    assert group.error(refused) is ErrorCode.UNSUPPORTED_ASSIGNOR
    assert group.answer(group.heartbeat("a", generation)) is None


def test_who_waits_in_a_round_joins_again() -> None:
    group = Mixed()
    group.classic_group("a")
    waiting = group.join(fresh_member_id="b", protocols=PROTOCOLS)
    group.beat("n", 0)
    assert group.error(waiting) is ErrorCode.REBALANCE_IN_PROGRESS
    assert group.error(group.join("b", protocols=PROTOCOLS)) is ErrorCode.UNKNOWN_MEMBER_ID


def test_a_static_member_changes_its_protocol_and_keeps_its_partitions() -> None:
    group = Mixed()
    group.classic_group("a", instance_id="i")
    had = group.beat("n", 0, instance_id="i")
    assert had.assignment == frozenset((TOPIC, index) for index in range(6))
    assert set(group.consumers.members) == {"n"}
    group.beat("n", -2, instance_id="i")
    back = group.answer(group.join(fresh_member_id="c", instance_id="i", protocols=PROTOCOLS))
    assert len(group.given(group.sync("c", back.generation, instance_id="i"))) == 6
    group.advance(0)
    assert set(group.group.members) == {"c"}


def test_a_classic_member_that_does_not_come_back_is_removed() -> None:
    group = Mixed()
    generation = group.classic_group("a", "b", session_timeout_ms=100_000)
    group.beat("n", 0)
    group.heartbeat("a", generation)
    group.advance(40_000)
    group.beat("n", group.consumers.epoch)
    group.advance(20_000)  # the rebalance time-out of 60 s, from the first REBALANCE_IN_PROGRESS
    assert set(group.consumers.members) == {"b", "n"}


def test_ids_are_given_first_and_joined_with_then() -> None:
    group = Mixed()
    group.beat("n", 0)
    first = group.answer(
        group.join(fresh_member_id="c", requires_known_member_id=True, protocols=PROTOCOLS)
    )
    assert (first.error, first.member_id) == (ErrorCode.MEMBER_ID_REQUIRED, "c")
    assert group.answer(group.join("c", protocols=PROTOCOLS)).generation == 2
    assert group.error(group.join("x", protocols=PROTOCOLS)) is ErrorCode.UNKNOWN_MEMBER_ID
    codes = group.answer(group.leave(LeavingMember("c"), LeavingMember("x")))
    assert codes == [ErrorCode.NONE, ErrorCode.UNKNOWN_MEMBER_ID]
