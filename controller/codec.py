"""Records and snapshots as protobuf (proto/metadata.proto), both ways.

A snapshot is one `Snapshot` message; its format version is refused when it is newer than ours.
Unknown kinds of records raise DecodeError: an image that leaves something out is worse than none.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, assert_never

from google.protobuf.message import DecodeError as ProtobufError

from controller.generated import metadata_pb2 as pb
from controller.state import (
    BrokerRegistration,
    BrokerUnregistered,
    ClusterCreated,
    ClusterState,
    ConfigsChanged,
    ControllerInOffice,
    Endpoint,
    FeatureChanged,
    LogEnd,
    PartitionMetadata,
    PartitionsChanged,
    ProducerIdsAllocated,
    QuotaEntity,
    QuotasChanged,
    Record,
    TopicCreated,
    TopicRemoved,
)
from ottla.core.errors import DecodeError
from ottla.core.identifiers import Uuid

FORMAT_VERSION: Final = 1


def partition_message(partition: PartitionMetadata, *, with_topic: bool) -> pb.PartitionRecord:
    """Inside a PartitionsRecord the topic id is left out."""
    return pb.PartitionRecord(
        topic_id=partition.topic_id if with_topic else b"",
        index=partition.index,
        replicas=partition.replicas,
        isr=partition.isr,
        leader_id=partition.leader_id,
        leader_epoch=partition.leader_epoch,
        partition_epoch=partition.partition_epoch,
        elr=partition.elr,
        last_known_elr=partition.last_known_elr,
        log_ends=[
            pb.LogEnd(
                broker_id=end.broker_id,
                broker_epoch=end.broker_epoch,
                last_epoch=end.last_epoch,
                log_end_offset=end.log_end_offset,
            )
            for end in partition.log_ends
        ],
        offline_replicas=partition.offline_replicas,
        full_replicas=partition.full_replicas,
        adding_replicas=partition.adding_replicas,
        removing_replicas=partition.removing_replicas,
    )


def partition_from_message(
    message: pb.PartitionRecord, topic_id: Uuid | None = None
) -> PartitionMetadata:
    """`topic_id` replaces the message's own."""
    return PartitionMetadata(
        message.topic_id if topic_id is None else topic_id,
        message.index,
        tuple(message.replicas),
        tuple(message.isr),
        message.leader_id if message.HasField("leader_id") else None,
        message.leader_epoch,
        message.partition_epoch,
        tuple(message.elr),
        tuple(message.last_known_elr),
        tuple(
            LogEnd(end.broker_id, end.broker_epoch, end.last_epoch, end.log_end_offset)
            for end in message.log_ends
        ),
        tuple(message.offline_replicas),
        tuple(message.full_replicas),
        tuple(message.adding_replicas),
        tuple(message.removing_replicas),
    )


def endpoint_messages(endpoints: Iterable[Endpoint]) -> list[pb.Endpoint]:
    return [
        pb.Endpoint(name=e.name, host=e.host, port=e.port, security_protocol=e.security_protocol)
        for e in endpoints
    ]


def endpoints_from_messages(messages: Iterable[pb.Endpoint]) -> tuple[Endpoint, ...]:
    return tuple(Endpoint(m.name, m.host, m.port, m.security_protocol) for m in messages)


def quota_entity_message(entity: QuotaEntity) -> list[pb.QuotaEntityPart]:
    return [pb.QuotaEntityPart(type=kind, name=name) for kind, name in entity]


def quota_entity_from_message(parts: Iterable[pb.QuotaEntityPart]) -> QuotaEntity:
    return tuple((part.type, part.name if part.HasField("name") else None) for part in parts)


