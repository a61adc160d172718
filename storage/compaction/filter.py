"""What compaction keeps of one batch (Kafka's rules, with KIP-534 for delete horizons). Pure.

A record stays when no later one has its key; a tombstone stays until the batch's delete horizon has
passed, which the first pass that meets it sets to now + `delete.retention.ms`. Records of aborted
transactions, and records without a key, go. Base and last offset of a batch never change, nor its
producer and sequence; a batch that lost all records goes too, unless it is the last one of an
active producer (whose sequence would be forgotten) or must mark where a segment ends: then its
header stays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ottla.core.errors import DecodeError
from ottla.record.batch import (
    COMPRESSION_MASK,
    DELETE_HORIZON_BIT,
    HEADER_SIZE,
    BatchHeader,
    iter_records,
    read_varint,
)
from ottla.record.build import append_varint, empty_batch, pack_batch
from ottla.record.compression import Buffer, Compression, compress, decompress
from ottla.record.control import ControlRecordType, control_record_type
from ottla.record.spans import RecordSpan, iter_spans
from storage.compaction.job import LastBatch
from storage.compaction.key_map import KeyMap
from storage.compaction.transactions import TransactionFilter


class BatchFilter:
    """One pass. `keys` covers everything from the dirty offset to `keys_end` (exclusive): from
    there on nothing is known, and everything stays."""

    __slots__ = (
        "_delete_retention_ms",
        "_keys",
        "_keys_end",
        "_producers",
        "_timestamp_ms",
        "_transactions",
        "records_after",
        "records_before",
    )

    def __init__(
        self,
        keys: KeyMap,
        keys_end: int,
        transactions: TransactionFilter,
        producers: Mapping[int, LastBatch],
        *,
        timestamp_ms: int,
        delete_retention_ms: int,
    ) -> None:
        self._keys = keys
        self._keys_end = keys_end
        self._transactions = transactions
        self._producers = producers
        self._timestamp_ms = timestamp_ms
        self._delete_retention_ms = delete_retention_ms
        self.records_before = 0
        self.records_after = 0

    def apply(self, batch: bytes, header: BatchHeader, *, must_stay: bool) -> Buffer | None:
        """What is left of a batch: itself, another one, or nothing. DecodeError: it is damaged."""
        self.records_before += header.record_count
        kept = self._apply(batch, header, must_stay or self._is_last_of_producer(header))
        if kept is batch:
            self.records_after += header.record_count
        return kept

    def _apply(self, batch: bytes, header: BatchHeader, must_stay: bool) -> Buffer | None:
        horizon_ms = header.delete_horizon_ms
        is_over = horizon_ms is not None and horizon_ms <= self._timestamp_ms
        if header.is_control:
            has_served = self._transactions.has_served(header, _control_type(batch, header))
            if has_served and is_over and not must_stay:
                return None
            if not (has_served and horizon_ms is None and header.record_count):
                return batch
            data, spans = _spans(batch, header)
            return self._rebuilt(header, data, spans, self._new_horizon_ms())
        if self._transactions.is_aborted(header):
            return self._emptied(batch, header, must_stay)
        data, spans = _spans(batch, header)
        base_offset = header.base_offset
        kept = [span for span in spans if self._stays(span, base_offset, is_over)]
        if not kept:
            return self._emptied(batch, header, must_stay)
        has_tombstone = any(not span[5] for span in kept)
        if has_tombstone and horizon_ms is None:
            return self._rebuilt(header, data, kept, self._new_horizon_ms())
        return batch if len(kept) == len(spans) else self._rebuilt(header, data, kept, None)

    def _stays(self, span: RecordSpan, base_offset: int, tombstones_go: bool) -> bool:
        _, _, offset_delta, _, key, has_value = span
        offset = base_offset + offset_delta
        if offset >= self._keys_end:
            return True
        if key is None:
            return False
        last_offset = self._keys.last_offset(key)
        if last_offset is not None and last_offset > offset:
            return False
        return has_value or not tombstones_go

    def _is_last_of_producer(self, header: BatchHeader) -> bool:
        last = self._producers.get(header.producer_id)
        if last is None:
            return False
        if last.last_offset is None:
            return header.is_control and header.producer_epoch == last.producer_epoch
        return header.last_offset == last.last_offset

    def _new_horizon_ms(self) -> int:
        return self._timestamp_ms + self._delete_retention_ms

    def _emptied(self, batch: bytes, header: BatchHeader, must_stay: bool) -> Buffer | None:
        if not must_stay:
            return None
        if not header.record_count:
            return batch
        return empty_batch(
            header.base_offset,
            header.last_offset,
            header.leader_epoch,
            attributes=header.attributes & ~(COMPRESSION_MASK | DELETE_HORIZON_BIT),
            max_timestamp=header.max_timestamp,
            producer_id=header.producer_id,
            producer_epoch=header.producer_epoch,
            base_sequence=header.base_sequence,
        )

    def _rebuilt(
        self,
        header: BatchHeader,
        data: bytes,
        spans: Sequence[RecordSpan],
        new_horizon_ms: int | None,
    ) -> Buffer:
        """The batch with these records alone, compressed as before."""
        self.records_after += len(spans)
        base_timestamp, attributes = header.base_timestamp, header.attributes
        max_timestamp = header.max_timestamp
        if not header.log_append_time:
            max_timestamp = base_timestamp + max(span[3] for span in spans)
        if new_horizon_ms is None:
            records = b"".join([data[span[0] : span[1]] for span in spans])
        else:
            records = _with_base_timestamp(data, spans, base_timestamp, new_horizon_ms)
            base_timestamp = new_horizon_ms
            attributes |= DELETE_HORIZON_BIT
        if header.compression is not Compression.NONE:
            records = compress(records, header.compression)
        return pack_batch(
            records,
            base_offset=header.base_offset,
            leader_epoch=header.leader_epoch,
            attributes=attributes,
            last_offset_delta=header.last_offset_delta,
            base_timestamp=base_timestamp,
            max_timestamp=max_timestamp,
            producer_id=header.producer_id,
            producer_epoch=header.producer_epoch,
            base_sequence=header.base_sequence,
            record_count=len(spans),
        )


def note_keys(keys: KeyMap, batch: bytes, header: BatchHeader, first_offset: int) -> bool:
    """Take the keys of a data batch into the map, from `first_offset` on; False when it is full.

    Then some of the batch's keys may be in it: its offsets must count as unknown all the same.
    """
    _, spans = _spans(batch, header)
    for _, _, offset_delta, _, key, _ in spans:
        offset = header.base_offset + offset_delta
        if key is not None and offset >= first_offset and not keys.put(key, offset):
            return False
    return True


def _spans(batch: bytes, header: BatchHeader) -> tuple[bytes, list[RecordSpan]]:
    if not header.record_count:
        return b"", []
    data = decompress(memoryview(batch)[HEADER_SIZE:], header.compression)
    return data, list(iter_spans(data, header))


def _control_type(batch: bytes, header: BatchHeader) -> ControlRecordType | None:
    try:
        for record in iter_records(batch, 0, header):
            return control_record_type(record.key)
    except DecodeError:  # what a coordinator wrote like that stays for ever, and is no damage
        pass
    return None


def _with_base_timestamp(
    data: bytes, spans: Sequence[RecordSpan], old_ms: int, new_ms: int
) -> bytes:
    """The records with their timestamps counted from another base."""
    out = bytearray()
    for start, end, _, timestamp_delta, _, _ in spans:
        _, body = read_varint(data, start)
        _, rest = read_varint(data, body + 1)
        record = bytearray(data[body : body + 1])
        append_varint(record, old_ms + timestamp_delta - new_ms)
        record += data[rest:end]
        append_varint(out, len(record))
        out += record
    return bytes(out)
