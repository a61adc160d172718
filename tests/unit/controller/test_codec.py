from __future__ import annotations

import pytest

from controller.codec import (
    FORMAT_VERSION,
    decode_snapshot,
    encode_snapshot,
    partition_from_message,
    partition_message,
    record_from_message,
    record_message,
)
from controller.generated import metadata_pb2 as pb
from controller.state import (
    BrokerRegistration,
    ClusterCreated,
    ClusterState,
    ConfigsChanged,
    ControllerInOffice,
    Endpoint,
    LogEnd,
    PartitionMetadata,
    PartitionsChanged,
    ProducerIdsAllocated,
    Record,
    TopicCreated,
    TopicRemoved,
)
from ottla.core.errors import DecodeError
from tests.support.cluster_states import Cluster

TOPIC = b"t" * 16
LED = PartitionMetadata(TOPIC, 3, (1, 2, 0), (1, 2), 0, 4, 5, (0,), (), (), (2,), (1,))
WAITING = PartitionMetadata(TOPIC, 4, (1, 2), (), None, 4, 5, (), (1, 2), (LogEnd(1, 9, -1, 0),))

RECORDS: list[Record] = [
    ClusterCreated("c"),
    ControllerInOffice(0, 7, 2),
    BrokerRegistration(
        0, 9, b"i" * 16, (Endpoint("P", "h", 1, "SSL"),), "h", 2, None, True, False, (b"d" * 16,)
    ),
    BrokerRegistration(1, 9, b"i" * 16, (), "h", 2, "", False, True, ()),
    TopicCreated("t", TOPIC, True),
    TopicRemoved(TOPIC),
    PartitionsChanged(TOPIC, (LED, WAITING)),
    ConfigsChanged("topic", "t", {"a": "1", "b": ""}),
    ProducerIdsAllocated(2**40),
]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_records_survive_the_way_through_bytes(record: Record) -> None:
    data = record_message(record).SerializeToString()
    assert record_from_message(pb.Record.FromString(data)) == record


@pytest.mark.parametrize("partition", [LED, WAITING])
def test_a_single_partition_names_its_topic(partition: PartitionMetadata) -> None:
    message = partition_message(partition, with_topic=True)
    assert partition_from_message(message) == partition


def test_records_of_a_newer_version_are_refused() -> None:
    with pytest.raises(DecodeError, match="newer version"):
        record_from_message(pb.Record())


def test_snapshots_hold_everything() -> None:
    cluster = Cluster(3)
    cluster.topic("t", [1, 2, 3], [2, 3, 1], configs={"retention.ms": "1"})
    cluster.fence(2)
    state, offset = decode_snapshot(encode_snapshot(cluster.state, 17))
    assert state == cluster.state
    assert offset == 17
    assert decode_snapshot(encode_snapshot(ClusterState(), 0)) == (ClusterState(), 0)


def test_what_is_no_snapshot_is_refused() -> None:
    with pytest.raises(DecodeError, match="not a snapshot"):
        decode_snapshot(b"\xff\xff")
    newer = pb.Snapshot(format_version=FORMAT_VERSION + 1).SerializeToString()
    with pytest.raises(DecodeError, match="format 2"):
        decode_snapshot(newer)
