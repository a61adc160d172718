"""What becomes of one partition when brokers come and go: leader, ISR, eligible leader replicas.

Pure. `elect` is given the in-sync members that remain and finds, in this order,

    1. the leader it has, when it remains in sync      (or the preferred one, when asked for)
    2. the first of the ISR, in the order of the replicas
    3. the first live eligible leader replica (ELR)    the ISR is empty then
    4. the first live replica at all                   only with unclean.leader.election.enable
    5. the last-known member with the longest log      ISR and ELR are empty, and all have reported
    6. nobody

ELR (KIP-966): while fewer than min(min.insync.replicas, |replicas|) members are in sync the high
watermark stands still, so whoever was in sync at that moment holds all that is committed, and stays
eligible until its disk loses something. Members that may have lost data are *last-known*: among
them, the highest (last epoch, log end offset) holds what any of them holds, since the logs of one
leader epoch are prefixes of each other (SAFETY.md, rules 1 and 2).

A replica that its broker cannot serve (*offline*) is never any of these. One whose disk is *full*
leaves the ISR, the leadership with it, as soon as another member has room; where nobody has, it
stays, and serves what it has (rule 9).

A reassignment ends in the command that brings its last replica into the ISR: who is to go leaves
the replicas, and one of those that stay leads. They all are in sync, so nothing committed is lost.
The leader epoch rises whenever a replica goes: else one that goes and comes back while the leader
hears of neither (a snapshot) would count with the position it had before its log was deleted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from controller.state import BrokerRegistration, ClusterState, LogEnd, PartitionMetadata

NOBODY: Final[frozenset[int]] = frozenset()


@dataclass(frozen=True, slots=True)
class Electorate:
    """Who may lead: the brokers as they will be once the command is applied."""

    brokers: Mapping[int, BrokerRegistration]

    @classmethod
    def of(cls, state: ClusterState, *changed: BrokerRegistration) -> Electorate:
        """The state's brokers with `changed` ones in the place of theirs."""
        if not changed:
            return cls(state.brokers)
        return cls({**state.brokers, **{broker.broker_id: broker for broker in changed}})

    def is_active(self, broker_id: int) -> bool:
        broker = self.brokers.get(broker_id)
        return broker is not None and broker.active

    def is_current(self, end: LogEnd) -> bool:
        """Whether the report is from the incarnation that is alive now."""
        broker = self.brokers.get(end.broker_id)
        return broker is not None and broker.active and broker.broker_epoch == end.broker_epoch


@dataclass(frozen=True, slots=True)
class Unable:
    """Replicas of a partition that cannot serve (offline) or take no appends (full)."""

    offline: tuple[int, ...]
    full: tuple[int, ...]

    @classmethod
    def of(cls, partition: PartitionMetadata) -> Unable:
        return cls(partition.offline_replicas, partition.full_replicas)

    def without(self, broker_id: int) -> Unable:
        """Nothing is said of this broker's replica any more."""
        return Unable(
            tuple(r for r in self.offline if r != broker_id),
            tuple(r for r in self.full if r != broker_id),
        )


@dataclass(frozen=True, slots=True)
class ElectionRules:
    """What the topic says."""

    min_insync_replicas: int
    unclean_allowed: bool

    @classmethod
    def of(cls, state: ClusterState, topic_name: str) -> ElectionRules:
        return cls(
            state.min_insync_replicas(topic_name), state.unclean_election_allowed(topic_name)
        )


def elect(
    partition: PartitionMetadata,
    electorate: Electorate,
    rules: ElectionRules,
    *,
    removed: Iterable[int] = (),
    lost_data: frozenset[int] = NOBODY,
    prefer_first: bool = False,
    unable: Unable | None = None,
) -> PartitionMetadata:
    """The partition after `removed` left its ISR; the same object when nothing changes.

    `lost_data`: members that may have lost data, so are neither in sync nor eligible.
    `prefer_first`: give the leadership back to the first replica when it is in sync (preferred).
    `unable`: what is known from now on of replicas that cannot serve; None: as before.
    """
    if unable is None:
        unable = Unable.of(partition)
    out = lost_data.union(removed)
    able = {r for r in partition.replicas if r not in unable.offline and electorate.is_active(r)}
    with_room = [r for r in partition.replicas if r not in unable.full]
    by_room = [*with_room, *(r for r in partition.replicas if r in unable.full)]
    isr = tuple(r for r in partition.isr if r not in out and r in able)
    isr = tuple(r for r in isr if r in with_room) or isr
    holders = {*partition.isr, *partition.elr} - lost_data
    leader_id = _leader_in_sync(partition, isr, prefer_first=prefer_first)
    unclean = False
    if leader_id is None:
        eligible = [r for r in by_room if r in holders and r in able]
        leader_id = eligible[0] if eligible else None
        if leader_id is None and rules.unclean_allowed:
            live = [r for r in by_room if r in able]
            leader_id, unclean = (live[0] if live else None), bool(live)
        if leader_id is None and not holders:
            leader_id = _longest_log(partition, electorate, lost_data.union(unable.offline))
            unclean = leader_id is not None
        isr = () if leader_id is None else (leader_id,)
    elr: tuple[int, ...] = ()
    last_known: tuple[int, ...] = ()
    if not unclean and len(isr) < partition.required_in_sync(rules.min_insync_replicas):
        known = {*partition.last_known_elr, *partition.isr, *partition.elr}
        elr = tuple(r for r in partition.replicas if r in holders and r not in isr)
        last_known = tuple(
            r for r in partition.replicas if r in known and r not in isr and r not in elr
        )
    waiting = not isr and not elr
    changed = replace(
        partition,
        isr=isr,
        leader_id=leader_id,
        leader_epoch=partition.leader_epoch + (leader_id != partition.leader_id),
        elr=elr,
        last_known_elr=last_known,
        log_ends=tuple(e for e in partition.log_ends if waiting and e.broker_id not in lost_data),
        offline_replicas=unable.offline,
        full_replicas=unable.full,
    )
    if changed == partition:
        return partition
    done = completed(changed, electorate, rules)
    return one_step_on(partition, done)


