"""Offsets of transactions that are open: they count once the marker is there.

Of two offsets for one partition the one whose record is later in the log wins, whichever
transaction ended first: compaction keeps the later record, and a state loaded after it must be the
same. Only `replay`, `overwrite` and `end` change this.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from broker.groups.stored import CommittedOffset, OffsetRecord

_Key: TypeAlias = tuple[str, int]  # topic, partition


class PendingOffsets:
    """producer → (group, partition) → the newest record of its transaction, None: overwritten."""

    __slots__ = ("_next_number", "_producers_of", "_records")

    def __init__(self) -> None:
        self._records: dict[int, dict[tuple[str, _Key], tuple[int, OffsetRecord | None]]] = {}
        """With the record's place in the order of the log."""
        self._producers_of: dict[str, dict[_Key, set[int]]] = {}
        """By group and partition: whose open transactions have an offset for it."""
        self._next_number = 0

    def replay(self, record: OffsetRecord, producer_id: int) -> None:
        self._next_number += 1
        key = (record.topic, record.partition)
        records = self._records.setdefault(producer_id, {})
        records[record.group_id, key] = (self._next_number, record)
        partitions = self._producers_of.setdefault(record.group_id, {})
        partitions.setdefault(key, set()).add(producer_id)

    def overwrite(self, record: OffsetRecord, number: int | None = None) -> None:
        """`record` counts: older ones for its partition never will. `number` is its place in the
        order of the log, None: the end."""
        key = (record.topic, record.partition)
        for producer_id in self._producers_of.get(record.group_id, {}).get(key, ()):
            records = self._records[producer_id]
            other, _ = records[record.group_id, key]
            if number is None or other < number:
                records[record.group_id, key] = (other, None)

    def end(self, producer_id: int) -> list[tuple[int, OffsetRecord]]:
        """Take out what a producer's transaction has; nothing when none is open."""
        records = self._records.pop(producer_id, {})
        for group_id, key in records:
            partitions = self._producers_of[group_id]
            partitions[key].discard(producer_id)
            if not partitions[key]:
                del partitions[key]
                if not partitions:
                    del self._producers_of[group_id]
        return [(number, record) for number, record in records.values() if record is not None]

    def of_group(self, group_id: str) -> Mapping[_Key, set[int]]:
        """(topic, partition) of every offset that an open transaction may change."""
        return self._producers_of.get(group_id, {})

    def of_topic(self, topic: str) -> Iterator[tuple[str, int, CommittedOffset]]:
        """(group, partition, offset) of everything that is pending for `topic`."""
        for records in self._records.values():
            for (group_id, key), (_, record) in records.items():
                if key[0] == topic and record is not None and record.committed is not None:
                    yield group_id, key[1], record.committed

    def summary(self) -> dict[int, dict[tuple[str, _Key], OffsetRecord | None]]:
        """What is pending, for comparisons in tests."""
        return {
            producer_id: {key: record for key, (_, record) in records.items()}
            for producer_id, records in self._records.items()
        }
