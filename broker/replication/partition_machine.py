"""The machine of one partition on one broker: pure, no I/O, no clock.

It owns the role, the epochs, the ISR with its pending change, what is known of the followers, the
high watermark and the waiters of acks=all. Inputs are the `on_…` methods; each returns the effects
that the shell (partition.py) carries out in order. README.md has the table of states.

Invariants, checked by property tests:
- within one leader epoch the high watermark never falls (rule 6 keeps it still, nothing lowers it);
- it is at or below the log end of every member of the maximal ISR when it moves (rule 5);
- at most one change of the ISR is pending, and it stays so until the controller's answer or
  metadata with a higher partition epoch settles it: a time-out settles nothing;
- a waiter is released only in the leader epoch in which it was made (rule 8).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from itertools import count

from broker.replication.commit_waiters import OffsetWaiters
from broker.replication.isr import (
    BecameFollower,
    BecameLeader,
    CommittedIsr,
    Effect,
    HighWatermarkMoved,
    IsrChange,
    IsrState,
    ProposeIsr,
    WaitersFailed,
    WaitersReleased,
)
from broker.replication.isr_change import IsrFacts, decide_isr_change
from broker.replication.low_watermark import LowWatermark
from broker.replication.progress import BrokerView, FollowerProgress, PartitionView
from ottla.core.checks import check
from ottla.core.errors import ErrorCode, ProtocolError

REFUSAL_PAUSE_MS = 500
"""After a refused change: the registrations that made a member ineligible are on their way."""


class Role(Enum):
    OFFLINE = "offline"
    """No usable log: nothing is appended or read."""
    FOLLOWER = "follower"
    """Also while nobody leads."""
    LEADER = "leader"


class PartitionMachine:
    """See the module. `log_end_offset` is the leader's own, `counted_end` what of it may count for
    the high watermark: lower in durable mode, where only what is synced counts (rule 9)."""

    __slots__ = (
        "_adding",
        "_brokers",
        "_quiet_until_ms",
        "_waiters",
        "counted_end",
        "epoch_start_offset",
        "followers",
        "high_watermark",
        "isr_state",
        "leader_epoch",
        "leader_id",
        "log_end_offset",
        "low_watermark",
        "maximal_isr",
        "min_insync_replicas",
        "node_id",
        "partition_epoch",
        "replica_lag_ms_max",
        "replicas",
        "role",
    )

    def __init__(
        self,
        node_id: int,
        *,
        high_watermark: int,
        log_end_offset: int,
        min_insync_replicas: int,
        replica_lag_ms_max: int,
        brokers: Mapping[int, BrokerView],
    ) -> None:
        self.node_id = node_id
        self.role = Role.FOLLOWER
        self.leader_id: int | None = None
        self.leader_epoch = -1
        self.partition_epoch = -1
        self.replicas: tuple[int, ...] = ()
        self._adding = 0
        self.isr_state: IsrState = CommittedIsr(())
        self.maximal_isr: frozenset[int] = frozenset()
        self.min_insync_replicas = min_insync_replicas
        self.replica_lag_ms_max = replica_lag_ms_max
        self.high_watermark = high_watermark
        self.log_end_offset = log_end_offset
        self.counted_end = log_end_offset
        self.epoch_start_offset = 0
        self.followers: dict[int, FollowerProgress] = {}
        self._brokers = brokers
        ids = count(1)
        self._waiters = OffsetWaiters(ids)
        self.low_watermark = LowWatermark(ids)
        self._quiet_until_ms: int | None = None

    # ---- what is known

    @property
    def is_leader(self) -> bool:
        return self.role is Role.LEADER

    @property
    def isr(self) -> tuple[int, ...]:
        """The committed ISR."""
        return self.isr_state.members

    @property
    def enough_replicas(self) -> bool:
        """|committed ISR| >= min(min.insync.replicas, replication factor) (rule 6).

        During a reassignment the factor is the one before it, as in the controller's elections."""
        required = min(self.min_insync_replicas, len(self.replicas) - self._adding)
        return len(self.isr_state.members) >= required

    @property
    def low_watermark_offset(self) -> int:
        """No live replica has records below it; -1: one has not told yet."""
        return self.low_watermark.offset(self.followers, self._brokers)

    @property
    def pending_change(self) -> IsrChange | None:
        state = self.isr_state
        return None if isinstance(state, CommittedIsr) else state.change

    # ---- metadata

    def on_metadata(
        self,
        view: PartitionView,
        *,
        log_end_offset: int,
        now_ms: int,
        counted_end: int | None = None,
    ) -> Sequence[Effect]:
        """Take over committed metadata; what is older than what is known is ignored (rule 13).

        `counted_end` of a new leader is its log end unless given."""
        if view.leader_epoch < self.leader_epoch or view.partition_epoch <= self.partition_epoch:
            return ()
        effects: list[Effect] = []
        new_epoch = view.leader_epoch > self.leader_epoch
        self.leader_id = view.leader_id
        self.leader_epoch = view.leader_epoch
        self.partition_epoch = view.partition_epoch
        self.replicas = view.replicas
        self._adding = len(view.adding_replicas)
        self._set_isr(CommittedIsr(view.isr))
        if self.role is Role.OFFLINE:
            return effects
        if new_epoch:
            self._fail_all(effects, ErrorCode.NOT_LEADER_OR_FOLLOWER)
            self.log_end_offset = log_end_offset
            self.counted_end = log_end_offset if counted_end is None else counted_end
            self.followers.clear()
            self._quiet_until_ms = None
            if view.leader_id == self.node_id:
                self.role = Role.LEADER
                self.epoch_start_offset = log_end_offset
                effects.append(BecameLeader(view.leader_epoch, log_end_offset))
            else:
                self.role = Role.FOLLOWER
                effects.append(BecameFollower(view.leader_epoch, view.leader_id))
        if self.role is Role.LEADER:
            self._sync_followers(now_ms)
            self._after_isr_change(effects, now_ms)
            self._release_deletions(effects)
        return effects

    def on_brokers(self, brokers: Mapping[int, BrokerView], now_ms: int) -> Sequence[Effect]:
        """Registrations changed: someone may be let in now. `brokers` is read later too."""
        self._brokers = brokers
        for replica, follower in self.followers.items():
            broker = brokers.get(replica)
            known = follower.broker_epoch
            if broker is not None and known is not None and broker.broker_epoch > known:
                follower.forget_position()  # another process: what the old one had proves nothing
        effects: list[Effect] = []
        if self.role is Role.LEADER:
            self._after_isr_change(effects, now_ms)
            self._release_deletions(effects)
        return effects

    def on_min_insync_replicas(self, value: int, now_ms: int) -> Sequence[Effect]:
        self.min_insync_replicas = value
        return self.on_brokers(self._brokers, now_ms)

    def on_offline(self, code: ErrorCode = ErrorCode.KAFKA_STORAGE_ERROR) -> Sequence[Effect]:
        """The log's directory failed (or the partition is gone); only a restart ends this state."""
        effects: list[Effect] = []
        self._fail_all(effects, code)
        self.role = Role.OFFLINE
        self.followers.clear()
        self._set_isr(CommittedIsr(self.isr_state.members))
        return effects

    # ---- the log

    def on_local_end(self, log_end_offset: int, counted_end: int, now_ms: int) -> Sequence[Effect]:
        """The leader's log grew, or more of it is synced."""
        if self.role is not Role.LEADER:
            return ()
        if log_end_offset != self.log_end_offset:
            self.log_end_offset = log_end_offset
            for follower in self.followers.values():
                follower.leader_appended(log_end_offset, now_ms)
        self.counted_end = counted_end
        effects: list[Effect] = []
        self._maybe_advance(effects, now_ms)
        return effects

    def on_leader_state(self, high_watermark: int, log_end_offset: int) -> Sequence[Effect]:
        """A follower hears its leader's high watermark; what it lacks itself it does not claim."""
        self.log_end_offset = self.counted_end = log_end_offset
        reachable = min(high_watermark, log_end_offset)
        if self.role is not Role.FOLLOWER or reachable <= self.high_watermark:
            return ()
        self.high_watermark = reachable
        return (HighWatermarkMoved(reachable),)

    def on_truncated(self, log_end_offset: int) -> None:
        """A follower cut its log (by leader epoch, never by high watermark)."""
        check(self.role is not Role.LEADER, "a leader truncates nothing", log_end=log_end_offset)
        self.log_end_offset = self.counted_end = log_end_offset
        self.high_watermark = min(self.high_watermark, log_end_offset)

    def on_log_start_saved(self, log_start_offset: int) -> Sequence[Effect]:
        """This broker's log start offset is durable."""
        self.low_watermark.saved = log_start_offset
        effects: list[Effect] = []
        self._release_deletions(effects)
        return effects

    # ---- followers

    def on_subscribed(
        self, replica: int, broker_epoch: int, log_end_offset: int | None, now_ms: int
    ) -> Sequence[Effect]:
        """A proven position; set, never maximised (rule 10). None in durable mode: what of it is
        synced will be acknowledged."""
        follower = self.followers.get(replica)
        if follower is None:
            return ()
        broker = self._brokers.get(replica)
        if broker is not None and broker.broker_epoch > broker_epoch:
            return ()  # the late word of a process that is no more
        follower.subscribe(broker_epoch, self.log_end_offset, now_ms)
        if log_end_offset is None:
            return ()
        return self.on_progress(replica, log_end_offset, now_ms)

    def on_unsubscribed(self, replica: int) -> None:
        """Its stream or subscription ended: the position is forgotten, the lag goes on."""
        follower = self.followers.get(replica)
        if follower is not None:
            follower.forget_position()

    def on_progress(self, replica: int, log_end_offset: int, now_ms: int) -> Sequence[Effect]:
        """A follower holds everything below `log_end_offset` (<= what it was sent)."""
        follower = self.followers.get(replica)
        if follower is None or follower.broker_epoch is None:
            return ()  # no incarnation has proven its log: the late word of one that is no more
        follower.advance(log_end_offset, self.log_end_offset, now_ms)
        effects: list[Effect] = []
        if replica not in self.maximal_isr and isinstance(self.isr_state, CommittedIsr):
            self._maybe_change_isr(effects, now_ms)
        self._maybe_advance(effects, now_ms)
        return effects

    def on_follower_log_start(self, replica: int, log_start_offset: int) -> Sequence[Effect]:
        """What a subscribed follower has saved of its log start offset."""
        follower = self.followers.get(replica)
        effects: list[Effect] = []
        if follower is not None and follower.broker_epoch is not None:
            follower.log_start_offset = log_start_offset
            self._release_deletions(effects)
        return effects

    def on_cannot_append(self, replica: int, now_ms: int) -> Sequence[Effect]:
        """A follower says that its disk takes nothing: it leaves the ISR at once (rule 9)."""
        follower = self.followers.get(replica)
        if follower is None:
            return ()
        follower.forget_position()
        follower.cannot_append = True
        effects: list[Effect] = []
        self._maybe_change_isr(effects, now_ms)
        return effects

    def on_tick(self, now_ms: int) -> Sequence[Effect]:
        """Let go of who lags too long, let in who may come."""
        effects: list[Effect] = []
        if self.role is Role.LEADER:
            self._maybe_change_isr(effects, now_ms)
            self._maybe_advance(effects, now_ms)
        return effects

    # ---- the controller's answers

    def on_accepted(self, change: IsrChange, view: PartitionView, now_ms: int) -> Sequence[Effect]:
        """The controller answered `change` with the partition as it now is."""
        effects = list(self.on_metadata(view, log_end_offset=self.log_end_offset, now_ms=now_ms))
        if self.pending_change is change and view.partition_epoch == self.partition_epoch:
            # Nothing had to be changed: the partition epoch stayed.
            self._set_isr(CommittedIsr(view.isr))
            self._after_isr_change(effects, now_ms)
        return effects

    def on_refused(self, change: IsrChange, now_ms: int) -> Sequence[Effect]:
        """The controller let a member not in, and changed nothing."""
        if self.pending_change is not change:
            return ()
        self._set_isr(CommittedIsr(self.isr_state.members))
        self._quiet_until_ms = now_ms + REFUSAL_PAUSE_MS
        effects: list[Effect] = []
        self._maybe_advance(effects, now_ms)
        return effects

    # ---- waiters

    def wait(self, next_offset: int, leader_epoch: int) -> int | None:
        """A waiter until high_watermark >= `next_offset`; None when it is there already.

        NOT_LEADER_OR_FOLLOWER when `leader_epoch` has passed (rule 8), also if leadership came
        back; NOT_ENOUGH_REPLICAS_AFTER_APPEND when the ISR has shrunk too far to commit anything.
        """
        self._check_epoch(leader_epoch)
        if self.high_watermark >= next_offset:
            return None
        if not self.enough_replicas:
            raise ProtocolError(ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND)
        return self._waiters.add(next_offset)

    def wait_deleted(self, before_offset: int, leader_epoch: int) -> int | None:
        """A waiter until the low watermark >= `before_offset`; None when it is there already.

        NOT_LEADER_OR_FOLLOWER when `leader_epoch` has passed.
        """
        self._check_epoch(leader_epoch)
        if self.low_watermark_offset >= before_offset:
            return None
        return self.low_watermark.add(before_offset)

    def forget(self, waiter: int) -> None:
        self._waiters.forget(waiter)
        self.low_watermark.forget(waiter)

    # ---- inside

    def _check_epoch(self, leader_epoch: int) -> None:
        if self.role is not Role.LEADER or leader_epoch != self.leader_epoch:
            raise ProtocolError(ErrorCode.NOT_LEADER_OR_FOLLOWER, "leadership changed meanwhile")

    def _set_isr(self, state: IsrState) -> None:
        self.isr_state = state
        self.maximal_isr = state.maximal

    def _sync_followers(self, now_ms: int) -> None:
        wanted = {*self.replicas, *self.isr_state.members} - {self.node_id}
        for replica in [*self.followers]:
            if replica not in wanted:
                del self.followers[replica]
        for replica in wanted - self.followers.keys():
            # A new leader grants its ISR the whole lag time to subscribe.
            in_sync = replica in self.isr_state.members
            self.followers[replica] = FollowerProgress(
                last_caught_up_ms=now_ms if in_sync else None
            )

    def _after_isr_change(self, effects: list[Effect], now_ms: int) -> None:
        if not self.enough_replicas:
            self._fail_waiters(effects, ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND)
        # In this order: a member that has just left for its lag stands at the high watermark that
        # it held back, and would come in again.
        self._maybe_advance(effects, now_ms)
        self._maybe_change_isr(effects, now_ms)
        self._maybe_advance(effects, now_ms)

    def _fail_waiters(self, effects: list[Effect], code: ErrorCode) -> None:
        if waiters := self._waiters.take_all():
            effects.append(WaitersFailed(waiters, code))

    def _fail_all(self, effects: list[Effect], code: ErrorCode) -> None:
        self._fail_waiters(effects, code)
        if waiters := self.low_watermark.take_all():
            effects.append(WaitersFailed(waiters, code))

    def _release_deletions(self, effects: list[Effect]) -> None:
        if released := self.low_watermark.release(self.followers, self._brokers):
            effects.append(WaitersReleased(released))

    def _maybe_advance(self, effects: list[Effect], now_ms: int) -> None:
        """Move the high watermark to the least log end of the maximal ISR, if that is higher."""
        if self.role is not Role.LEADER or not self.enough_replicas:
            return
        lowest = self.counted_end
        if lowest <= self.high_watermark:
            return
        for replica in self.maximal_isr:
            if replica == self.node_id:
                continue
            follower = self.followers.get(replica)
            end = None if follower is None else follower.log_end_offset
            if end is None or end <= self.high_watermark:
                return
            lowest = min(lowest, end)
        if len(self.followers) >= len(self.maximal_isr):
            lowest = min(lowest, self._end_of_joining(now_ms))
            if lowest <= self.high_watermark:
                return
        self.high_watermark = lowest
        effects.append(HighWatermarkMoved(lowest))
        if released := self._waiters.release(lowest):
            effects.append(WaitersReleased(released))

    def _end_of_joining(self, now_ms: int) -> int:
        """Wait for who is about to join, or it never reaches a high watermark under steady load."""
        lowest = self.counted_end
        for replica, follower in self.followers.items():
            if replica in self.maximal_isr or follower.log_end_offset is None:
                continue
            if follower.in_time(now_ms, self.replica_lag_ms_max) and follower.eligible(
                self._brokers.get(replica)
            ):
                lowest = min(lowest, follower.log_end_offset)
        return lowest

    def _maybe_change_isr(self, effects: list[Effect], now_ms: int) -> None:
        if not isinstance(self.isr_state, CommittedIsr):
            return
        if self._quiet_until_ms is not None and now_ms < self._quiet_until_ms:
            return
        self._quiet_until_ms = None
        pending = decide_isr_change(
            IsrFacts(
                self.node_id,
                self.leader_epoch,
                self.partition_epoch,
                self.replicas,
                self.isr_state.members,
                self.high_watermark,
                self.epoch_start_offset,
                self.replica_lag_ms_max,
            ),
            self.followers,
            self._brokers,
            now_ms,
        )
        if pending is not None:
            self._set_isr(pending)
            effects.append(ProposeIsr(pending.change))
