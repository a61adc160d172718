from __future__ import annotations

import asyncio

import pytest

from broker.replication.commit_futures import CommitFutures
from broker.replication.partition_machine import PartitionMachine
from broker.replication.progress import PartitionView
from ottla.core.errors import ErrorCode, ProtocolError


def machine_of() -> PartitionMachine:
    machine = PartitionMachine(
        1,
        high_watermark=3,
        log_end_offset=3,
        min_insync_replicas=1,
        replica_lag_ms_max=1_000,
        brokers={},
    )
    machine.on_metadata(PartitionView(1, 0, 0, (1, 2), (1, 2)), log_end_offset=3, now_ms=0)
    return machine


def test_done_at_once_or_later_or_never() -> None:
    async def story() -> None:
        commits = CommitFutures(machine_of())
        assert commits.wait(3, 0).done()
        with pytest.raises(ProtocolError):
            await commits.wait(3, 9)
        first, second = commits.wait(4, 0), commits.wait(5, 0)
        commits.release((1,))
        await first
        commits.fail((2,), ErrorCode.NOT_LEADER_OR_FOLLOWER)
        with pytest.raises(ProtocolError, match="NOT_LEADER_OR_FOLLOWER"):
            await second
        assert len(commits) == 0

    asyncio.run(story())


def test_who_gives_up_is_forgotten() -> None:
    async def story() -> None:
        machine = machine_of()
        commits = CommitFutures(machine)
        future = commits.wait(4, 0)
        future.cancel()
        await asyncio.sleep(0)
        assert len(commits) == 0
        assert len(machine._waiters) == 0
        commits.release((1,))

    asyncio.run(story())
