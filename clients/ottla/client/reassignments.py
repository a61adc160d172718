"""Which brokers have which partitions: reassignments, log sizes, elections, brokers that leave."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ottla.client.cluster import Cluster
from ottla.client.errors import check_code, protocol_error
from ottla.client.leaders import TopicPartition, partition_subject
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.alter_partition_reassignments_request import (
    AlterPartitionReassignmentsRequest,
    ReassignablePartition,
    ReassignableTopic,
)
from ottla.protocol.messages.alter_partition_reassignments_response import (
    AlterPartitionReassignmentsResponse,
)
from ottla.protocol.messages.describe_log_dirs_request import DescribeLogDirsRequest
from ottla.protocol.messages.describe_log_dirs_response import DescribeLogDirsResponse
from ottla.protocol.messages.elect_leaders_request import ElectLeadersRequest, TopicPartitions
from ottla.protocol.messages.elect_leaders_response import ElectLeadersResponse
from ottla.protocol.messages.list_partition_reassignments_request import (
    ListPartitionReassignmentsRequest,
)
from ottla.protocol.messages.list_partition_reassignments_response import (
    ListPartitionReassignmentsResponse,
)
from ottla.protocol.messages.unregister_broker_request import UnregisterBrokerRequest
from ottla.protocol.messages.unregister_broker_response import UnregisterBrokerResponse

_FINAL = frozenset(
    {
        ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
        ErrorCode.ELECTION_NOT_NEEDED,
        ErrorCode.PREFERRED_LEADER_NOT_AVAILABLE,
        ErrorCode.ELIGIBLE_LEADERS_NOT_AVAILABLE,
    }
)
"""Retriable for others; here they are the answer."""


@dataclass(frozen=True, slots=True)
class OngoingReassignment:
    """One that is under way; `replicas` holds those to come and those to go too."""

    topic: str
    index: int
    replicas: tuple[int, ...]
    adding: tuple[int, ...]
    removing: tuple[int, ...]

    @property
    def target(self) -> tuple[int, ...]:
        return tuple(broker for broker in self.replicas if broker not in self.removing)


@dataclass(frozen=True, slots=True)
class LogDirectoryDescription:
    """One log directory of a broker; -1 where the sizes of its disk are not known."""

    path: str
    error: str | None
    sizes: Mapping[TopicPartition, int]
    """Bytes of each log in it; copies on their way from another directory do not count yet."""
    total_bytes: int
    usable_bytes: int


def alter_reassignments(
    cluster: Cluster, targets: Mapping[TopicPartition, Sequence[int] | None], timeout_ms: int
) -> None:
    """Begin to move partitions to these replicas, or, with None, call off what is under way.

    ProtocolError of the first partition that is refused, after all were tried:
    UNKNOWN_TOPIC_OR_PARTITION, INVALID_REPLICA_ASSIGNMENT, NO_REASSIGNMENT_IN_PROGRESS.
    """
    topics: dict[str, list[ReassignablePartition]] = {}
    for (topic, index), replicas in sorted(targets.items(), key=lambda one: one[0]):
        topics.setdefault(topic, []).append(
            ReassignablePartition(index, None if replicas is None else [*replicas])
        )
    request = AlterPartitionReassignmentsRequest(
        timeout_ms=timeout_ms,
        topics=[ReassignableTopic(name, partitions) for name, partitions in topics.items()],
    )

    def attempt() -> ProtocolError | None:
        response = cluster.ask(
            ApiKey.ALTER_PARTITION_REASSIGNMENTS, request, AlterPartitionReassignmentsResponse
        )
        check_code(response.error_code, "the reassignment", response.error_message)
        for topic in response.responses:
            for partition in topic.partitions:
                subject = partition_subject(topic.name, partition.partition_index)
                if partition.error_code in _FINAL:
                    return protocol_error(partition.error_code, subject, partition.error_message)
                check_code(partition.error_code, subject, partition.error_message)
        return None

    _raise(cluster.retry("reassigning partitions", attempt))


def list_reassignments(cluster: Cluster) -> list[OngoingReassignment]:
    """All that are under way, by topic and partition."""

    def attempt() -> list[OngoingReassignment]:
        response = cluster.ask(
            ApiKey.LIST_PARTITION_REASSIGNMENTS,
            ListPartitionReassignmentsRequest(topics=None),
            ListPartitionReassignmentsResponse,
        )
        check_code(response.error_code, "the reassignments", response.error_message)
        found = [
            OngoingReassignment(
                topic.name,
                one.partition_index,
                tuple(one.replicas),
                tuple(one.adding_replicas),
                tuple(one.removing_replicas),
            )
            for topic in response.topics
            for one in topic.partitions
        ]
        return sorted(found, key=lambda one: (one.topic, one.index))

    return cluster.retry("listing the reassignments", attempt)


def describe_log_directories(
    cluster: Cluster, broker_ids: Iterable[int], timeout_ms: int | None = None
) -> dict[int, list[LogDirectoryDescription]]:
    """The log directories of each broker, with the size of every log."""
    return {broker_id: _directories_of(cluster, broker_id, timeout_ms) for broker_id in broker_ids}


def _directories_of(
    cluster: Cluster, broker_id: int, timeout_ms: int | None
) -> list[LogDirectoryDescription]:
    def attempt() -> list[LogDirectoryDescription]:
        cluster.metadata([])
        response = cluster.connection(broker_id).request(
            ApiKey.DESCRIBE_LOG_DIRS,
            DescribeLogDirsRequest(topics=None),
            DescribeLogDirsResponse,
            timeout_ms=timeout_ms,
        )
        check_code(response.error_code, f"the log directories of broker {broker_id}")
        return [
            LogDirectoryDescription(
                one.log_dir,
                ErrorCode(one.error_code).name if one.error_code else None,
                {
                    (topic.name, partition.partition_index): partition.partition_size
                    for topic in one.topics
                    for partition in topic.partitions
                    if not partition.is_future_key
                },
                one.total_bytes,
                one.usable_bytes,
            )
            for one in response.results
        ]

    what = f"describing the log directories of broker {broker_id}"
    return cluster.retry(what, attempt, timeout_ms)


def elect_leaders(
    cluster: Cluster,
    partitions: Collection[TopicPartition] | None,
    *,
    unclean: bool,
    timeout_ms: int,
) -> dict[TopicPartition, ProtocolError | None]:
    """Elect the preferred leaders, or, `unclean`, whoever is alive where nobody leads.

    None: of all partitions; those that are led as they should be are then not in the answer.
    """
    by_topic: dict[str, list[int]] = {}
    for topic, index in sorted(partitions or ()):
        by_topic.setdefault(topic, []).append(index)
    request = ElectLeadersRequest(
        election_type=int(unclean),
        topic_partitions=None
        if partitions is None
        else [TopicPartitions(topic, indexes) for topic, indexes in by_topic.items()],
        timeout_ms=timeout_ms,
    )

    def attempt() -> dict[TopicPartition, ProtocolError | None]:
        response = cluster.ask(ApiKey.ELECT_LEADERS, request, ElectLeadersResponse)
        check_code(response.error_code, "the election")
        return {
            (topic.topic, one.partition_id): protocol_error(
                one.error_code,
                partition_subject(topic.topic, one.partition_id),
                one.error_message,
            )
            if one.error_code
            else None
            for topic in response.replica_election_results
            for one in topic.partition_result
        }

    return cluster.retry("electing leaders", attempt)


def unregister_broker(cluster: Cluster, broker_id: int) -> None:
    """Forget a broker that is stopped for good. BROKER_ID_NOT_REGISTERED, INVALID_REQUEST."""

    def attempt() -> None:
        response = cluster.ask(
            ApiKey.UNREGISTER_BROKER, UnregisterBrokerRequest(broker_id), UnregisterBrokerResponse
        )
        check_code(response.error_code, f"broker {broker_id}", response.error_message)

    cluster.retry(f"unregistering broker {broker_id}", attempt)


def _raise(failure: ProtocolError | None) -> None:
    if failure is not None:
        raise failure
