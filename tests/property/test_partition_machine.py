"""The leader's machine against a controller and followers that lose, delay and repeat messages.

The model knows the truth: every replica's real log end and the ISR as the controller has it. What
must hold after every step is written in the invariants; the machine sees only messages.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from broker.replication.isr import (
    Effect,
    HighWatermarkMoved,
    IsrChange,
    ProposeIsr,
    WaitersFailed,
    WaitersReleased,
)
from broker.replication.partition_machine import PartitionMachine
from broker.replication.progress import BrokerView, PartitionView
from ottla.core.errors import ErrorCode, ProtocolError
from tests.support.examples import examples

LEADER = 1
FOLLOWERS = (2, 3)
LAG_MS_MAX = 1_000

followers = st.sampled_from(FOLLOWERS)


@dataclass
class Follower:
    """A follower as it really is."""

    end: int = 0
    broker_epoch: int = 1
    subscribed: bool = False
    fenced: bool = False
    subscription: int = 0


class LeaderMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now_ms = 0
        self.end = 0
        self.followers = {id: Follower() for id in FOLLOWERS}
        self.leader_broker_epoch = 1
        self.truth = PartitionView(LEADER, 0, 0, (LEADER, *FOLLOWERS), (LEADER, *FOLLOWERS))
        self.to_controller: list[IsrChange] = []
        self.acks: list[tuple[int, int, int]] = []
        self.waiting: dict[int, tuple[int, int]] = {}
        self.brokers: dict[int, BrokerView] = {}
        self.registered()
        self.min_insync = 2
        self.highest = 0

    @initialize(min_insync=st.integers(1, 3))
    def start(self, min_insync: int) -> None:
        self.min_insync = min_insync
        self.machine = PartitionMachine(
            LEADER,
            high_watermark=0,
            log_end_offset=0,
            min_insync_replicas=min_insync,
            replica_lag_ms_max=LAG_MS_MAX,
            brokers=self.brokers,
        )
        self.learn()

    # ---- what the shell would do

    def registered(self) -> None:
        views = {id: BrokerView(f.broker_epoch, not f.fenced) for id, f in self.followers.items()}
        self.brokers = {LEADER: BrokerView(self.leader_broker_epoch, True), **views}

    def run_effects(self, effects: object) -> None:
        assert isinstance(effects, list | tuple)
        for effect in effects:
            self.run_effect(effect)

    def run_effect(self, effect: Effect) -> None:
        machine = self.machine
        match effect:
            case HighWatermarkMoved():
                assert effect.high_watermark > self.highest, "the high watermark fell"
                assert len(machine.isr) >= min(self.min_insync, 3), "it moved below min ISR"
                self.highest = effect.high_watermark
            case ProposeIsr():
                assert machine.pending_change is effect.change
                assert LEADER in dict(effect.change.isr)
                self.to_controller.append(effect.change)
            case WaitersReleased():
                for waiter in effect.waiters:
                    epoch, next_offset = self.waiting.pop(waiter)
                    assert epoch == machine.leader_epoch, "released in another leader epoch"
                    assert next_offset <= machine.high_watermark
            case WaitersFailed():
                for waiter in effect.waiters:
                    epoch, _ = self.waiting.pop(waiter)
                    if effect.code is ErrorCode.NOT_LEADER_OR_FOLLOWER:
                        assert epoch < machine.leader_epoch
                    else:
                        assert not machine.enough_replicas

    def learn(self) -> None:
        before = self.machine.leader_epoch
        if self.truth.leader_epoch > before:
            for follower in self.followers.values():
                follower.subscribed = False
        self.run_effects(
            self.machine.on_metadata(self.truth, log_end_offset=self.end, now_ms=self.now_ms)
        )

    # ---- the leader's log and its followers

    @rule(count=st.integers(1, 5))
    def append(self, count: int) -> None:
        self.end += count
        self.run_effects(self.machine.on_local_end(self.end, self.end, self.now_ms))

    @rule(id=followers)
    def subscribe(self, id: int) -> None:
        follower = self.followers[id]
        if follower.end > self.end:
            follower.end = self.end
        follower.subscribed = True
        follower.subscription += 1
        self.run_effects(
            self.machine.on_subscribed(id, follower.broker_epoch, follower.end, self.now_ms)
        )

    @rule(id=followers, part=st.floats(0, 1))
    def replicate(self, id: int, part: float) -> None:
        follower = self.followers[id]
        if follower.subscribed:
            follower.end += round(part * (self.end - follower.end))
            self.acks.append((id, follower.subscription, follower.end))

    @rule(id=followers)
    def catch_up(self, id: int) -> None:
        """A whole round without delay, so that runs get to where replicas are in step."""
        if not self.followers[id].subscribed:
            self.subscribe(id)
        self.followers[id].end = self.end
        self.run_effects(self.machine.on_progress(id, self.end, self.now_ms))

    @rule(id=followers)
    def append_and_replicate_to_one(self, id: int) -> None:
        self.append(2)
        self.catch_up(id)

    @precondition(lambda self: self.acks)
    @rule(keep=st.booleans())
    def acknowledge(self, keep: bool) -> None:
        """Acknowledgements may be repeated; those of an earlier subscription are dropped by the
        session, those of the current one come in order."""
        id, subscription, end = self.acks[0] if keep else self.acks.pop(0)
        follower = self.followers[id]
        if follower.subscribed and subscription == follower.subscription:
            self.run_effects(self.machine.on_progress(id, end, self.now_ms))

    @rule(id=followers)
    def disconnect(self, id: int) -> None:
        self.followers[id].subscribed = False
        self.machine.on_unsubscribed(id)

    @rule(id=followers)
    def disk_full(self, id: int) -> None:
        if self.followers[id].subscribed:
            self.followers[id].subscribed = False
            self.run_effects(self.machine.on_cannot_append(id, self.now_ms))
            pending = self.machine.pending_change
            assert pending is not None or id not in self.machine.isr or self.paused()

    def paused(self) -> bool:
        until = self.machine._quiet_until_ms
        return until is not None and self.now_ms < until

    @rule(milliseconds=st.integers(1, 800))
    def tick(self, milliseconds: int) -> None:
        self.now_ms += milliseconds
        self.run_effects(self.machine.on_tick(self.now_ms))

    # ---- the controller

    @precondition(lambda self: self.to_controller)
    @rule(keep=st.booleans(), answered=st.booleans(), which=st.integers(0, 9))
    def controller_takes(self, keep: bool, answered: bool, which: int) -> None:
        """Compare-and-set, as the controller does it; the change or the answer may be lost or
        come twice."""
        index = which % len(self.to_controller)
        change = self.to_controller[index] if keep else self.to_controller.pop(index)
        truth = self.truth
        if (change.leader_epoch, change.partition_epoch) != (
            truth.leader_epoch,
            truth.partition_epoch,
        ):
            return
        for id, broker_epoch in change.isr:
            if id != LEADER:
                follower = self.followers[id]
                if follower.fenced or follower.broker_epoch != broker_epoch:
                    if answered:
                        self.run_effects(self.machine.on_refused(change, self.now_ms))
                    return
        isr = tuple(id for id, _ in change.isr)
        self.truth = replace(truth, partition_epoch=truth.partition_epoch + 1, isr=isr)
        if answered:
            self.run_effects(self.machine.on_accepted(change, self.truth, self.now_ms))

    @rule(registrations=st.booleans(), partitions=st.booleans())
    def metadata_arrives(self, registrations: bool, partitions: bool) -> None:
        """Both in one delta, or one of them late."""
        if registrations:
            self.registered()
            self.run_effects(self.machine.on_brokers(self.brokers, self.now_ms))
        if partitions:
            self.learn()

    @rule(id=followers)
    def fence(self, id: int) -> None:
        """The controller fences a broker: it leaves the ISR in the same command."""
        self.followers[id].fenced = True
        self.remove(id)

    @rule(id=followers, lost=st.integers(0, 4))
    def restart_unclean(self, id: int, lost: int) -> None:
        """A new incarnation whose log lost its tail: out of the ISR with its registration."""
        follower = self.followers[id]
        follower.broker_epoch += 1
        follower.fenced = False
        follower.subscribed = False
        follower.end = max(0, follower.end - lost)
        self.remove(id)

    @rule(id=followers)
    def restart(self, id: int) -> None:
        """A process crash: the page cache is intact, membership stays."""
        follower = self.followers[id]
        follower.broker_epoch += 1
        follower.fenced = False
        follower.subscribed = False

    def remove(self, id: int) -> None:
        truth = self.truth
        if id in truth.isr:
            isr = tuple(member for member in truth.isr if member != id)
            self.truth = replace(truth, partition_epoch=truth.partition_epoch + 1, isr=isr)

    @rule()
    def new_leader_epoch(self) -> None:
        """The same broker leads again, in another epoch."""
        self.truth = replace(
            self.truth,
            leader_epoch=self.truth.leader_epoch + 1,
            partition_epoch=self.truth.partition_epoch + 1,
        )

    # ---- clients

    @rule()
    def wait(self) -> None:
        machine = self.machine
        if not machine.enough_replicas and machine.high_watermark < self.end:
            with pytest.raises(ProtocolError, match="NOT_ENOUGH_REPLICAS_AFTER_APPEND"):
                machine.wait(self.end, machine.leader_epoch)
            return
        waiter = machine.wait(self.end, machine.leader_epoch)
        if waiter is None:
            assert machine.high_watermark >= self.end
        else:
            self.waiting[waiter] = (machine.leader_epoch, self.end)

    @rule()
    def wait_of_an_earlier_epoch(self) -> None:
        with pytest.raises(ProtocolError, match="NOT_LEADER_OR_FOLLOWER"):
            self.machine.wait(0, self.machine.leader_epoch - 1)

    # ---- what must hold

    @invariant()
    def every_electable_replica_has_what_is_committed(self) -> None:
        if not hasattr(self, "machine"):
            return
        for id in self.truth.isr:
            end = self.end if id == LEADER else self.followers[id].end
            assert self.machine.high_watermark <= end, f"{id} lacks committed records"

    @invariant()
    def nobody_waits_for_what_is_there(self) -> None:
        if not hasattr(self, "machine"):
            return
        for epoch, next_offset in self.waiting.values():
            assert epoch == self.machine.leader_epoch
            assert next_offset > self.machine.high_watermark


LeaderMachine.TestCase.settings = settings(
    max_examples=examples(100), stateful_step_count=50, deadline=None
)
TestLeaderMachine = LeaderMachine.TestCase


@pytest.mark.parametrize("seed", range(12))
def test_long_walks(seed: int) -> None:
    """The same rules, far longer: some faults need many steps that Hypothesis does not put
    together. A seed replays exactly."""
    rng = random.Random(seed)
    model = LeaderMachine()
    model.start(min_insync=1 + seed % 2)

    def follower() -> int:
        return rng.choice(FOLLOWERS)

    def flip() -> bool:
        return rng.random() < 0.5

    steps: list[Callable[[], None]] = [
        lambda: model.append(rng.randint(1, 3)),
        lambda: model.subscribe(follower()),
        lambda: model.replicate(follower(), rng.random()),
        lambda: model.catch_up(follower()),
        lambda: model.append_and_replicate_to_one(follower()),
        lambda: model.acknowledge(flip()) if model.acks else None,
        lambda: model.disconnect(follower()),
        lambda: model.disk_full(follower()),
        lambda: model.tick(rng.randint(1, 800)),
        lambda: (
            model.controller_takes(flip(), flip(), rng.randint(0, 9))
            if model.to_controller
            else None
        ),
        lambda: model.metadata_arrives(flip(), flip()),
        lambda: model.metadata_arrives(True, True),
        lambda: model.fence(follower()),
        lambda: model.restart_unclean(follower(), rng.randint(0, 4)),
        lambda: model.restart(follower()),
        lambda: model.wait(),
        lambda: model.new_leader_epoch() if rng.random() < 0.2 else None,
    ]
    for _ in range(4_000):
        rng.choice(steps)()
        del model.to_controller[:-10], model.acks[:-50]
        model.every_electable_replica_has_what_is_committed()
        model.nobody_waits_for_what_is_there()
    assert model.machine.leader_epoch > 10
    assert model.highest > 100, "a walk that commits nothing proves nothing"
