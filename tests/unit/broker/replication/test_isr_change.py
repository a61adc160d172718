from __future__ import annotations

from dataclasses import replace

from broker.replication.isr import UNKNOWN_BROKER_EPOCH, PendingExpand, PendingShrink
from broker.replication.isr_change import IsrFacts, decide_isr_change
from broker.replication.progress import BrokerView, FollowerProgress

FACTS = IsrFacts(1, 5, 8, (1, 2, 3), (1, 2), 10, 10, 1_000)
BROKERS = {id: BrokerView(id * 10, True) for id in (1, 2, 3)}


def at(end: int, broker_epoch: int) -> FollowerProgress:
    return FollowerProgress(end, broker_epoch, 0)


def test_nothing_to_change() -> None:
    assert decide_isr_change(FACTS, {2: at(10, 20), 3: at(9, 30)}, BROKERS, 0) is None


def test_who_is_there_comes_in() -> None:
    pending = decide_isr_change(FACTS, {2: at(10, 20), 3: at(10, 30)}, BROKERS, 0)
    assert isinstance(pending, PendingExpand)
    assert pending.added == 3
    assert pending.change.isr == ((1, 10), (2, 20), (3, 30))
    assert (pending.change.leader_epoch, pending.change.partition_epoch) == (5, 8)


def test_who_has_not_reached_the_start_of_the_epoch_stays_out() -> None:
    facts = replace(FACTS, high_watermark=4)  # a new leader's, which lags behind what was committed
    assert decide_isr_change(facts, {2: at(10, 20), 3: at(9, 30)}, BROKERS, 0) is None
    assert decide_isr_change(facts, {2: at(10, 20), 3: at(10, 30)}, BROKERS, 0) is not None


def test_leaving_goes_first() -> None:
    gone = FollowerProgress(None, None, 0)
    pending = decide_isr_change(FACTS, {2: gone, 3: at(10, 30)}, BROKERS, 1_001)
    assert isinstance(pending, PendingShrink)
    assert pending.removed == {2}


def test_who_was_moved_away_does_not_come_in() -> None:
    facts = replace(FACTS, replicas=(1, 2))
    assert decide_isr_change(facts, {2: at(10, 20), 3: at(10, 30)}, BROKERS, 0) is None


def test_a_silent_member_is_named_as_it_is_registered() -> None:
    followers = {2: FollowerProgress(None, None, 0), 3: at(10, 30)}
    pending = decide_isr_change(FACTS, followers, BROKERS, 0)
    assert pending is not None
    assert dict(pending.change.isr)[2] == 20
    pending = decide_isr_change(FACTS, followers, {1: BROKERS[1], 3: BROKERS[3]}, 0)
    assert pending is not None
    assert dict(pending.change.isr)[2] == UNKNOWN_BROKER_EPOCH
