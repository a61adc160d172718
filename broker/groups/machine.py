"""All groups and offsets of one partition of __consumer_offsets: the coordinator that is replayed.

Every request is a method (request, ticket, turn) as the runtime wants it; requests about one group
are passed to the module that knows. Reads are requests too: their answers wait for what they saw.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from broker.coordinator.deadlines import Deadlines
from broker.coordinator.machine import Moment, Ticket, Turn
from broker.groups import records
from broker.groups.classic_group import ClassicGroup
from broker.groups.consumer.group import ConsumerGroup
from broker.groups.consumer.groups import ConsumerGroups
from broker.groups.consumer.heartbeat import check_committer, check_reader
from broker.groups.consumer.migration import tombstones
from broker.groups.consumer.requests import ConsumerHeartbeat, TopicsView
from broker.groups.expiry import expire_group, topics_in_use
from broker.groups.join import decide_join
from broker.groups.membership import decide_heartbeat, decide_leave, decide_sync
from broker.groups.offsets import OffsetStore, decide_commit, fetch, forget_topics
from broker.groups.pending import PendingOffsets
from broker.groups.rebalance import expire
from broker.groups.requests import (
    CommitRequest,
    DescribedMember,
    FetchRequest,
    GroupDescription,
    GroupListing,
    HeartbeatRequest,
    JoinRequest,
    LeaveRequest,
    SyncRequest,
)
from broker.groups.settings import GroupSettings
from broker.groups.states import GroupState
from broker.groups.stored import GroupRecord, OffsetRecord, Record
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.core.identifiers import Uuid

GROUPS_PER_TURN: Final = 100
OFFSETS_PER_TURN: Final = 5_000
"""How much one `on_deadline` looks at; what is left stays due."""
_NO_TOPICS: Final = TopicsView({})


class GroupMachine:
    """See the module; a `Coordinator` of `Record`."""

    __slots__ = (
        "_deadlines",
        "_is_live",
        "_parked",
        "_settings",
        "_sweep",
        "_sweep_at_ms",
        "consumers",
        "groups",
        "offsets",
        "pending",
    )

    def __init__(
        self,
        settings: GroupSettings,
        topics: Callable[[], TopicsView] = lambda: _NO_TOPICS,
        configs: Callable[[str], Mapping[str, str]] = lambda group_id: {},
    ) -> None:
        """`topics`: the cluster's, `configs`: what is set for a group, as they are known now."""
        self.groups: dict[str, ClassicGroup] = {}
        self.consumers = ConsumerGroups(self.groups, settings, topics, configs)
        """Groups of the consumer protocol (KIP-848); no id is in both."""
        self.offsets = OffsetStore()
        self.pending = PendingOffsets()
        self._settings = settings
        self._deadlines: Deadlines[str] = Deadlines()
        self._parked: dict[Ticket, str] = {}
        """The group of each request whose answer waits for something else than the commit."""
        self._is_live = False
        self._sweep: deque[str] = deque()
        """Groups that retention has yet to look at in this round."""
        self._sweep_at_ms: int | None = None

    # ---- the log

    def encode(self, record: Record) -> tuple[bytes, bytes | None]:
        return records.encode(record)

    def decode(self, key: bytes, value: bytes | None) -> Record | None:
        return records.decode(key, value)

    def replay(self, record: Record, producer_id: int | None = None) -> None:
        if isinstance(record, OffsetRecord):
            if producer_id is None:
                self.offsets.replay(record)
                self.pending.overwrite(record)
            else:
                self.pending.replay(record, producer_id)
            return
        if not isinstance(record, GroupRecord):
            self.consumers.replay(record)
            return
        group = self.groups.get(record.group_id)
        if record.group is not None:
            if group is None:
                group = self.groups[record.group_id] = ClassicGroup(record.group_id)
            group.replay(record.group, is_live=self._is_live)
        elif group is not None:
            if self._is_live:
                group.move(GroupState.DEAD)
            del self.groups[record.group_id]
            self._deadlines.forget(record.group_id)

    def replay_end(self, producer_id: int, *, is_commit: bool) -> None:
        for number, record in self.pending.end(producer_id):
            if is_commit:
                self.offsets.replay(record)
                self.pending.overwrite(record, number)

    def loaded(self, moment: Moment) -> None:
        self._is_live = True
        for group in self.groups.values():
            group.restore_members(moment.now_ms)
            self._schedule(group)
        self.consumers.restore_deadlines(moment.now_ms)
        for consumers in self.consumers.groups.values():
            self._schedule(consumers)
        self._sweep_at_ms = moment.now_ms + self._settings.offsets_retention_check_interval_ms

    # ---- members

    def join(self, request: JoinRequest, ticket: Ticket, turn: Turn[Record]) -> None:
        consumers = self.consumers.groups.get(request.group_id)
        if consumers is not None and consumers.members:
            self.consumers.join(request, ticket, turn)
            self._schedule(consumers)
            return
        group = self.groups.get(request.group_id)
        if group is None:
            if request.member_id != "":
                raise ProtocolError(ErrorCode.UNKNOWN_MEMBER_ID)
            group = ClassicGroup(request.group_id)
        decide_join(group, request, ticket, turn, self._settings)
        if consumers is not None:  # it is empty, and was a consumer group until now
            turn.records[:0] = tombstones(consumers)
        self.groups[request.group_id] = group
        self._decided(group, turn, ticket)

    def sync(self, request: SyncRequest, ticket: Ticket, turn: Turn[Record]) -> None:
        if request.group_id in self.consumers.groups:
            self.consumers.sync(request, ticket, turn)
            return
        group = self._group_of_member(request.group_id)
        decide_sync(group, request, ticket, turn, self._settings)
        self._decided(group, turn, ticket)

    def heartbeat(self, request: HeartbeatRequest, ticket: Ticket, turn: Turn[Record]) -> None:
        consumers = self.consumers.groups.get(request.group_id)
        if consumers is not None:
            self.consumers.classic_heartbeat(request, ticket, turn)
            self._schedule(consumers)
            return
        # A session that ends later needs no new deadline: see Deadlines.
        decide_heartbeat(self._group_of_member(request.group_id), request, ticket, turn)

    def consumer_heartbeat(
        self, request: ConsumerHeartbeat, ticket: Ticket, turn: Turn[Record]
    ) -> None:
        """The result is a ConsumerHeartbeatResult."""
        self.consumers.heartbeat(request, ticket, turn)
        self._settle(request.group_id, turn)

    def _settle(self, group_id: str, turn: Turn[Record]) -> None:
        """After a decision on a consumer group, which may have changed its kind."""
        for answered, _ in turn.answers:
            self._parked.pop(answered, None)
        group = self.groups.get(group_id) or self.consumers.groups.get(group_id)
        if group is not None:
            self._schedule(group)

    def leave(self, request: LeaveRequest, ticket: Ticket, turn: Turn[Record]) -> None:
        if request.group_id in self.consumers.groups:
            self.consumers.leave(request, ticket, turn)
            self._settle(request.group_id, turn)
            return
        group = self._group_of_member(request.group_id)
        decide_leave(group, request, ticket, turn, self._settings)
        self._decided(group, turn)

    def abandon(self, ticket: Ticket, turn: Turn[Record]) -> None:
        """A parked member's connection is gone.

        A member that was never in a generation goes at once: it owns nothing, and if it is alive it
        joins anew. Any other has a session's time to come back; in an open round it counts as
        joined, so that a dead member does not make the living wait.
        """
        group = self.groups.get(self._parked.pop(ticket, ""))
        if group is None:
            return
        now_ms = turn.moment.now_ms
        for member in group.members.values():
            if member.join_ticket == ticket:
                member.join_ticket = None
                member.refresh(now_ms)
                if member.is_new and not member.is_static:
                    group.remove(member)
                break
            if member.sync_ticket == ticket:
                member.sync_ticket = None
                member.refresh(now_ms)
                break
        self._decided(group, turn)

    def _group_of_member(self, group_id: str) -> ClassicGroup:
        group = self.groups.get(group_id)
        if group is None:
            raise ProtocolError(ErrorCode.UNKNOWN_MEMBER_ID, "the group does not exist")
        return group

    def _decided(
        self, group: ClassicGroup, turn: Turn[Record], ticket: Ticket | None = None
    ) -> None:
        """Remember who waits, look at the group again when its next deadline comes."""
        if ticket is not None:
            self._parked[ticket] = group.group_id
        for answered, _ in turn.answers:
            self._parked.pop(answered, None)
        if group.is_forgettable and not turn.records:
            self.groups.pop(group.group_id, None)
            self._deadlines.forget(group.group_id)
        else:
            self._schedule(group)

    def _schedule(self, group: ClassicGroup | ConsumerGroup) -> None:
        deadline_ms = group.next_deadline()
        if deadline_ms is not None:
            self._deadlines.wake_by(group.group_id, deadline_ms)

    # ---- offsets

    def commit(self, request: CommitRequest, ticket: Ticket, turn: Turn[Record]) -> None:
        """The result is an ErrorCode for each offset."""
        request = self._checked_commit(request)
        group = self.groups.get(request.group_id)
        turn.answer(ticket, decide_commit(group, request, turn, self._settings))
        turn.count("offset_commits", "plain")

    def commit_in_transaction(
        self, request: CommitRequest, producer: tuple[int, int], ticket: Ticket, turn: Turn[Record]
    ) -> None:
        """As `commit`; the offsets count once the producer's transaction is committed."""
        request = self._checked_commit(request, is_transactional=True)
        group = self.groups.get(request.group_id)
        turn.producer = producer
        turn.answer(
            ticket, decide_commit(group, request, turn, self._settings, is_transactional=True)
        )
        turn.count("offset_commits", "transactional")

    def _checked_commit(
        self, request: CommitRequest, *, is_transactional: bool = False
    ) -> CommitRequest:
        """A commit to a consumer group is checked here; `decide_commit` then sees no member."""
        group = self.consumers.groups.get(request.group_id)
        if group is None:
            return request
        check_committer(
            group,
            request.member_id,
            request.instance_id,
            request.generation,
            is_transactional=is_transactional,
        )
        return replace(request, member_id="", instance_id=None, generation=-1)

    def fetch(self, request: FetchRequest, ticket: Ticket, turn: Turn[Record]) -> None:
        """The result is a list of FetchedOffset; `check_reader`'s errors."""
        consumers = self.consumers.groups.get(request.group_id)
        if consumers is not None:
            check_reader(consumers, request.member_id, request.member_epoch)
        turn.answer(ticket, fetch(self.offsets, self.pending, request))

    def forget_topics(
        self, deleted: Mapping[Uuid, str], turn: Turn[Record], *, just_now: bool
    ) -> None:
        forget_topics(self.offsets, self.pending, deleted, turn, just_now=just_now)

    # ---- tools

    def list_groups(self, ticket: Ticket, turn: Turn[Record]) -> None:
        """The result is a list of GroupListing."""
        listings = [
            GroupListing(group.group_id, group.protocol_type or "", group.state)
            for group in self.groups.values()
        ]
        listings += [
            GroupListing(group_id, "", GroupState.EMPTY)
            for group_id in self.offsets.group_ids
            if group_id not in self.groups and group_id not in self.consumers.groups
        ]
        listings += [
            GroupListing(group_id, "consumer", consumers.state, is_consumer=True)
            for group_id, consumers in self.consumers.groups.items()
        ]
        turn.answer(ticket, listings)

    def describe(self, group_id: str, ticket: Ticket, turn: Turn[Record]) -> None:
        """The result is a GroupDescription; GROUP_ID_NOT_FOUND."""
        if group_id in self.consumers.groups:
            raise ProtocolError(
                ErrorCode.GROUP_ID_NOT_FOUND, f"Group {group_id} is not a classic group."
            )
        group = self.groups.get(group_id)
        if group is None:
            if not self.offsets.has(group_id):
                raise ProtocolError(ErrorCode.GROUP_ID_NOT_FOUND, f"Group {group_id} not found.")
            turn.answer(ticket, GroupDescription(group_id, GroupState.EMPTY))
            return
        protocol = group.protocol if group.state is GroupState.STABLE else None
        members = tuple(
            DescribedMember(
                member.member_id,
                member.instance_id,
                member.client_id,
                member.client_host,
                member.metadata(protocol),
                group.assignments.get(member.member_id, b"") if protocol is not None else b"",
            )
            for member in group.members.values()
        )
        turn.answer(
            ticket,
            GroupDescription(
                group_id, group.state, group.protocol_type or "", protocol or "", members
            ),
        )

    def describe_consumers(self, group_id: str, ticket: Ticket, turn: Turn[Record]) -> None:
        """The result is a ConsumerGroupDescription; GROUP_ID_NOT_FOUND."""
        turn.answer(ticket, self.consumers.describe(group_id))

    def delete(self, group_id: str, ticket: Ticket, turn: Turn[Record]) -> None:
        """Tombstones for an empty group and its offsets; GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP."""
        group = self.groups.get(group_id)
        consumers = self.consumers.groups.get(group_id)
        if consumers is not None and consumers.members:
            raise ProtocolError(ErrorCode.NON_EMPTY_GROUP)
        if group is None and consumers is None and not self.offsets.has(group_id):
            raise ProtocolError(ErrorCode.GROUP_ID_NOT_FOUND)
        if group is not None and (group.state is not GroupState.EMPTY or group.pending):
            raise ProtocolError(ErrorCode.NON_EMPTY_GROUP)
        if self.pending.of_group(group_id):
            # What a marker commits afterwards would bring the group back.
            raise ProtocolError(ErrorCode.NON_EMPTY_GROUP, "a transaction with its offsets is open")
        # Offsets first: if the batches are torn apart, the group is still there to be deleted.
        for topic, partitions in self.offsets.of_group(group_id).items():
            for partition in partitions:
                turn.append(OffsetRecord(group_id, topic, partition, None))
        if group is not None and group.stored is not None:
            turn.append(GroupRecord(group_id, None))
        if consumers is not None:
            turn.records += tombstones(consumers)
        turn.answer(ticket, None)

    def delete_offsets(
        self,
        group_id: str,
        partitions: Sequence[tuple[str, int]],
        ticket: Ticket,
        turn: Turn[Record],
    ) -> None:
        """Tombstones for offsets; the result is an ErrorCode for each, in order.

        GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP; for one, GROUP_SUBSCRIBED_TO_TOPIC.
        """
        group = self.groups.get(group_id)
        consumers = self.consumers.groups.get(group_id)
        pending = self.pending.of_group(group_id)
        if group is None and consumers is None and not pending and not self.offsets.has(group_id):
            raise ProtocolError(ErrorCode.GROUP_ID_NOT_FOUND)
        in_use = topics_in_use(group or consumers)
        if in_use is None and (group is None or group.protocol_type != "consumer"):
            raise ProtocolError(ErrorCode.NON_EMPTY_GROUP, "its members are no consumers")
        committed = self.offsets.of_group(group_id)
        codes = []
        for topic, index in partitions:
            if in_use is None or topic in in_use:
                codes.append(ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC)
                continue
            codes.append(ErrorCode.NONE)
            # Else the marker of an open transaction would bring it back.
            if index in committed.get(topic, {}) or (topic, index) in pending:
                turn.append(OffsetRecord(group_id, topic, index, None))
        turn.answer(ticket, codes)

    # ---- time

    def next_deadline(self) -> int | None:
        deadline_ms = self._deadlines.next_deadline()
        if self._sweep:
            return self._sweep_at_ms  # of this round: already past
        if self._sweep_at_ms is None or deadline_ms is None:
            return self._sweep_at_ms if deadline_ms is None else deadline_ms
        return min(deadline_ms, self._sweep_at_ms)

    def on_deadline(self, turn: Turn[Record]) -> None:
        now_ms = turn.moment.now_ms
        for _ in range(GROUPS_PER_TURN):
            group_id = self._deadlines.pop_due(now_ms)
            if group_id is None:
                break
            consumers = self.consumers.groups.get(group_id)
            if consumers is not None:
                self.consumers.expire(consumers, turn)
                self._settle(group_id, turn)
                continue
            group = self.groups.get(group_id)
            if group is not None:
                before = len(turn.records)
                expire(group, turn, self._settings)
                if group.is_forgettable and len(turn.records) == before:
                    del self.groups[group_id]
                else:
                    self._schedule(group)
        for answered, _ in turn.answers:
            self._parked.pop(answered, None)
        if self._sweep_at_ms is not None and self._sweep_at_ms <= now_ms:
            self._sweep_some(turn)

    def _sweep_some(self, turn: Turn[Record]) -> None:
        """Retention, a part at a time; a round starts every check interval."""
        if turn.records:
            return  # a group that has just changed is looked at once that is replayed
        if not self._sweep:
            self._sweep.extend({*self.groups, *self.consumers.groups, *self.offsets.group_ids})
        looked_at = 0
        for _ in range(GROUPS_PER_TURN):
            if not self._sweep or looked_at > OFFSETS_PER_TURN:
                break
            group_id = self._sweep.popleft()
            group = self.groups.get(group_id) or self.consumers.groups.get(group_id)
            if self.pending.of_group(group_id):
                continue  # in use by a transaction
            looked_at += expire_group(group_id, group, self.offsets, turn, self._settings)
        if not self._sweep:
            interval_ms = self._settings.offsets_retention_check_interval_ms
            self._sweep_at_ms = turn.moment.now_ms + interval_ms
