"""What a broker's partitions must keep to, looked at after each of its callbacks.

Most callbacks change nothing, so a handful of fields is compared first.

    epochs            leader and partition epoch never fall in one process
    high watermark    never falls while one leader leads in one epoch, is never above the log end, a
                      follower's never above what is committed
    a leader's move   commits, and needs min.insync.replicas committed members (rule 6)
    committed ISR     is what the metadata log says at that partition epoch
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from broker.replication.partition import Partition
from broker.replication.partition_machine import Role
from tests.simulation.ledger import Ledger

if TYPE_CHECKING:
    from broker.control.metadata_cache import MetadataCache
    from tests.simulation.broker_node import WatchedReplicas
    from tests.simulation.loop import Process


class _Seen:
    """A partition as it was after the last callback that changed it."""

    __slots__ = ("high_watermark", "isr_state", "leader_epoch", "partition_epoch", "role")

    def __init__(self) -> None:
        self.role = Role.FOLLOWER
        self.leader_epoch = -1
        self.partition_epoch = -1
        self.high_watermark = 0
        self.isr_state: object = None


class Observer:
    """One process of a broker."""

    def __init__(
        self,
        process: Process,
        broker_id: int,
        replicas: WatchedReplicas,
        cache: MetadataCache,
        ledger: Ledger,
    ) -> None:
        self._process = process
        self._broker_id = broker_id
        self._ledger = ledger
        self._cache = cache
        self._partitions = replicas._partitions  # read after each callback: no copy
        self._seen: dict[Partition, _Seen] = {}
        self._metadata = (0, 0)
        replicas.on_move = self.look_at
        replicas.on_moved_away = lambda key: ledger.deleted_log(broker_id, *key)

    def look_at(self, partition: Partition) -> None:
        """Its high watermark has just moved."""
        known = self._seen.get(partition)
        if known is None:
            known = self._seen[partition] = _Seen()
        self._changed(partition, known)

    def look(self) -> None:
        cache = self._cache
        if cache.offset < self._metadata[1] or cache.controller_epoch < self._metadata[0]:
            self._ledger.fail(
                f"{self._process.host}: metadata went back from {self._metadata} to "
                f"{(cache.controller_epoch, cache.offset)}"
            )
        self._metadata = (cache.controller_epoch, cache.offset)
        seen = self._seen
        for partition in self._partitions.values():
            machine = partition.machine
            known = seen.get(partition)
            if known is None:
                known = seen[partition] = _Seen()
            if (
                machine.high_watermark != known.high_watermark
                or machine.isr_state is not known.isr_state
                or machine.partition_epoch != known.partition_epoch
                or machine.role is not known.role
            ):
                self._changed(partition, known)

    def _changed(self, partition: Partition, known: _Seen) -> None:
        ledger, machine = self._ledger, partition.machine
        truth = ledger.of(partition.topic_id, partition.index)
        if truth is None:
            return
        where = f"{self._process.host} {truth.name}"
        if (
            machine.leader_epoch < known.leader_epoch
            or machine.partition_epoch < known.partition_epoch
        ):
            ledger.fail(
                f"{where}: the epochs fall from {known.leader_epoch}, {known.partition_epoch} to "
                f"{machine.leader_epoch}, {machine.partition_epoch}"
            )
        if machine.partition_epoch >= 0 and machine.role is not Role.OFFLINE:
            told = truth.isr_at.get(machine.partition_epoch)
            if told is None or set(machine.isr) != set(told):
                ledger.fail(
                    f"{where}: its committed ISR is {machine.isr} at partition epoch "
                    f"{machine.partition_epoch}, at which the controller said {told}"
                )
        if machine.role is Role.LEADER:
            self._leads(partition, known, where)
        elif machine.role is Role.FOLLOWER and machine.high_watermark > truth.committed_end:
            ledger.fail(
                f"{where}: a follower's high watermark is {machine.high_watermark}, committed is "
                f"{truth.committed_end}"
            )
        known.role = machine.role
        known.leader_epoch = machine.leader_epoch
        known.partition_epoch = machine.partition_epoch
        known.high_watermark = machine.high_watermark
        known.isr_state = machine.isr_state

    def _leads(self, partition: Partition, known: _Seen, where: str) -> None:
        ledger, machine = self._ledger, partition.machine
        same = known.role is Role.LEADER and machine.leader_epoch == known.leader_epoch
        if not same:
            ledger.became_leader(partition, self._broker_id, self._process)
        elif machine.high_watermark < known.high_watermark:
            ledger.fail(
                f"{where}: the high watermark falls from {known.high_watermark} to "
                f"{machine.high_watermark} within leader epoch {machine.leader_epoch}"
            )
        log = partition.log
        if log is not None and machine.high_watermark > log.log_end_offset:
            ledger.fail(
                f"{where}: the high watermark {machine.high_watermark} is above the log end "
                f"{log.log_end_offset}"
            )
        if machine.high_watermark > known.high_watermark and (
            same or machine.high_watermark > machine.epoch_start_offset
        ):
            required = min(machine.min_insync_replicas, len(machine.replicas) - machine._adding)
            if len(machine.isr) < required:
                ledger.fail(
                    f"{where}: the high watermark moved to {machine.high_watermark} with ISR "
                    f"{machine.isr}; it needs {required} members"
                )
        if machine.high_watermark != known.high_watermark or not same:
            ledger.committed(partition, self._broker_id)
