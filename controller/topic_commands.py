"""Decisions about topics: creating, deleting, more partitions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from controller.decision import Decision
from controller.generated import metadata_pb2 as pb
from controller.placement import UsableBroker, place_replicas
from controller.state import (
    INTERNAL_TOPICS,
    PARTITIONS_PER_RECORD,
    TOPIC,
    ClusterState,
    ConfigsChanged,
    PartitionMetadata,
    PartitionsChanged,
    Record,
    TopicCreated,
    TopicMetadata,
    TopicRemoved,
)
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.core.identifiers import Uuid, topic_name_fault
from ottla.core.topic_configs import topic_configs_fault

PARTITIONS_MAX: Final = 10_000
"""Made by one command, as in Kafka: what one decision does stays bounded."""
REPLICAS_MAX: Final = 32_767
"""Kafka's replication factor has 16 bits."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """Replicas of each new partition, leaders first."""

    replicas: Sequence[tuple[int, ...]]

    @property
    def replication_factor(self) -> int:
        return len(self.replicas[0])


def create_topics(state: ClusterState, command: pb.CreateTopics) -> Decision:
    """Each topic is answered for itself. The id comes with the command, so that a topic that is
    there already with that id is the outcome of the same request, sent again.

    Codes of a topic: INVALID_TOPIC_EXCEPTION, TOPIC_ALREADY_EXISTS, INVALID_PARTITIONS,
    INVALID_REPLICATION_FACTOR, INVALID_REPLICA_ASSIGNMENT, INVALID_CONFIG, POLICY_VIOLATION,
    INVALID_REQUEST.
    """
    result = pb.Result()
    records: list[Record] = []
    names = _Names(state.topic_ids)
    topic_ids: set[Uuid] = set()
    budget = PARTITIONS_MAX
    for number, wanted in enumerate(command.topics):
        answer = result.topics.add(name=wanted.name, topic_id=wanted.topic_id)
        known = state.topics.get(wanted.topic_id)
        if known is not None and known.name == wanted.name and not command.validate_only:
            answer.partition_count = len(known.partitions)
            answer.replication_factor = len(known.partitions[0].replicas)
            continue
        try:
            names.check_new(wanted.name)
            if len(wanted.topic_id) != 16 or known is not None or wanted.topic_id in topic_ids:
                raise ProtocolError(ErrorCode.INVALID_REQUEST, "the topic needs a new topic id")
            layout = _layout(state, command, wanted, command.placement_seed + number, budget)
            fault = topic_configs_fault(wanted.configs)
            if fault is not None:
                raise ProtocolError(ErrorCode.INVALID_CONFIG, fault)
        except ProtocolError as error:
            answer.error_code = error.code
            answer.message = error.message or ""
            continue
        names.add(wanted.name)
        topic_ids.add(wanted.topic_id)
        budget -= len(layout.replicas)
        answer.partition_count = len(layout.replicas)
        answer.replication_factor = layout.replication_factor
        if not command.validate_only:
            records += _records_of_new_topic(state, wanted, layout)
    return Decision(result, records)


def _records_of_new_topic(
    state: ClusterState, wanted: pb.NewTopic, layout: _Layout
) -> Iterable[Record]:
    yield TopicCreated(wanted.name, wanted.topic_id, wanted.name in INTERNAL_TOPICS)
    if wanted.configs:
        yield ConfigsChanged(TOPIC, wanted.name, dict(wanted.configs))
    yield from _records_of_new_partitions(state, wanted.topic_id, 0, layout.replicas)


def _records_of_new_partitions(
    state: ClusterState, topic_id: Uuid, first: int, layout: Sequence[tuple[int, ...]]
) -> Iterable[Record]:
    partitions = [
        _new_partition(state, topic_id, first + offset, replicas)
        for offset, replicas in enumerate(layout)
    ]
    for start in range(0, len(partitions), PARTITIONS_PER_RECORD):
        some = tuple(partitions[start : start + PARTITIONS_PER_RECORD])
        yield PartitionsChanged(topic_id, some)


