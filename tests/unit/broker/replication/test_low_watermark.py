from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from broker.replication.isr import Effect, WaitersFailed, WaitersReleased
from broker.replication.partition_machine import PartitionMachine
from broker.replication.progress import BrokerView, PartitionView
from ottla.core.errors import ErrorCode, ProtocolError

VIEW = PartitionView(1, 5, 10, (1, 2, 3), (1, 2, 3))
BROKERS = {id: BrokerView(id * 10, True) for id in (1, 2, 3)}


def machine_of(view: PartitionView = VIEW) -> PartitionMachine:
    machine = PartitionMachine(
        1,
        high_watermark=100,
        log_end_offset=100,
        min_insync_replicas=1,
        replica_lag_ms_max=1_000,
        brokers=BROKERS,
    )
    machine.on_metadata(view, log_end_offset=100, now_ms=0)
    return machine


def subscribe(machine: PartitionMachine, replica: int, log_start: int) -> Sequence[Effect]:
    machine.on_subscribed(replica, replica * 10, 100, 0)
    return machine.on_follower_log_start(replica, log_start)


def waiter_of(machine: PartitionMachine, before_offset: int) -> int:
    waiter = machine.wait_deleted(before_offset, 5)
    assert waiter is not None
    return waiter


def test_the_least_of_what_the_leader_and_its_live_followers_have_saved() -> None:
    machine = machine_of()
    machine.on_log_start_saved(7)
    assert machine.low_watermark_offset == -1  # nobody has told
    subscribe(machine, 2, 9)
    assert machine.low_watermark_offset == -1
    subscribe(machine, 3, 5)
    assert machine.low_watermark_offset == 5
    machine.on_follower_log_start(3, 8)
    assert machine.low_watermark_offset == 7


def test_released_when_the_last_has_saved_it() -> None:
    machine = machine_of()
    subscribe(machine, 2, 0)
    subscribe(machine, 3, 0)
    first, second = waiter_of(machine, 5), waiter_of(machine, 8)
    assert machine.on_log_start_saved(8) == []
    assert machine.on_follower_log_start(2, 8) == []
    assert machine.on_follower_log_start(3, 7) == [WaitersReleased((first,))]
    assert machine.on_follower_log_start(3, 8) == [WaitersReleased((second,))]
    assert machine.wait_deleted(8, 5) is None


def test_a_dead_follower_is_not_waited_for_and_one_that_comes_back_is() -> None:
    machine = machine_of()
    subscribe(machine, 2, 0)
    subscribe(machine, 3, 0)
    machine.on_log_start_saved(8)
    machine.on_follower_log_start(2, 8)
    waiter = waiter_of(machine, 8)
    fenced = {**BROKERS, 3: BrokerView(30, False)}
    assert WaitersReleased((waiter,)) in machine.on_brokers(fenced, 0)
    machine.on_brokers({**BROKERS, 3: BrokerView(40, True)}, 0)
    waiter_of(machine, 8)
    assert machine.low_watermark_offset == -1  # another process: what the old one told is nothing
    assert machine.on_follower_log_start(3, 8) == []  # late word of the old one
    machine.on_subscribed(3, 40, 100, 0)
    assert machine.on_follower_log_start(3, 8) != []


def test_a_replica_that_is_taken_away_is_not_waited_for() -> None:
    machine = machine_of()
    subscribe(machine, 2, 8)
    machine.on_log_start_saved(8)
    waiter = waiter_of(machine, 8)
    smaller = replace(VIEW, partition_epoch=11, replicas=(1, 2), isr=(1, 2))
    effects = machine.on_metadata(smaller, log_end_offset=100, now_ms=0)
    assert WaitersReleased((waiter,)) in effects


def test_a_new_epoch_fails_who_waits_and_forgets_what_was_told() -> None:
    machine = machine_of()
    subscribe(machine, 2, 0)
    waiter = waiter_of(machine, 8)
    again = replace(VIEW, leader_epoch=6, partition_epoch=11)
    effects = machine.on_metadata(again, log_end_offset=100, now_ms=0)
    assert WaitersFailed((waiter,), ErrorCode.NOT_LEADER_OR_FOLLOWER) in effects
    with pytest.raises(ProtocolError, match="NOT_LEADER_OR_FOLLOWER"):
        machine.wait_deleted(8, 5)
    assert machine.low_watermark_offset == -1


def test_a_log_that_fails_fails_who_waits() -> None:
    machine = machine_of()
    waiter = waiter_of(machine, 8)
    code = ErrorCode.KAFKA_STORAGE_ERROR
    assert machine.on_offline(code) == [WaitersFailed((waiter,), code)]


def test_too_few_replicas_concern_only_who_waits_for_the_high_watermark() -> None:
    machine = machine_of(replace(VIEW, isr=(1, 2)))
    machine.on_min_insync_replicas(2, 0)
    deleted, committed = waiter_of(machine, 8), machine.wait(101, 5)
    assert committed is not None
    assert committed != deleted
    effects = machine.on_min_insync_replicas(3, 0)
    assert effects[0] == WaitersFailed((committed,), ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND)
    assert not any(isinstance(effect, WaitersFailed) for effect in effects[1:])


def test_who_gives_up_is_forgotten() -> None:
    machine = machine_of()
    subscribe(machine, 2, 8)
    subscribe(machine, 3, 8)
    machine.forget(waiter_of(machine, 8))
    assert machine.on_log_start_saved(8) == []
