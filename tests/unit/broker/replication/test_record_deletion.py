from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from broker.replication.log_start_commit import LogStartCommit
from broker.replication.partition import Partition
from broker.replication.record_deletion import HIGH_WATERMARK, delete_before
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.record.build import build_batch
from tests.unit.broker.replication.replication_support import Host, fill, lead
from tests.unit.broker.replication.test_follower_session import Pair


def run(story: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        async with asyncio.timeout(5):
            await story()

    asyncio.run(main())


def save(partition: Partition) -> None:
    """As the commit of the checkpoints does."""
    partition.run(partition.machine.on_log_start_saved(partition.log_start_offset))


def pair_of(count: int) -> Pair:
    """A leader and its follower with so many committed records."""
    pair = Pair()
    pair.session.follow(pair.partition)
    fill(pair.leader, *[b"record"] * count)
    pair.talk()
    pair.at_leader.on_tick(0)
    pair.talk()
    return pair


@pytest.mark.parametrize("offset", [2, HIGH_WATERMARK])
def test_done_once_every_replica_has_saved_it(offset: int) -> None:
    async def story() -> None:
        pair = pair_of(3)
        future = delete_before(pair.leader, offset)
        wanted = 3 if offset == HIGH_WATERMARK else 2
        assert pair.leader.log_start_offset == wanted
        assert pair.leader_host.log_starts == [pair.leader]
        save(pair.leader)
        pair.at_leader.on_tick(100)
        pair.talk()
        assert pair.partition.log_start_offset == wanted
        assert pair.host.log_starts == [pair.partition]
        assert not future.done()
        save(pair.partition)
        pair.session.note_log_start(pair.partition)
        pair.talk()
        await future
        assert pair.leader.machine.low_watermark_offset == wanted

    run(story)


def test_not_done_before_the_leader_has_saved_it() -> None:
    async def story() -> None:
        partition = Host().partition(replicas=(1,))
        fill(partition, b"a", b"b")
        future = delete_before(partition, 1)
        assert not future.done()
        save(partition)
        await future
        assert delete_before(partition, 0).done()  # lower: nothing to do
        assert partition.log_start_offset == 1

    run(story)


@pytest.mark.parametrize("offset", [-2, 3, 2**62])
def test_only_what_is_committed(offset: int) -> None:
    async def story() -> None:
        partition = Host().partition(replicas=(1, 2))
        fill(partition, b"a", b"b", b"c")
        partition.machine.on_subscribed(2, 20, 2, 0)
        assert partition.high_watermark == 2
        with pytest.raises(ProtocolError) as caught:
            delete_before(partition, offset)
        assert caught.value.code is ErrorCode.OFFSET_OUT_OF_RANGE
        assert partition.log_start_offset == 0
        delete_before(partition, 2)
        assert partition.log_start_offset == 2

    run(story)


@pytest.mark.parametrize("policy", ["compact", "compact,delete", "delete"])
def test_not_where_records_are_compacted_alone(policy: str) -> None:
    async def story() -> None:
        partition = Host().partition(replicas=(1,), configs={"cleanup.policy": policy})
        if policy != "compact":
            assert delete_before(partition, 0).done()
            return
        with pytest.raises(ProtocolError, match="cleanup.policy lacks delete") as caught:
            delete_before(partition, 0)
        assert caught.value.code is ErrorCode.POLICY_VIOLATION

    run(story)


def test_only_at_the_leader_and_in_its_epoch() -> None:
    async def story() -> None:
        partition = Host().partition(replicas=(1, 2))
        fill(partition, b"a")
        partition.machine.on_subscribed(2, 20, 1, 0)
        future = delete_before(partition, 1)
        lead(partition, 2, 1)
        with pytest.raises(ProtocolError, match="NOT_LEADER_OR_FOLLOWER"):
            await future
        with pytest.raises(ProtocolError, match="NOT_LEADER_OR_FOLLOWER"):
            delete_before(partition, 1)

    run(story)


def test_a_follower_whose_own_start_is_higher_tells_it() -> None:
    async def story() -> None:
        pair = pair_of(5)
        pair.partition.usable_log.advance_log_start(4)  # its own retention
        future = delete_before(pair.leader, 3)
        save(pair.leader)
        pair.at_leader.on_tick(100)
        pair.talk()
        assert pair.host.log_starts == [pair.partition]
        save(pair.partition)
        pair.session.note_log_start(pair.partition)
        pair.talk()
        await future

    run(story)


def test_a_follower_that_subscribes_anew_tells_what_it_has_saved() -> None:
    async def story() -> None:
        pair = pair_of(5)
        future = delete_before(pair.leader, 3)
        save(pair.leader)
        pair.at_leader.on_tick(100)
        pair.talk()
        pair.connect()
        pair.session.follow(pair.partition)
        pair.talk()
        assert not future.done()  # it has moved its start, and not saved it
        save(pair.partition)
        pair.connect()
        pair.session.follow(pair.partition)
        pair.talk()
        await future

    run(story)


def test_a_replica_behind_the_start_begins_there_and_tells_it() -> None:
    async def story() -> None:
        pair = Pair()
        fill(pair.leader, *[b"record"] * 5)
        pair.leader.machine.on_subscribed(2, 20, 5, 0)
        future = delete_before(pair.leader, 5)
        save(pair.leader)
        pair.session.follow(pair.partition)
        pair.talk()
        assert (pair.partition.log_start_offset, pair.partition.log_end_offset) == (5, 5)
        assert pair.host.log_starts == [pair.partition]
        save(pair.partition)
        pair.session.note_log_start(pair.partition)
        pair.talk()
        await future

    run(story)


def test_a_start_that_a_truncation_lowered_is_not_told_as_saved() -> None:
    pair = pair_of(5)
    partition = pair.partition
    partition.usable_log.advance_log_start(4)
    save(partition)
    pair.leader.usable_log.truncate_to(2)
    pair.both_lead(1, 1)
    pair.connect()
    pair.session.follow(partition)
    pair.talk()
    assert partition.log_start_offset <= 2
    assert partition.machine.low_watermark.saved <= 2


def test_what_a_log_begins_with_when_it_is_opened_is_saved() -> None:
    host = Host()
    partition = host.partition(replicas=(1,))
    fill(partition, b"a", b"b")
    partition.usable_log.advance_log_start(1)
    assert partition.machine.low_watermark.saved == 0
    again = host.partition(replicas=(1,))
    assert again.usable_log is partition.usable_log
    assert again.machine.low_watermark.saved == 1


def test_nothing_committed_lies_below_the_log_start() -> None:
    partition = Host().partition(replicas=(1,))
    records = [(None, b"b", (), 1_700_000_000_000)]
    transaction = build_batch(
        records, producer_id=7, producer_epoch=0, base_sequence=0, transactional=True
    )
    partition.append(memoryview(transaction), acks=1)
    fill(partition, b"c", b"d")
    partition.usable_log.advance_log_start(2)
    assert (partition.last_stable_offset, partition.high_watermark) == (2, 3)


def test_log_starts_of_one_moment_are_saved_together_and_then_told() -> None:
    async def story() -> None:
        host = Host()
        partitions = [host.partition(index, replicas=(1,)) for index in (0, 1)]
        for partition in partitions:
            fill(partition, b"a", b"b")
            partition.usable_log.advance_log_start(1)
        told: dict[Partition, int] = {}
        done = asyncio.Event()

        def saved(partition: Partition, log_start: int) -> None:
            found = host.logs.checkpoints.log(partition.usable_log.key)
            assert found is not None
            assert found.log_start_offset == log_start
            told[partition] = log_start
            if len(told) == 2:
                done.set()

        commit = LogStartCommit(host.logs, saved)
        for partition in partitions:
            commit.request(partition)
        task = asyncio.create_task(commit.run())
        await done.wait()
        assert told == dict.fromkeys(partitions, 1)
        task.cancel()
        await asyncio.wait([task])
        host.logs.close()

    run(story)


def test_what_could_not_be_saved_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("broker.replication.log_start_commit.RETRY_MS", 0)

    async def story() -> None:
        host = Host()
        partition = host.partition(replicas=(1,))
        tries: list[int] = []

        async def save_log_starts(logs: object) -> bool:
            tries.append(1)
            return len(tries) > 2

        host.logs.save_log_starts = save_log_starts  # type: ignore[method-assign]
        done = asyncio.Event()
        commit = LogStartCommit(host.logs, lambda *_: done.set())
        commit.request(partition)
        task = asyncio.create_task(commit.run())
        await done.wait()
        assert len(tries) == 3
        task.cancel()
        await asyncio.wait([task])

    run(story)
