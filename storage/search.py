"""Finding batches and records in segments that are on disk."""

from __future__ import annotations

from collections.abc import Sequence

from ottla.core.errors import DecodeError
from ottla.record.batch import BatchHeader, iter_records
from storage.scan import NEAR_WINDOW, walk_headers
from storage.segment import Segment
from storage.slices import LogSlice
from storage.transaction_index import AbortedTransaction


def find_slice(
    segment: Segment, offset: int, max_bytes: int, end_offset: int, at_least_one: bool
) -> LogSlice | None:
    """See `Log.read`; `offset` is in `segment`."""
    start, header = segment.locate(offset)
    limit = start + max_bytes
    end, upper = segment.size, segment.next_offset
    if end_offset < upper:
        end, upper = segment.locate(end_offset)[0], end_offset
    if end > limit:
        end, upper = segment.boundary_before(limit, start)
    if end <= start:
        if not at_least_one or header.next_offset > end_offset:
            return None
        end, upper = start + header.size, header.next_offset
    return LogSlice(segment.file, start, end - start, header.base_offset, upper)


def find_timestamp(
    segments: Sequence[Segment], timestamp: int, log_start_offset: int, end_offset: int
) -> tuple[int, int, int] | None:
    """(timestamp, offset, leader epoch) of the first record whose timestamp is `timestamp` or
    later, and whose offset is in [log_start_offset, end_offset)."""
    for segment in segments:
        if segment.base_offset >= end_offset:
            return None
        if segment.max_timestamp < timestamp or segment.next_offset <= log_start_offset:
            continue
        entry = segment.time_index.floor(timestamp)
        start = 0 if entry is None else segment.locate(entry[1])[0]
        for position, header in walk_headers(segment.file, start, segment.size, NEAR_WINDOW):
            if header.base_offset >= end_offset:
                return None
            if header.max_timestamp < timestamp or header.next_offset <= log_start_offset:
                continue
            found = _in_batch(segment, position, header, timestamp, log_start_offset)
            if found is not None:
                return found if found[1] < end_offset else None
    return None


def find_max_timestamp(
    segments: Sequence[Segment], log_start_offset: int, end_offset: int
) -> tuple[int, int, int] | None:
    """(timestamp, offset, leader epoch) of the first record with the largest timestamp below
    `end_offset`, among whole segments from the log's start on."""
    best: tuple[int, int, Segment] | None = None
    for segment in segments:
        if segment.base_offset >= end_offset:
            break
        if segment.next_offset <= log_start_offset or not segment.size:
            continue
        found = (segment.max_timestamp, segment.max_timestamp_offset)
        if found[1] >= end_offset:
            found = segment.max_timestamp_below(end_offset)
        if found[0] >= 0 and (best is None or found[0] > best[0]):
            best = (*found, segment)
    if best is None:
        return None
    timestamp, last_offset, segment = best
    position, header = segment.locate(last_offset)
    found_record = _in_batch(segment, position, header, timestamp, segment.base_offset)
    # Compaction may have removed the record, and kept the batch's own account of it.
    return found_record or (timestamp, header.last_offset, header.leader_epoch)


def find_aborted(
    segments: Sequence[Segment], offset: int, end_offset: int
) -> list[AbortedTransaction]:
    """The aborted transactions with records in [offset, end_offset), by their markers' order.

    A marker stands at or after the records, so the segments begin with the one that holds `offset`.
    """
    found = []
    for segment in segments:
        for aborted in segment.transactions.entries():
            if aborted.last_offset >= offset and aborted.first_offset < end_offset:
                found.append(aborted)
            if aborted.last_stable_offset >= end_offset:
                return found
    return found


def _in_batch(
    segment: Segment, position: int, header: BatchHeader, timestamp: int, first_offset: int
) -> tuple[int, int, int] | None:
    """The first record of a batch at or after `timestamp`, and at or above `first_offset`."""
    if header.log_append_time:
        offset = max(header.base_offset, first_offset)
        return header.max_timestamp, offset, header.leader_epoch
    batch = segment.file.pread(header.size, position)
    try:
        for record in iter_records(batch, 0, header):
            if record.timestamp >= timestamp and record.offset >= first_offset:
                return record.timestamp, record.offset, header.leader_epoch
    except DecodeError:
        # Its CRC was right, so this is what the producer sent. The batch's start is a safe answer:
        # no record at or after the timestamp lies before it.
        return header.max_timestamp, max(header.base_offset, first_offset), header.leader_epoch
    return None
