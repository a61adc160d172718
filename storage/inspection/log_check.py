"""Checking one log's folder: its batches, indexes, and what the checkpoints say of it.

One pass over all segments in the order of their offsets. What fails below the recovery point is an
error; above it a warning, since a start cuts the log there. Without checkpoints everything that
fails is an error.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from ottla.core.errors import DecodeError
from ottla.core.identifiers import uuid_text
from ottla.record.batch import BatchHeader
from ottla.record.control import ControlRecordType
from storage import marks, names
from storage.indexes import RELATIVE_OFFSET_MAX
from storage.inspection.batch_faults import has_keyless_record, header_faults, record_faults
from storage.inspection.batches import HELD_BYTES_MAX, Damage, StoredBatch, walk_batches
from storage.inspection.history import History
from storage.inspection.leftovers import leftovers_of_log
from storage.inspection.report import LogReport, Severity
from storage.inspection.segment_indexes import SegmentIndexes, Trust
from storage.inspection.stored import StoredLog
from storage.vfs import OpenMode, Vfs, VfsFile

_GAPS_LOOKED_INTO_MAX = 64  # of one segment: each costs a decompression

Progress = Callable[[int], None]
"""Told how many bytes more have been read."""


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """`deep`: decompress every batch and walk over its records. `gaps_allowed`: the topic may have
    been compacted."""

    deep: bool = False
    gaps_allowed: bool = True


class LogCheck:
    """See the module.

    `stored`: None without checkpoints; it may know nothing of this log, which is then new or whose
    checkpoint was lost. `in_use`: a broker may be writing. `stopped_cleanly`: nothing was appended
    after the checkpoint.
    """

    def __init__(
        self,
        vfs: Vfs,
        folder: str,
        topic: str,
        partition: int,
        *,
        stored: StoredLog | None,
        in_use: bool,
        stopped_cleanly: bool,
        options: CheckOptions,
        progress: Progress = lambda count: None,
    ) -> None:
        self._vfs = vfs
        self._folder = folder
        self._stored = stored
        self._checkpoint = None if stored is None else stored.checkpoint
        self._in_use = in_use
        self._stopped_cleanly = stopped_cleanly
        self._options = options
        self._progress = progress
        topic_id = marks.read_partition_metadata(vfs, folder)
        shown = None if topic_id is None else uuid_text(topic_id)
        self._report = LogReport(folder, topic, partition, shown)
        self._next_offset = 0
        self._gaps_looked_into = 0
        self._swapping = False  # a compaction was cut off while it replaced segments
        self._before: tuple[str, StoredBatch] | None = None  # the last batch, and its file

    def run(self) -> LogReport:
        """Check everything. OSError: the disk, or the folder is gone."""
        report, checkpoint = self._report, self._checkpoint
        found = self._vfs.listdir(self._folder)
        bases = sorted(b for name in found if (b := names.base_offset_of(name)) is not None)
        self._swapping = any(name.endswith(names.SWAP_SUFFIX) for name in found)
        for severity, name, message in leftovers_of_log(found, bases):
            self._note(severity, os.path.join(self._folder, name), message)
        if report.topic_id is None:
            path = os.path.join(self._folder, names.PARTITION_METADATA)
            message = "says no topic id: the next start puts the folder aside, if it holds records"
            # A power cut may take it until the log's first flush.
            severity = Severity.ERROR if self._stopped_cleanly else Severity.WARNING
            self._note(severity, path, message)
        snapshots = {}
        if self._stored is not None and checkpoint is not None:
            report.recovery_point = checkpoint.recovery_point
            report.log_start_offset = checkpoint.log_start_offset
            report.high_watermark = self._stored.high_watermark
            # Those above the recovery point are not believed by anybody.
            point = checkpoint.recovery_point
            snapshots = {o: s for o, s in self._stored.snapshots.items() if o <= point}
        report.segments = len(bases)
        report.first_offset = self._next_offset = (
            bases[0] if bases else report.log_start_offset or 0
        )
        self._history = History(report.first_offset, snapshots)
        for number, base_offset in enumerate(bases):
            following = bases[number + 1] if number + 1 < len(bases) else None
            path = os.path.join(self._folder, names.segment_name(base_offset) + names.LOG_SUFFIX)
            try:
                self._segment(path, base_offset, following)
            except FileNotFoundError:
                if not self._in_use:
                    raise
                self._note(Severity.INFO, path, "removed by the broker while it was to be read")
                self._next_offset = base_offset if following is None else following
        report.log_end_offset = self._next_offset
        if report.compacted:
            message = (
                f"{report.gaps} gaps in the offsets, {report.thinned} batches that lost records"
            )
            self._note(Severity.INFO, self._folder, message)
        self._check_points(has_segments=bool(bases))
        return report

    # Batches

    def _segment(self, path: str, base_offset: int, following: int | None) -> None:
        report = self._report
        if base_offset > self._next_offset:
            self._gap_between(path, base_offset)
        self._next_offset = max(self._next_offset, base_offset)
        self._gaps_looked_into = 0
        file = self._vfs.open(path, OpenMode.READ)
        indexes = SegmentIndexes(
            self._vfs,
            self._folder,
            base_offset,
            findings=report.findings,
            first_known=report.first_offset,
            sealed=following is not None,
            trust=self._trust(base_offset, following),
            # Nothing is believed of a log that the checkpoints do not know.
            recovery_point=report.recovery_point if self._stored is None or self._checkpoint else 0,
            stopped_cleanly=self._stopped_cleanly,
        )
        try:
            self._walk(path, file, base_offset, following, indexes)
            indexes.finish()
        except Damage as damage:
            if following is not None and self._gone_meanwhile(following):
                self._note(Severity.INFO, path, "compacted by the broker while it was read")
                self._next_offset = max(self._next_offset, following)
            else:
                self._damaged(path, damage, file.size(), following)
        finally:
            indexes.close()
            file.close()

    def _walk(
        self,
        path: str,
        file: VfsFile,
        base_offset: int,
        following: int | None,
        indexes: SegmentIndexes,
    ) -> None:
        size = file.size()
        self._report.size += size
        for batch in walk_batches(file, 0, size):
            header, position = batch.header, batch.position
            if following is not None and header.next_offset > following:
                raise Damage(
                    position,
                    f"a batch with offsets {header.base_offset} to {header.last_offset} reaches "
                    f"into the next segment, which begins at {following}",
                )
            if header.last_offset - base_offset > RELATIVE_OFFSET_MAX:
                raise Damage(position, f"a batch ends at offset {header.last_offset}, too far away")
            if header.base_offset > self._next_offset:
                self._gap(path, position, header.base_offset)
            self._batch(path, batch)
            indexes.batch(position, header)
            if batch.crc_ok and batch.data is not None:
                self._follow(path, position, header, batch.data, indexes)
            self._next_offset = max(self._next_offset, header.next_offset)
            self._progress(header.size)
            self._before = (path, StoredBatch(position, header, batch.crc_ok, None))

    def _batch(self, path: str, batch: StoredBatch) -> None:
        """One batch by itself, and after the one before."""
        report, header = self._report, batch.header
        report.batches += 1
        report.records += max(0, header.record_count)
        report.thinned += header.record_count <= header.last_offset_delta
        faults = list(header_faults(header, self._next_offset, self._history.last_epoch))
        if not batch.crc_ok:
            faults.append("its CRC is wrong")
        elif self._options.deep:
            if batch.data is None:
                faults.append(f"its {header.size} bytes are too many to be looked into")
            else:
                faults += record_faults(header, batch.data)
        for fault in faults:
            self._fault(path, batch.position, header.base_offset, f"a batch is damaged: {fault}")

    def _follow(
        self,
        path: str,
        position: int,
        header: BatchHeader,
        data: memoryview,
        indexes: SegmentIndexes,
    ) -> None:
        compacted = self._report.compacted
        try:
            marker, aborted = self._history.note(header, data, compacted=compacted)
        except DecodeError as error:
            self._fault(path, position, header.base_offset, f"a control batch: {error}")
            return
        if aborted is not None:
            indexes.aborted(aborted, compacted=compacted)
        elif marker is not None and marker.control_type is ControlRecordType.ABORT:
            indexes.aborted_unknown(header.producer_id, marker.offset)

    def _gap_between(self, path: str, base_offset: int) -> None:
        """A segment ends before the next one begins: only Kafka's compaction leaves that."""
        if self._checkpoint is None or self._swapping:
            self._gap(path, 0, base_offset)
            return
        self._report.gaps += 1
        message = f"the segment before ends at offset {self._next_offset}, this begins beyond it"
        self._fault(path, 0, base_offset, message)

    def _gap(self, path: str, position: int, offset: int) -> None:
        """Offsets up to `offset` are missing. Compaction leaves gaps, but no keyless record before
        one: it removes those."""
        self._report.gaps += 1
        message = f"offsets {self._next_offset} to {offset - 1} are missing"
        if not self._options.gaps_allowed:
            self._fault(path, position, offset, message)
        elif self._keyless_before():
            message += ", after records without keys: not the work of a compaction"
            self._fault(path, position, offset, message)

    def _keyless_before(self) -> bool:
        """Whether the last batch that was met holds a record without key; False: not looked."""
        self._gaps_looked_into += 1
        if self._before is None or self._gaps_looked_into > _GAPS_LOOKED_INTO_MAX:
            return False
        path, batch = self._before
        if batch.header.size > HELD_BYTES_MAX:
            return False
        file = self._vfs.open(path, OpenMode.READ)
        try:
            data = file.pread(batch.header.size, batch.position)
        finally:
            file.close()
        return len(data) == batch.header.size and has_keyless_record(batch.header, data)

    # What it means

    def _gone_meanwhile(self, base_offset: int) -> bool:
        name = names.segment_name(base_offset) + names.LOG_SUFFIX
        return self._in_use and not self._vfs.exists(os.path.join(self._folder, name))

    def _trust(self, base_offset: int, following: int | None) -> Trust:
        if self._checkpoint is None:
            return Trust.UNKNOWN if self._stored is None else Trust.MADE_AGAIN
        if following is None:  # saved by a clean stop alone
            believed = self._stopped_cleanly and self._checkpoint.index_point > base_offset
        else:
            believed = following <= self._checkpoint.index_point
        return Trust.BELIEVED if believed else Trust.MADE_AGAIN

    def _fault(self, path: str, position: int, offset: int, message: str) -> None:
        """Something that does not hold, at the log's present end."""
        point = self._report.recovery_point
        if point is None and self._stored is not None:
            point = 0  # too new for a checkpoint: a crash may have left anything
        if point is None or self._next_offset < point:
            self._note(Severity.ERROR, path, message, position, offset)
            return
        then = f"above the recovery point {point}: the log is cut here at the next start"
        if self._in_use:
            then += ", unless the broker is just writing it"
        self._note(Severity.WARNING, path, f"{message}; {then}", position, offset)

    def _damaged(self, path: str, damage: Damage, size: int, following: int | None) -> None:
        """The batches cannot be followed; the next segment is where it goes on."""
        left = size - damage.position
        message = f"{damage.cause}; {left} bytes from here on were not read"
        self._fault(path, damage.position, self._next_offset, message)
        if following is not None:
            self._next_offset = max(self._next_offset, following)

    def _check_points(self, *, has_segments: bool) -> None:
        """The checkpoint against the log that was found."""
        report, checkpoint = self._report, self._checkpoint
        end = report.log_end_offset
        self._history.check_snapshots(end, compacted=report.compacted)
        if checkpoint is None:
            if self._stored is not None and not self._in_use:
                message = "not in the checkpoints: the next start reads all of it"
                self._note(Severity.INFO, self._folder, message)
            return
        start, point = checkpoint.log_start_offset, checkpoint.recovery_point
        if not has_segments and point > start:
            self._note(Severity.ERROR, self._folder, f"no segments, although {point} was synced")
        elif has_segments and end < point:
            message = f"the log ends at offset {end}, although everything below {point} was synced"
            self._note(Severity.ERROR, self._folder, message)
        elif has_segments and self._stopped_cleanly and end != point:
            message = (
                f"the log ends at offset {end}; when it was stopped it was synced up to {point}"
            )
            self._note(Severity.ERROR, self._folder, message)
        if start > end:
            message = f"the log start {start} lies beyond the log end {end}; it is lowered at start"
            self._note(Severity.WARNING, self._folder, message)
        for fault in self._history.epoch_faults(checkpoint):
            self._note(Severity.ERROR, self._folder, fault)
        for offset, fault in self._history.snapshot_faults:
            message = f"the producer snapshot at offset {offset}: {fault}"
            self._note(Severity.ERROR, self._folder, message, offset=offset)

    def _note(
        self,
        severity: Severity,
        path: str,
        message: str,
        position: int | None = None,
        offset: int | None = None,
    ) -> None:
        self._report.findings.add(severity, path, message, position=position, offset=offset)
