"""A group moves between the classic protocol and the consumer protocol while it lives (KIP-848).

    upgrade     the first heartbeat of the consumer protocol: every member of the stored generation
                becomes a classic member of the consumer group, with what it was given
    downgrade   the last member of the consumer protocol leaves: the others become a classic group
                without a leader, which is rebalanced at once

Either is one decision: tombstones of the one kind and records of the other.
"""

from __future__ import annotations

from typing import Any

from broker.coordinator.machine import Turn
from broker.groups.classic_group import ClassicGroup
from broker.groups.consumer.classic_members import CONSUMER, named, to_ids
from broker.groups.consumer.group import ConsumerGroup
from broker.groups.consumer.requests import TopicsView
from broker.groups.consumer.step import member_tombstones
from broker.groups.consumer.stored import (
    NOTHING,
    ClassicSide,
    CurrentRecord,
    EpochRecord,
    MemberState,
    RegexRecord,
    StoredCurrent,
    StoredEpoch,
    StoredSubscriber,
    SubscriberRecord,
    TargetEpochRecord,
    TargetRecord,
)
from broker.groups.join import MEMBER_OVERHEAD_BYTES
from broker.groups.member import Member
from broker.groups.rebalance import rebalancing
from broker.groups.settings import GroupSettings
from broker.groups.states import GroupState
from broker.groups.stored import GroupRecord, StoredGroup
from broker.groups.subscriptions import read_assignment, read_subscription, write_assignment
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.core.identifiers import Uuid


def check_upgrade(group: ClassicGroup, settings: GroupSettings) -> None:
    """GROUP_ID_NOT_FOUND: the group stays classic."""
    if group.stored is None and not group.members:
        return
    is_empty = group.state is GroupState.EMPTY and not group.members
    if not is_empty and not settings.may_upgrade:
        raise ProtocolError(
            ErrorCode.GROUP_ID_NOT_FOUND,
            "the group has members of the classic protocol; "
            "group.consumer.migration.policy forbids that it is upgraded",
        )
    if not is_empty and group.protocol_type != CONSUMER:
        raise ProtocolError(
            ErrorCode.GROUP_ID_NOT_FOUND, f"the group's protocol type is {group.protocol_type!r}"
        )


def upgrade(group: ClassicGroup, view: TopicsView, now_ms: int) -> tuple[ConsumerGroup, list[Any]]:
    """The consumer group that `group` becomes, and the records that make it so.

    Members that were never in a generation own nothing and join anew.
    """
    group_id = group.group_id
    records: list[Any] = []
    upgraded = ConsumerGroup(group_id)
    stored = group.stored
    if stored is not None:
        records.append(GroupRecord(group_id, None))
        epoch = stored.generation
        records.append(EpochRecord(group_id, StoredEpoch(epoch, 0)))
        records.append(TargetEpochRecord(group_id, epoch))
    taken: set[tuple[Uuid, int]] = set()
    for given in () if stored is None else stored.members:
        member = group.members.get(given.member_id)
        subscription = read_subscription(given.subscription)
        if member is None or subscription is None:
            continue
        if given.assignment:
            partitions = to_ids(read_assignment(given.assignment), view)
        else:
            # The leader has not assigned: a cooperative member still uses what it had before.
            partitions = to_ids(
                ((t.topic, i) for t in subscription.owned_partitions for i in t.partitions), view
            )
        assigned = partitions - taken  # a leader may err
        taken |= assigned
        subscriber = StoredSubscriber(
            instance_id=given.instance_id,
            rack_id=subscription.rack_id,
            client_id=given.client_id,
            client_host=given.client_host,
            topics=tuple(sorted(set(subscription.topics))),
            rebalance_timeout_ms=given.rebalance_timeout_ms,
            assignor=None,
            classic=ClassicSide(given.session_timeout_ms, member.protocols),
        )
        current = StoredCurrent(epoch, epoch, MemberState.STABLE, assigned, NOTHING)
        records.append(SubscriberRecord(group_id, given.member_id, subscriber))
        records.append(TargetRecord(group_id, given.member_id, assigned))
        records.append(CurrentRecord(group_id, given.member_id, current))
        upgraded.sessions[given.member_id] = now_ms + given.session_timeout_ms
    for record in records:
        if not isinstance(record, GroupRecord):
            upgraded.replay(record)
    return upgraded, records


def dismiss(group: ClassicGroup, turn: Turn[Any]) -> None:
    """Whoever waits for an answer of a group that was upgraded joins again."""
    for member in group.members.values():
        for waiting in (member.join_ticket, member.sync_ticket):
            if waiting is not None:
                turn.answer(waiting, rebalancing())


def tombstones(group: ConsumerGroup) -> list[Any]:
    """Everything that the log has of a consumer group, taken back; its epoch last."""
    group_id = group.group_id
    records: list[Any] = []
    for member_id in {**group.members, **group.targets, **group.currents}:
        records += member_tombstones(group_id, member_id)
    records += [RegexRecord(group_id, regex, None) for regex in group.regexes]
    records += [TargetEpochRecord(group_id, None), EpochRecord(group_id, None)]
    return records


def downgrade(
    group: ConsumerGroup,
    gone: frozenset[str],
    view: TopicsView,
    turn: Turn[Any],
    settings: GroupSettings,
) -> ClassicGroup | None:
    """The classic group that `group` becomes without `gone`; None: it stays what it is.

    Appends the records, which is all that the log needs; the object is for who serves it now.
    """
    remaining = {m: member for m, member in group.members.items() if m not in gone}
    if not remaining or not settings.may_downgrade or len(remaining) > settings.max_size:
        return None
    classic = ClassicGroup(group.group_id)
    classic.protocol_type = CONSUMER
    for member_id, subscriber in remaining.items():
        if subscriber.classic is None:
            return None
        member = Member(
            member_id,
            subscriber.instance_id,
            subscriber.client_id,
            subscriber.client_host,
            subscriber.rebalance_timeout_ms,
            subscriber.classic.session_timeout_ms,
            subscriber.classic.protocols,
        )
        member.is_new = False
        member.refresh(turn.moment.now_ms)
        classic.add(member)
    protocol = classic.select_protocol()
    stored = StoredGroup(
        protocol_type=CONSUMER,
        generation=group.epoch,
        protocol=protocol,
        leader_id=None,
        state_timestamp_ms=turn.moment.timestamp_ms,
        members=tuple(
            member.to_stored(
                protocol,
                write_assignment(
                    named(group.currents[member.member_id].assigned, view),
                    member.metadata(protocol),
                ),
            )
            for member in classic.members.values()
        ),
    )
    size = sum(len(m.subscription) + len(m.assignment) for m in stored.members)
    if size + len(stored.members) * MEMBER_OVERHEAD_BYTES > settings.record_bytes_max:
        return None
    turn.records += tombstones(group)
    turn.append(GroupRecord(group.group_id, stored))
    turn.note(f"group {group.group_id}: no member of the consumer protocol is left: classic again")
    return classic
