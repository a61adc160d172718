from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from broker.replication.partition import Partition
from broker.replication.partition_machine import PartitionMachine, Role
from broker.replication.progress import PartitionView
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.record.build import build_batch
from tests.unit.broker.replication.replication_support import (
    TOPIC_ID,
    Host,
    Woken,
    batch_of,
    fill,
    lead,
)


def alone(host: Host) -> Partition:
    return host.partition(replicas=(1,))


def run(story: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        await story()

    asyncio.run(main())


def test_an_append_is_read_back_once_committed() -> None:
    partition = alone(Host())
    appended = partition.append(batch_of(b"a", b"b"), acks=-1)
    assert (appended.base_offset, appended.last_offset, appended.leader_epoch) == (0, 1, 0)
    assert partition.high_watermark == 2
    found = partition.read(0, 1000, committed_only=False, at_least_one=True)
    assert found is not None
    assert b"a" in found.read()


def test_what_is_not_committed_is_read_by_coordinators_alone() -> None:
    partition = Host().partition()
    fill(partition, b"a")
    assert partition.read(0, 1000, committed_only=False, at_least_one=True) is None
    assert partition.read(0, 1000, committed_only=True, at_least_one=True) is None
    found = partition.read(0, 1000, committed_only=False, at_least_one=True, to_log_end=True)
    assert found is not None


def test_read_committed_ends_where_the_oldest_open_transaction_begins() -> None:
    partition = alone(Host())
    fill(partition, b"a")
    records = [(None, b"b", (), 1_700_000_000_000)]
    open_batch = build_batch(
        records, producer_id=7, producer_epoch=0, base_sequence=0, transactional=True
    )
    partition.append(memoryview(open_batch), acks=1)
    fill(partition, b"c")
    assert (partition.last_stable_offset, partition.high_watermark) == (1, 3)
    assert partition.read(1, 1000, committed_only=True, at_least_one=True) is None
    assert partition.read(1, 1000, committed_only=False, at_least_one=True) is not None


def test_out_of_range_is_told() -> None:
    partition = alone(Host())
    with pytest.raises(ProtocolError, match="OFFSET_OUT_OF_RANGE"):
        partition.read(1, 1000, committed_only=False, at_least_one=True)


def test_a_follower_appends_and_reads_nothing_for_clients() -> None:
    partition = Host().partition(leader_id=2)
    for act in (
        lambda: partition.append(batch_of(b"a"), acks=1),
        lambda: partition.read(0, 100, committed_only=False, at_least_one=True),
        lambda: partition.check_leader(-1),
        lambda: partition.offset_for_leader_epoch(0),
    ):
        with pytest.raises(ProtocolError, match="NOT_LEADER_OR_FOLLOWER"):
            act()


def test_a_follower_reads_for_consumers_that_may_read_from_it_what_it_knows_to_be_committed() -> (
    None
):
    partition = Host().partition(leader_id=2)
    partition.check_leader(0, may_follow=True)
    with pytest.raises(ProtocolError, match="UNKNOWN_LEADER_EPOCH"):
        partition.check_leader(1, may_follow=True)
    assert partition.log is not None
    partition.log.append_as_follower(batch_of(b"a", leader_epoch=0))

    def read() -> bytes | None:
        found = partition.read(0, 1_000, committed_only=False, at_least_one=True, may_follow=True)
        return None if found is None else found.read()

    assert read() is None
    partition.machine.high_watermark = 1
    assert b"a" in (read() or b"")
    partition.go_offline()
    with pytest.raises(ProtocolError, match="KAFKA_STORAGE_ERROR"):
        read()


def test_a_leader_knows_what_the_replicas_in_sync_hold() -> None:
    partition = Host().partition()
    fill(partition, b"a")
    assert partition.readable_replicas() == [(1, 0, 1)]
    partition.machine.on_subscribed(2, 20, 0, 0)
    assert partition.readable_replicas() == [(1, 0, 1), (2, 0, 0)]


def test_fencing_by_the_clients_leader_epoch() -> None:
    partition = Host().partition(leader_epoch=3)
    partition.check_leader(-1)
    partition.check_leader(3)
    with pytest.raises(ProtocolError, match="FENCED_LEADER_EPOCH"):
        partition.check_leader(2)
    with pytest.raises(ProtocolError, match="UNKNOWN_LEADER_EPOCH"):
        partition.check_leader(4)


def test_an_append_of_an_earlier_epoch_is_refused() -> None:
    partition = Host().partition(leader_epoch=3)
    partition.append(batch_of(b"a"), acks=1, internal=True, expected_leader_epoch=3)
    with pytest.raises(ProtocolError, match="NOT_LEADER_OR_FOLLOWER"):
        partition.append(batch_of(b"a"), acks=1, internal=True, expected_leader_epoch=2)


def test_acks_all_needs_min_isr_and_acks_1_does_not() -> None:
    partition = Host().partition(isr=(1,), min_insync=2)
    with pytest.raises(ProtocolError, match="NOT_ENOUGH_REPLICAS"):
        partition.append(batch_of(b"a"), acks=-1)
    partition.append(batch_of(b"a"), acks=1)
    assert partition.log_end_offset == 1
    assert partition.high_watermark == 0


def test_a_leader_notes_the_start_of_its_epoch_before_it_appends() -> None:
    host = Host()
    partition = host.partition(leader_epoch=4)
    assert partition.log is not None
    assert partition.log.epochs.entries == ((4, 0),)
    lead(partition, 1, 6)
    assert partition.log.epochs.entries == ((6, 0),)
    assert [(c.leader_epoch, c.is_leader) for c in host.leaderships] == [(4, True), (6, True)]


def test_an_epoch_without_records_is_dropped_by_a_follower() -> None:
    partition = Host().partition(leader_epoch=4)
    lead(partition, 2, 5)
    assert partition.log is not None
    assert partition.log.epochs.entries == ()


def test_waiters_follow_the_high_watermark() -> None:
    async def story() -> None:
        partition = alone(Host())
        appended = partition.append(batch_of(b"a"), acks=-1)
        assert partition.wait_committed(appended.last_offset + 1, 0).done()
        later = partition.wait_committed(2, 0)
        assert not later.done()
        fill(partition, b"b")
        await later

    run(story)


def test_waiters_fail_with_the_epoch() -> None:
    async def story() -> None:
        partition = alone(Host())
        waiting = partition.wait_committed(1, 0)
        lead(partition, 1, 1)
        for future in (waiting, partition.wait_committed(0, 0)):
            with pytest.raises(ProtocolError, match="NOT_LEADER_OR_FOLLOWER"):
                await future

    run(story)


def test_fetch_waiters_wake_with_the_high_watermark_and_leadership() -> None:
    partition = alone(Host())
    waiter = Woken()
    partition.add_waiter(waiter)
    fill(partition, b"a")
    assert waiter.count == 1
    lead(partition, 2, 1)
    assert waiter.count == 2
    partition.remove_waiter(waiter)
    lead(partition, 1, 2)
    assert waiter.count == 2


def test_a_full_disk_refuses_and_goes_on() -> None:
    host = Host()
    partition = alone(host)
    fill(partition, b"a")
    host.vfs.capacity = 0
    with pytest.raises(ProtocolError, match="KAFKA_STORAGE_ERROR"):
        partition.append(batch_of(b"b"), acks=1)
    assert host.failed == [partition]
    assert partition.full
    assert partition.is_leader
    host.vfs.capacity = None
    host.look_at_room()
    assert not partition.full
    fill(partition, b"b")
    assert partition.high_watermark == 2


def test_a_failed_directory_is_told_to_the_manager() -> None:
    host = Host()
    partition = alone(host)
    assert partition.log is not None
    partition.log.directory.fail(OSError(5, "EIO"))
    with pytest.raises(ProtocolError, match="KAFKA_STORAGE_ERROR"):
        partition.append(batch_of(b"b"), acks=1)
    assert host.failed == [partition]


def test_a_damaged_log_goes_offline_alone() -> None:
    host = Host()
    partition = alone(host)
    assert partition.log is not None
    partition.log.abandon("it is damaged")
    with pytest.raises(ProtocolError, match="KAFKA_STORAGE_ERROR"):
        partition.append(batch_of(b"b"), acks=1)
    assert host.failed == [partition]
    assert partition.machine.role is Role.OFFLINE
    assert not host.leaderships[-1].is_leader


def test_offline_fails_waiters_and_wakes_fetchers() -> None:
    async def story() -> None:
        partition = Host().partition()
        waiter = Woken()
        partition.add_waiter(waiter)
        waiting = partition.wait_committed(1, 0)
        partition.go_offline()
        with pytest.raises(ProtocolError, match="KAFKA_STORAGE_ERROR"):
            await waiting
        assert waiter.count == 1
        with pytest.raises(ProtocolError, match="KAFKA_STORAGE_ERROR"):
            partition.append(batch_of(b"a"), acks=1)

    run(story)


def test_without_a_log_it_is_offline_from_the_start() -> None:
    machine = PartitionMachine(
        1,
        high_watermark=0,
        log_end_offset=0,
        min_insync_replicas=1,
        replica_lag_ms_max=1,
        brokers={},
    )
    partition = Partition("topic", TOPIC_ID, 0, None, machine, Host())
    partition.apply(PartitionView(1, 0, 0, (1,), (1,)))
    with pytest.raises(ProtocolError) as error:
        _ = partition.log_end_offset
    assert error.value.code is ErrorCode.KAFKA_STORAGE_ERROR
    assert not partition.is_leader


def test_durable_appends_count_after_the_sync() -> None:
    host = Host()
    partition = host.partition(replicas=(1,), configs={"flush.messages": "1"})
    fill(partition, b"a")
    assert host.flushes == [partition]
    assert partition.high_watermark == 0
    assert partition.log is not None
    partition.log.flush()
    partition.flushed()
    assert partition.high_watermark == 1


def test_durable_what_a_new_leader_has_not_synced_does_not_count() -> None:
    host = Host()
    partition = host.partition(replicas=(1,), leader_id=2, configs={"flush.messages": "1"})
    assert partition.log is not None
    partition.log.append_as_follower(batch_of(b"a", leader_epoch=0))
    lead(partition, 1, 1)
    assert partition.high_watermark == 0
    assert host.flushes == [partition]
    partition.log.flush()
    partition.flushed()
    assert partition.high_watermark == 1


def test_a_duplicate_tells_where_the_original_is() -> None:
    def again() -> memoryview:
        return memoryview(
            build_batch(
                [(None, b"a", (), 1_700_000_000_000)],
                producer_id=7,
                producer_epoch=0,
                base_sequence=0,
            )
        )

    partition = Host().partition()
    first = partition.append(again(), acks=-1)
    fill(partition, b"other")
    second = partition.append(again(), acks=-1)
    assert second.duplicate
    assert (second.base_offset, second.last_offset) == (first.base_offset, first.last_offset)
    assert partition.log_end_offset == 2
