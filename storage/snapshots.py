"""Snapshots of a log's producer state: when they are taken, which are kept, how they are used.

They are taken when the log rolls, when it is closed, and every so many bytes between, so that a
truncation need not read a whole segment again. Kept are the newest two at or below the recovery
point (SAFETY.md, rule 17; after a crash only those are believed), those at the start of a segment
above it, which the recovery point will reach, and the newest few of the rest.
"""

from __future__ import annotations

import logging
from collections.abc import Collection

from ottla.core.errors import DecodeError
from ottla.record.batch import BatchHeader
from storage.checkpoints import Checkpoints, LogKey
from storage.markers import note_batch, read_marker
from storage.producers import ProducerState
from storage.scan import walk_headers
from storage.segment import Segment
from storage.transaction_index import AbortedTransaction

_log = logging.getLogger(__name__)

INTERVAL_BYTES = 16 << 20
_INTERVAL_BYTES_PER_PRODUCER = 4096  # so that snapshots stay far cheaper than appends
_KEPT_BELOW = 2
_KEPT_ABOVE = 4


class ProducerSnapshots:
    """The snapshots of one log, in the checkpoints."""

    __slots__ = ("_checkpoints", "_key", "bytes_since")

    def __init__(self, checkpoints: Checkpoints, key: LogKey) -> None:
        self._checkpoints = checkpoints
        self._key = key
        self.bytes_since = 0  # bytes appended since the last snapshot

    def take(self, producers: ProducerState, offset: int) -> None:
        """Note the state that covers everything below `offset`."""
        self.bytes_since = 0
        self._checkpoints.note_snapshot(self._key, offset, producers.encode())

    def maybe_take(self, producers: ProducerState, offset: int) -> bool:
        """Take one if enough was appended since the last; whether it did."""
        interval = max(INTERVAL_BYTES, len(producers) * _INTERVAL_BYTES_PER_PRODUCER)
        if not len(producers) or self.bytes_since <= interval:
            return False
        self.take(producers, offset)
        return True

    def drop_old(self, recovery_point: int, segment_starts: Collection[int]) -> None:
        """Drop those that are not kept."""
        offsets = self._checkpoints.snapshot_offsets(self._key)
        below = [offset for offset in offsets if offset <= recovery_point]
        above = [offset for offset in offsets if offset > recovery_point]
        kept = {*below[-_KEPT_BELOW:], *above[-_KEPT_ABOVE:]}
        kept.update(offset for offset in above if offset in segment_starts)
        self._checkpoints.drop_snapshots(self._key, [o for o in offsets if o not in kept])

    def drop_above(self, log_end_offset: int) -> None:
        """Drop those of a part of the log that was truncated."""
        offsets = self._checkpoints.snapshot_offsets(self._key)
        self._checkpoints.drop_snapshots(self._key, [o for o in offsets if o > log_end_offset])

    def latest(self, first: int, last: int) -> tuple[int, ProducerState]:
        """The newest usable snapshot at an offset in [first, last]; else (first, nothing)."""
        for offset in reversed(self._checkpoints.snapshot_offsets(self._key)):
            if not first <= offset <= last:
                continue
            data = self._checkpoints.snapshot(self._key, offset)
            if data is None:
                continue
            try:
                return offset, ProducerState.decode(data)
            except DecodeError as error:
                _log.warning("the producer snapshot at offset %d is of no use: %s", offset, error)
        return first, ProducerState()


def replay_segment(
    producers: ProducerState, segment: Segment, start_offset: int, seen_ms: int
) -> None:
    """Take the batches of a segment from the boundary `start_offset` on into the state.

    DecodeError: the segment is damaged.
    """
    if start_offset >= segment.next_offset:
        return
    first = 0
    if start_offset > segment.base_offset:
        first = segment.locate(start_offset)[0]
    for position, header in walk_headers(segment.file, first, segment.size):
        if header.producer_id >= 0:
            replay_batch(producers, segment, position, header, seen_ms)


def replay_batch(
    producers: ProducerState, segment: Segment, position: int, header: BatchHeader, seen_ms: int
) -> AbortedTransaction | None:
    """Take one batch of a producer that is in a segment's file into the state; see `note_batch`."""
    marker = None
    if header.is_control:
        batch = segment.file.pread(header.size, position)
        try:
            marker = read_marker(batch, 0, header)
        except DecodeError as error:  # the batch is as it was written: no reason to stop
            _log.warning("%s.log, offset %d: %s", segment.path, header.base_offset, error)
    return note_batch(producers, header, marker, seen_ms)
