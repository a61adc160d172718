"""Decisions about single partitions: ISR changes, ends of logs, replicas that cannot serve."""

from __future__ import annotations

from controller.codec import partition_message
from controller.decision import Decision, registered
from controller.elections import (
    ElectionRules,
    Electorate,
    Unable,
    awaits_log_ends,
    completed,
    elect,
    one_step_on,
    with_isr,
    with_log_end,
)
from controller.generated import metadata_pb2 as pb
from controller.state import ClusterState, LogEnd, PartitionMetadata, PartitionsChanged, Record
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.core.identifiers import Uuid


def alter_partitions(state: ClusterState, command: pb.AlterPartitions) -> Decision:
    """The ISRs that a leader wants; each partition is answered for itself (SAFETY.md, rule 5).

    Codes of a partition: UNKNOWN_TOPIC_ID, UNKNOWN_TOPIC_OR_PARTITION, FENCED_LEADER_EPOCH,
    INVALID_UPDATE_VERSION (the partition has changed since), INELIGIBLE_REPLICA, INVALID_REQUEST.
    """
    registered(state, command.broker_id, command.broker_epoch)
    result = pb.Result()
    changed: dict[Uuid, dict[int, PartitionMetadata]] = {}
    for wanted in command.partitions:
        answer = result.partitions.add(topic_id=wanted.topic_id, index=wanted.index)
        done = changed.setdefault(wanted.topic_id, {})
        try:
            if wanted.index in done:
                raise ProtocolError(
                    ErrorCode.INVALID_REQUEST, "the request names the partition twice"
                )
            after = _alter(state, command.broker_id, wanted)
        except ProtocolError as error:
            answer.error_code = error.code
            answer.message = error.message or ""
        else:
            done[wanted.index] = after
            answer.partition.CopyFrom(partition_message(after, with_topic=True))
    records: list[Record] = [
        PartitionsChanged(topic_id, tuple(done.values()))
        for topic_id, done in changed.items()
        if done
    ]
    return Decision(result, records)


def _alter(state: ClusterState, broker_id: int, wanted: pb.AlterPartition) -> PartitionMetadata:
    topic = state.topics.get(wanted.topic_id)
    if topic is None:
        raise ProtocolError(ErrorCode.UNKNOWN_TOPIC_ID, "the topic does not exist (any more)")
    partition = state.partition(wanted.topic_id, wanted.index)
    if partition is None:
        raise ProtocolError(
            ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
            f"topic {topic.name} has no partition {wanted.index}",
        )
    if wanted.leader_epoch < partition.leader_epoch:
        raise ProtocolError(
            ErrorCode.FENCED_LEADER_EPOCH,
            f"the leader epoch is {partition.leader_epoch}, not {wanted.leader_epoch}",
        )
    if partition.leader_id != broker_id or wanted.leader_epoch > partition.leader_epoch:
        raise ProtocolError(
            ErrorCode.INVALID_REQUEST,
            f"broker {broker_id} does not lead the partition at epoch {wanted.leader_epoch}",
        )
    if wanted.partition_epoch != partition.partition_epoch:
        raise ProtocolError(
            ErrorCode.INVALID_UPDATE_VERSION,
            f"the partition epoch is {partition.partition_epoch}, not {wanted.partition_epoch}",
        )
    members = [member.broker_id for member in wanted.isr]
    if len(set(members)) != len(members) or not set(members).issubset(partition.replicas):
        raise ProtocolError(
            ErrorCode.INVALID_REQUEST, f"{members} are not each a replica, and once"
        )
    if broker_id not in members:
        raise ProtocolError(ErrorCode.INVALID_REQUEST, "the leader leaves itself out of the ISR")
    for member in wanted.isr:
        _check_eligible(state, partition, member)
    rules = ElectionRules.of(state, topic.name)
    electorate = Electorate.of(state)
    after = completed(with_isr(partition, members, rules), electorate, rules)
    if after.leader_id in after.full_replicas:
        # The leader has no room: whoever has, and has just come in, leads from now on.
        after = elect(after, electorate, rules)
    return one_step_on(partition, after)


