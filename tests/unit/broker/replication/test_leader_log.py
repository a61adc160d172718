from __future__ import annotations

import pytest

from broker.replication import leader_log
from broker.replication.feed import Subscription
from broker.replication.frames import Subscribe
from broker.replication.truncation import Diverging, Matched
from ottla.core.errors import ProtocolError
from tests.unit.broker.replication.replication_support import (
    TOPIC_ID,
    Host,
    fill,
    lead,
    leader_session,
)


def test_admits_by_the_epochs_of_the_log() -> None:
    partition = Host().partition()
    fill(partition, b"one")
    lead(partition, 1, 2)
    fill(partition, b"two")
    assert leader_log.admit(partition, Subscribe(TOPIC_ID, 0, 2, 20, 1, 0, 0)) == Matched()
    assert leader_log.admit(partition, Subscribe(TOPIC_ID, 0, 2, 20, 2, 1, 0)) == Diverging(0, 1)
    with pytest.raises(ProtocolError, match="FENCED_LEADER_EPOCH"):
        leader_log.admit(partition, Subscribe(TOPIC_ID, 0, 1, 20, 1, 0, 0))


def test_a_failed_read_is_told_to_the_manager() -> None:
    host = Host()
    partition = host.partition()
    fill(partition, b"one")
    assert partition.log is not None
    partition.log.directory.fail(OSError(5, "EIO"))
    with pytest.raises(ProtocolError, match="KAFKA_STORAGE_ERROR"):
        leader_log.find(partition, 0, 100)
    assert host.failed == [partition]


def test_the_word_of_a_replaced_subscription_is_not_taken() -> None:
    host = Host()
    partition = host.partition()
    session = leader_session(host, partition)
    old = Subscription(session, 1, partition, 2, 0)
    new = Subscription(session, 2, partition, 2, 0)
    leader_log.subscribed(old, Matched(), 20)
    leader_log.subscribed(new, Matched(), 20)
    leader_log.cannot_append(old)
    leader_log.unsubscribed(old)
    assert host.proposals == []
    assert partition.machine.followers[2].log_end_offset == 0
    leader_log.cannot_append(new)
    assert len(host.proposals) == 1
