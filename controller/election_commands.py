"""Decisions to elect leaders that somebody asks for: preferred ones, unclean ones (KIP-460)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from controller.decision import Decision, partition_changes
from controller.elections import ElectionRules, Electorate, elect
from controller.generated import metadata_pb2 as pb
from controller.reassignment_commands import named_partition
from controller.state import ClusterState, PartitionMetadata, PartitionsChanged
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.core.identifiers import Uuid


def elect_preferred_leaders(state: ClusterState, command: pb.ElectPreferredLeaders) -> Decision:
    """Every partition whose first replica is alive and in sync gets it back as leader."""
    electorate = Electorate.of(state)
    records = partition_changes(
        state,
        lambda p: p.leader_id != p.replicas[0] and p.replicas[0] in p.isr,
        lambda partition, rules: elect(partition, electorate, rules, prefer_first=True),
    )
    return Decision(pb.Result(), records)


def elect_leaders(state: ClusterState, command: pb.ElectLeaders) -> Decision:
    """Each partition is answered for itself; of `all` those with ELECTION_NOT_NEEDED are left out.

    Codes of a partition: UNKNOWN_TOPIC_OR_PARTITION, ELECTION_NOT_NEEDED,
    PREFERRED_LEADER_NOT_AVAILABLE, ELIGIBLE_LEADERS_NOT_AVAILABLE.
    """
    result = pb.Result()
    electorate = Electorate.of(state)
    changed: dict[Uuid, dict[int, PartitionMetadata]] = {}
    for name in _all_names(state) if command.all else command.partitions:
        try:
            before = named_partition(state, name)
            # One that the request names twice is led as it should be the second time.
            before = changed.get(before.topic_id, {}).get(before.index, before)
            after = _led(state, name.topic, before, electorate, unclean=command.unclean)
        except ProtocolError as error:
            if command.all and error.code is ErrorCode.ELECTION_NOT_NEEDED:
                continue
            result.partitions.add(
                topic=name.topic,
                index=name.index,
                error_code=error.code,
                message=error.message or "",
            )
        else:
            result.partitions.add(topic=name.topic, index=name.index)
            changed.setdefault(after.topic_id, {})[after.index] = after
    return Decision(
        result,
        [PartitionsChanged(topic_id, tuple(done.values())) for topic_id, done in changed.items()],
    )


def _all_names(state: ClusterState) -> Iterator[pb.PartitionName]:
    for topic in state.topics.values():
        for partition in topic.partitions:
            yield pb.PartitionName(topic=topic.name, index=partition.index)


def _led(
    state: ClusterState,
    topic: str,
    before: PartitionMetadata,
    electorate: Electorate,
    *,
    unclean: bool,
) -> PartitionMetadata:
    rules = ElectionRules.of(state, topic)
    where = f"{topic}-{before.index}"
    if unclean:
        if before.leader_id is not None:
            raise ProtocolError(
                ErrorCode.ELECTION_NOT_NEEDED, f"broker {before.leader_id} leads {where}"
            )
        after = elect(before, electorate, replace(rules, unclean_allowed=True))
        if after.leader_id is None:
            raise ProtocolError(
                ErrorCode.ELIGIBLE_LEADERS_NOT_AVAILABLE,
                f"none of the replicas {list(before.replicas)} of {where} is live and able to lead",
            )
        return after
    preferred = before.replicas[0]
    if before.leader_id == preferred:
        raise ProtocolError(
            ErrorCode.ELECTION_NOT_NEEDED, f"broker {preferred} leads {where} already"
        )
    after = elect(before, electorate, rules, prefer_first=True)
    if after.leader_id != preferred:
        raise ProtocolError(
            ErrorCode.PREFERRED_LEADER_NOT_AVAILABLE,
            f"broker {preferred}, preferred for {where}, is not in sync",
        )
    return after
