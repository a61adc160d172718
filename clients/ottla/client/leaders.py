"""Asking the leaders of partitions, each for its own, until all have answered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeAlias

from ottla.client.cluster import Cluster
from ottla.client.errors import protocol_error
from ottla.client.model import PartitionDescription
from ottla.core.errors import ErrorCode, ProtocolError

TopicPartition: TypeAlias = tuple[str, int]
"""A topic's name and a partition's index."""

ByTopic: TypeAlias = Mapping[str, list[PartitionDescription]]


def ask_leaders(
    cluster: Cluster,
    what: str,
    wanted: Collection[TopicPartition],
    answered: Mapping[TopicPartition, Any],
    ask: Callable[[int, ByTopic], None],
) -> None:
    """Call `ask` with each leader's id and those partitions of it that `answered` has not.

    `ask` puts answers into `answered`; what it raises is retried where that may help, with what is
    then known of the leaders. `what` says in a sentence what is being done.

    ProtocolError UNKNOWN_TOPIC_OR_PARTITION: the topic, or such a partition of it, does not exist.
    """
    for topic in {topic for topic, _ in wanted}:
        cluster.topic(topic, wait_ms=0)

    def attempt() -> ProtocolError | None:
        if cluster.stale:
            cluster.refresh({topic for topic, _ in wanted})
        by_leader: dict[int, dict[str, list[PartitionDescription]]] = defaultdict(
            lambda: defaultdict(list)
        )
        for topic, index in wanted:
            if (topic, index) in answered:
                continue
            subject = partition_subject(topic, index)
            partition = cluster.leader(topic, index)
            if partition is None:
                return protocol_error(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, subject)
            if partition.leader_id is None:
                cluster.stale = True
                raise protocol_error(ErrorCode.LEADER_NOT_AVAILABLE, subject)
            by_leader[partition.leader_id][topic].append(partition)
        for leader_id, topics in by_leader.items():
            cluster.stale = True  # whatever goes wrong now, the leader may have moved
            ask(leader_id, topics)
            cluster.stale = False
        return None

    failure = cluster.retry(what, attempt)
    if failure is not None:
        raise failure


def partition_subject(topic: str, index: int) -> str:
    return f"partition {index} of topic '{topic}'"
