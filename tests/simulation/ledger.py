"""What is true of the records: every replica's log, what is committed, and what was promised.

The ledger sees each append and truncation of each log as it happens (`observed_log.py`), each
change of each partition after the callback that made it, each command of the metadata log as it is
committed, and each answer that a client gets. From these it keeps, for every partition, the
committed log, and for every replica how far its log agrees with it. The checks cost what changed.

    replica     what its batches are, where its log agrees with the committed one
    committed   grows as leaders move their high watermark; never changes otherwise

A batch is named by its CRC, which covers the records but not offset and epoch.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from typing import TYPE_CHECKING

from ottla.core.identifiers import Uuid
from storage.log import Log
from tests.simulation.records import (
    Batch,
    Key,
    PartitionLedger,
    Replica,
    batches_in,
    read_all,
)

if TYPE_CHECKING:
    from broker.replication.partition import Partition
    from tests.simulation.loop import Process


class Violation(Exception):
    """An invariant does not hold; the text says which, where and how."""


class Ledger:
    """See the module. `fail` ends the run with a Violation."""

    def __init__(self, fail: Callable[[str], None]) -> None:
        self.fail = fail
        self.partitions: dict[Key, PartitionLedger] = {}
        self.deleted: set[Uuid] = set()
        self.acknowledged = 0
        self.committed_records = 0
        self.truncations = 0
        self.truncated_records = 0
        self.resets = 0
        self.high_watermark_moves = 0
        self.log: Callable[..., None] = lambda *_: None

    def of(self, topic_id: Uuid, index: int) -> PartitionLedger | None:
        """None once the topic is deleted, or before it is created."""
        return self.partitions.get((topic_id, index))

    # ---- logs

    def opened(self, broker_id: int, log: Log) -> None:
        ledger = self.of(log.topic_id, log.partition)
        if ledger is None:
            return
        replica = ledger.replica(broker_id)
        replica.log = log
        replica.batches = [*read_all(log)]
        replica.bases = [batch.base for batch in replica.batches]
        replica.matched = 0
        lost, replica.lost = replica.lost, False
        self._check_contiguous(ledger, replica, log.log_start_offset)
        for batch in replica.batches:
            self._check_written(ledger, replica, batch)
        self._rematch(ledger, replica)
        self.log(
            f"b{broker_id}",
            "%s opened to %d, agrees with the committed log to %d of %d%s",
            ledger.name,
            replica.end,
            replica.matched,
            ledger.committed_end,
            " (power was lost)" if lost else "",
        )
        if broker_id in ledger.electable and replica.matched < ledger.committed_end:
            self.fail(
                f"{ledger.name}: broker {broker_id} may be elected, but its log as it was opened "
                f"agrees with the committed one only to {replica.matched} of {ledger.committed_end}"
            )

    def appended(self, broker_id: int, log: Log, data: memoryview, *, leader: bool) -> None:
        ledger = self.of(log.topic_id, log.partition)
        if ledger is None:
            return
        replica = ledger.replica(broker_id)
        for batch in batches_in(data):
            if batch.base != replica.end and replica.batches:
                self.fail(
                    f"{ledger.name}: broker {broker_id} has a gap or a repeat: a batch at "
                    f"{batch.base} follows the log end {replica.end}"
                )
            if leader:
                self._check_unwritten(ledger, replica, batch)
            else:
                self._check_written(ledger, replica, batch)
            replica.batches.append(batch)
            replica.bases.append(batch.base)
        if replica.matched < ledger.committed_end:
            self._rematch(ledger, replica)

    def maybe_appended(self, log: Log, batch: memoryview) -> None:
        """The leader's process ended in the middle of the write: it may be there, whole."""
        ledger = self.of(log.topic_id, log.partition)
        if ledger is not None:
            for found in batches_in(batch):
                ledger.written.setdefault((found.leader_epoch, found.base), found)

    def truncated(self, broker_id: int, log: Log, *, reset: bool) -> None:
        ledger = self.of(log.topic_id, log.partition)
        if ledger is None:
            return
        replica = ledger.replica(broker_id)
        end = log.log_end_offset
        before = replica.end
        keep = 0 if reset else bisect_left(replica.bases, end)
        del replica.batches[keep:], replica.bases[keep:]
        if before > end or reset:
            self.truncations += 1
            self.truncated_records += max(before - end, 0)
            self.resets += reset
        agreed, replica.matched = replica.matched, min(replica.matched, replica.end)
        self.log(
            f"b{broker_id}",
            "%s truncated from %d to %d (committed %d)",
            ledger.name,
            before,
            end,
            ledger.committed_end,
        )
        if agreed > replica.matched:
            self.fail(
                f"{ledger.name}: broker {broker_id} truncated committed records: its log agreed "
                f"with the committed one to {agreed}, and ends at {replica.end} now"
            )

    def deleted_log(self, broker_id: int, topic_id: Uuid, index: int) -> None:
        """The partition is no longer this broker's."""
        ledger = self.of(topic_id, index)
        if ledger is not None:
            ledger.replicas.pop(broker_id, None)

    def power_lost(self, broker_id: int) -> None:
        for ledger in self.partitions.values():
            if broker_id in ledger.replicas:
                ledger.replicas[broker_id].lost = True
                ledger.replicas[broker_id].log = None

    def process_died(self, broker_id: int) -> None:
        """What it wrote stays."""
        for ledger in self.partitions.values():
            if broker_id in ledger.replicas:
                ledger.replicas[broker_id].log = None

    def _check_contiguous(self, ledger: PartitionLedger, replica: Replica, start: int) -> None:
        for before, after in zip(replica.batches, replica.batches[1:], strict=False):
            if before.next != after.base:
                self.fail(
                    f"{ledger.name}: broker {replica.broker_id} opened a log with a gap: "
                    f"{before} is followed by {after}"
                )

    def _check_unwritten(self, ledger: PartitionLedger, replica: Replica, batch: Batch) -> None:
        known = ledger.written.setdefault((batch.leader_epoch, batch.base), batch)
        if known is not batch:
            self.fail(
                f"{ledger.name}: leader {replica.broker_id} wrote {batch}, but in that epoch "
                f"{known} was written there"
            )

    def _check_written(self, ledger: PartitionLedger, replica: Replica, batch: Batch) -> None:
        known = ledger.written.get((batch.leader_epoch, batch.base))
        if known != batch:
            self.fail(
                f"{ledger.name}: broker {replica.broker_id} holds {batch}; the leader of that "
                f"epoch wrote {known}"
            )

    def _rematch(self, ledger: PartitionLedger, replica: Replica) -> None:
        """Go on comparing with the committed log from where they agreed."""
        position = bisect_left(ledger.bases, replica.matched)
        own = bisect_left(replica.bases, replica.matched)
        committed, batches = ledger.committed, replica.batches
        while (
            position < len(committed)
            and own < len(batches)
            and batches[own].base == replica.matched
            and batches[own] == committed[position]
        ):
            replica.matched = batches[own].next
            position += 1
            own += 1

    # ---- partitions

    def became_leader(self, partition: Partition, broker_id: int, process: Process) -> None:
        ledger = self.of(partition.topic_id, partition.index)
        if ledger is None:
            return
        epoch = partition.leader_epoch
        other = ledger.leaders.setdefault(epoch, process)
        if other is not process:
            self.fail(
                f"{ledger.name}: {process.host} leads in epoch {epoch}, in which {other.host} "
                f"led already{' (an earlier process)' if other.host == process.host else ''}"
            )
        replica = ledger.replica(broker_id)
        self.log(process.host, "%s leads in epoch %d from %d", ledger.name, epoch, replica.end)
        # One that hears late of an epoch that has passed already need not hold what came after it.
        if epoch == ledger.leader_epoch and replica.matched < ledger.committed_end:
            self.fail(
                f"{ledger.name}: {process.host} leads in epoch {epoch} without committed records: "
                f"its log agrees with the committed one to {replica.matched} of "
                f"{ledger.committed_end}"
            )

    def committed(self, partition: Partition, broker_id: int) -> None:
        """The leader `broker_id` moved its high watermark."""
        ledger = self.of(partition.topic_id, partition.index)
        if ledger is None:
            return
        self.high_watermark_moves += 1
        high_watermark = partition.high_watermark
        replica = ledger.replica(broker_id)
        if replica.matched < min(ledger.committed_end, high_watermark):
            self.fail(
                f"{ledger.name}: broker {broker_id} commits up to {high_watermark}, but its log "
                f"agrees with the committed one only to {replica.matched}"
            )
            return
        if high_watermark <= ledger.committed_end:
            return
        first = bisect_left(replica.bases, ledger.committed_end)
        last = bisect_left(replica.bases, high_watermark)
        for batch in replica.batches[first:last]:
            ledger.committed.append(batch)
            ledger.bases.append(batch.base)
            if batch.producer_id >= 0:
                if (batch.producer_id, batch.sequence) in ledger.sequences:
                    self.fail(f"{ledger.name}: a producer's batch is committed twice: {batch}")
                ledger.sequences.add((batch.producer_id, batch.sequence))
        self.committed_records += high_watermark - ledger.committed_end
        ledger.committed_end = high_watermark
        if ledger.committed and ledger.committed[-1].next != high_watermark:
            self.fail(
                f"{ledger.name}: broker {broker_id} has its high watermark at {high_watermark}, "
                f"inside of {ledger.committed[-1]}"
            )
        replica.matched = high_watermark
        for other in ledger.replicas.values():
            if other is not replica and not other.lost:
                self._rematch(ledger, other)
                if other.broker_id in ledger.electable and other.matched < high_watermark:
                    self._missing(ledger, broker_id, other)
        if ledger.durable:
            self._check_synced(ledger, high_watermark)

    def _missing(self, ledger: PartitionLedger, leader_id: int, other: Replica) -> None:
        self.fail(
            f"{ledger.name}: leader {leader_id} commits up to {ledger.committed_end}, but broker "
            f"{other.broker_id}, which may be elected, has only {other.matched}"
        )

    def _check_synced(self, ledger: PartitionLedger, high_watermark: int) -> None:
        for other in ledger.replicas.values():
            log = other.log
            if (
                log is not None
                and other.broker_id in ledger.electable
                and log.recovery_point < high_watermark
            ):
                self.fail(
                    f"{ledger.name}: committed up to {high_watermark}, but broker "
                    f"{other.broker_id} has synced only {log.recovery_point} (durable mode)"
                )

    # ---- metadata

    def electable_changed(self, key: Key, electable: frozenset[int], leader_id: int | None) -> None:
        """The metadata log says who may be elected from now on."""
        ledger = self.partitions[key]
        before, ledger.electable = ledger.electable, electable
        for broker_id in electable - before:
            self._check_holds(ledger, broker_id, "may be elected from now on")
        if leader_id is not None:
            self._check_holds(ledger, leader_id, "is elected")

    def _check_holds(self, ledger: PartitionLedger, broker_id: int, what: str) -> None:
        replica = ledger.replicas.get(broker_id)
        if replica is None or replica.lost:
            if ledger.committed_end and replica is None:
                self.fail(f"{ledger.name}: broker {broker_id} {what} without a log")
            return
        if replica.matched < ledger.committed_end:
            self.fail(
                f"{ledger.name}: broker {broker_id} {what}, but its log agrees with the committed "
                f"one only to {replica.matched} of {ledger.committed_end}"
            )

    # ---- clients

    def acknowledge(self, topic_id: Uuid, index: int, base: int, crc: int, records: int) -> None:
        """A producer was told, with acks=all, that its batch is at `base`."""
        ledger = self.of(topic_id, index)
        if ledger is None:
            return
        self.acknowledged += records
        found = ledger.at(base)
        if found is None or found.crc != crc:
            self.fail(
                f"{ledger.name}: a batch (crc {crc:08x}) was acknowledged at {base}; committed "
                f"(up to {ledger.committed_end}) is there {found}"
            )

    def consumed(self, topic_id: Uuid, index: int, position: int, data: bytes) -> int:
        """A consumer at `position` got `data`; where it goes on."""
        ledger = self.of(topic_id, index)
        if ledger is None:
            return position
        for batch in batches_in(data):
            found = ledger.at(batch.base)
            if found is None or found.crc != batch.crc:
                self.fail(
                    f"{ledger.name}: a consumer read {batch}; committed (up to "
                    f"{ledger.committed_end}) is there {found}"
                )
            if not batch.base <= position < batch.next:
                self.fail(f"{ledger.name}: a consumer at {position} got {batch}")
            position = batch.next
        return position

    # ---- everything

    def check_all(self) -> None:
        """Compare what the logs hold on disk with what the ledger knows, and with each other."""
        for ledger in self.partitions.values():
            for replica in ledger.replicas.values():
                log = replica.log
                if log is None or replica.lost or not log.usable:
                    continue
                found = [*read_all(log)]
                if found != replica.batches:
                    self.fail(
                        f"{ledger.name}: the log of broker {replica.broker_id} holds on disk what "
                        "was never appended, or lacks what was"
                    )
                agreed = replica.matched
                replica.matched = 0
                self._rematch(ledger, replica)
                if replica.matched != agreed:
                    self.fail(
                        f"{ledger.name}: broker {replica.broker_id} agrees with the committed log "
                        f"to {replica.matched}, and did to {agreed}"
                    )