def record_message(record: Record) -> pb.Record:
    match record:
        case PartitionsChanged(topic_id, partitions):
            return pb.Record(
                partitions=pb.PartitionsRecord(
                    topic_id=topic_id,
                    partitions=[partition_message(p, with_topic=False) for p in partitions],
                )
            )
        case BrokerRegistration():
            return pb.Record(broker=_broker_message(record))
        case BrokerUnregistered(broker_id):
            return pb.Record(remove_broker=pb.RemoveBrokerRecord(broker_id=broker_id))
        case TopicCreated(name, topic_id, internal):
            return pb.Record(topic=pb.TopicRecord(name=name, topic_id=topic_id, internal=internal))
        case TopicRemoved(topic_id):
            return pb.Record(remove_topic=pb.RemoveTopicRecord(topic_id=topic_id))
        case ConfigsChanged(resource_type, resource_name, values):
            return pb.Record(
                config=pb.ConfigRecord(
                    resource_type=resource_type, resource_name=resource_name, values=values
                )
            )
        case FeatureChanged(name, level):
            return pb.Record(feature=pb.FeatureRecord(name=name, level=level))
        case QuotasChanged(entity, values):
            return pb.Record(
                quota=pb.QuotaRecord(entity=quota_entity_message(entity), values=values)
            )
        case ProducerIdsAllocated(next_producer_id):
            return pb.Record(producer_ids=pb.ProducerIdsRecord(next_producer_id=next_producer_id))
        case ControllerInOffice():
            return pb.Record(
                controller=pb.ControllerRecord(
                    controller_id=record.controller_id,
                    controller_epoch=record.controller_epoch,
                    default_min_insync_replicas=record.default_min_insync_replicas,
                    default_unclean_leader_election=record.default_unclean_election,
                )
            )
        case ClusterCreated(cluster_id):
            return pb.Record(cluster=pb.ClusterRecord(cluster_id=cluster_id))
        case _:
            assert_never(record)


def record_from_message(message: pb.Record) -> Record:
    """DecodeError for a kind that this version does not know."""
    match message.WhichOneof("kind"):
        case "partitions":
            topic_id = message.partitions.topic_id
            return PartitionsChanged(
                topic_id,
                tuple(partition_from_message(p, topic_id) for p in message.partitions.partitions),
            )
        case "broker":
            return _broker_from_message(message.broker)
        case "remove_broker":
            return BrokerUnregistered(message.remove_broker.broker_id)
        case "topic":
            return TopicCreated(message.topic.name, message.topic.topic_id, message.topic.internal)
        case "remove_topic":
            return TopicRemoved(message.remove_topic.topic_id)
        case "config":
            return ConfigsChanged(
                message.config.resource_type,
                message.config.resource_name,
                dict(message.config.values),
            )
        case "feature":
            return FeatureChanged(message.feature.name, message.feature.level)
        case "quota":
            return QuotasChanged(
                quota_entity_from_message(message.quota.entity), dict(message.quota.values)
            )
        case "producer_ids":
            return ProducerIdsAllocated(message.producer_ids.next_producer_id)
        case "controller":
            return ControllerInOffice(
                message.controller.controller_id,
                message.controller.controller_epoch,
                message.controller.default_min_insync_replicas,
                message.controller.default_unclean_leader_election,
            )
        case "cluster":
            return ClusterCreated(message.cluster.cluster_id)
        case None:
            raise DecodeError("a metadata record of an unknown kind; a newer version wrote it")


def encode_snapshot(state: ClusterState, offset: int) -> bytes:
    """`offset`: index of the last command that changed the state."""
    return pb.Snapshot(
        format_version=FORMAT_VERSION,
        offset=offset,
        records=[record_message(record) for record in state.to_records()],
    ).SerializeToString()


def decode_snapshot(data: bytes) -> tuple[ClusterState, int]:
    """(state, offset); DecodeError for anything that `encode_snapshot` did not write."""
    try:
        message = pb.Snapshot.FromString(data)
    except ProtobufError as error:
        raise DecodeError(f"not a snapshot of the metadata: {error}") from error
    if message.format_version != FORMAT_VERSION:
        raise DecodeError(
            f"a snapshot of format {message.format_version}; this version reads {FORMAT_VERSION}"
        )
    state = ClusterState()
    for record in message.records:
        state.replay(record_from_message(record))
    return state, message.offset


def _broker_message(broker: BrokerRegistration) -> pb.BrokerRecord:
    return pb.BrokerRecord(
        broker_id=broker.broker_id,
        broker_epoch=broker.broker_epoch,
        incarnation_id=broker.incarnation_id,
        endpoints=endpoint_messages(broker.endpoints),
        internal_host=broker.internal_host,
        internal_port=broker.internal_port,
        rack=broker.rack,
        fenced=broker.fenced,
        in_controlled_shutdown=broker.in_controlled_shutdown,
        directory_ids=broker.directory_ids,
    )


def _broker_from_message(message: pb.BrokerRecord) -> BrokerRegistration:
    return BrokerRegistration(
        message.broker_id,
        message.broker_epoch,
        message.incarnation_id,
        endpoints_from_messages(message.endpoints),
        message.internal_host,
        message.internal_port,
        message.rack if message.HasField("rack") else None,
        message.fenced,
        message.in_controlled_shutdown,
        tuple(message.directory_ids),
    )
