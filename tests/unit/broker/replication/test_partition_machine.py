from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from broker.replication.isr import (
    BecameFollower,
    BecameLeader,
    Effect,
    HighWatermarkMoved,
    IsrChange,
    PendingExpand,
    PendingShrink,
    ProposeIsr,
    WaitersFailed,
    WaitersReleased,
)
from broker.replication.partition_machine import REFUSAL_PAUSE_MS, PartitionMachine, Role
from broker.replication.progress import BrokerView, PartitionView
from ottla.core.errors import ErrorCode, InvariantError, ProtocolError

LAG_MS_MAX = 1_000
VIEW = PartitionView(1, 5, 10, (1, 2, 3), (1, 2, 3))
BROKERS = {id: BrokerView(id * 10, True) for id in (1, 2, 3)}


def machine_of(
    view: PartitionView = VIEW,
    *,
    end: int = 0,
    high_watermark: int = 0,
    min_insync: int = 2,
    brokers: dict[int, BrokerView] | None = None,
) -> PartitionMachine:
    machine = PartitionMachine(
        1,
        high_watermark=high_watermark,
        log_end_offset=end,
        min_insync_replicas=min_insync,
        replica_lag_ms_max=LAG_MS_MAX,
        brokers=brokers or BROKERS,
    )
    machine.on_metadata(view, log_end_offset=end, now_ms=0)
    return machine


def append(machine: PartitionMachine, end: int, now_ms: int = 0) -> Sequence[Effect]:
    return machine.on_local_end(end, end, now_ms)


def subscribe_all(machine: PartitionMachine, end: int = 0) -> None:
    for replica in (2, 3):
        machine.on_subscribed(replica, replica * 10, end, 0)


def waiter_of(machine: PartitionMachine, next_offset: int) -> int:
    waiter = machine.wait(next_offset, 5)
    assert waiter is not None
    return waiter


def expanding() -> tuple[PartitionMachine, IsrChange]:
    """ISR (1, 2); 3 is asked for; log end, position of all and high watermark are 4."""
    machine = machine_of(replace(VIEW, isr=(1, 2)), end=4, high_watermark=0)
    machine.on_subscribed(2, 20, 4, 0)
    effects = machine.on_subscribed(3, 30, 4, 0)
    assert machine.high_watermark == 4
    (proposal,) = [effect for effect in effects if isinstance(effect, ProposeIsr)]
    return machine, proposal.change


def test_becomes_leader_with_the_start_of_its_epoch() -> None:
    machine = machine_of()
    effects = machine.on_metadata(
        replace(VIEW, leader_epoch=6, partition_epoch=11), log_end_offset=7, now_ms=0
    )
    assert effects == [BecameLeader(6, 7)]
    assert machine.role is Role.LEADER
    assert machine.epoch_start_offset == 7


def test_becomes_follower_also_when_nobody_leads() -> None:
    machine = machine_of()
    view = replace(VIEW, leader_id=None, leader_epoch=6, partition_epoch=11)
    assert machine.on_metadata(view, log_end_offset=7, now_ms=0) == [BecameFollower(6, None)]
    assert not machine.is_leader


@pytest.mark.parametrize(
    "view",
    [
        replace(VIEW, isr=(1,)),
        replace(VIEW, partition_epoch=9, isr=(1,)),
        replace(VIEW, leader_epoch=4, partition_epoch=11, isr=(1,)),
    ],
)
def test_metadata_that_is_not_newer_is_ignored(view: PartitionView) -> None:
    machine = machine_of()
    assert machine.on_metadata(view, log_end_offset=0, now_ms=0) == ()
    assert machine.isr == (1, 2, 3)


def test_high_watermark_is_the_least_end_of_the_isr() -> None:
    machine = machine_of()
    subscribe_all(machine)
    assert append(machine, 5) == []
    assert machine.on_progress(2, 5, 0) == []
    assert machine.on_progress(3, 3, 0) == [HighWatermarkMoved(3)]
    assert machine.on_progress(3, 5, 0) == [HighWatermarkMoved(5)]


def test_high_watermark_waits_for_a_member_without_a_position() -> None:
    machine = machine_of()
    append(machine, 5)
    machine.on_subscribed(2, 20, 0, 0)
    machine.on_progress(2, 5, 0)
    assert machine.high_watermark == 0


