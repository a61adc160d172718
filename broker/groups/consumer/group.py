"""One consumer group as its log tells it, and the deadlines of its members."""

from __future__ import annotations

from enum import Enum
from typing import Final

from broker.groups.consumer.stored import (
    NOTHING,
    ConsumerRecord,
    CurrentRecord,
    EpochRecord,
    MemberState,
    RegexRecord,
    StoredCurrent,
    StoredRegex,
    StoredSubscriber,
    SubscriberRecord,
    TargetEpochRecord,
    TargetRecord,
    TopicPartitions,
)
from ottla.core.identifiers import Uuid

NEW_MEMBER: Final = StoredCurrent(0, 0, MemberState.STABLE, NOTHING, NOTHING)


class ConsumerGroupState(Enum):
    """Derived from the log; values are the names that tools see."""

    EMPTY = "Empty"
    """No members. Action: a heartbeat with epoch 0 joins. Transition: → ASSIGNING.
    Previous: any other."""
    ASSIGNING = "Assigning"
    """The group's epoch is ahead of the target's. Action: the next heartbeat of any member makes
    the target. Transition: → RECONCILING, STABLE, EMPTY. Previous: any other."""
    RECONCILING = "Reconciling"
    """Members give up and take partitions. Action: heartbeats move each member by one step.
    Transition: all have their target → STABLE; a change → ASSIGNING; all leave → EMPTY.
    Previous: ASSIGNING."""
    STABLE = "Stable"
    """Every member has its target. Transition: a change → ASSIGNING; all leave → EMPTY.
    Previous: ASSIGNING, RECONCILING."""


class ConsumerGroup:
    """Only `replay` changes what the log holds."""

    __slots__ = (
        "assignment_epoch",
        "currents",
        "epoch",
        "group_id",
        "may_be_classic",
        "members",
        "metadata_hash",
        "pending",
        "regexes",
        "revocations",
        "sessions",
        "targets",
        "view_version",
    )

    def __init__(self, group_id: str) -> None:
        self.group_id = group_id
        self.epoch = 0
        self.metadata_hash = 0
        self.assignment_epoch = 0
        self.members: dict[str, StoredSubscriber] = {}
        self.targets: dict[str, TopicPartitions] = {}
        self.currents: dict[str, StoredCurrent] = {}
        self.regexes: dict[str, StoredRegex] = {}
        self.view_version = -1
        """Of the topics that the hash was last compared with; not in the log."""
        self.pending: dict[str, int] = {}
        """Ids given to members of the classic protocol (KIP-394), and when they expire; likewise"""
        self.may_be_classic = False
        """Perhaps no member of the consumer protocol is left: to be looked at; likewise."""
        self.sessions: dict[str, int] = {}
        """When each member's session ends, in monotonic ms; not in the log."""
        self.revocations: dict[str, int] = {}
        """By when a member must take its next step: give partitions up, or in the classic protocol
        join again or ask for its assignment; likewise."""

    def replay(self, record: ConsumerRecord) -> None:
        match record:
            case EpochRecord(value=value):
                self.epoch = 0 if value is None else value.epoch
                self.metadata_hash = 0 if value is None else value.metadata_hash
            case TargetEpochRecord(value=epoch):
                self.assignment_epoch = epoch or 0
            case SubscriberRecord(member_id=member_id, value=None):
                self.members.pop(member_id, None)
                self.sessions.pop(member_id, None)
                self.revocations.pop(member_id, None)
            case SubscriberRecord(member_id=member_id, value=StoredSubscriber() as member):
                self.members[member_id] = member
            case TargetRecord(member_id=member_id, value=None):
                self.targets.pop(member_id, None)
            case TargetRecord(member_id=member_id, value=frozenset() as target):
                self.targets[member_id] = target
            case CurrentRecord(member_id=member_id, value=None):
                self.currents.pop(member_id, None)
            case CurrentRecord(member_id=member_id, value=StoredCurrent() as current):
                self.currents[member_id] = current
            case RegexRecord(regex=regex, value=None):
                self.regexes.pop(regex, None)
            case RegexRecord(regex=regex, value=StoredRegex() as resolved):
                self.regexes[regex] = resolved

    def topics_of(self, member: StoredSubscriber) -> set[str]:
        """All that a member subscribes to, by name or by regular expression."""
        topics = set(member.topics)
        if member.regex in self.regexes:
            topics |= set(self.regexes[member.regex].topics)
        return topics

    @property
    def topics(self) -> frozenset[str]:
        """All that any member subscribes to."""
        return frozenset(
            topic for member in self.members.values() for topic in self.topics_of(member)
        )

    @property
    def is_gone(self) -> bool:
        """Nothing of it is in the log."""
        kept = self.members or self.currents or self.targets or self.regexes
        return not (self.epoch or self.assignment_epoch or kept)

    @property
    def state(self) -> ConsumerGroupState:
        if not self.members:
            return ConsumerGroupState.EMPTY
        if self.epoch > self.assignment_epoch:
            return ConsumerGroupState.ASSIGNING
        for member_id in self.members:
            current = self.currents.get(member_id, NEW_MEMBER)
            is_there = current.member_epoch == self.assignment_epoch
            if not is_there or current.state is not MemberState.STABLE:
                return ConsumerGroupState.RECONCILING
        return ConsumerGroupState.STABLE

    def static_member(self, instance_id: str) -> str | None:
        """The id of the member that is `instance_id`."""
        for member_id, member in self.members.items():
            if member.instance_id == instance_id:
                return member_id
        return None

    def held_by_others(self, member_id: str) -> set[tuple[Uuid, int]]:
        """What others have or have not confirmed to have given up."""
        held: set[tuple[Uuid, int]] = set()
        for other_id, current in self.currents.items():
            if other_id != member_id:
                held |= current.assigned | current.pending_revocation
        return held

    def next_deadline(self) -> int | None:
        if self.may_be_classic:
            return 0
        deadlines = (*self.sessions.values(), *self.revocations.values(), *self.pending.values())
        return min(deadlines, default=None)
