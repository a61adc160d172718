"""The content of a log's files as rows: dictionaries that are printed as text or as JSON.

Every row has a `type`: batch, record, offset, time, transaction, or checkpoint. Problems raise
`DumpError` after the rows before them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any, TypeAlias

from ottla.core.errors import DecodeError, OttlaError
from ottla.core.identifiers import uuid_text
from ottla.record.batch import COMPRESSION_MASK, BatchHeader, Record, iter_records
from ottla.record.compression import Compression
from ottla.record.control import control_record_type, coordinator_epoch_of
from storage import names
from storage.checkpoints import LogKey
from storage.inspection.batches import Damage, StoredBatch, walk_batches
from storage.inspection.index_files import (
    OFFSET_ENTRY,
    TIME_ENTRY,
    TRANSACTION_ENTRY,
    read_entries,
)
from storage.inspection.stored import StoredLog
from storage.vfs import OpenMode, Vfs

Row: TypeAlias = dict[str, Any]

_BASE_OFFSET = re.compile(r"(\d{20})\.")
_CODECS = {int(codec): codec.name.lower() for codec in Compression}


class DumpError(OttlaError):
    """What could not be read: file, position and cause."""


def dump_file(
    vfs: Vfs, path: str, *, from_offset: int, max_rows: int | None, records: bool
) -> Iterator[Row]:
    """The rows of one file, told by its suffix; those of records count, if they are asked for.

    DumpError: damage, or a file that is none of these. OSError: the disk.
    """
    suffix = os.path.splitext(path)[1]
    match suffix:
        case names.LOG_SUFFIX:
            rows = _log(vfs, path, from_offset, records=records)
        case names.INDEX_SUFFIX:
            rows = _index(vfs, path, from_offset)
        case names.TIME_INDEX_SUFFIX:
            rows = _time_index(vfs, path, from_offset)
        case names.TRANSACTION_INDEX_SUFFIX:
            rows = _transaction_index(vfs, path, from_offset)
        case _:
            raise DumpError(f"{path}: neither a segment nor an index (.log, .index, …)")
    counted = "record" if records and suffix == names.LOG_SUFFIX else None
    left = max_rows
    for row in rows:
        if left is not None and counted in (None, row["type"]):
            if left <= 0:
                return
            left -= 1
        yield row


def dump_checkpoint(folder: str, key: LogKey, stored: StoredLog) -> Row:
    """What the checkpoints say of one log."""
    checkpoint = stored.checkpoint
    return {
        "type": "checkpoint",
        "folder": folder,
        "topic_id": uuid_text(key.topic_id),
        "partition": key.partition,
        "recovery_point": None if checkpoint is None else checkpoint.recovery_point,
        "index_point": None if checkpoint is None else checkpoint.index_point,
        "log_start_offset": None if checkpoint is None else checkpoint.log_start_offset,
        "high_watermark": stored.high_watermark,
        "clean_offset": stored.clean_offset,
        "leader_epochs": [
            {"leader_epoch": leader_epoch, "start_offset": start_offset}
            for leader_epoch, start_offset in (checkpoint.epochs if checkpoint else ())
        ],
        "producer_snapshots": [
            {
                "offset": offset,
                "damaged": state is None,
                "producers": [
                    {
                        "producer_id": producer_id,
                        "producer_epoch": producer.producer_epoch,
                        "last_sequence": producer.last_sequence,
                        "transaction_first_offset": producer.transaction_first_offset,
                    }
                    for producer_id, producer in (state.items() if state else ())
                ],
            }
            for offset, state in sorted(stored.snapshots.items())
        ],
    }


# Files


def _log(vfs: Vfs, path: str, from_offset: int, *, records: bool) -> Iterator[Row]:
    file = vfs.open(path, OpenMode.READ)
    try:
        for batch in walk_batches(file, 0, file.size()):
            if batch.header.next_offset <= from_offset:
                continue
            yield _batch_row(batch)
            if records:
                yield from _record_rows(path, batch, from_offset)
    except Damage as damage:
        raise DumpError(f"{path}, byte {damage.position}: {damage.cause}") from damage
    finally:
        file.close()


def _batch_row(batch: StoredBatch) -> Row:
    header = batch.header
    codec = header.attributes & COMPRESSION_MASK
    return {
        "type": "batch",
        "position": batch.position,
        "size": header.size,
        "base_offset": header.base_offset,
        "last_offset": header.last_offset,
        "records": header.record_count,
        "leader_epoch": header.leader_epoch,
        "compression": _CODECS.get(codec, str(codec)),
        "timestamp_type": "LogAppendTime" if header.log_append_time else "CreateTime",
        "base_timestamp": header.base_timestamp,
        "max_timestamp": header.max_timestamp,
        "producer_id": header.producer_id if header.has_producer_id else None,
        "producer_epoch": header.producer_epoch if header.has_producer_id else None,
        "base_sequence": header.base_sequence if header.has_producer_id else None,
        "last_sequence": header.last_sequence if header.has_producer_id else None,
        "transactional": header.is_transactional,
        "control": header.is_control,
        "delete_horizon_ms": header.delete_horizon_ms,
        "crc": header.crc,
        "crc_ok": batch.crc_ok,
    }


def _record_rows(path: str, batch: StoredBatch, from_offset: int) -> Iterator[Row]:
    header = batch.header
    where = f"{path}, byte {batch.position}, offset {header.base_offset}"
    if batch.data is None:
        raise DumpError(f"{where}: a batch of {header.size} bytes is too large to be looked into")
    try:
        for record in iter_records(batch.data, 0, header):
            if record.offset >= from_offset:
                yield _record_row(header, record)
    except DecodeError as error:
        raise DumpError(f"{where}: {error}") from error


def _record_row(header: BatchHeader, record: Record) -> Row:
    row: Row = {"type": "record", "offset": record.offset, "timestamp": record.timestamp}
    if header.is_control:
        kind = control_record_type(record.key)
        row["control"] = "unknown" if kind is None else kind.name
        if header.has_producer_id:
            row["coordinator_epoch"] = coordinator_epoch_of(record.value)
        return row
    row["key"] = record.key
    row["value"] = record.value
    row["headers"] = list(record.headers)
    return row


def _index(vfs: Vfs, path: str, from_offset: int) -> Iterator[Row]:
    base_offset = _base_offset(path)
    _check_size(vfs, path, OFFSET_ENTRY.size)
    for at, (relative, position) in read_entries(vfs, path, OFFSET_ENTRY):
        if base_offset + relative >= from_offset:
            yield {
                "type": "offset",
                "at": at,
                "last_offset": base_offset + relative,
                "position": position,
            }


def _time_index(vfs: Vfs, path: str, from_offset: int) -> Iterator[Row]:
    base_offset = _base_offset(path)
    _check_size(vfs, path, TIME_ENTRY.size)
    for at, (timestamp, relative) in read_entries(vfs, path, TIME_ENTRY):
        if base_offset + relative >= from_offset:
            yield {
                "type": "time",
                "at": at,
                "timestamp": timestamp,
                "last_offset": base_offset + relative,
            }


def _transaction_index(vfs: Vfs, path: str, from_offset: int) -> Iterator[Row]:
    _check_size(vfs, path, TRANSACTION_ENTRY.size)
    for at, (version, producer_id, first, last, stable) in read_entries(
        vfs, path, TRANSACTION_ENTRY
    ):
        if last >= from_offset:
            yield {
                "type": "transaction",
                "at": at,
                "version": version,
                "producer_id": producer_id,
                "first_offset": first,
                "last_offset": last,
                "last_stable_offset": stable,
            }


def _base_offset(path: str) -> int:
    match = _BASE_OFFSET.match(os.path.basename(path))
    if match is None:
        raise DumpError(f"{path}: its name does not begin with the 20 digits of a base offset")
    return int(match[1])


def _check_size(vfs: Vfs, path: str, entry_size: int) -> None:
    file = vfs.open(path, OpenMode.READ)
    try:
        size = file.size()
    finally:
        file.close()
    if size % entry_size:
        position = size // entry_size * entry_size
        raise DumpError(f"{path}, byte {position}: it ends within an entry of {entry_size} bytes")
