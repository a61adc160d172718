"""Retention: offsets and groups that nobody uses any longer are deleted by tombstones (KIP-211).

    group empty                     offsets.retention.minutes after both that and the commit
    no group, only offsets          offsets.retention.minutes after the commit
    stable, protocol "consumer"     likewise, for topics to which no member subscribes
    consumer group (KIP-848)        likewise
    other states                    nothing expires
    commits with a retention time   when that has passed (OffsetCommit up to version 4)

An empty group without offsets goes at the same time. Wall time, since it is compared with what
other brokers have stored.
"""

from __future__ import annotations

from broker.coordinator.machine import Turn
from broker.groups.classic_group import ClassicGroup
from broker.groups.consumer.group import ConsumerGroup
from broker.groups.consumer.migration import tombstones
from broker.groups.offsets import OffsetStore
from broker.groups.settings import GroupSettings
from broker.groups.states import GroupState
from broker.groups.stored import CommittedOffset, GroupRecord, OffsetRecord, Record
from broker.groups.subscriptions import subscribed_topics


def expire_group(
    group_id: str,
    group: ClassicGroup | ConsumerGroup | None,
    store: OffsetStore,
    turn: Turn[Record],
    settings: GroupSettings,
) -> int:
    """Append the tombstones that are due; how many offsets were looked at."""
    in_use = topics_in_use(group)
    looked_at = kept = 0
    for topic, partitions in store.of_group(group_id).items():
        for partition, committed in partitions.items():
            looked_at += 1
            is_used = in_use is None or topic in in_use
            if not is_used and _is_expired(committed, group, turn.moment.timestamp_ms, settings):
                turn.append(OffsetRecord(group_id, topic, partition, None))
            else:
                kept += 1
    if isinstance(group, ConsumerGroup):
        if not group.members and not kept:
            turn.records += tombstones(group)
            turn.note(f"group {group_id} is empty and has no offsets left: deleted")
    elif (
        group is not None
        and group.stored is not None
        and group.state is GroupState.EMPTY
        and not group.pending
        and not kept
    ):
        turn.append(GroupRecord(group_id, None))
        turn.note(f"group {group_id} is empty and has no offsets left: deleted")
    return looked_at


def topics_in_use(group: ClassicGroup | ConsumerGroup | None) -> frozenset[str] | None:
    """Topics whose offsets stay; None: all stay."""
    if isinstance(group, ConsumerGroup):
        return group.topics
    if group is None or group.state is GroupState.EMPTY:
        return frozenset()
    if group.state is not GroupState.STABLE or group.protocol_type != "consumer":
        return None
    topics: set[str] = set()
    for member in group.members.values():
        subscribed = subscribed_topics(member.metadata(group.protocol))
        if subscribed is None:
            return None
        topics |= subscribed
    return frozenset(topics)


def _is_expired(
    committed: CommittedOffset,
    group: ClassicGroup | ConsumerGroup | None,
    timestamp_ms: int,
    settings: GroupSettings,
) -> bool:
    if committed.expire_timestamp_ms is not None:
        return timestamp_ms >= committed.expire_timestamp_ms
    since_ms = committed.commit_timestamp_ms
    if (
        isinstance(group, ClassicGroup)
        and group.stored is not None
        and group.state is GroupState.EMPTY
    ):
        since_ms = max(since_ms, group.stored.state_timestamp_ms)
    return timestamp_ms - since_ms >= settings.offsets_retention_ms
