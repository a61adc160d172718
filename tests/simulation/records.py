"""Batches, replicas and the committed log of a partition, as the ledger keeps them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

from ottla.core.identifiers import Uuid
from storage.log import Log

if TYPE_CHECKING:
    from tests.simulation.loop import Process

_PREFIX = Struct(">qiiBIhi")  # base offset, length, leader epoch, magic, crc, attributes, delta
_PRODUCER_POSITION = 43
_PRODUCER = Struct(">qhi")  # producer id, producer epoch, base sequence

Key = tuple[Uuid, int]
"""(topic id, partition)."""


class Batch(NamedTuple):
    """One batch in a log; offsets [base, next)."""

    base: int
    next: int
    leader_epoch: int
    crc: int
    producer_id: int
    sequence: int


def batches_in(data: bytes | bytearray | memoryview) -> Iterator[Batch]:
    position = 0
    while position < len(data):
        base, length, epoch, _, crc, _, delta = _PREFIX.unpack_from(data, position)
        producer_id, _, sequence = _PRODUCER.unpack_from(data, position + _PRODUCER_POSITION)
        yield Batch(base, base + delta + 1, epoch, crc, producer_id, sequence)
        position += length + 12


class Replica:
    """One broker's log of a partition, as it is in the page cache."""

    __slots__ = ("bases", "batches", "broker_id", "log", "lost", "matched")

    def __init__(self, broker_id: int) -> None:
        self.broker_id = broker_id
        self.batches: list[Batch] = []
        self.bases: list[int] = []
        self.matched = 0
        """Everything below agrees with the committed log, as far as that reaches."""
        self.log: Log | None = None
        self.lost = True
        """The power went, or there never was a log: what is there shows when it is opened."""

    @property
    def end(self) -> int:
        return self.batches[-1].next if self.batches else 0


class PartitionLedger:
    """One partition of one topic (by id)."""

    def __init__(self, name: str, durable: bool) -> None:
        self.name = name
        self.durable = durable
        self.committed: list[Batch] = []
        self.bases: list[int] = []
        self.committed_end = 0
        self.replicas: dict[int, Replica] = {}
        self.written: dict[tuple[int, int], Batch] = {}
        """By (leader epoch, base offset)."""
        self.leaders: dict[int, Process] = {}
        self.sequences: set[tuple[int, int]] = set()
        self.electable: frozenset[int] = frozenset()
        """ISR and eligible leader replicas, by the metadata log."""
        self.leader_epoch = -1
        """The current one, by the metadata log."""
        self.isr_at: dict[int, tuple[int, ...]] = {}
        """By partition epoch."""

    def replica(self, broker_id: int) -> Replica:
        found = self.replicas.get(broker_id)
        if found is None:
            found = self.replicas[broker_id] = Replica(broker_id)
        return found

    def at(self, base: int) -> Batch | None:
        """The committed batch that begins at `base`."""
        position = bisect_left(self.bases, base)
        if position < len(self.bases) and self.bases[position] == base:
            return self.committed[position]
        return None


def read_all(log: Log) -> Iterator[Batch]:
    """What the log holds on disk."""
    offset = log.log_start_offset
    while offset < log.log_end_offset:
        found = log.read(offset, 1 << 20, end_offset=log.log_end_offset)
        assert found is not None
        for batch in batches_in(found.read()):
            yield batch
            offset = batch.next


def batches_below(data: memoryview, end: int) -> memoryview:
    """The batches of `data` below `end`: an append over two segments may end early."""
    position = 0
    while position < len(data):
        base, length, _, _, _, _, delta = _PREFIX.unpack_from(data, position)
        if base + delta + 1 > end:
            break
        position += length + 12
    return data[:position]