def test_high_watermark_stands_still_below_min_isr() -> None:
    machine = machine_of(replace(VIEW, isr=(1,)))
    append(machine, 5)
    assert machine.high_watermark == 0
    assert machine.on_min_insync_replicas(1, 0) == [HighWatermarkMoved(5)]


def test_min_isr_above_the_replication_factor_asks_for_all_replicas() -> None:
    machine = machine_of(PartitionView(1, 5, 10, (1,), (1,)))
    assert append(machine, 5) == [HighWatermarkMoved(5)]


def test_durable_leader_counts_only_what_is_synced() -> None:
    machine = machine_of(PartitionView(1, 5, 10, (1,), (1,)))
    assert machine.on_local_end(5, 0, 0) == []
    assert machine.on_local_end(5, 3, 0) == [HighWatermarkMoved(3)]


def test_durable_follower_counts_from_its_first_acknowledgement() -> None:
    machine = machine_of()
    append(machine, 5)
    machine.on_subscribed(2, 20, 5, 0)
    assert machine.on_subscribed(3, 30, None, 0) == ()
    assert machine.high_watermark == 0
    machine.on_progress(3, 5, 0)
    assert machine.high_watermark == 5
    append(machine, 9)
    machine.on_progress(3, 9, 0)
    machine.on_subscribed(3, 30, None, 0)  # it may have come back with less on its disk
    machine.on_progress(2, 9, 0)
    assert machine.high_watermark == 5


def test_positions_are_forgotten_in_a_new_epoch() -> None:
    machine = machine_of()
    subscribe_all(machine, 0)
    append(machine, 5)
    view = replace(VIEW, leader_epoch=6, partition_epoch=11)
    machine.on_progress(2, 5, 0)
    machine.on_metadata(view, log_end_offset=5, now_ms=0)
    machine.on_subscribed(3, 30, 5, 0)
    assert machine.high_watermark == 0


def test_positions_are_forgotten_with_the_stream() -> None:
    machine = machine_of()
    subscribe_all(machine)
    append(machine, 5)
    machine.on_progress(2, 5, 0)
    machine.on_unsubscribed(2)
    machine.on_progress(3, 5, 0)
    assert machine.high_watermark == 0


def test_a_position_is_set_and_not_maximised_at_subscribe() -> None:
    machine = machine_of()
    subscribe_all(machine)
    append(machine, 5)
    machine.on_progress(2, 5, 0)
    machine.on_subscribed(2, 20, 2, 0)
    machine.on_progress(3, 5, 0)
    assert machine.high_watermark == 2


def test_positions_of_an_earlier_incarnation_are_forgotten() -> None:
    machine = machine_of()
    subscribe_all(machine)
    append(machine, 5)
    machine.on_progress(2, 5, 0)
    machine.on_brokers({**BROKERS, 2: BrokerView(21, True)}, 0)
    machine.on_progress(3, 5, 0)
    assert machine.high_watermark == 0
    assert machine.on_subscribed(2, 20, 5, 0) == ()
    assert machine.on_progress(2, 5, 0) == ()  # from what it still has in flight
    assert machine.high_watermark == 0
    machine.on_subscribed(2, 21, 5, 0)
    assert machine.high_watermark == 5


def test_who_is_only_asked_for_does_not_make_up_the_minimum() -> None:
    machine = machine_of(replace(VIEW, isr=(1,)), end=4)
    effects = machine.on_subscribed(2, 20, 4, 0)
    assert isinstance(machine.isr_state, PendingExpand)
    assert [type(effect) for effect in effects] == [ProposeIsr]
    append(machine, 5)
    machine.on_progress(2, 5, 0)
    assert machine.high_watermark == 0
    view = replace(VIEW, isr=(1, 2), partition_epoch=11)
    machine.on_accepted(machine.isr_state.change, view, 0)
    assert machine.high_watermark == 5


def test_joins_at_the_high_watermark_and_counts_before_the_answer() -> None:
    machine, change = expanding()
    assert change == IsrChange(5, 10, ((1, 10), (2, 20), (3, 30)))
    assert isinstance(machine.isr_state, PendingExpand)
    append(machine, 9)
    machine.on_progress(2, 9, 0)
    assert machine.high_watermark == 4
    assert machine.on_progress(3, 9, 0) == [HighWatermarkMoved(9)]


