"""What the batches of a log amount to, and whether its checkpoints say the same. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ottla.record.batch import BatchHeader
from ottla.record.compression import Buffer
from storage.checkpoints import LogCheckpoint
from storage.epochs import LeaderEpochCache
from storage.inspection.producer_check import snapshot_faults
from storage.markers import Marker, note_batch, read_marker
from storage.producers import ProducerState
from storage.transaction_index import AbortedTransaction


class History:
    """Follows all batches of a log, in order. `first_offset`: where its first segment begins."""

    def __init__(self, first_offset: int, snapshots: Mapping[int, ProducerState | None]) -> None:
        self._first_offset = first_offset
        self._snapshots = snapshots
        self._snapshots_due = sorted(offset for offset in snapshots if offset >= first_offset)
        self._producers = ProducerState()
        self._epochs = LeaderEpochCache()
        self._epoch_ends: dict[int, int] = {}  # leader epoch -> where its last batch ends
        self.snapshot_faults: list[tuple[int, str]] = []  # (offset of the snapshot, what it says)

    @property
    def last_epoch(self) -> int:
        """The newest leader epoch; -1 before the first."""
        newest = self._epochs.latest()
        return -1 if newest is None else newest

    def note(
        self, header: BatchHeader, data: Buffer, *, compacted: bool
    ) -> tuple[Marker | None, AbortedTransaction | None]:
        """The next batch; the marker that it is, and the transaction that it aborts.

        A transaction all of whose records are gone, by compaction or with older segments, is not
        known. DecodeError: a marker that is none.
        """
        self.check_snapshots(header.base_offset, compacted=compacted)
        if header.leader_epoch > self.last_epoch:
            self._epochs.assign(header.leader_epoch, header.base_offset)
        self._epoch_ends[self.last_epoch] = header.next_offset
        if header.producer_id < 0:
            return None, None
        marker = read_marker(data, 0, header)
        return marker, note_batch(self._producers, header, marker, 0)

    def check_snapshots(self, next_offset: int, *, compacted: bool) -> None:
        """Those taken at or below `next_offset`, which is where the log has been followed to."""
        while self._snapshots_due and self._snapshots_due[0] <= next_offset:
            offset = self._snapshots_due.pop(0)
            snapshot = self._snapshots[offset]
            if snapshot is None:
                self.snapshot_faults.append((offset, "it is damaged"))
                continue
            faults = snapshot_faults(
                snapshot, self._producers, self._first_offset, compacted=compacted
            )
            self.snapshot_faults += [(offset, fault) for fault in faults]

    def epoch_faults(self, checkpoint: LogCheckpoint) -> Iterator[str]:
        """Where the epochs of a checkpoint, as far as the recovery point, are not the log's."""
        stored = LeaderEpochCache(checkpoint.epochs)
        stored.truncate_to(checkpoint.recovery_point)
        for leader_epoch, start_offset in self._epochs.entries:
            if not checkpoint.log_start_offset <= start_offset < checkpoint.recovery_point:
                continue
            known = stored.epoch_at(start_offset)
            if known != leader_epoch:
                yield (
                    f"the checkpoint gives leader epoch {known} to offset {start_offset}, whose "
                    f"batch has {leader_epoch}"
                )
        for leader_epoch, start_offset in stored.entries:
            known = self._epochs.epoch_at(start_offset)
            if start_offset < self._first_offset or known is None:
                continue
            # An older epoch ends before, also when compaction took the first batches of this one.
            if known > leader_epoch or (
                known < leader_epoch and self._epoch_ends[known] > start_offset
            ):
                yield (
                    f"the checkpoint lets leader epoch {leader_epoch} begin at offset "
                    f"{start_offset}, where the log has epoch {known}"
                )
