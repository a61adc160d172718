"""Decisions about brokers: registration, fencing, shutdown, producer ids; and who is in office."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from controller.codec import endpoints_from_messages
from controller.config_commands import elections_by
from controller.decision import Decision, partition_changes, registered
from controller.elections import NOBODY, ElectionRules, Electorate, Unable, elect
from controller.generated import metadata_pb2 as pb
from controller.state import (
    BrokerRegistration,
    BrokerUnregistered,
    ClusterCreated,
    ClusterState,
    ControllerInOffice,
    PartitionMetadata,
    ProducerIdsAllocated,
    Record,
)
from ottla.core.errors import ErrorCode, ProtocolError

PRODUCER_ID_BLOCK: Final = 1000
_KEPT: Final = frozenset({pb.STOP_STATE_CLEAN, pb.STOP_STATE_PROCESS_CRASH})


def take_office(state: ClusterState, controller_epoch: int, command: pb.TakeOffice) -> Decision:
    """A controller acts from here on; its epoch is the term in which it was elected.

    INCONSISTENT_CLUSTER_ID; STALE_CONTROLLER_EPOCH for one that was overtaken.
    """
    if state.cluster_id and command.cluster_id != state.cluster_id:
        raise ProtocolError(
            ErrorCode.INCONSISTENT_CLUSTER_ID,
            f"this metadata belongs to cluster {state.cluster_id}, not {command.cluster_id}: "
            "correct cluster.id, or metadata.log.dir",
        )
    if controller_epoch == state.controller_epoch and command.controller_id == state.controller_id:
        return Decision(pb.Result())  # said twice
    if controller_epoch <= state.controller_epoch:
        raise ProtocolError(
            ErrorCode.STALE_CONTROLLER_EPOCH,
            f"controller {state.controller_id} is in office with epoch {state.controller_epoch}",
        )
    records: list[Record] = []
    if not state.cluster_id:
        records.append(ClusterCreated(command.cluster_id))
    office = ControllerInOffice(
        command.controller_id,
        controller_epoch,
        max(1, command.default_min_insync_replicas),
        command.default_unclean_leader_election,
    )
    records.append(office)
    # Whoever is eligible because the high watermark stood still is not once it may move on.
    records += elections_by(state, defaults=office.election_defaults())
    return Decision(pb.Result(), records)


def register_broker(state: ClusterState, index: int, command: pb.RegisterBroker) -> Decision:
    """A new incarnation of a broker (SAFETY.md, rules 1 and 2).

    It is fenced until it has caught up. The incarnation before it is out at once: it leaves every
    ISR, its leaderships pass on or end, and so get a new leader epoch even if this broker leads
    again. When it may have lost data it is no longer eligible either. Said twice by one
    incarnation, the second time changes nothing.
    """
    _check_registration(state, command)
    before = state.brokers.get(command.broker_id)
    if before is not None and before.incarnation_id == command.incarnation_id:
        return Decision(pb.Result(broker_epoch=before.broker_epoch))
    broker = BrokerRegistration(
        command.broker_id,
        index,
        command.incarnation_id,
        endpoints_from_messages(command.endpoints),
        command.internal_host,
        command.internal_port,
        command.rack if command.HasField("rack") else None,
        fenced=True,
        in_controlled_shutdown=False,
        directory_ids=tuple(d.directory_id for d in command.directories),
    )
    lost_data = frozenset({broker.broker_id}) if _may_have_lost(before, command) else NOBODY
    electorate = Electorate.of(state, broker)

    def change(partition: PartitionMetadata, rules: ElectionRules) -> PartitionMetadata:
        # What the incarnation before said of its replicas may hold for this one or not.
        unable = Unable.of(partition).without(broker.broker_id)
        return elect(partition, electorate, rules, lost_data=lost_data, unable=unable)

    records: list[Record] = [broker]
    records += partition_changes(state, lambda p: broker.broker_id in p.replicas, change)
    return Decision(pb.Result(broker_epoch=index), records)


def _may_have_lost(before: BrokerRegistration | None, command: pb.RegisterBroker) -> bool:
    """Whether a directory was not left clean or by a mere crash, or not by the incarnation before.

    A mark of an earlier one says nothing of what came after: the disk was put back to an older
    state (KIP-966 compares the epochs for the same reason). A process that ended between its
    registration and its first mark is taken for that too, which costs an election at most.
    """
    if any(directory.stop_state not in _KEPT for directory in command.directories):
        return True
    if before is None:
        return False
    if any(
        directory.HasField("broker_epoch") and directory.broker_epoch != before.broker_epoch
        for directory in command.directories
    ):
        return True
    # Of a directory that is missing nobody knows what was in it.
    there = {directory.directory_id for directory in command.directories}
    return not there.issuperset(before.directory_ids)


def _check_registration(state: ClusterState, command: pb.RegisterBroker) -> None:
    if command.cluster_id != state.cluster_id:
        raise ProtocolError(
            ErrorCode.INCONSISTENT_CLUSTER_ID,
            f"broker {command.broker_id} belongs to cluster {command.cluster_id}, this is "
            f"{state.cluster_id}: correct cluster.id or controller.quorum.bootstrap.servers",
        )
    if command.broker_id < 0 or len(command.incarnation_id) != 16 or not command.directories:
        raise ProtocolError(
            ErrorCode.INVALID_REGISTRATION,
            "a registration needs an id of at least 0, an incarnation and a log directory",
        )
    directory_ids = {directory.directory_id for directory in command.directories}
    for other in state.brokers.values():
        if other.broker_id != command.broker_id and not directory_ids.isdisjoint(
            other.directory_ids
        ):
            raise ProtocolError(
                ErrorCode.INVALID_REGISTRATION,
                f"a log directory of broker {command.broker_id} is a copy of one of broker "
                f"{other.broker_id}: give each broker folders of its own in log.dirs",
            )


def fence_broker(state: ClusterState, command: pb.FenceBroker) -> Decision:
    """The incarnation is dead or cut off: it leads nothing and is in sync with nothing."""
    broker = registered(state, command.broker_id, command.broker_epoch)
    if broker.fenced:
        return Decision(pb.Result())
    return _out(state, replace(broker, fenced=True))


def shut_down_broker(state: ClusterState, command: pb.ShutDownBroker) -> Decision:
    """The broker is about to stop: others take over first."""
    broker = registered(state, command.broker_id, command.broker_epoch)
    if broker.in_controlled_shutdown:
        return Decision(pb.Result())
    return _out(state, replace(broker, in_controlled_shutdown=True))


def unregister_broker(state: ClusterState, command: pb.UnregisterBroker) -> Decision:
    """Forget a broker that is not to come back; one that does registers anew, as unknown.

    Nobody waits for it any more to be elected: what it may hold alone is looked for among the logs
    of the last-known members (SAFETY.md, rule 2), of which it is one, should it come back.
    BROKER_ID_NOT_REGISTERED; INVALID_REQUEST for one that is alive (Kafka lets it drop out).
    """
    broker = state.brokers.get(command.broker_id)
    if broker is None:
        raise ProtocolError(
            ErrorCode.BROKER_ID_NOT_REGISTERED, f"broker {command.broker_id} is not registered"
        )
    if not broker.fenced:
        raise ProtocolError(
            ErrorCode.INVALID_REQUEST,
            f"broker {command.broker_id} is alive: stop it first, then unregister it",
        )
    electorate = Electorate.of(state)
    records: list[Record] = partition_changes(
        state,
        lambda p: command.broker_id in p.replicas,
        lambda partition, rules: elect(
            partition, electorate, rules, lost_data=frozenset({command.broker_id})
        ),
    )
    return Decision(pb.Result(), [*records, BrokerUnregistered(command.broker_id)])


def _out(state: ClusterState, broker: BrokerRegistration) -> Decision:
    """The broker, no longer active, leaves every ISR and leads nothing."""
    electorate = Electorate.of(state, broker)
    broker_id = broker.broker_id
    records: list[Record] = [broker]
    records += partition_changes(
        state,
        lambda p: broker_id in p.isr,
        lambda partition, rules: elect(partition, electorate, rules),
    )
    return Decision(pb.Result(), records)


def unfence_broker(state: ClusterState, command: pb.UnfenceBroker) -> Decision:
    """The incarnation has caught up with the metadata: it may lead what has no leader.

    INVALID_REQUEST for one that is shutting down.
    """
    broker = registered(state, command.broker_id, command.broker_epoch)
    if not broker.fenced:
        return Decision(pb.Result())
    if broker.in_controlled_shutdown:
        raise ProtocolError(
            ErrorCode.INVALID_REQUEST, f"broker {broker.broker_id} is shutting down"
        )
    live = replace(broker, fenced=False)
    electorate = Electorate.of(state, live)
    records: list[Record] = [live]
    records += partition_changes(
        state,
        lambda p: p.leader_id is None and live.broker_id in p.replicas,
        lambda partition, rules: elect(partition, electorate, rules),
    )
    return Decision(pb.Result(), records)


def allocate_producer_ids(state: ClusterState, command: pb.AllocateProducerIds) -> Decision:
    """The next block; one that nobody uses is lost, and that is no harm."""
    registered(state, command.broker_id, command.broker_epoch)
    first = state.next_producer_id
    return Decision(
        pb.Result(first_producer_id=first, producer_id_count=PRODUCER_ID_BLOCK),
        [ProducerIdsAllocated(first + PRODUCER_ID_BLOCK)],
    )
