"""Offsets by time or special value, asked of each partition's leader (ListOffsets)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import TypeAlias

from ottla.client.cluster import Cluster
from ottla.client.errors import check_code, protocol_error
from ottla.client.model import ListedOffset
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.list_offsets_request import (
    ListOffsetsPartition,
    ListOffsetsRequest,
    ListOffsetsTopic,
)
from ottla.protocol.messages.list_offsets_response import ListOffsetsResponse

TopicPartition: TypeAlias = tuple[str, int]
"""A topic's name and a partition's index."""


def list_offsets(
    cluster: Cluster, wanted: Mapping[TopicPartition, int]
) -> dict[TopicPartition, ListedOffset]:
    """Ask every leader, retrying those that moved. Values: time in ms or an `OffsetSpec`.

    ProtocolError UNKNOWN_TOPIC_OR_PARTITION: the topic, or such a partition of it, does not exist.
    """
    found: dict[TopicPartition, ListedOffset] = {}
    for topic in {topic for topic, _ in wanted}:
        cluster.topic(topic, wait_ms=0)

    def attempt() -> ProtocolError | None:
        if cluster.stale:
            cluster.refresh({topic for topic, _ in wanted})
        by_leader: dict[int, dict[str, list[ListOffsetsPartition]]] = defaultdict(
            lambda: defaultdict(list)
        )
        for (topic, index), timestamp in wanted.items():
            if (topic, index) in found:
                continue
            subject = f"partition {index} of topic '{topic}'"
            partition = cluster.leader(topic, index)
            if partition is None:
                return protocol_error(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, subject)
            if partition.leader_id is None:
                cluster.stale = True
                raise protocol_error(ErrorCode.LEADER_NOT_AVAILABLE, subject)
            by_leader[partition.leader_id][topic].append(
                ListOffsetsPartition(index, partition.leader_epoch, timestamp)
            )
        for leader_id, topics in by_leader.items():
            _ask_leader(cluster, leader_id, topics, found)
        return None

    failure = cluster.retry("looking up offsets", attempt)
    if failure is not None:
        raise failure
    return {key: found[key] for key in wanted}


def _ask_leader(
    cluster: Cluster,
    leader_id: int,
    topics: Mapping[str, list[ListOffsetsPartition]],
    found: dict[TopicPartition, ListedOffset],
) -> None:
    request = ListOffsetsRequest(
        replica_id=-1,
        topics=[ListOffsetsTopic(name, partitions) for name, partitions in topics.items()],
    )
    # Whatever goes wrong below, the leader may have moved.
    cluster.stale = True
    response = cluster.connection(leader_id).request(
        ApiKey.LIST_OFFSETS, request, ListOffsetsResponse
    )
    for topic in response.topics:
        for partition in topic.partitions:
            index = partition.partition_index
            check_code(partition.error_code, f"partition {index} of topic '{topic.name}'")
            found[topic.name, index] = ListedOffset(
                offset=partition.offset if partition.offset >= 0 else None,
                timestamp=partition.timestamp,
                leader_epoch=partition.leader_epoch,
            )
    cluster.stale = False
