"""Records on their way: batches by partition, bounded in bytes.

    send() → the partition's last batch, while it is open → closed by size, linger or flush
           → in flight, one a partition at a time → delivered, failed, or back to the front

One batch in flight a partition keeps the order whatever is retried. Pure: time comes in.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from ottla.client.offsets import TopicPartition
from ottla.core.errors import OttlaError
from ottla.protocol.messages.produce_request import (
    PartitionProduceData,
    ProduceRequest,
    TopicProduceData,
)
from ottla.record.batch import NO_PRODUCER_ID, NO_SEQUENCE, iter_records, read_header
from ottla.record.build import RECORD_OVERHEAD_MAX, BatchBuilder, Headers
from ottla.record.compression import Compression

REQUEST_BYTES = 4 * 1024 * 1024
"""A request takes no further batch beyond this; brokers refuse frames far above it."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of one record: `offset` is None when unknown (acks=0) or when it failed."""

    topic: str
    partition: int
    offset: int | None
    error: OttlaError | None


OnDelivery: TypeAlias = Callable[[Delivery], None]


class Batch:
    """Records of one partition that are sent and confirmed together."""

    __slots__ = (
        "base_sequence",
        "builder",
        "closed",
        "created_ms",
        "data",
        "delay_ms",
        "error",
        "first_try_ms",
        "in_flight",
        "key",
        "on_delivery",
        "producer_epoch",
        "producer_id",
        "retry_at_ms",
    )

    def __init__(self, key: TopicPartition, created_ms: int) -> None:
        self.key = key
        self.builder = BatchBuilder()
        self.on_delivery: list[OnDelivery | None] = []
        self.created_ms = created_ms
        self.closed = False
        self.in_flight = False
        self.data: bytearray | None = None
        """The encoded batch: a retry sends the same bytes, so that the broker knows it again."""
        self.producer_id = NO_PRODUCER_ID
        self.producer_epoch = -1
        self.base_sequence = NO_SEQUENCE
        self.retry_at_ms = created_ms
        self.delay_ms = 0
        self.first_try_ms: int | None = None
        self.error: OttlaError | None = None
        """Why the last try failed."""

    @property
    def size(self) -> int:
        return self.builder.size

    @property
    def count(self) -> int:
        return self.builder.count

    def encode(self, compression: Compression, *, transactional: bool = False) -> bytearray:
        """The bytes to send; made once, with the sequence that the batch has by then."""
        if self.data is None:
            self.closed = True
            self.data = self.builder.build(
                compression=compression,
                producer_id=self.producer_id,
                producer_epoch=self.producer_epoch,
                base_sequence=self.base_sequence,
                transactional=transactional,
            )
        return self.data

    def halves(self) -> tuple[Batch, Batch]:
        """Two batches of half the records each, not yet encoded, for a batch that was too large.

        The first takes over the sequence: the broker has appended nothing of this batch.
        """
        data = self.builder.build()
        records = list(iter_records(data, 0, read_header(data)))
        middle = len(records) // 2
        parts: list[Batch] = []
        for start, end in ((0, middle), (middle, len(records))):
            part = Batch(self.key, self.created_ms)
            part.closed = True
            for record in records[start:end]:
                part.builder.append(record.key, record.value, record.headers, record.timestamp)
            part.on_delivery = self.on_delivery[start:end]
            part.producer_id, part.producer_epoch = self.producer_id, self.producer_epoch
            if self.base_sequence != NO_SEQUENCE:
                part.base_sequence = (self.base_sequence + start) & 0x7FFFFFFF
            parts.append(part)
        return parts[0], parts[1]