def _check_eligible(
    state: ClusterState, partition: PartitionMetadata, member: pb.IsrMember
) -> None:
    """INELIGIBLE_REPLICA for a member that is no longer, or not yet, what the leader saw."""
    broker = state.brokers.get(member.broker_id)
    if broker is None:
        fault = "is not registered"
    elif broker.broker_epoch != member.broker_epoch:
        fault = f"has epoch {broker.broker_epoch}, not {member.broker_epoch}"
    elif broker.fenced:
        fault = "is fenced"
    elif broker.in_controlled_shutdown:
        fault = "is shutting down"
    elif member.broker_id in partition.isr:
        return
    elif member.broker_id in partition.offline_replicas:
        fault = "cannot serve its replica"
    elif member.broker_id in partition.full_replicas:
        fault = "has no room for its replica"
    else:
        return
    raise ProtocolError(ErrorCode.INELIGIBLE_REPLICA, f"broker {member.broker_id} {fault}")


def report_log_ends(state: ClusterState, command: pb.ReportLogEnds) -> Decision:
    """What a replica has of partitions that nobody may lead; the last report decides (rule 2)."""
    broker = registered(state, command.broker_id, command.broker_epoch)
    electorate = Electorate.of(state)
    changed: dict[Uuid, dict[int, PartitionMetadata]] = {}
    for told in command.partitions:
        partition = state.partition(told.topic_id, told.index)
        if partition is None or broker.broker_id not in partition.replicas:
            continue
        if not awaits_log_ends(partition):
            continue
        rules = ElectionRules.of(state, state.topics[told.topic_id].name)
        end = LogEnd(broker.broker_id, broker.broker_epoch, told.last_epoch, told.log_end_offset)
        after = with_log_end(partition, end, electorate, rules)
        if after is not partition:
            changed.setdefault(told.topic_id, {})[told.index] = after
    return Decision(
        pb.Result(),
        [PartitionsChanged(topic_id, tuple(done.values())) for topic_id, done in changed.items()],
    )


def report_replicas(state: ClusterState, command: pb.ReportReplicas) -> Decision:
    """What a broker can do with its replicas (SAFETY.md, rule 9); said twice it changes nothing.

    OFFLINE and DAMAGED end membership of ISR and ELR: of what cannot be read nobody knows what is
    left. Of a partition that is named twice the first word counts.
    """
    broker = registered(state, command.broker_id, command.broker_epoch)
    electorate = Electorate.of(state)
    changed: dict[Uuid, dict[int, PartitionMetadata]] = {}
    seen: set[tuple[Uuid, int]] = set()
    for told in command.partitions:
        partition = state.partition(told.topic_id, told.index)
        if partition is None or broker.broker_id not in partition.replicas:
            continue
        if (told.topic_id, told.index) in seen:
            continue
        seen.add((told.topic_id, told.index))
        rules = ElectionRules.of(state, state.topics[told.topic_id].name)
        after = _with_replica_state(partition, broker.broker_id, told.state, electorate, rules)
        if after is not partition:
            changed.setdefault(told.topic_id, {})[told.index] = after
    return Decision(
        pb.Result(),
        [PartitionsChanged(topic_id, tuple(done.values())) for topic_id, done in changed.items()],
    )


def _with_replica_state(
    partition: PartitionMetadata,
    broker_id: int,
    state: pb.ReplicaState.ValueType,
    electorate: Electorate,
    rules: ElectionRules,
) -> PartitionMetadata:
    others = Unable.of(partition).without(broker_id)
    match state:
        case pb.REPLICA_STATE_ABLE:
            return elect(partition, electorate, rules, unable=others)
        case pb.REPLICA_STATE_FULL:
            full = _in_order(partition, (*others.full, broker_id))
            return elect(partition, electorate, rules, unable=Unable(others.offline, full))
        case pb.REPLICA_STATE_OFFLINE | pb.REPLICA_STATE_DAMAGED:
            offline = _in_order(partition, (*others.offline, broker_id))
            return elect(
                partition,
                electorate,
                rules,
                lost_data=frozenset({broker_id}),
                unable=Unable(offline, others.full),
            )
        case _:
            return partition  # a state that this version does not know


def _in_order(partition: PartitionMetadata, members: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(r for r in partition.replicas if r in members)
