"""Batches as the producer state sees them: data, or the marker that ends a transaction. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from ottla.record.batch import BatchHeader, iter_records
from ottla.record.compression import Buffer
from ottla.record.control import ControlRecordType, control_record_type, coordinator_epoch_of
from storage.producers import ProducerState

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
) -> None:
    """Take a batch that is in the log into the producer state."""
    if header.producer_id < 0:
        return
    if marker is not None:
        producers.end_transaction(
            header.producer_id,
            header.producer_epoch,
            marker.coordinator_epoch,
            header.base_offset + header.last_offset_delta,
            seen_ms,
        )
    elif not header.is_control:
        producers.update(header, seen_ms)