def test_a_change_stays_pending_through_metadata_that_is_not_newer() -> None:
    machine, change = expanding()
    machine.on_metadata(replace(VIEW, isr=(1, 2)), log_end_offset=4, now_ms=0)
    machine.on_tick(LAG_MS_MAX)
    assert machine.pending_change is change


def test_newer_metadata_settles_a_change() -> None:
    machine, _ = expanding()
    view = replace(VIEW, partition_epoch=11)
    assert machine.on_metadata(view, log_end_offset=4, now_ms=0) == []
    assert machine.pending_change is None
    assert machine.isr == (1, 2, 3)


def test_the_answer_settles_a_change() -> None:
    machine, change = expanding()
    machine.on_accepted(change, replace(VIEW, partition_epoch=11), 0)
    assert machine.pending_change is None
    assert machine.isr == (1, 2, 3)


def test_an_answer_that_changed_nothing_settles_too() -> None:
    machine, change = expanding()
    machine.on_accepted(change, VIEW, 0)
    assert machine.pending_change is None
    assert machine.isr == (1, 2, 3)


def test_a_refusal_rolls_back_and_pauses() -> None:
    machine, change = expanding()
    machine.on_refused(change, 0)
    assert machine.pending_change is None
    append(machine, 9)
    machine.on_progress(3, 9, 0)
    machine.on_progress(2, 9, 0)
    assert machine.high_watermark == 9
    assert machine.pending_change is None
    machine.on_tick(REFUSAL_PAUSE_MS)
    assert machine.pending_change is not None


def test_a_late_refusal_of_another_change_means_nothing() -> None:
    machine, change = expanding()
    assert machine.on_refused(replace(change, partition_epoch=9), 0) == ()
    assert machine.pending_change is change


@pytest.mark.parametrize(
    ("end", "broker"),
    [
        (3, BrokerView(30, True)),
        (4, BrokerView(30, False)),
        (4, BrokerView(31, True)),
    ],
    ids=["behind", "fenced", "another incarnation"],
)
def test_who_may_not_join(end: int, broker: BrokerView) -> None:
    view = replace(VIEW, isr=(1, 2))
    machine = machine_of(view, end=4, high_watermark=4, brokers={**BROKERS, 3: broker})
    machine.on_subscribed(2, 20, 4, 0)
    machine.on_subscribed(3, 30, end, 0)
    assert machine.pending_change is None


def test_below_the_start_of_the_epoch_nobody_joins() -> None:
    machine = machine_of(replace(VIEW, isr=(1, 2)), end=9, high_watermark=4)
    machine.on_subscribed(3, 30, 8, 0)
    assert machine.pending_change is None
    machine.on_progress(3, 9, 0)
    assert machine.pending_change is not None


def test_joins_when_it_is_unfenced_without_new_data() -> None:
    fenced = {**BROKERS, 3: BrokerView(30, False)}
    machine = machine_of(replace(VIEW, isr=(1, 2)), brokers=fenced)
    machine.on_subscribed(3, 30, 0, 0)
    assert machine.pending_change is None
    machine.on_brokers(BROKERS, 0)
    assert machine.pending_change is not None


def test_high_watermark_waits_for_who_is_about_to_join() -> None:
    machine = machine_of(replace(VIEW, isr=(1,)), min_insync=1)
    append(machine, 5)
    machine.on_subscribed(2, 20, 0, 0)
    append(machine, 6)
    machine.on_progress(2, 5, 0)
    assert machine.pending_change is None
    append(machine, 7)
    assert machine.high_watermark == 6
    machine.on_progress(2, 6, 0)
    assert isinstance(machine.isr_state, PendingExpand)


def test_leaves_when_it_lags_behind_the_end_as_it_was_sent() -> None:
    machine = machine_of()
    subscribe_all(machine)
    append(machine, 5, now_ms=10_000)
    machine.on_progress(2, 5, 10_001)
    assert machine.on_tick(10_000 + LAG_MS_MAX) == []
    (effect,) = machine.on_tick(10_001 + LAG_MS_MAX)
    assert effect == ProposeIsr(IsrChange(5, 10, ((1, 10), (2, 20))))
    assert machine.isr_state == PendingShrink((1, 2, 3), frozenset({3}), effect.change)


