"""What the metadata log says, and what must hold of it after every command.

The oracle applies each committed command to a state of its own and looks at what that changed:

    leader epochs     rise when the leader changes, one incarnation of a broker leads in each
    partition epochs  rise by one; an ISR change names the one before it
    ISR               live replicas, the leader among them; ISR, ELR and last-known are disjoint
    electable         members of ISR and ELR hold everything that is committed (the ledger checks)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from controller.decide import decide
from controller.generated import metadata_pb2 as pb
from controller.state import (
    BrokerRegistration,
    ClusterState,
    ConfigsChanged,
    PartitionMetadata,
    PartitionsChanged,
    Record,
    TopicCreated,
    TopicRemoved,
)
from tests.simulation.ledger import Ledger
from tests.simulation.quorum import Entry
from tests.simulation.records import PartitionLedger


class MetadataOracle:
    """See the module. `durable` tells whether the topics' offsets count only once synced."""

    def __init__(self, ledger: Ledger, *, durable: bool) -> None:
        self.state = ClusterState()
        self.ledger = ledger
        self.leader_elections = 0
        self.isr_changes = 0
        self.reassigned = 0
        self.fencings = 0
        self.registrations = 0
        self.commands = 0
        self.elr_elections = 0
        self.last_known_elections = 0
        self.log: Callable[..., None] = lambda *_: None
        self._durable = durable
        self._incarnations: dict[tuple[bytes, int, int], int] = {}
        """Broker epoch of the leader by (topic id, partition, leader epoch)."""

    def committed(self, entry: Entry) -> None:
        command = pb.Command.FromString(entry.command)
        decision = decide(self.state, entry.index, command)
        self.commands += 1
        before = {
            (record.topic_id, partition.index): self.state.partition(
                record.topic_id, partition.index
            )
            for record in decision.records
            if isinstance(record, PartitionsChanged)
            for partition in record.partitions
        }
        self.log(
            "metadata",
            "%d: %s -> %s",
            entry.index,
            command.WhichOneof("kind"),
            [_in_order(record) for record in decision.records],
        )
        for record in decision.records:
            self._replay(record)
        if command.WhichOneof("kind") == "alter_partitions":
            self._check_serial(command.alter_partitions, decision.result, before)
        for (topic_id, index), old in before.items():
            new = self.state.partition(topic_id, index)
            if new is not None:
                self._changed(old, new)
        if any(isinstance(record, BrokerRegistration) for record in decision.records):
            self._check_members()

    def _replay(self, record: Record) -> None:
        state = self.state
        match record:
            case TopicRemoved(topic_id):
                for partition in state.topics[topic_id].partitions:
                    self.ledger.partitions.pop((topic_id, partition.index), None)
                self.ledger.deleted.add(topic_id)
            case BrokerRegistration():
                known = state.brokers.get(record.broker_id)
                if known is None or known.broker_epoch != record.broker_epoch:
                    self.registrations += 1
                elif record.fenced and not known.fenced:
                    self.fencings += 1
            case _:
                pass
        state.replay(record)
        if isinstance(record, TopicCreated):
            self.log("metadata", "topic %s is %s", record.name, record.topic_id.hex())

    def _changed(self, old: PartitionMetadata | None, new: PartitionMetadata) -> None:
        ledger = self._ledger_of(new)
        name = ledger.name
        fail = self.ledger.fail
        if old is not None:
            if new.partition_epoch != old.partition_epoch + 1:
                fail(
                    f"{name}: the partition epoch goes from {old.partition_epoch} to "
                    f"{new.partition_epoch}"
                )
            if new.leader_epoch < old.leader_epoch:
                fail(
                    f"{name}: the leader epoch falls from {old.leader_epoch} to {new.leader_epoch}"
                )
            if new.leader_id != old.leader_id and new.leader_epoch == old.leader_epoch:
                fail(f"{name}: another leader in the same epoch: {old} -> {new}")
            self.isr_changes += new.isr != old.isr
            self.reassigned += old.is_reassigning and not new.is_reassigning
            gone = set(old.replicas) - set(new.replicas)
            if gone and new.leader_epoch == old.leader_epoch:
                fail(f"{name}: replicas {gone} go without a new leader epoch: {old} -> {new}")
        ledger.isr_at[new.partition_epoch] = new.isr
        ledger.leader_epoch = new.leader_epoch
        elected = None
        if new.leader_id is not None and (old is None or new.leader_epoch != old.leader_epoch):
            elected = new.leader_id
            self.leader_elections += 1
            if old is not None and elected not in old.isr:
                self.elr_elections += elected in old.elr
                self.last_known_elections += elected not in old.elr
        if new.leader_id is not None and new.leader_id not in new.isr:
            fail(f"{name}: the leader is not in sync: {new}")
        members = [*new.isr, *new.elr, *new.last_known_elr]
        if len(set(members)) != len(members) or not set(members).issubset(new.replicas):
            fail(f"{name}: ISR, ELR and last-known are not disjoint parts of the replicas: {new}")
        self.ledger.electable_changed(
            (new.topic_id, new.index), frozenset((*new.isr, *new.elr)), elected
        )
        self._check_partition(new, name)

    def _ledger_of(self, partition: PartitionMetadata) -> PartitionLedger:
        key = (partition.topic_id, partition.index)
        found = self.ledger.partitions.get(key)
        if found is None:
            topic = self.state.topics[partition.topic_id]
            name = f"{topic.name}-{partition.index}({partition.topic_id.hex()[:4]})"
            found = self.ledger.partitions[key] = PartitionLedger(name, self._durable)
        return found

    def _check_serial(
        self,
        command: pb.AlterPartitions,
        result: pb.Result,
        before: dict[tuple[bytes, int], PartitionMetadata | None],
    ) -> None:
        for wanted, answer in zip(command.partitions, result.partitions, strict=False):
            old = before.get((wanted.topic_id, wanted.index))
            if answer.error_code or old is None:
                continue
            if (wanted.leader_epoch, wanted.partition_epoch) != (
                old.leader_epoch,
                old.partition_epoch,
            ):
                self.ledger.fail(
                    f"an ISR change was made from leader epoch {wanted.leader_epoch}, partition "
                    f"epoch {wanted.partition_epoch}, and taken at {old}"
                )

    def _check_members(self) -> None:
        for topic in self.state.topics.values():
            for partition in topic.partitions:
                self._check_partition(partition, topic.name)

    def _check_partition(self, partition: PartitionMetadata, name: str) -> None:
        brokers = self.state.brokers
        for member in partition.isr:
            broker = brokers.get(member)
            if broker is None or not broker.active:
                self.ledger.fail(f"{name}: a member of the ISR is not live: {partition}, {broker}")
        if partition.leader_id is not None:
            key = (partition.topic_id, partition.index, partition.leader_epoch)
            broker_epoch = brokers[partition.leader_id].broker_epoch
            if self._incarnations.setdefault(key, broker_epoch) != broker_epoch:
                self.ledger.fail(
                    f"{name}: leader epoch {partition.leader_epoch} spans two processes of broker "
                    f"{partition.leader_id}"
                )


def _in_order(record: Record) -> Record:
    """As it is shown: the order of a protobuf map differs from run to run."""
    if isinstance(record, ConfigsChanged):
        return replace(record, values=dict(sorted(record.values.items())))
    return record
