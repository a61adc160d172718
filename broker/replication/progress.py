"""What a leader knows of its followers and of the brokers: the partition machine's data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PartitionView:
    """What committed metadata says of the partition."""

    leader_id: int | None
    leader_epoch: int
    partition_epoch: int
    replicas: tuple[int, ...]
    isr: tuple[int, ...]
    adding_replicas: tuple[int, ...] = ()
    """Those of `replicas` that a reassignment adds."""


@dataclass(frozen=True, slots=True)
class BrokerView:
    """What committed metadata says of a broker; `eligible`: neither fenced nor shutting down."""

    broker_epoch: int
    eligible: bool


@dataclass(slots=True)
class FollowerProgress:
    """What a leader knows of one follower in the current leader epoch."""

    log_end_offset: int | None = None
    """None: no proven position, as before the first subscribe and after its stream ended."""
    broker_epoch: int | None = None
    """The incarnation that subscribed."""
    last_caught_up_ms: int | None = None
    mark: tuple[int, int] | None = None
    """(leader's log end, when): reaching it proves that the follower was caught up then. None
    while it stands at the log end. Measured against the end as it was, for under load no follower
    ever stands at the end as it is."""
    cannot_append: bool = False
    log_start_offset: int | None = None
    """What it has saved of it; None before its incarnation told."""
    arrived: bool = False
    """It was throttled, has caught up, and comes to the others: nothing holds it back any more."""
    asked: tuple[int, int] = (-1, -1)
    """(broker epoch, request) of its newest subscribe."""

    def subscribe(self, broker_epoch: int, leader_end: int, now_ms: int) -> None:
        """A new subscription: nothing of an earlier one counts."""
        self.broker_epoch = broker_epoch
        self.cannot_append = False
        self.log_end_offset = None
        self.mark = (leader_end, now_ms)

    def forget_position(self) -> None:
        """Its stream ended, or its process is another one now; how long it lags goes on."""
        self.log_end_offset = None
        self.log_start_offset = None
        self.broker_epoch = None
        self.mark = None
        self.arrived = False

    def advance(self, log_end_offset: int, leader_end: int, now_ms: int) -> None:
        """It holds everything below `log_end_offset`."""
        self.log_end_offset = log_end_offset
        if log_end_offset >= leader_end:
            self.mark = None
            self.last_caught_up_ms = now_ms
        elif self.mark is None or log_end_offset >= self.mark[0]:
            if self.mark is not None:
                self.last_caught_up_ms = self.mark[1]
            self.mark = (leader_end, now_ms)

    def leader_appended(self, leader_end: int, now_ms: int) -> None:
        """The leader's log grew: who stood at its end did so until now."""
        if self.mark is None and self.log_end_offset is not None:
            self.last_caught_up_ms = now_ms
            self.mark = (leader_end, now_ms)

    def in_time(self, now_ms: int, replica_lag_ms_max: int) -> bool:
        """Rule 5, out: caught up now, or not longer ago than the lag allowed (inclusive)."""
        if self.cannot_append:
            return False
        if self.log_end_offset is not None and self.mark is None:
            return True
        caught_up_ms = self.last_caught_up_ms
        return caught_up_ms is not None and now_ms - caught_up_ms <= replica_lag_ms_max

    def eligible(self, broker: BrokerView | None) -> bool:
        """Whether the controller would let this incarnation in (KIP-841, KIP-903)."""
        return broker is not None and broker.eligible and broker.broker_epoch == self.broker_epoch
