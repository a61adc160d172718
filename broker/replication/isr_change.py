"""Which change of the ISR a leader should ask for: pure (SAFETY rule 5, KIP-841, KIP-903).

Out goes who has not been caught up for `replica_lag_ms_max`, or says that it cannot append; in
comes who reached the high watermark and the start of the current leader epoch. One change at a
time, and leaving goes first: it may be what lets the high watermark move.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from broker.replication.isr import (
    UNKNOWN_BROKER_EPOCH,
    IsrChange,
    PendingExpand,
    PendingShrink,
)
from broker.replication.progress import BrokerView, FollowerProgress


@dataclass(frozen=True, slots=True)
class IsrFacts:
    """What the leader knows of the partition; `members` is the committed ISR."""

    node_id: int
    leader_epoch: int
    partition_epoch: int
    replicas: tuple[int, ...]
    members: tuple[int, ...]
    high_watermark: int
    epoch_start_offset: int
    replica_lag_ms_max: int


def decide_isr_change(
    facts: IsrFacts,
    followers: Mapping[int, FollowerProgress],
    brokers: Mapping[int, BrokerView],
    now_ms: int,
) -> PendingExpand | PendingShrink | None:
    """The change to propose, as the state in which it is pending."""
    members = facts.members
    removed = frozenset(
        replica
        for replica, follower in followers.items()
        if replica in members and not follower.in_time(now_ms, facts.replica_lag_ms_max)
    )
    if removed:
        left = tuple(member for member in members if member not in removed)
        return PendingShrink(members, removed, _change(facts, left, followers, brokers))
    for replica, follower in followers.items():
        if replica not in members and _may_join(
            facts, replica, follower, brokers.get(replica), now_ms
        ):
            change = _change(facts, (*members, replica), followers, brokers)
            return PendingExpand(members, replica, change)
    return None


def _may_join(
    facts: IsrFacts,
    replica: int,
    follower: FollowerProgress,
    broker: BrokerView | None,
    now_ms: int,
) -> bool:
    """At the high watermark, in this epoch, the incarnation that is registered.

    And caught up lately: else the next tick would put it out again.
    """
    end = follower.log_end_offset
    return (
        end is not None
        and end >= facts.high_watermark
        and end >= facts.epoch_start_offset
        and replica in facts.replicas
        and follower.in_time(now_ms, facts.replica_lag_ms_max)
        and follower.eligible(broker)
    )


def _change(
    facts: IsrFacts,
    members: tuple[int, ...],
    followers: Mapping[int, FollowerProgress],
    brokers: Mapping[int, BrokerView],
) -> IsrChange:
    return IsrChange(
        facts.leader_epoch,
        facts.partition_epoch,
        tuple((member, _broker_epoch(member, followers, brokers)) for member in members),
    )


def _broker_epoch(
    member: int, followers: Mapping[int, FollowerProgress], brokers: Mapping[int, BrokerView]
) -> int:
    """The incarnation whose log end was proven; else the registered one."""
    follower = followers.get(member)
    if follower is not None and follower.broker_epoch is not None:
        return follower.broker_epoch
    broker = brokers.get(member)
    return UNKNOWN_BROKER_EPOCH if broker is None else broker.broker_epoch
