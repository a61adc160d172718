"""All consumer groups of one partition, and their moves from and to the classic protocol."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from broker.coordinator.machine import Ticket, Turn
from broker.groups.classic_group import ClassicGroup
from broker.groups.consumer import classic_members, heartbeat, migration
from broker.groups.consumer.assignors import choose_assignor
from broker.groups.consumer.group import NEW_MEMBER, ConsumerGroup
from broker.groups.consumer.requests import (
    JOIN_EPOCH,
    ConsumerGroupDescription,
    ConsumerHeartbeat,
    ConsumerHeartbeatResult,
    DescribedConsumer,
    TopicsView,
)
from broker.groups.consumer.step import member_tombstones
from broker.groups.consumer.stored import NOTHING, ConsumerRecord, EpochRecord, StoredEpoch
from broker.groups.requests import HeartbeatRequest, JoinRequest, LeaveRequest, SyncRequest
from broker.groups.settings import GroupSettings
from ottla.core.errors import ErrorCode, ProtocolError


class ConsumerGroups:
    """See the module. Only `replay` changes what the log holds."""

    __slots__ = ("_classic", "_configs", "_settings", "_topics", "groups")

    def __init__(
        self,
        classic: dict[str, ClassicGroup],
        settings: GroupSettings,
        topics: Callable[[], TopicsView],
        configs: Callable[[str], Mapping[str, str]],
    ) -> None:
        """`classic`: the partition's groups of the other kind; no id is in both. `topics`, and
        `configs` by group id: as the cluster has them now."""
        self.groups: dict[str, ConsumerGroup] = {}
        self._classic = classic
        self._settings = settings
        self._topics = topics
        self._configs = configs

    def replay(self, record: ConsumerRecord) -> None:
        group = self.groups.get(record.group_id)
        if group is None:
            if record.value is None:
                return
            group = self.groups[record.group_id] = ConsumerGroup(record.group_id)
        group.replay(record)
        if group.is_gone:
            del self.groups[record.group_id]

    def restore_deadlines(self, now_ms: int) -> None:
        """After loading."""
        for group_id, group in self.groups.items():
            settings = self._settings.of_group(self._configs(group_id))
            heartbeat.restore_deadlines(group, now_ms, settings)

    # ---- members of the consumer protocol

    def heartbeat(self, request: ConsumerHeartbeat, ticket: Ticket, turn: Turn[Any]) -> None:
        """The result is a ConsumerHeartbeatResult. Besides `decide_heartbeat`'s errors:
        GROUP_ID_NOT_FOUND, the group is classic and stays so."""
        group_id = request.group_id
        classic = self._classic.get(group_id)
        if classic is not None:
            if request.member_epoch != JOIN_EPOCH:
                raise ProtocolError(ErrorCode.UNKNOWN_MEMBER_ID, "the group is classic")
            self._upgrade(classic, request, ticket, turn)
            return
        group = self.groups.get(group_id) or ConsumerGroup(group_id)
        if request.member_epoch < JOIN_EPOCH:
            if heartbeat.check_leaving(group, request, turn):
                self._remove(group, [request.member_id], turn)
            left = ConsumerHeartbeatResult(request.member_id, request.member_epoch, 0, None)
            turn.answer(ticket, left)
            return
        settings = self._settings.of_group(self._configs(group_id))
        result = heartbeat.decide_heartbeat(group, request, self._topics(), turn, settings)
        turn.answer(ticket, result)
        if turn.records:
            self.groups[group_id] = group

    def _upgrade(
        self, classic: ClassicGroup, request: ConsumerHeartbeat, ticket: Ticket, turn: Turn[Any]
    ) -> None:
        migration.check_upgrade(classic, self._settings)
        view = self._topics()
        group, records = migration.upgrade(classic, view, turn.moment.now_ms)
        first: Turn[Any] = Turn(turn.moment)
        settings = self._settings.of_group(self._configs(group.group_id))
        result = heartbeat.decide_heartbeat(group, request, view, first, settings)
        # Nothing has been changed until here: the member may have been refused.
        turn.records += records + first.records
        turn.answer(ticket, result)
        migration.dismiss(classic, turn)
        if classic.stored is None:
            del self._classic[classic.group_id]
        self.groups[group.group_id] = group
        turn.note(f"group {group.group_id} uses the consumer protocol from now on")

    # ---- members of the classic protocol

    def join(self, request: JoinRequest, ticket: Ticket, turn: Turn[Any]) -> None:
        group = self.groups[request.group_id]
        view = self._topics()
        classic_members.decide_join(group, request, view, ticket, turn, self._settings)
        # A static one may have taken the place of the last member of the consumer protocol.
        group.may_be_classic = request.instance_id is not None

    def sync(self, request: SyncRequest, ticket: Ticket, turn: Turn[Any]) -> None:
        group = self.groups[request.group_id]
        classic_members.decide_sync(group, request, self._topics(), ticket, turn)

    def classic_heartbeat(self, request: HeartbeatRequest, ticket: Ticket, turn: Turn[Any]) -> None:
        group = self.groups[request.group_id]
        view = self._topics()
        classic_members.decide_heartbeat(group, request, view, ticket, turn, self._settings)

    def leave(self, request: LeaveRequest, ticket: Ticket, turn: Turn[Any]) -> None:
        """The result is an ErrorCode for each; any member can be removed so."""
        group = self.groups[request.group_id]
        codes, gone = classic_members.leaving_members(group, request)
        if gone:
            self._remove(group, gone, turn)
        turn.answer(ticket, codes)

    # ---- those who go

    def expire(self, group: ConsumerGroup, turn: Turn[Any]) -> None:
        """Remove who is due."""
        now_ms = turn.moment.now_ms
        for member_id in [m for m, due_ms in group.pending.items() if due_ms <= now_ms]:
            del group.pending[member_id]
        if group.may_be_classic:
            group.may_be_classic = False
            if self._downgrade(group, [], turn):
                return
        due = heartbeat.expired_members(group, now_ms)
        if due:
            turn.note(f"group {group.group_id}: {', '.join(due)} did not take a step in time")
            self._remove(group, due, turn)

    def _remove(self, group: ConsumerGroup, member_ids: list[str], turn: Turn[Any]) -> None:
        """They are gone, what they had is free; the next step of any other makes a new target."""
        if self._downgrade(group, member_ids, turn):
            return
        for member_id in member_ids:
            turn.records += member_tombstones(group.group_id, member_id)
        turn.append(EpochRecord(group.group_id, StoredEpoch(group.epoch + 1, group.metadata_hash)))

    def _downgrade(self, group: ConsumerGroup, member_ids: list[str], turn: Turn[Any]) -> bool:
        classic = migration.downgrade(
            group, frozenset(member_ids), self._topics(), turn, self._settings
        )
        if classic is not None:
            self._classic[group.group_id] = classic
        return classic is not None

    # ---- tools

    def describe(self, group_id: str) -> ConsumerGroupDescription:
        """GROUP_ID_NOT_FOUND."""
        group = self.groups.get(group_id)
        if group is None:
            is_classic = group_id in self._classic
            told = "is not a consumer group" if is_classic else "not found"
            raise ProtocolError(ErrorCode.GROUP_ID_NOT_FOUND, f"Group {group_id} {told}.")
        members = []
        for member_id, subscriber in group.members.items():
            current = group.currents.get(member_id, NEW_MEMBER)
            members.append(
                DescribedConsumer(
                    member_id,
                    subscriber,
                    current.member_epoch,
                    current.assigned,
                    group.targets.get(member_id, NOTHING),
                )
            )
        return ConsumerGroupDescription(
            group_id,
            group.state.value,
            group.epoch,
            group.assignment_epoch,
            choose_assignor(group.members, self._settings.consumer_assignors),
            tuple(members),
        )