class _Names:
    """Names that are taken. '.' and '_' collide: metrics write both as '_' (Kafka's Topic)."""

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = set(taken)
        self._shown: dict[str, str] | None = None

    def check_new(self, name: str) -> None:
        fault = topic_name_fault(name)
        if fault is not None:
            raise ProtocolError(
                ErrorCode.INVALID_TOPIC_EXCEPTION, f"'{name[:40]}' cannot name a topic: {fault}"
            )
        if name in self._taken:
            raise ProtocolError(ErrorCode.TOPIC_ALREADY_EXISTS, f"topic '{name}' already exists")
        if "." in name or "_" in name:
            if self._shown is None:
                self._shown = {other.replace(".", "_"): other for other in self._taken}
            other = self._shown.get(name.replace(".", "_"))
            if other is not None:
                raise ProtocolError(
                    ErrorCode.INVALID_TOPIC_EXCEPTION,
                    f"topic '{name}' collides with '{other}', since '.' and '_' count as the same "
                    "character; choose another name",
                )

    def add(self, name: str) -> None:
        self._taken.add(name)
        if self._shown is not None:
            self._shown[name.replace(".", "_")] = name


def _layout(
    state: ClusterState, command: pb.CreateTopics, wanted: pb.NewTopic, seed: int, budget: int
) -> _Layout:
    if wanted.assignments:
        if wanted.partition_count != -1 or wanted.replication_factor != -1:
            raise ProtocolError(
                ErrorCode.INVALID_REQUEST,
                "give either an assignment of replicas, or numbers of partitions and replicas",
            )
        _check_budget(len(wanted.assignments), budget)
        return _Layout(_assigned(state, wanted.assignments, None))
    count = wanted.partition_count
    if count == -1:
        count = command.default_partition_count
    if count < 1:
        raise ProtocolError(
            ErrorCode.INVALID_PARTITIONS, "the number of partitions must be at least 1, or -1"
        )
    _check_budget(count, budget)
    factor = wanted.replication_factor
    if factor == -1:
        factor = command.default_replication_factor
    if not 1 <= factor <= REPLICAS_MAX:
        raise ProtocolError(
            ErrorCode.INVALID_REPLICATION_FACTOR,
            "the replication factor must be at least 1, or -1",
        )
    return _Layout(_placed(state, 0, count, factor, seed))


def _check_budget(count: int, budget: int) -> None:
    if count > budget:
        raise ProtocolError(
            ErrorCode.POLICY_VIOLATION,
            f"one request makes at most {PARTITIONS_MAX} partitions; make fewer, and add more "
            "later",
        )


def _placed(
    state: ClusterState, first: int, count: int, factor: int, seed: int
) -> list[tuple[int, ...]]:
    return place_replicas(
        [UsableBroker(b.broker_id, b.rack, b.active) for b in state.brokers.values()],
        first_partition=first,
        partition_count=count,
        replication_factor=factor,
        seed=seed,
    )


def _assigned(
    state: ClusterState, assignments: Iterable[pb.ReplicaAssignment], factor: int | None
) -> list[tuple[int, ...]]:
    """INVALID_REPLICA_ASSIGNMENT unless every partition has `factor` live or known replicas."""
    layout: list[tuple[int, ...]] = []
    for assignment in assignments:
        replicas = tuple(assignment.replicas)
        if factor is None:
            factor = len(replicas)
        unknown = [broker_id for broker_id in replicas if broker_id not in state.brokers]
        if not replicas:
            fault = "a partition has no replicas"
        elif len(set(replicas)) != len(replicas):
            fault = f"{list(replicas)} names a broker twice"
        elif len(replicas) != factor:
            fault = f"{list(replicas)} has {len(replicas)} replicas, others have {factor}"
        elif unknown:
            fault = f"broker {unknown[0]} is not registered"
        elif not any(state.is_active(broker_id) for broker_id in replicas):
            fault = f"none of the brokers {list(replicas)} is live"
        else:
            layout.append(replicas)
            continue
        raise ProtocolError(ErrorCode.INVALID_REPLICA_ASSIGNMENT, fault)
    return layout


