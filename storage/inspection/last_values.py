"""Comparing two replicas that compacted on their own: by the last value of each key.

Each replica cleans its log when it likes, so that their batches differ while both are right. What
must agree is the last record of every key below the offset up to which they are compared:

- a key whose last record is a tombstone may be gone on one side (`delete.retention.ms`);
- a key that has a record beyond that offset may have lost the one below it;
- records of aborted transactions and markers do not count.

Keys are held as 16-byte digests, at most `KEYS_MAX` at a time: a log with more is gone through
several times, each time for another part of the keys.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import blake2b

from ottla.core.errors import DecodeError
from ottla.record.batch import iter_records
from storage.inspection.batches import StoredBatch
from storage.markers import note_batch, read_marker
from storage.producers import ProducerState

KEYS_MAX = 500_000
"""Digests of one replica held at a time: about 150 MB."""
_DIGEST_SIZE = 16

Batches = Callable[[], Iterator[StoredBatch]]
"""The batches of one replica, from the start again with each call."""


@dataclass(slots=True)
class _Last:
    """A key's last record below the end. `later`: it has one beyond."""

    offset: int
    value: bytes | None  # digest; None: a tombstone
    later: bool


class _TooManyKeys(Exception):
    pass


def first_disagreement(
    one: Batches, other: Batches, end_offset: int, keys_max: int = KEYS_MAX
) -> tuple[int, str] | None:
    """(offset, what differs) of the lowest offset where last records disagree; None: nowhere.

    DecodeError: records that cannot be read.
    """
    parts = 1
    while True:
        try:
            found = [
                _disagreement(one, other, end_offset, part, parts, keys_max)
                for part in range(parts)
            ]
        except _TooManyKeys:
            parts *= 2
            continue
        return min((item for item in found if item is not None), default=None)


def _disagreement(
    one: Batches, other: Batches, end_offset: int, part: int, parts: int, keys_max: int
) -> tuple[int, str] | None:
    left = _last_records(one, end_offset, part, parts, keys_max)
    right = _last_records(other, end_offset, part, parts, keys_max)
    lowest: tuple[int, str] | None = None
    for key in left.keys() | right.keys():
        found = _differ(left.get(key), right.get(key))
        if found is not None and (lowest is None or found < lowest):
            lowest = found
    return lowest


def _differ(one: _Last | None, other: _Last | None) -> tuple[int, str] | None:
    if one is None or other is None:
        only = one or other
        if only is None or only.value is None or only.later:
            return None
        return only.offset, "the last record of its key is in one replica alone"
    if (one.offset, one.value) == (other.offset, other.value) or one.later or other.later:
        return None
    if one.offset == other.offset:
        return one.offset, "the last records of its key have different values"
    older, newer = sorted((one, other), key=lambda last: last.offset)
    return older.offset, f"the last record of its key is at offset {newer.offset} in the other"


def _last_records(
    batches: Batches, end_offset: int, part: int, parts: int, keys_max: int
) -> dict[bytes, _Last]:
    aborted = _aborted(batches)
    found: dict[bytes, _Last] = {}
    for batch in batches():
        header = batch.header
        if header.is_control or not header.record_count:
            continue
        if batch.data is None:
            raise DecodeError(f"the batch at offset {header.base_offset} is too large")
        if header.is_transactional and any(
            first <= header.base_offset <= last
            for first, last in aborted.get(header.producer_id, ())
        ):
            continue
        for record in iter_records(batch.data, 0, header):
            if record.key is None:
                continue
            key = blake2b(record.key, digest_size=_DIGEST_SIZE).digest()
            if int.from_bytes(key[:8], "big") % parts != part:
                continue
            known = found.get(key)
            if record.offset >= end_offset:
                if known is not None:
                    known.later = True
                else:
                    found[key] = _Last(record.offset, None, True)
            else:
                value = record.value
                digest = (
                    None if value is None else blake2b(value, digest_size=_DIGEST_SIZE).digest()
                )
                found[key] = _Last(record.offset, digest, False)
            if len(found) > keys_max:
                raise _TooManyKeys
    return found


def _aborted(batches: Batches) -> dict[int, list[tuple[int, int]]]:
    """(first offset, offset of the marker) of the aborted transactions by producer id."""
    found: dict[int, list[tuple[int, int]]] = {}
    producers = ProducerState()
    for batch in batches():
        header = batch.header
        if not header.is_transactional or batch.data is None:
            continue
        aborted = note_batch(producers, header, read_marker(batch.data, 0, header), 0)
        if aborted is not None:
            ranges = found.setdefault(aborted.producer_id, [])
            ranges.append((aborted.first_offset, aborted.last_offset))
    return found
