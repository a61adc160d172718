"""What is taken out of the product: functions that take the place of its own, one rule each."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import storage.log
from broker.replication import isr_change, isr_proposals, leader_log, manager, replica_log
from broker.replication.commit_futures import CommitFutures
from broker.replication.feed import ReplicaFeed, Subscription
from broker.replication.follower_session import FollowerSession
from broker.replication.isr import CommittedIsr, IsrChange, PendingExpand, PendingShrink
from broker.replication.leader_session import LeaderSession
from broker.replication.partition import Partition
from broker.replication.partition_host import Appended
from broker.replication.partition_machine import PartitionMachine
from broker.replication.progress import FollowerProgress, PartitionView
from broker.replication.truncation import Matched, Verdict, decide_verdict
from controller import broker_commands, elections, partition_commands
from controller.generated import metadata_pb2 as pb
from controller.state import PartitionMetadata
from ottla.core.errors import ErrorCode, ProtocolError
from storage import marks
from storage.directory import StopState
from storage.folders import Folders
from storage.log_state import LogState
from storage.validation import check_replicated
from tests.simulation.records import batches_in

Patch = tuple[Any, str, Any]
"""Object, attribute, what takes its place."""


# ---- acknowledgements


def acknowledge_before_replication() -> list[Patch]:
    def wait(self: CommitFutures, next_offset: int, leader_epoch: int) -> asyncio.Future[None]:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        future.set_result(None)
        return future

    return [(CommitFutures, "wait", wait)]


def waiter_survives_its_epoch() -> list[Patch]:
    real = PartitionMachine._fail_waiters

    def fail_waiters(self: PartitionMachine, effects: list[Any], code: ErrorCode) -> None:
        if code is not ErrorCode.NOT_LEADER_OR_FOLLOWER:
            real(self, effects, code)

    return [(PartitionMachine, "_fail_waiters", fail_waiters)]


def duplicate_answered_at_once() -> list[Patch]:
    real = Partition.append

    def append(self: Partition, batch: memoryview, **options: Any) -> Appended:
        appended = real(self, batch, **options)
        return replace(appended, last_offset=-1) if appended.duplicate else appended

    return [(Partition, "append", append)]


def sequences_outlive_a_truncation() -> list[Patch]:
    return [(LogState, "_rebuild_producers", lambda self: None)]


def reads_to_the_log_end() -> list[Patch]:
    real = Partition.read

    def read(self: Partition, offset: int, max_bytes: int, **options: Any) -> Any:
        return real(self, offset, max_bytes, **{**options, "to_log_end": True})

    return [(Partition, "read", read)]


# ---- the high watermark


def shrink_counts_at_once() -> list[Patch]:
    def maximal(self: PendingShrink) -> frozenset[int]:
        return frozenset(self.members) - self.removed

    return [(PendingShrink, "maximal", property(maximal))]


def pending_member_does_not_count() -> list[Patch]:
    """Waiting for who is about to join does much the same, so that is gone too."""
    return [
        (PendingExpand, "maximal", property(lambda self: frozenset(self.members))),
        (PartitionMachine, "_end_of_joining", lambda self, now_ms: self.counted_end),
    ]


def high_watermark_below_min_isr() -> list[Patch]:
    real = PartitionMachine._maybe_advance

    def maybe_advance(self: PartitionMachine, effects: list[Any], now_ms: int) -> None:
        kept, self.min_insync_replicas = self.min_insync_replicas, 1
        try:
            real(self, effects, now_ms)
        finally:
            self.min_insync_replicas = kept

    return [(PartitionMachine, "_maybe_advance", maybe_advance)]


def unsynced_counts_in_durable_mode() -> list[Patch]:
    return [(Partition, "counted_end", property(lambda self: self.usable_log.log_end_offset))]


# ---- the stream


def prefix_not_proven() -> list[Patch]:
    def verdict(ask: Any, entries: Any, log_start: int, log_end: int) -> Verdict:
        if log_start <= ask.log_end_offset <= log_end:
            return Matched()
        return decide_verdict(ask, entries, log_start, log_end)

    return [(leader_log, "decide_verdict", verdict)]


def truncate_by_high_watermark() -> list[Patch]:
    real = replica_log.describe

    def describe(partition: Partition, broker_epoch: int) -> Any:
        log = partition.usable_log
        if log.log_end_offset > partition.high_watermark:
            log.truncate_to(partition.high_watermark)
            partition.machine.on_truncated(log.log_end_offset)
        return real(partition, broker_epoch)

    return [(replica_log, "describe", describe)]


def late_acknowledgement_counts() -> list[Patch]:
    def add(self: ReplicaFeed, subscription: Subscription) -> None:
        self.subscriptions[:] = [
            s for s in self.subscriptions if s.follower_id != subscription.follower_id
        ]
        self.subscriptions.append(subscription)

    return [(ReplicaFeed, "add", add), (LeaderSession, "close", lambda self: None)]


def positions_maximised() -> list[Patch]:
    real = FollowerProgress.advance

    def advance(self: FollowerProgress, end: int, leader_end: int, now_ms: int) -> None:
        real(self, max(end, self.log_end_offset or 0), leader_end, now_ms)

    def subscribe(self: FollowerProgress, broker_epoch: int, leader_end: int, now_ms: int) -> None:
        self.broker_epoch = broker_epoch
        self.cannot_append = False
        self.mark = (leader_end, now_ms)

    def forget_position(self: FollowerProgress) -> None:
        self.broker_epoch = None

    return [
        (FollowerProgress, "advance", advance),
        (FollowerProgress, "subscribe", subscribe),
        (FollowerProgress, "forget_position", forget_position),
    ]


def follower_appends_anywhere() -> list[Patch]:
    """The position is compared three times: by the number, by the position, and by the log."""
    real_check = check_replicated

    def append_from_leader(
        partition: Partition,
        position: int,
        batches: memoryview,
        high_watermark: int,
        log_start: int,
    ) -> bool:
        try:
            partition.usable_log.append_as_follower(batches)
        except ProtocolError as error:
            partition.note_failure(error)
            raise
        if partition.flush_due:
            partition.request_flush()
        replica_log.apply_leader_state(partition, high_watermark, log_start)
        return True

    def check(batches: memoryview, end: int, newest: int, name: str) -> Any:
        first = next(batches_in(batches), None)
        return real_check(batches, end if first is None else first.base, newest, name)

    def leave(self: FollowerSession, followed: Any, *, tell: bool) -> None:
        subscription = followed.subscription
        real_leave(self, followed, tell=tell)
        if subscription is not None:
            self._streaming[subscription] = followed

    real_leave = FollowerSession._leave
    return [
        (replica_log, "append_from_leader", append_from_leader),
        (storage.log, "check_replicated", check),
        (FollowerSession, "_leave", leave),
    ]


# ---- in-sync replicas


def joins_below_the_epoch_start() -> list[Patch]:
    """Having been caught up lately keeps most of them out as well, so that is gone too."""

    def may_join(facts: Any, replica: int, follower: Any, broker: Any, now_ms: int) -> bool:
        end = follower.log_end_offset
        return (
            end is not None
            and end >= facts.high_watermark
            and replica in facts.replicas
            and follower.eligible(broker)
        )

    return [(isr_change, "_may_join", may_join)]


def joins_below_the_high_watermark() -> list[Patch]:
    def may_join(facts: Any, replica: int, follower: Any, broker: Any, now_ms: int) -> bool:
        end = follower.log_end_offset
        return (
            end is not None
            and end >= facts.epoch_start_offset
            and replica in facts.replicas
            and follower.eligible(broker)
        )

    return [(isr_change, "_may_join", may_join)]


def time_out_settles_a_change() -> list[Patch]:
    real = isr_proposals.settle

    class Impatient:
        """Takes a change that was not answered in time for one that was taken."""

        def __init__(self, partition: Partition, change: IsrChange, controller: Any) -> None:
            self.partition = partition
            self.change = change
            self.controller = controller

        async def alter_partition(self, proposal: Any) -> Any:
            machine = self.partition.machine
            try:
                return await self.controller.alter_partition(proposal)
            except ProtocolError as error:
                timed_out = error.code is ErrorCode.REQUEST_TIMED_OUT
                if timed_out and machine.pending_change is self.change:
                    machine._set_isr(CommittedIsr(tuple(member for member, _ in self.change.isr)))
                    self.partition.tick()
                raise

    async def settle(partition: Partition, change: IsrChange, controller: Any, rng: Any) -> None:
        await real(partition, change, Impatient(partition, change, controller), rng)  # type: ignore[arg-type]

    return [(manager, "settle", settle)]


def older_metadata_accepted() -> list[Patch]:
    real = PartitionMachine.on_metadata

    def on_metadata(self: PartitionMachine, view: PartitionView, **options: Any) -> Any:
        if view.partition_epoch < self.partition_epoch:
            self.partition_epoch = view.partition_epoch - 1
            self.leader_epoch = min(self.leader_epoch, view.leader_epoch)
        return real(self, view, **options)

    return [(PartitionMachine, "on_metadata", on_metadata)]


# ---- the controller


def _eligible_but_for(fault: str) -> list[Patch]:
    real = partition_commands._check_eligible

    def check_eligible(*what: Any) -> None:
        try:
            real(*what)
        except ProtocolError as error:
            if fault not in (error.message or ""):
                raise

    return [(partition_commands, "_check_eligible", check_eligible)]


def fenced_member_accepted() -> list[Patch]:
    return _eligible_but_for("is fenced")


def replaced_incarnation_accepted() -> list[Patch]:
    return _eligible_but_for("has epoch")


def partition_epoch_not_compared() -> list[Patch]:
    real = partition_commands._alter

    def alter(state: Any, broker_id: int, wanted: pb.AlterPartition) -> PartitionMetadata:
        partition = state.partition(wanted.topic_id, wanted.index)
        asked = pb.AlterPartition()
        asked.CopyFrom(wanted)
        if partition is not None:
            asked.partition_epoch = partition.partition_epoch
        return real(state, broker_id, asked)

    return [(partition_commands, "_alter", alter)]


def restart_keeps_the_leader_epoch() -> list[Patch]:
    real = elections.elect

    def elect(partition: PartitionMetadata, *args: Any, **options: Any) -> PartitionMetadata:
        after = real(partition, *args, **options)
        if after.leader_id is None or partition.leader_id is None:
            return replace(after, leader_epoch=partition.leader_epoch)
        return after

    return [(broker_commands, "elect", elect)]


def eligible_replicas_ignored() -> list[Patch]:
    real = elections.elect

    def elect(partition: PartitionMetadata, *args: Any, **options: Any) -> PartitionMetadata:
        forgotten = replace(partition, elr=(), last_known_elr=())
        after = real(forgotten, *args, **options)
        return partition if after is forgotten else after

    return [(broker_commands, "elect", elect)]


def unclean_election_without_leave() -> list[Patch]:
    real = elections.ElectionRules.of.__func__  # type: ignore[attr-defined]

    def of(cls: Any, state: Any, topic_name: str) -> Any:
        return replace(real(cls, state, topic_name), unclean_allowed=True)

    return [(elections.ElectionRules, "of", classmethod(of))]


def unclean_directory_keeps_membership() -> list[Patch]:
    return [(broker_commands, "_may_have_lost", lambda before, command: False)]


# ---- storage


def power_cut_taken_for_a_crash() -> list[Patch]:
    real = marks.read_stop_state

    def read_stop_state(vfs: Any, directory: str) -> tuple[StopState, bool]:
        state, suspect = real(vfs, directory)
        known = vfs.exists(f"{directory}/stop.mark")
        return (StopState.PROCESS_CRASH if known else state), suspect

    return [(marks, "read_stop_state", read_stop_state)]


def folder_of_an_old_topic_opened() -> list[Patch]:
    real = Folders.find

    def find(self: Folders, directories: Any, topic: str, partition: int, topic_id: bytes) -> Any:
        for directory in directories:
            if self._vfs.is_dir(self.path(directory, topic, partition)):
                return directory
        return real(self, directories, topic, partition, topic_id)

    return [(Folders, "find", find)]