def with_isr(
    partition: PartitionMetadata, isr: Iterable[int], rules: ElectionRules
) -> PartitionMetadata:
    """The partition with the ISR that its leader proposed, checked already; the leader stays."""
    members = frozenset(isr)
    ordered = tuple(r for r in partition.replicas if r in members)
    elr: tuple[int, ...] = ()
    last_known: tuple[int, ...] = ()
    if len(ordered) < partition.required_in_sync(rules.min_insync_replicas):
        holders = {*partition.isr, *partition.elr}
        elr = tuple(r for r in partition.replicas if r in holders and r not in members)
        last_known = tuple(r for r in partition.last_known_elr if r not in members and r not in elr)
    return replace(
        partition,
        isr=ordered,
        elr=elr,
        last_known_elr=last_known,
        partition_epoch=partition.partition_epoch + 1,
    )


def one_step_on(before: PartitionMetadata, after: PartitionMetadata) -> PartitionMetadata:
    """`after` as one change: each epoch rises once, whatever came together in it."""
    return replace(
        after,
        leader_epoch=before.leader_epoch + (after.leader_epoch > before.leader_epoch),
        partition_epoch=before.partition_epoch + 1,
    )


def completed(
    partition: PartitionMetadata, electorate: Electorate, rules: ElectionRules
) -> PartitionMetadata:
    """The end of its reassignment when all replicas that it shall have are in sync; part of the
    change that brought it there (`one_step_on`)."""
    target = partition.target_replicas
    if not partition.is_reassigning or not set(target).issubset(partition.isr):
        return partition
    return with_replicas(partition, target, (), (), electorate, rules)


def with_replicas(
    partition: PartitionMetadata,
    replicas: tuple[int, ...],
    adding: tuple[int, ...],
    removing: tuple[int, ...],
    electorate: Electorate,
    rules: ElectionRules,
) -> PartitionMetadata:
    """The partition with other replicas, and with a leader among them (`one_step_on`)."""
    changed = replace(
        partition,
        replicas=replicas,
        adding_replicas=adding,
        removing_replicas=removing,
        last_known_elr=tuple(r for r in partition.last_known_elr if r in replicas),
        log_ends=tuple(e for e in partition.log_ends if e.broker_id in replicas),
    )
    unable = Unable.of(partition)
    elected = elect(
        changed,
        electorate,
        rules,
        unable=Unable(
            tuple(r for r in replicas if r in unable.offline),
            tuple(r for r in replicas if r in unable.full),
        ),
    )
    leader_epoch = elected.leader_epoch
    if leader_epoch == partition.leader_epoch and not set(replicas).issuperset(partition.replicas):
        leader_epoch += 1
    return replace(elected, leader_epoch=leader_epoch)


def with_log_end(
    partition: PartitionMetadata, end: LogEnd, electorate: Electorate, rules: ElectionRules
) -> PartitionMetadata:
    """Take a report of a replica; elects when it was the last one missing."""
    others = tuple(e for e in partition.log_ends if e.broker_id != end.broker_id)
    if (*others, end) == partition.log_ends:
        return partition
    told = replace(partition, log_ends=(*others, end))
    elected = elect(told, electorate, rules)
    if elected is not told:
        return elected
    return replace(told, partition_epoch=partition.partition_epoch + 1)


def awaits_log_ends(partition: PartitionMetadata) -> bool:
    """Nobody may lead: the last-known members are asked for their logs."""
    return not partition.isr and not partition.elr and bool(partition.last_known_elr)


def _leader_in_sync(
    partition: PartitionMetadata, isr: tuple[int, ...], *, prefer_first: bool
) -> int | None:
    if prefer_first and partition.replicas[0] in isr:
        return partition.replicas[0]
    if partition.leader_id in isr:
        return partition.leader_id
    return next((r for r in partition.replicas if r in isr), None)


def _longest_log(
    partition: PartitionMetadata, electorate: Electorate, excluded: frozenset[int]
) -> int | None:
    """The replica with the highest (last epoch, log end offset) once all last-known ones told."""
    if not partition.last_known_elr:
        return None
    ends = [
        end
        for end in partition.log_ends
        if electorate.is_current(end) and end.broker_id not in excluded
    ]
    if not {end.broker_id for end in ends}.issuperset(partition.last_known_elr):
        return None
    best = max(
        ends,
        key=lambda end: (
            end.last_epoch,
            end.log_end_offset,
            -partition.replicas.index(end.broker_id),
        ),
    )
    return best.broker_id