def test_a_follower_always_behind_the_present_end_stays() -> None:
    machine = machine_of()
    subscribe_all(machine)
    for step in range(50):
        now_ms = step * 200
        append(machine, step + 1, now_ms)
        machine.on_progress(2, step + 1, now_ms)
        machine.on_progress(3, max(0, step - 2), now_ms)
        assert machine.on_tick(now_ms) == []


def test_the_shrinking_member_counts_until_the_answer() -> None:
    machine = machine_of()
    subscribe_all(machine)
    append(machine, 5)
    machine.on_progress(2, 5, 0)
    machine.on_tick(LAG_MS_MAX + 1)
    assert isinstance(machine.isr_state, PendingShrink)
    append(machine, 6, LAG_MS_MAX + 1)
    machine.on_progress(2, 6, LAG_MS_MAX + 1)
    assert machine.high_watermark == 0
    view = replace(VIEW, partition_epoch=11, isr=(1, 2))
    assert HighWatermarkMoved(6) in machine.on_metadata(
        view, log_end_offset=6, now_ms=LAG_MS_MAX + 2
    )


def test_who_cannot_append_leaves_at_once() -> None:
    machine = machine_of()
    subscribe_all(machine)
    (effect,) = machine.on_cannot_append(3, 0)
    assert effect == ProposeIsr(IsrChange(5, 10, ((1, 10), (2, 20))))


def test_waiters_are_released_by_the_high_watermark() -> None:
    machine = machine_of()
    subscribe_all(machine)
    append(machine, 5)
    first = waiter_of(machine, 3)
    second = waiter_of(machine, 5)
    machine.on_progress(2, 5, 0)
    assert machine.on_progress(3, 4, 0) == [HighWatermarkMoved(4), WaitersReleased((first,))]
    assert machine.on_progress(3, 5, 0) == [HighWatermarkMoved(5), WaitersReleased((second,))]
    assert machine.wait(5, 5) is None


def test_waiters_fail_with_their_epoch_even_when_leadership_stays() -> None:
    machine = machine_of()
    append(machine, 5)
    waiter = waiter_of(machine, 5)
    view = replace(VIEW, leader_epoch=6, partition_epoch=11)
    effects = machine.on_metadata(view, log_end_offset=5, now_ms=0)
    assert effects[0] == WaitersFailed((waiter,), ErrorCode.NOT_LEADER_OR_FOLLOWER)
    with pytest.raises(ProtocolError, match="NOT_LEADER_OR_FOLLOWER"):
        machine.wait(0, 5)


def test_waiters_fail_when_the_isr_shrinks_below_min_isr() -> None:
    machine = machine_of()
    append(machine, 5)
    waiter = waiter_of(machine, 5)
    view = replace(VIEW, partition_epoch=11, isr=(1,))
    effects = machine.on_metadata(view, log_end_offset=5, now_ms=0)
    assert effects[0] == WaitersFailed((waiter,), ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND)
    with pytest.raises(ProtocolError, match="NOT_ENOUGH_REPLICAS_AFTER_APPEND"):
        machine.wait(5, 5)


def test_a_follower_claims_no_more_than_it_has() -> None:
    machine = machine_of(replace(VIEW, leader_id=2), end=5)
    assert machine.on_leader_state(9, 5) == (HighWatermarkMoved(5),)
    assert machine.on_leader_state(4, 5) == ()
    machine.on_truncated(3)
    assert machine.high_watermark == 3


def test_a_leader_truncates_nothing() -> None:
    with pytest.raises(InvariantError):
        machine_of().on_truncated(0)


def test_offline_is_for_good() -> None:
    machine = machine_of()
    append(machine, 5)
    waiter = waiter_of(machine, 5)
    assert machine.on_offline() == [WaitersFailed((waiter,), ErrorCode.KAFKA_STORAGE_ERROR)]
    view = replace(VIEW, leader_epoch=6, partition_epoch=11)
    assert machine.on_metadata(view, log_end_offset=5, now_ms=0) == []
    assert machine.role is Role.OFFLINE
    assert machine.leader_epoch == 6
