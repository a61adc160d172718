from __future__ import annotations

import pytest

from broker.replication import replica_log
from broker.replication.truncation import Diverging
from ottla.core.errors import ProtocolError
from tests.unit.broker.replication.replication_support import Host, batch_of, fill, lead


def test_describes_the_log_by_its_last_record() -> None:
    host = Host(2)
    partition = host.partition(leader_id=1, leader_epoch=3)
    ask = replica_log.describe(partition, 20)
    assert (ask.leader_epoch, ask.broker_epoch) == (3, 20)
    assert (ask.log_end_offset, ask.last_epoch, ask.log_start_offset) == (0, None, 0)
    replica_log.append_from_leader(partition, 0, batch_of(b"a", leader_epoch=2), 0, 0)
    ask = replica_log.describe(partition, 20)
    assert (ask.log_end_offset, ask.last_epoch) == (1, 2)


def test_appends_at_its_end_and_nowhere_else() -> None:
    partition = Host(2).partition(leader_id=1)
    batch = batch_of(b"a", leader_epoch=0)
    assert replica_log.append_from_leader(partition, 0, batch, 5, 0)
    assert partition.high_watermark == 1
    assert not replica_log.append_from_leader(partition, 0, batch, 5, 0)
    assert not replica_log.append_from_leader(partition, 2, batch, 5, 0)
    assert partition.log_end_offset == 1


def test_cuts_by_epoch_and_never_by_high_watermark() -> None:
    partition = Host(2).partition(leader_id=2)
    fill(partition, b"a", b"b", b"c")
    lead(partition, 1, 1)
    assert partition.high_watermark == 0
    replica_log.cut(partition, Diverging(0, 2))
    assert partition.log_end_offset == 2


def test_a_high_watermark_that_the_log_no_longer_reaches_is_not_kept() -> None:
    host = Host(2)
    partition = host.partition(leader_id=1)
    replica_log.append_from_leader(partition, 0, batch_of(b"a", leader_epoch=0), 1, 0)
    replica_log.append_from_leader(
        partition, 1, batch_of(b"b", base_offset=1, leader_epoch=0), 2, 0
    )
    assert host.noted[-1] == 2
    replica_log.cut(partition, Diverging(0, 1))
    assert (partition.high_watermark, host.noted[-1]) == (1, 1)


def test_starts_anew_at_the_leaders_log_start() -> None:
    partition = Host(2).partition(leader_id=2)
    fill(partition, b"a")
    lead(partition, 1, 1)
    replica_log.reset(partition, 7)
    assert (partition.log_start_offset, partition.log_end_offset) == (7, 7)


def test_log_start_reaches_no_further_than_the_log() -> None:
    partition = Host(2).partition(leader_id=1)
    replica_log.append_from_leader(partition, 0, batch_of(b"a", leader_epoch=0), 0, 0)
    replica_log.apply_leader_state(partition, 0, 9)
    assert partition.log_start_offset == 1


def test_a_failed_append_is_told() -> None:
    host = Host(2)
    partition = host.partition(leader_id=1)
    assert partition.log is not None
    partition.log.directory.fail(OSError(5, "EIO"))
    with pytest.raises(ProtocolError, match="KAFKA_STORAGE_ERROR"):
        replica_log.append_from_leader(partition, 0, batch_of(b"a", leader_epoch=0), 0, 0)
    assert host.failed == [partition]
