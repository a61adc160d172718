"""One partition on this broker: the machine, its log, and whoever waits on it.

The shell of partition_machine.py: it appends and reads, tells the machine what happened and carries
out the effects. Everything runs on the event loop and nothing here waits; an append is one call of
the log. What a leader does for its followers is leader_log.py, what a follower does is
replica_log.py.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from broker.replication.commit_futures import CommitFutures
from broker.replication.feed import ReplicaFeed
from broker.replication.isr import (
    BecameFollower,
    BecameLeader,
    Effect,
    HighWatermarkMoved,
    IsrChange,
    ProposeIsr,
    WaitersFailed,
    WaitersReleased,
)
from broker.replication.partition_host import Appended, PartitionHost
from broker.replication.partition_machine import PartitionMachine, Role
from broker.replication.progress import BrokerView, PartitionView
from broker.replication.seams import FetchWaiter, LeadershipChange
from broker.replication.throttled_replicas import NOT_THROTTLED
from broker.replication.traffic import TopicTraffic
from broker.transactions.admission import Admission
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.core.identifiers import Uuid
from ottla.record.control import end_transaction_batch

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from broker.transactions.seams import TransactionMarker
    from storage.log import Log, LogSlice
    from storage.transaction_index import AbortedTransaction

ACKS_ALL = -1


class Partition:
    """See the module. ``log`` is None while the folder could not be opened."""

    __slots__ = (
        "_admissions",
        "_commits",
        "_ended_by",
        "_fetch_waiters",
        "feed",
        "host",
        "index",
        "internal",
        "log",
        "machine",
        "throttled",
        "topic",
        "topic_id",
        "traffic",
    )

    def __init__(
        self,
        topic: str,
        topic_id: Uuid,
        index: int,
        log: Log | None,
        machine: PartitionMachine,
        host: PartitionHost,
        *,
        internal: bool = False,
        traffic: TopicTraffic | None = None,
    ) -> None:
        self.topic = topic
        self.topic_id = topic_id
        self.index = index
        self.internal = internal
        """A topic of the cluster's own: it goes first on the streams."""
        self.log = log
        self.traffic = TopicTraffic() if traffic is None else traffic
        """Shared by all partitions of the topic."""
        self.machine = machine
        self.throttled = NOT_THROTTLED
        """As the topic's configs have it."""
        self.feed = ReplicaFeed(host.tail_budget)
        self.host = host
        self._commits = CommitFutures(machine)
        self._fetch_waiters: dict[FetchWaiter, None] = {}
        self._admissions: set[Admission] = set()
        self._ended_by = ErrorCode.KAFKA_STORAGE_ERROR
        """What an offline partition answers with."""
        if log is None:
            machine.on_offline()
        else:
            machine.on_log_start_saved(log.log_start_offset)  # it is what the disk says

    def __repr__(self) -> str:
        return f"<Partition {self.topic}-{self.index} {self.machine.role.value}>"

    # ---- what is known

    @property
    def leader_id(self) -> int | None:
        return self.machine.leader_id

    @property
    def leader_epoch(self) -> int:
        return self.machine.leader_epoch

    @property
    def is_leader(self) -> bool:
        return self.machine.role is Role.LEADER

    @property
    def isr(self) -> tuple[int, ...]:
        return self.machine.isr_state.members

    @property
    def replicas(self) -> tuple[int, ...]:
        return self.machine.replicas

    @property
    def high_watermark(self) -> int:
        return self.machine.high_watermark

    @property
    def last_stable_offset(self) -> int:
        """Everything below is decided (rule 7)."""
        log, high_watermark = self.usable_log, self.machine.high_watermark
        first_unstable = log.producers.first_undecided_offset(high_watermark)
        if first_unstable is None:
            return high_watermark
        # A transaction may be open whose first records are deleted.
        return min(max(first_unstable, log.log_start_offset), high_watermark)

    @property
    def log_start_offset(self) -> int:
        return self.usable_log.log_start_offset

    @property
    def log_end_offset(self) -> int:
        return self.usable_log.log_end_offset

    @property
    def epoch_start_offset(self) -> int:
        """Where this leader's epoch began: below it the true high watermark may be higher."""
        return self.machine.epoch_start_offset

    @property
    def usable_log(self) -> Log:
        """The log; KAFKA_STORAGE_ERROR when there is none or its directory failed."""
        log = self.log
        if log is None or self.machine.role is Role.OFFLINE:
            raise ProtocolError(ErrorCode.KAFKA_STORAGE_ERROR, "the log directory is offline")
        return log

    @property
    def full(self) -> bool:
        """Whether its disk takes no appends."""
        return self.log is not None and self.log.directory.room.full

    @property
    def durable(self) -> bool:
        """Whether an offset counts only after fsync (``flush.messages=1``)."""
        return self.log is not None and self.log.config.flush_messages == 1

    @property
    def flush_due(self) -> bool:
        """Whether ``flush.messages`` records, or more, are not synced."""
        log = self.log
        return log is not None and (
            log.log_end_offset - log.recovery_point >= log.config.flush_messages
        )

    @property
    def counted_end(self) -> int:
        """The log end that may be acknowledged (rule 9)."""
        log = self.usable_log
        return log.recovery_point if self.durable else log.log_end_offset

    # ---- clients

    def check_leader(self, current_leader_epoch: int, *, may_follow: bool = False) -> None:
        """Fence a request by the leader epoch its sender knows (KIP-320); -1 is unchecked.
        `may_follow`: a follower serves it as well.

        FENCED_LEADER_EPOCH (the client's is older), UNKNOWN_LEADER_EPOCH (ours is older),
        NOT_LEADER_OR_FOLLOWER, KAFKA_STORAGE_ERROR.
        """
        machine = self.machine
        if current_leader_epoch != -1 and current_leader_epoch != machine.leader_epoch:
            raise ProtocolError(
                ErrorCode.FENCED_LEADER_EPOCH
                if current_leader_epoch < machine.leader_epoch
                else ErrorCode.UNKNOWN_LEADER_EPOCH
            )
        self._check_leads(may_follow)

    def append(
        self,
        batch: memoryview,
        *,
        acks: int,
        internal: bool = False,
        expected_leader_epoch: int | None = None,
    ) -> Appended:
        """Append one batch as leader; `batch` is patched in place and borrowed for the call.

        NOT_LEADER_OR_FOLLOWER (also when `expected_leader_epoch` has passed), NOT_ENOUGH_REPLICAS
        for acks=all, KAFKA_STORAGE_ERROR, and the log's own codes.
        """
        self._check_leads()
        machine = self.machine
        leader_epoch = machine.leader_epoch
        if expected_leader_epoch is not None and expected_leader_epoch != leader_epoch:
            raise ProtocolError(
                ErrorCode.NOT_LEADER_OR_FOLLOWER, f"the leader epoch is {leader_epoch} now"
            )
        if acks == ACKS_ALL and not machine.enough_replicas:
            raise ProtocolError(
                ErrorCode.NOT_ENOUGH_REPLICAS,
                f"in-sync replicas {list(machine.isr)}; min.insync.replicas is "
                f"{machine.min_insync_replicas}",
            )
        log = self.usable_log
        clock = self.host.clock
        try:
            result = log.append_as_leader(
                batch,
                leader_epoch=leader_epoch,
                timestamp_ms=clock.timestamp_ms(),
                internal=internal,
            )
        except ProtocolError as error:
            self.note_failure(error)
            raise
        if not result.duplicate:
            traffic = self.traffic
            traffic.bytes_in += len(batch)
            traffic.records_in += result.last_offset + 1 - result.base_offset
            self.feed.appended(result.base_offset, result.last_offset + 1, result.batch)
            if self.flush_due:
                self.request_flush()
            self.run(machine.on_local_end(log.log_end_offset, self.counted_end, clock.now_ms()))
        return Appended(
            result.base_offset,
            result.last_offset,
            result.log_append_time_ms,
            log.log_start_offset,
            leader_epoch,
            result.duplicate,
        )

    def append_marker(self, marker: TransactionMarker) -> Appended:
        """End a producer's transaction here, as its coordinator decided.

        The errors of `append` with acks=all, and TRANSACTION_COORDINATOR_FENCED,
        INVALID_PRODUCER_EPOCH.
        """
        self._check_leads()
        self.usable_log.producers.check_marker(
            marker.producer_id,
            marker.producer_epoch,
            marker.coordinator_epoch,
            is_bumped=marker.is_bumped,
        )
        batch = end_transaction_batch(
            marker.producer_id,
            marker.producer_epoch,
            marker.coordinator_epoch,
            is_commit=marker.is_commit,
            timestamp_ms=self.host.clock.timestamp_ms(),
        )
        appended = self.append(memoryview(batch), acks=ACKS_ALL, internal=True)
        for admission in self._admissions:
            if admission.producer_id == marker.producer_id:
                admission.is_valid = False
        return appended

    def begin_admission(self, producer_id: int, producer_epoch: int) -> Admission | None:
        """Before a coordinator is asked whether a transaction is open; None when it is open here.

        NOT_LEADER_OR_FOLLOWER, KAFKA_STORAGE_ERROR. `end_admission` must follow.
        """
        self._check_leads()
        if self.usable_log.producers.has_open(producer_id, producer_epoch):
            return None
        admission = Admission(producer_id, self.leader_epoch)
        self._admissions.add(admission)
        return admission

    def is_admitted(self, admission: Admission) -> bool:
        """Whether the answer still says something: no marker came, and the epoch goes on."""
        return admission.is_valid and self.is_leader and self.leader_epoch == admission.leader_epoch

    def end_admission(self, admission: Admission) -> None:
        self._admissions.discard(admission)

    def wait_committed(self, next_offset: int, leader_epoch: int) -> asyncio.Future[None]:
        """Done once high_watermark >= `next_offset` in this leader epoch (rule 8).

        Fails with NOT_LEADER_OR_FOLLOWER on any change of epoch, NOT_ENOUGH_REPLICAS_AFTER_APPEND
        when the ISR shrinks below min.insync.replicas, KAFKA_STORAGE_ERROR. Cancelling it gives up.
        """
        return self._commits.wait(next_offset, leader_epoch)

    def wait_deleted(self, before_offset: int) -> asyncio.Future[None]:
        """Done once the low watermark >= `before_offset`; fails on any change of epoch."""
        return self._commits.wait_deleted(before_offset, self.leader_epoch)

    def read(
        self,
        offset: int,
        max_bytes: int,
        *,
        committed_only: bool,
        at_least_one: bool,
        to_log_end: bool = False,
        may_follow: bool = False,
    ) -> LogSlice | None:
        """Whole batches from `offset` below the high watermark, or, with `committed_only` (the
        isolation level read_committed), below the last stable offset; `to_log_end` is for
        coordinators that load; with `may_follow` a follower reads too, up to where it knows both
        (KIP-392). None: nothing to read yet. OFFSET_OUT_OF_RANGE, NOT_LEADER_OR_FOLLOWER,
        KAFKA_STORAGE_ERROR.
        """
        self._check_leads(may_follow)
        log = self.usable_log
        if to_log_end:
            end_offset = log.log_end_offset
        elif committed_only:
            end_offset = self.last_stable_offset
        else:
            end_offset = self.machine.high_watermark
        try:
            return log.read(offset, max_bytes, end_offset=end_offset, at_least_one=at_least_one)
        except ProtocolError as error:
            self.note_failure(error)
            raise

    def aborted_transactions(self, offset: int, end_offset: int) -> list[AbortedTransaction]:
        """Those with records in [offset, end_offset), for readers of committed records alone."""
        return self.usable_log.aborted_transactions(offset, end_offset)

    def offset_for_leader_epoch(self, leader_epoch: int) -> tuple[int, int] | None:
        """(largest epoch <= `leader_epoch`, its exclusive end offset); None when unknown here."""
        self._check_leads()
        log = self.usable_log
        return log.epochs.end_offset_for(leader_epoch, log.log_end_offset)

    def add_waiter(self, waiter: FetchWaiter) -> None:
        self._fetch_waiters[waiter] = None

    def remove_waiter(self, waiter: FetchWaiter) -> None:
        self._fetch_waiters.pop(waiter, None)

    # ---- metadata and time

    def apply(self, view: PartitionView) -> None:
        """Take over committed metadata."""
        log = self.log
        end = 0 if log is None else log.log_end_offset
        counted = log.recovery_point if log is not None and self.durable else end
        now_ms = self.host.clock.now_ms()
        before = self.isr
        self.run(
            self.machine.on_metadata(view, log_end_offset=end, now_ms=now_ms, counted_end=counted)
        )
        self._note_isr(before)

    def brokers_changed(self, brokers: Mapping[int, BrokerView]) -> None:
        self.run(self.machine.on_brokers(brokers, self.host.clock.now_ms()))

    def set_min_insync_replicas(self, value: int) -> None:
        self.run(self.machine.on_min_insync_replicas(value, self.host.clock.now_ms()))

    def tick(self) -> None:
        self.run(self.machine.on_tick(self.host.clock.now_ms()))

    def isr_accepted(self, change: IsrChange, view: PartitionView) -> None:
        before = self.isr
        self.run(self.machine.on_accepted(change, view, self.host.clock.now_ms()))
        self._note_isr(before)

    def _note_isr(self, before: tuple[int, ...]) -> None:
        if before and self.is_leader:
            self.traffic.note_isr(before, self.isr)

    def isr_refused(self, change: IsrChange) -> None:
        self.run(self.machine.on_refused(change, self.host.clock.now_ms()))

    def request_flush(self) -> None:
        """Sync what was appended, if that is due, then `flushed`."""
        self.host.request_flush(self)

    def flushed(self) -> None:
        """More of the log is synced."""
        if self.machine.role is Role.OFFLINE or self.log is None:
            return
        now_ms = self.host.clock.now_ms()
        log = self.log
        self.run(self.machine.on_local_end(log.log_end_offset, self.counted_end, now_ms))

    # ---- failures and effects

    def note_failure(self, error: ProtocolError) -> None:
        """After an error of the log: a log that is of no use any more goes offline.

        So do all others in its directory when that failed; a full disk is no failure (rule 18).
        """
        log = self.log
        if error.code is not ErrorCode.KAFKA_STORAGE_ERROR or log is None:
            return
        if log.directory.appendable and not log.usable:
            self.go_offline()
        self.host.log_failed(self)

    def go_offline(self) -> None:
        """The log or its directory failed."""
        self._end(ErrorCode.KAFKA_STORAGE_ERROR)

    def retire(self, *, is_moved: bool) -> None:
        """Other brokers have the partition now, or its topic was deleted."""
        self._end(
            ErrorCode.NOT_LEADER_OR_FOLLOWER if is_moved else ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
        )

    def _end(self, code: ErrorCode) -> None:
        was_leader = self.is_leader
        self._ended_by = code
        self.run(self.machine.on_offline(code))
        self.feed.cancel_all(code)
        if was_leader:
            self._tell_leadership(False)
        self._wake_fetchers()

    def readable_replicas(self) -> list[tuple[int, int, int]]:
        """(broker id, log start offset, log end offset) of those in sync, as their leader knows."""
        start, end = self.log_start_offset, self.log_end_offset
        found = [(self.machine.leader_id, start, end)] if self.machine.leader_id is not None else []
        for broker_id, follower in self.machine.followers.items():
            if broker_id in self.isr and follower.log_end_offset is not None:
                known = follower.log_start_offset
                found.append(
                    (broker_id, start if known is None else known, follower.log_end_offset)
                )
        return found

    def _check_leads(self, may_follow: bool = False) -> None:
        role = self.machine.role
        if role is not Role.LEADER and not (may_follow and role is Role.FOLLOWER):
            if role is Role.OFFLINE and self._ended_by is ErrorCode.KAFKA_STORAGE_ERROR:
                raise ProtocolError(ErrorCode.KAFKA_STORAGE_ERROR, "the log directory is offline")
            raise ProtocolError(
                self._ended_by if role is Role.OFFLINE else ErrorCode.NOT_LEADER_OR_FOLLOWER
            )

    def run(self, effects: Iterable[Effect]) -> None:
        """Carry out what the machine returned, in order."""
        for effect in effects:
            match effect:
                case HighWatermarkMoved():
                    self.moved()
                case WaitersReleased():
                    self._commits.release(effect.waiters)
                case WaitersFailed():
                    self._commits.fail(effect.waiters, effect.code)
                case ProposeIsr():
                    self.host.propose(self, effect.change)
                case BecameLeader():
                    self._become_leader(effect)
                case BecameFollower():
                    self._become_follower()

    def moved(self) -> None:
        """The high watermark moved: readers and followers may be told."""
        self.host.high_watermark_moved(self)
        self.feed.state_changed()
        self._wake_fetchers()

    def _become_leader(self, effect: BecameLeader) -> None:
        self.feed.cancel_all(ErrorCode.FENCED_LEADER_EPOCH)
        self.usable_log.epochs.assign(effect.leader_epoch, effect.start_offset)
        if self.durable and self.counted_end < self.log_end_offset:
            self.request_flush()  # what it took as a follower, or in a process before this one
        self._tell_leadership(True)
        self._wake_fetchers()

    def _become_follower(self) -> None:
        self.feed.cancel_all(ErrorCode.NOT_LEADER_OR_FOLLOWER)
        if self.log is not None:
            # An epoch of ours that got no records is none of the new leader's log.
            self.log.epochs.truncate_to(self.log.log_end_offset)
        self._tell_leadership(False)
        self._wake_fetchers()

    def _tell_leadership(self, is_leader: bool) -> None:
        self.host.leadership_changed(self.leadership(is_leader))

    def leadership(self, is_leader: bool) -> LeadershipChange:
        return LeadershipChange(self.topic, self.topic_id, self.index, self.leader_epoch, is_leader)

    def _wake_fetchers(self) -> None:
        if self._fetch_waiters:
            for waiter in [*self._fetch_waiters]:
                waiter.wake()