def _new_partition(
    state: ClusterState, topic_id: Uuid, index: int, replicas: tuple[int, ...]
) -> PartitionMetadata:
    isr = tuple(broker_id for broker_id in replicas if state.is_active(broker_id))
    return PartitionMetadata(topic_id, index, replicas, isr, isr[0], 0, 0)


def delete_topics(state: ClusterState, command: pb.DeleteTopics) -> Decision:
    """Codes of a topic: UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID."""
    result = pb.Result()
    records: list[Record] = []
    gone: set[Uuid] = set()
    for wanted in command.topics:
        topic = (
            state.topics.get(wanted.topic_id)
            if wanted.WhichOneof("by") == "topic_id"
            else state.topic_named(wanted.name)
        )
        if topic is None:
            answer = result.topics.add(name=wanted.name, topic_id=wanted.topic_id)
            by_id = wanted.WhichOneof("by") == "topic_id"
            answer.error_code = (
                ErrorCode.UNKNOWN_TOPIC_ID if by_id else ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
            )
            answer.message = "no topic has this id" if by_id else f"no topic '{wanted.name}'"
            continue
        result.topics.add(name=topic.name, topic_id=topic.topic_id)
        if topic.topic_id not in gone:
            gone.add(topic.topic_id)
            records.append(TopicRemoved(topic.topic_id))
    return Decision(result, records)


def create_partitions(state: ClusterState, command: pb.CreatePartitions) -> Decision:
    """Codes of a topic: UNKNOWN_TOPIC_OR_PARTITION, INVALID_PARTITIONS, POLICY_VIOLATION,
    INVALID_REPLICA_ASSIGNMENT, INVALID_REPLICATION_FACTOR, INVALID_REQUEST."""
    names = [wanted.name for wanted in command.topics]
    if len(set(names)) != len(names):
        raise ProtocolError(ErrorCode.INVALID_REQUEST, "the request names a topic twice")
    result = pb.Result()
    records: list[Record] = []
    budget = PARTITIONS_MAX
    for number, wanted in enumerate(command.topics):
        answer = result.topics.add(name=wanted.name)
        try:
            topic = _topic_to_grow(state, wanted)
            before = len(topic.partitions)
            _check_budget(wanted.count - before, budget)
            layout = _grown(state, topic, wanted, command.placement_seed + number)
        except ProtocolError as error:
            answer.error_code = error.code
            answer.message = error.message or ""
            continue
        budget -= len(layout)
        answer.topic_id = topic.topic_id
        answer.partition_count = wanted.count
        answer.replication_factor = len(layout[0])
        if not command.validate_only:
            records += _records_of_new_partitions(state, topic.topic_id, before, layout)
    return Decision(result, records)


def _topic_to_grow(state: ClusterState, wanted: pb.NewPartitions) -> TopicMetadata:
    topic = state.topic_named(wanted.name)
    if topic is None:
        raise ProtocolError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, f"no topic '{wanted.name}'")
    if topic.internal:
        raise ProtocolError(
            ErrorCode.INVALID_PARTITIONS,
            f"the partitions of '{wanted.name}' are fixed: they decide who coordinates a group",
        )
    before = len(topic.partitions)
    if wanted.count <= before:
        relation = "already has" if wanted.count == before else "cannot shrink: it has"
        raise ProtocolError(
            ErrorCode.INVALID_PARTITIONS, f"topic '{wanted.name}' {relation} {before} partitions"
        )
    return topic


def _grown(
    state: ClusterState, topic: TopicMetadata, wanted: pb.NewPartitions, seed: int
) -> list[tuple[int, ...]]:
    before = len(topic.partitions)
    factor = len(topic.partitions[0].target_replicas)
    if not wanted.assigned:
        return _placed(state, before, wanted.count - before, factor, seed)
    if len(wanted.assignments) != wanted.count - before:
        raise ProtocolError(
            ErrorCode.INVALID_REPLICA_ASSIGNMENT,
            f"{wanted.count - before} partitions are new, {len(wanted.assignments)} are assigned",
        )
    return _assigned(state, wanted.assignments, factor)
