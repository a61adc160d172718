"""Batches as the producer state sees them: data, or the marker that ends a transaction. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from ottla.record.batch import BatchHeader, iter_records
from ottla.record.compression import Buffer
from ottla.record.control import ControlRecordType, control_record_type, coordinator_epoch_of
from storage.producers import ProducerState
from storage.transaction_index import AbortedTransaction

_MARKERS = frozenset({ControlRecordType.ABORT, ControlRecordType.COMMIT})


@dataclass(frozen=True, slots=True)
class Marker:
    """The end of a producer's transaction."""

    control_type: ControlRecordType
    coordinator_epoch: int
    offset: int


def read_marker(batch: Buffer, position: int, header: BatchHeader) -> Marker | None:
    """The marker in a control batch; None for data and for control batches of other kinds.

    DecodeError: the control record is not what its format says.
    """
    if not header.is_control or header.producer_id < 0:
        return None
    for record in iter_records(batch, position, header):
        control_type = control_record_type(record.key)
        if control_type in _MARKERS:
            return Marker(control_type, coordinator_epoch_of(record.value), record.offset)
    return None


def note_batch(
    producers: ProducerState, header: BatchHeader, marker: Marker | None, seen_ms: int
) -> AbortedTransaction | None:
    """Take a batch that is in the log into the producer state; the transaction that it aborted."""
    if header.producer_id < 0:
        return None
    if marker is None:
        if not header.is_control:
            producers.update(header, seen_ms)
        return None
    marker_offset = header.base_offset + header.last_offset_delta
    first_offset = producers.end_transaction(
        header.producer_id,
        header.producer_epoch,
        marker.coordinator_epoch,
        marker_offset,
        seen_ms,
    )
    if first_offset is None or marker.control_type is not ControlRecordType.ABORT:
        return None
    oldest = producers.first_open_offset()
    last_stable_offset = marker_offset + 1 if oldest is None else oldest
    return AbortedTransaction(header.producer_id, first_offset, marker_offset, last_stable_offset)
