"""What a decision is, and what all kinds of them use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from controller.elections import ElectionRules
from controller.generated import metadata_pb2 as pb
from controller.state import (
    PARTITIONS_PER_RECORD,
    BrokerRegistration,
    ClusterState,
    PartitionMetadata,
    PartitionsChanged,
    Record,
    TopicMetadata,
)
from ottla.core.errors import ErrorCode, ProtocolError


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to a command, and what it changes. An answer with an error changes nothing, but
    for commands on several topics or partitions, which answer one by one."""

    result: pb.Result
    records: list[Record] = field(default_factory=list)


def refused(error: ProtocolError) -> pb.Result:
    return pb.Result(error_code=error.code, message=error.message or "")


def registered(state: ClusterState, broker_id: int, broker_epoch: int) -> BrokerRegistration:
    """The registration, compared with what the caller knows of it (SAFETY.md, rule 12).

    BROKER_ID_NOT_REGISTERED; STALE_BROKER_EPOCH when it is of another incarnation.
    """
    broker = state.brokers.get(broker_id)
    if broker is None:
        raise ProtocolError(
            ErrorCode.BROKER_ID_NOT_REGISTERED, f"broker {broker_id} is not registered"
        )
    if broker.broker_epoch != broker_epoch:
        raise ProtocolError(
            ErrorCode.STALE_BROKER_EPOCH,
            f"broker {broker_id} is registered with epoch {broker.broker_epoch}, not "
            f"{broker_epoch}: another process has taken its id",
        )
    return broker


def partition_changes(
    state: ClusterState,
    concerns: Callable[[PartitionMetadata], bool],
    change: Callable[[PartitionMetadata, ElectionRules], PartitionMetadata],
) -> list[Record]:
    """The records of what `change` makes of the partitions of all topics that `concerns` names."""
    records: list[Record] = []
    for topic in state.topics.values():
        records += topic_changes(state, topic, concerns, change)
    return records


def topic_changes(
    state: ClusterState,
    topic: TopicMetadata,
    concerns: Callable[[PartitionMetadata], bool],
    change: Callable[[PartitionMetadata, ElectionRules], PartitionMetadata],
    rules: ElectionRules | None = None,
) -> Iterator[Record]:
    """The same for one topic. `rules` are the topic's unless given."""
    changed: list[PartitionMetadata] = []
    for partition in topic.partitions:
        if concerns(partition):
            if rules is None:
                rules = ElectionRules.of(state, topic.name)
            after = change(partition, rules)
            if after is not partition:
                changed.append(after)
    for start in range(0, len(changed), PARTITIONS_PER_RECORD):
        yield PartitionsChanged(
            topic.topic_id, tuple(changed[start : start + PARTITIONS_PER_RECORD])
        )
