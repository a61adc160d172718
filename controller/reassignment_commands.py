"""Decisions about which brokers have a partition: reassignments (KIP-455, KIP-860).

A reassignment is part of the partition's metadata from the command that asks for it to the one
that ends it, so it goes on under every controller, whoever fails meanwhile:

    replicas            its target, in that order, then who is to go
    adding_replicas     catch up like any replica, and come into the ISR by their leader
    removing_replicas   stay in sync, and may lead, until all of the target is in sync

The end comes with the change of the ISR that brings the last of the target in (elections.py). A
second reassignment replaces the first: what it adds is compared with the replicas that the
partition had before the first one, and whoever only the first one added goes at once. Calling one
off is a reassignment to those replicas.
"""

from __future__ import annotations

from controller.decision import Decision
from controller.elections import (
    ElectionRules,
    Electorate,
    completed,
    one_step_on,
    with_replicas,
)
from controller.generated import metadata_pb2 as pb
from controller.state import ClusterState, PartitionMetadata, PartitionsChanged
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.core.identifiers import Uuid


def reassign_partitions(state: ClusterState, command: pb.ReassignPartitions) -> Decision:
    """Each partition is answered for itself; what is so already changes nothing.

    Codes of a partition: UNKNOWN_TOPIC_OR_PARTITION, INVALID_REPLICA_ASSIGNMENT,
    INVALID_REPLICATION_FACTOR, NO_REASSIGNMENT_IN_PROGRESS, INVALID_REQUEST.
    """
    result = pb.Result()
    electorate = Electorate.of(state)
    changed: dict[Uuid, dict[int, PartitionMetadata]] = {}
    seen: set[tuple[str, int]] = set()
    for wanted in command.partitions:
        name = wanted.partition
        answer = result.partitions.add(topic=name.topic, index=name.index)
        try:
            if (name.topic, name.index) in seen:
                raise ProtocolError(
                    ErrorCode.INVALID_REQUEST, "the request names the partition twice"
                )
            seen.add((name.topic, name.index))
            before = named_partition(state, name)
            rules = ElectionRules.of(state, name.topic)
            if wanted.HasField("target"):
                target = tuple(wanted.target.replicas)
                _check_target(state, target)
                if not command.replication_factor_may_change:
                    _check_factor(before, target)
            elif before.is_reassigning:
                target = before.original_replicas
            else:
                raise ProtocolError(
                    ErrorCode.NO_REASSIGNMENT_IN_PROGRESS,
                    f"{name.topic}-{name.index} is not being reassigned",
                )
            after = _reassigned(before, target, electorate, rules)
        except ProtocolError as error:
            answer.error_code = error.code
            answer.message = error.message or ""
        else:
            if after is not before:
                changed.setdefault(after.topic_id, {})[after.index] = after
    return Decision(
        result,
        [PartitionsChanged(topic_id, tuple(done.values())) for topic_id, done in changed.items()],
    )


def named_partition(state: ClusterState, name: pb.PartitionName) -> PartitionMetadata:
    """UNKNOWN_TOPIC_OR_PARTITION."""
    topic = state.topic_named(name.topic)
    if topic is None:
        raise ProtocolError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, f"no topic '{name.topic[:249]}'")
    partition = state.partition(topic.topic_id, name.index)
    if partition is None:
        raise ProtocolError(
            ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
            f"topic '{topic.name}' has no partition {name.index}",
        )
    return partition


def _check_target(state: ClusterState, target: tuple[int, ...]) -> None:
    unknown = [broker_id for broker_id in target if broker_id not in state.brokers]
    if not target:
        fault = "a partition needs at least one replica"
    elif len(set(target)) != len(target):
        fault = f"{list(target)} names a broker twice"
    elif unknown:
        fault = f"broker {unknown[0]} is not registered"
    else:
        return
    raise ProtocolError(ErrorCode.INVALID_REPLICA_ASSIGNMENT, fault)


def _check_factor(partition: PartitionMetadata, target: tuple[int, ...]) -> None:
    factor = len(partition.target_replicas)
    if len(target) != factor:
        raise ProtocolError(
            ErrorCode.INVALID_REPLICATION_FACTOR,
            f"{list(target)} has {len(target)} replicas, the partition has {factor}, and the "
            "request does not allow the replication factor to change",
        )


def _check_data_stays(before: PartitionMetadata, replicas: tuple[int, ...]) -> None:
    holders = before.isr or before.elr
    kept = [r for r in holders if r in replicas]
    if not holders:
        # Nobody knows yet which of the last-known members has the longest log.
        holders = before.last_known_elr
        kept = [*holders] if set(holders).issubset(replicas) else []
    if holders and not kept:
        raise ProtocolError(
            ErrorCode.INVALID_REPLICA_ASSIGNMENT,
            f"what is committed may be on {list(holders)} alone, which the reassignment under way "
            f"added and {list(replicas)} leaves out: wait until it has ended, or keep them",
        )


def _reassigned(
    before: PartitionMetadata,
    target: tuple[int, ...],
    electorate: Electorate,
    rules: ElectionRules,
) -> PartitionMetadata:
    """INVALID_REPLICA_ASSIGNMENT when replicas that go at once may alone have what is committed."""
    original = before.original_replicas
    adding = tuple(r for r in target if r not in original)
    removing = tuple(r for r in original if r not in target)
    replicas = (*target, *removing)
    if (replicas, adding, removing) == (
        before.replicas,
        before.adding_replicas,
        before.removing_replicas,
    ):
        return before
    _check_data_stays(before, replicas)
    begun = with_replicas(before, replicas, adding, removing, electorate, rules)
    return one_step_on(before, completed(begun, electorate, rules))
