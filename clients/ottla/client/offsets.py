"""Offsets by time or special value, asked of each partition's leader (ListOffsets)."""

from __future__ import annotations

from collections.abc import Mapping

from ottla.client.cluster import Cluster
from ottla.client.errors import check_code
from ottla.client.leaders import ByTopic, TopicPartition, ask_leaders, partition_subject
from ottla.client.model import IsolationLevel, ListedOffset
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.list_offsets_request import (
    ListOffsetsPartition,
    ListOffsetsRequest,
    ListOffsetsTopic,
)
from ottla.protocol.messages.list_offsets_response import ListOffsetsResponse

__all__ = ["TopicPartition", "list_offsets"]


def list_offsets(
    cluster: Cluster,
    wanted: Mapping[TopicPartition, int],
    isolation: IsolationLevel = IsolationLevel.READ_UNCOMMITTED,
) -> dict[TopicPartition, ListedOffset]:
    """Ask every leader, retrying those that moved. Values: time in ms or an `OffsetSpec`.

    With READ_COMMITTED the latest offset is the last stable one.
    ProtocolError UNKNOWN_TOPIC_OR_PARTITION: the topic, or such a partition of it, does not exist.
    """
    found: dict[TopicPartition, ListedOffset] = {}

    def ask(leader_id: int, topics: ByTopic) -> None:
        request = ListOffsetsRequest(
            replica_id=-1,
            isolation_level=isolation,
            topics=[
                ListOffsetsTopic(
                    name,
                    [
                        ListOffsetsPartition(p.index, p.leader_epoch, wanted[name, p.index])
                        for p in partitions
                    ],
                )
                for name, partitions in topics.items()
            ],
        )
        response = cluster.connection(leader_id).request(
            ApiKey.LIST_OFFSETS, request, ListOffsetsResponse
        )
        for topic in response.topics:
            for partition in topic.partitions:
                index = partition.partition_index
                check_code(partition.error_code, partition_subject(topic.name, index))
                found[topic.name, index] = ListedOffset(
                    offset=partition.offset if partition.offset >= 0 else None,
                    timestamp=partition.timestamp,
                    leader_epoch=partition.leader_epoch,
                )

    ask_leaders(cluster, "looking up offsets", wanted, found, ask)
    return {key: found[key] for key in wanted}