class Accumulator:
    """The batches of all partitions.

    `batch_bytes` bounds a batch before compression; a single larger record gets one of its own.
    """

    def __init__(self, batch_bytes: int, linger_ms: int) -> None:
        self._batch_bytes = batch_bytes
        self._linger_ms = linger_ms
        self._queues: dict[TopicPartition, deque[Batch]] = {}
        self.bytes = 0
        """Of all batches that are neither delivered nor failed, before compression."""

    def append(
        self,
        key: TopicPartition,
        record_key: bytes | None,
        value: bytes | None,
        headers: Headers,
        timestamp_ms: int,
        on_delivery: OnDelivery | None,
        now_ms: int,
    ) -> bool:
        """Add a record; True when that closed a batch."""
        queue = self._queues.setdefault(key, deque())
        size = RECORD_OVERHEAD_MAX + len(record_key or b"") + len(value or b"")
        for name, header in headers:
            size += 10 + 4 * len(name) + len(header or b"")
        closed = False
        if queue and not queue[-1].closed and queue[-1].size + size > self._batch_bytes:
            queue[-1].closed = closed = True
        if not queue or queue[-1].closed:
            batch = Batch(key, now_ms)
            self.bytes += batch.size
            queue.append(batch)
        batch = queue[-1]
        before = batch.size
        batch.builder.append(record_key, value, headers, timestamp_ms)
        batch.on_delivery.append(on_delivery)
        self.bytes += batch.size - before
        if batch.size >= self._batch_bytes:
            batch.closed = closed = True
        return closed

    def __len__(self) -> int:
        return sum(len(queue) for queue in self._queues.values())

    def heads(self) -> Iterator[Batch]:
        """The first batch of each partition."""
        for queue in list(self._queues.values()):
            yield queue[0]

    def ready(self, now_ms: int, *, flushing: bool) -> list[Batch]:
        """The first batches that may be sent now."""
        return [
            batch
            for batch in self.heads()
            if not batch.in_flight
            and batch.retry_at_ms <= now_ms
            and (flushing or batch.closed or now_ms - batch.created_ms >= self._linger_ms)
        ]

    def next_event_ms(self, now_ms: int, *, flushing: bool) -> int | None:
        """Milliseconds until a batch becomes ready by time alone; None when none will."""
        waits = [
            max(
                batch.retry_at_ms - now_ms,
                0 if flushing or batch.closed else batch.created_ms + self._linger_ms - now_ms,
            )
            for batch in self.heads()
            if not batch.in_flight
        ]
        return max(0, min(waits)) if waits else None

    def done(self, batch: Batch) -> None:
        """Forget the first batch of its partition."""
        queue = self._queues[batch.key]
        queue.popleft()
        self.bytes -= batch.size
        if not queue:
            del self._queues[batch.key]

    def failed(self, batch: Batch) -> None:
        """As `done`; what follows in the partition, never sent so far, loses its sequences."""
        for later in list(self._queues[batch.key])[1:]:
            later.producer_id, later.producer_epoch = NO_PRODUCER_ID, -1
            later.base_sequence = NO_SEQUENCE
            later.data = None
        self.done(batch)

    def split(self, batch: Batch) -> None:
        """Put its two halves in the place of the first batch of a partition."""
        queue = self._queues[batch.key]
        queue.popleft()
        first, second = batch.halves()
        queue.extendleft((second, first))
        self.bytes += first.size + second.size - batch.size


def produce_request(
    batches: Iterable[Batch],
    acks: int,
    timeout_ms: int,
    compression: Compression,
    transactional_id: str | None = None,
) -> tuple[ProduceRequest, dict[TopicPartition, Batch]]:
    """A request with as many of the batches, one a partition, as fit; and which they are."""
    taken: dict[TopicPartition, Batch] = {}
    topics: dict[str, TopicProduceData] = {}
    size = 0
    for batch in batches:
        data = batch.encode(compression, transactional=transactional_id is not None)
        if taken and size + len(data) > REQUEST_BYTES:
            break
        size += len(data)
        taken[batch.key] = batch
        topic = topics.setdefault(batch.key[0], TopicProduceData(name=batch.key[0]))
        topic.partition_data.append(PartitionProduceData(batch.key[1], data))
    request = ProduceRequest(
        transactional_id=transactional_id,
        acks=acks,
        timeout_ms=timeout_ms,
        topic_data=list(topics.values()),
    )
    return request, taken
