from __future__ import annotations

from dataclasses import replace

import pytest

from controller.decision import partition_changes, refused, registered, topic_changes
from controller.elections import ElectionRules
from controller.state import PARTITIONS_PER_RECORD, PartitionMetadata, PartitionsChanged
from ottla.core.errors import ErrorCode, ProtocolError
from tests.support.cluster_states import Cluster


def test_refusals_carry_code_and_sentence() -> None:
    result = refused(ProtocolError(ErrorCode.INVALID_REQUEST, "why"))
    assert (result.error_code, result.message) == (ErrorCode.INVALID_REQUEST, "why")
    assert refused(ProtocolError(ErrorCode.INVALID_REQUEST)).message == ""


def test_registered_compares_the_epoch() -> None:
    cluster = Cluster(1)
    epoch = cluster.epoch(1)
    assert registered(cluster.state, 1, epoch) is cluster.state.brokers[1]
    for broker_id, broker_epoch, code in (
        (1, epoch + 1, ErrorCode.STALE_BROKER_EPOCH),
        (2, epoch, ErrorCode.BROKER_ID_NOT_REGISTERED),
    ):
        with pytest.raises(ProtocolError) as error:
            registered(cluster.state, broker_id, broker_epoch)
        assert error.value.code == code


def test_only_what_concerns_and_changes_is_recorded() -> None:
    cluster = Cluster(2)
    cluster.topic("t", [1, 2], [2, 1], [1, 2])
    cluster.topic("u", [2, 1], configs={"min.insync.replicas": "1"})
    rules_seen: list[ElectionRules] = []

    def change(partition: PartitionMetadata, rules: ElectionRules) -> PartitionMetadata:
        rules_seen.append(rules)
        return partition if partition.index == 0 else replace(partition, leader_epoch=9)

    records = partition_changes(cluster.state, lambda p: p.leader_id == 1, change)
    changed = replace(cluster.partition(index=2), leader_epoch=9)
    assert records == [PartitionsChanged(changed.topic_id, (changed,))]
    assert rules_seen == [ElectionRules(2, False)] * 2


def test_a_large_topic_takes_several_records() -> None:
    cluster = Cluster(1)
    cluster.topic("t", *[[1]] * (PARTITIONS_PER_RECORD + 1))
    topic = cluster.state.topics[cluster.state.topic_ids["t"]]
    records = list(
        topic_changes(
            cluster.state, topic, lambda p: True, lambda p, rules: replace(p, leader_epoch=1)
        )
    )
    assert [
        len(record.partitions) for record in records if isinstance(record, PartitionsChanged)
    ] == [PARTITIONS_PER_RECORD, 1]
