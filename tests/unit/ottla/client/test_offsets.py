from __future__ import annotations

import pytest

from ottla.client.cluster import Cluster
from ottla.client.model import OffsetSpec
from ottla.client.offsets import list_offsets
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.protocol.api import ApiKey
from ottla.record.build import build_batch
from tests.support.fake_kafka import FakeKafka


def prepared() -> tuple[FakeKafka, Cluster]:
    kafka = FakeKafka()
    kafka.create("t", 3)
    for index in range(3):
        kafka.append("t", index, build_batch([(None, b"v", (), 100 * n) for n in range(index + 2)]))
    return kafka, Cluster(kafka.bootstrap, kafka.options())


def test_all_kinds() -> None:
    _, cluster = prepared()
    found = list_offsets(
        cluster,
        {("t", 0): OffsetSpec.EARLIEST, ("t", 1): OffsetSpec.LATEST, ("t", 2): 150},
    )
    assert [(key, listed.offset) for key, listed in found.items()] == [
        (("t", 0), 0),
        (("t", 1), 3),
        (("t", 2), 2),
    ]
    assert found["t", 2].timestamp == 200
    assert list_offsets(cluster, {("t", 0): 10_000})["t", 0].offset is None


def test_a_leader_that_moved() -> None:
    kafka, cluster = prepared()
    cluster.topic("t")
    kafka.topics["t"][0].leader_id = 3
    found = list_offsets(cluster, {("t", index): OffsetSpec.LATEST for index in range(3)})
    assert [listed.offset for listed in found.values()] == [2, 3, 4]
    assert "moved to another broker" in kafka.retries[0]


def test_only_what_is_missing_is_asked_again() -> None:
    kafka, cluster = prepared()
    kafka.errors[ApiKey.LIST_OFFSETS].extend([ErrorCode.NONE, ErrorCode.OFFSET_NOT_AVAILABLE])
    list_offsets(cluster, {("t", index): OffsetSpec.LATEST for index in range(3)})
    asked = [
        partition.partition_index
        for request in kafka.requests(ApiKey.LIST_OFFSETS)
        for topic in request.topics
        for partition in topic.partitions
    ]
    assert asked == [0, 1, 1, 2]


def test_no_leader_for_a_while() -> None:
    kafka, cluster = prepared()
    kafka.down.add(2)
    cluster.refresh(["t"])
    wait, calls = kafka.wait, []

    def wait_and_recover(transports: object, timeout_ms: int) -> list[object]:
        calls.append(1)
        if len(calls) == 3:
            kafka.down.clear()
        return wait(transports, timeout_ms)  # type: ignore[arg-type, return-value]

    kafka.wait = wait_and_recover  # type: ignore[method-assign, assignment]
    assert list_offsets(cluster, {("t", 1): OffsetSpec.LATEST})["t", 1].offset == 3


def test_what_does_not_exist() -> None:
    _, cluster = prepared()
    with pytest.raises(ProtocolError, match="topic 'u' does not exist"):
        list_offsets(cluster, {("u", 0): OffsetSpec.LATEST})
    with pytest.raises(ProtocolError, match="partition 7 of topic 't' does not exist"):
        list_offsets(cluster, {("t", 7): OffsetSpec.LATEST})
