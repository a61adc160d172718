"""Sending records.

There is no background thread: records leave when their batch is full, at the next call after their
linger time, and in `flush`. While one request is at a broker, the next batches are being filled.

With acks=all, the default, the producer is idempotent (KIP-98): a batch that is sent again after a
lost answer is recognised by its sequence, and appended once. With acks 1 or 0 a retry may
duplicate, and a lost leader may lose what it confirmed.
"""

from __future__ import annotations

import random
import ssl
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self

from ottla.client.accumulator import (
    Accumulator,
    Batch,
    Delivery,
    OnDelivery,
    produce_request,
)
from ottla.client.cluster import Cluster
from ottla.client.connection import Connection, Pending
from ottla.client.errors import (
    ConnectionLostError,
    DeadlineError,
    DeliveryError,
    check_code,
    protocol_error,
    sentence,
)
from ottla.client.offsets import TopicPartition
from ottla.client.options import (
    BACKOFF_MS_MAX,
    BACKOFF_MS_MIN,
    DEFAULT_BOOTSTRAP,
    ClientOptions,
    ignore,
)
from ottla.client.partitioner import Partitioner
from ottla.core.errors import ErrorCode, OttlaError, ProtocolError
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.init_producer_id_request import InitProducerIdRequest
from ottla.protocol.messages.init_producer_id_response import InitProducerIdResponse
from ottla.protocol.messages.produce_response import (
    PartitionProduceResponse,
    ProduceResponse,
)
from ottla.record.batch import NO_PRODUCER_ID, NO_SEQUENCE
from ottla.record.build import Headers
from ottla.record.compression import Compression

Acks = Literal["all", 1, 0]

BATCH_BYTES = 512 * 1024
BUFFER_BYTES = 32 * 1024 * 1024
LINGER_MS = 5
TOPIC_WAIT_MS = 5_000
"""How long a topic that does not exist is waited for: the cluster may be creating it."""
WAIT_MS_MAX = 1_000
"""How long one look for answers lasts."""

_ACKS: dict[Acks, int] = {"all": -1, 1: 1, 0: 0}
_ANSWER_MARGIN_MS = 2_000  # the broker answers by itself when its time-out ends


@dataclass(slots=True)
class _InFlight:
    """A request at a broker."""

    connection: Connection
    pending: Pending
    batches: dict[TopicPartition, Batch]
    sent_ms: int


class Producer:
    """A producer; a context manager that flushes at the end. Used by one thread.

    - `compression`: a `Compression` or its name.
    - `batch_bytes`, `linger_ms`: a batch is sent at that size or age, whichever comes first.
    - `buffer_bytes`: `send` waits while more than this is on its way.
    - `delivery_seconds`: from the first try to the confirmation, all retries included.
    """

    transactional_id: str | None = None

    def __init__(
        self,
        bootstrap: str = DEFAULT_BOOTSTRAP,
        *,
        acks: Acks = "all",
        compression: Compression | str = Compression.NONE,
        batch_bytes: int = BATCH_BYTES,
        linger_ms: int = LINGER_MS,
        buffer_bytes: int = BUFFER_BYTES,
        delivery_seconds: float = 120.0,
        timeout_seconds: float = 30.0,
        ssl_context: ssl.SSLContext | None = None,
        on_retry: Callable[[str], None] = ignore,
        options: ClientOptions | None = None,
        source: random.Random | None = None,
    ) -> None:
        self._options = options or ClientOptions.make(timeout_seconds, ssl_context, on_retry)
        self._cluster = Cluster(bootstrap, self._options)
        self._acks = _ACKS[acks]
        self._compression = (
            Compression.named(compression) if isinstance(compression, str) else compression
        )
        self._buffer_bytes = buffer_bytes
        self._delivery_ms = round(delivery_seconds * 1000)
        self._accumulator = Accumulator(batch_bytes, linger_ms)
        self._partitioner = Partitioner(source or random.Random())
        self._in_flight: dict[int, _InFlight] = {}
        self._producer: tuple[int, int] | None = None  # producer id, producer epoch
        self._sequences: dict[TopicPartition, int] = {}
        self._failure: OttlaError | None = None
        self._failed_unreported = 0
        self.sent = 0
        """Records given to `send`."""
        self.delivered = 0
        self.failed = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self.flush()
        finally:
            self._cluster.close()

    def send(
        self,
        topic: str,
        value: bytes | None,
        key: bytes | None = None,
        *,
        partition: int | None = None,
        headers: Headers = (),
        timestamp_ms: int | None = None,
        on_delivery: OnDelivery | None = None,
    ) -> None:
        """Hand over a record; it is not in the cluster before it was delivered.

        `on_delivery` is called, from a later call of this producer, with what became of it. A
        record without one that fails makes the next `flush` raise DeliveryError.
        ProtocolError: the topic does not exist; DeadlineError, NoClusterError.
        """
        metadata = self._cluster.topic(topic, create=True, wait_ms=TOPIC_WAIT_MS)
        if partition is None:
            partition = self._partitioner.choose(metadata, key)
        elif not 0 <= partition < len(metadata.partitions):
            raise protocol_error(
                ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
                f"topic '{topic}'",
                f"it has partitions 0–{len(metadata.partitions) - 1}, not {partition}",
            )
        if timestamp_ms is None:
            timestamp_ms = self._options.clock.timestamp_ms()
        closed = self._accumulator.append(
            (topic, partition),
            key,
            value,
            headers,
            timestamp_ms,
            on_delivery,
            self._cluster.now_ms(),
        )
        self.sent += 1
        if closed:
            if key is None:
                self._partitioner.batch_done(metadata, partition)
            self.poll()
        while self._accumulator.bytes > self._buffer_bytes:
            self._step(flushing=True, wait_ms=WAIT_MS_MAX)

    def poll(self) -> None:
        """Send what is ready and take in the answers that are there, without waiting."""
        self._step(flushing=False, wait_ms=0)

    def flush(self) -> None:
        """Wait until every record is delivered or has failed.

        DeliveryError: records without `on_delivery` failed since the last flush.
        """
        while len(self._accumulator):
            self._step(flushing=True, wait_ms=WAIT_MS_MAX)
        if self._failure is not None:
            failure, count = self._failure, self._failed_unreported
            self._failure, self._failed_unreported = None, 0
            records = "1 record was" if count == 1 else f"{count} records were"
            raise DeliveryError(f"{records} not delivered: {sentence(failure)}") from failure

    def close(self) -> None:
        """Flush and close the connections."""
        self.__exit__(None, None, None)

    def _step(self, *, flushing: bool, wait_ms: int) -> None:
        """Send what can be sent, then wait for answers, or for a time to retry."""
        # First what is already there: between two calls any time may have passed.
        self._collect(0)
        self._expire()
        self._dispatch(flushing=flushing)
        if self._in_flight:
            self._collect(wait_ms)
        elif wait_ms:
            now_ms = self._cluster.now_ms()
            pause_ms = self._accumulator.next_event_ms(now_ms, flushing=flushing)
            if pause_ms:
                self._cluster.pause(min(pause_ms, wait_ms))

    def _dispatch(self, *, flushing: bool) -> None:
        """One request to every leader that has none, with the batches that are ready for it."""
        now_ms = self._cluster.now_ms()
        ready = self._accumulator.ready(now_ms, flushing=flushing)
        if not ready:
            return
        for batch in ready:
            if batch.first_try_ms is None:
                batch.first_try_ms = now_ms
        try:
            failures: Mapping[str, ProtocolError] = {}
            if self._cluster.stale:
                failures = self._cluster.refresh({batch.key[0] for batch in ready})
            self._prepare(ready)
        except OttlaError as error:
            if not self._cluster.may_retry(error):
                raise
            for batch in ready:
                self._again(batch, error)
            return
        by_leader: dict[int, list[Batch]] = defaultdict(list)
        for batch in ready:
            known = self._cluster.leader(*batch.key)
            if known is None or known.leader_id is None:
                self._retry_or_fail(
                    batch,
                    failures.get(batch.key[0])
                    or protocol_error(ErrorCode.LEADER_NOT_AVAILABLE, _subject(batch.key)),
                )
            elif known.leader_id not in self._in_flight:
                by_leader[known.leader_id].append(batch)
        for leader_id, batches in by_leader.items():
            self._send(leader_id, batches)

    def _send(self, leader_id: int, batches: list[Batch]) -> None:
        for batch in batches:
            self._number(batch)
        request, taken = produce_request(
            batches,
            self._acks,
            self._options.request_timeout_ms,
            self._compression,
            self.transactional_id,
        )
        try:
            connection = self._cluster.connection(leader_id)
            pending = connection.send(
                ApiKey.PRODUCE,
                request,
                version=self._produce_version(connection),
                answered=self._acks != 0,
            )
        except ConnectionLostError as error:
            for batch in taken.values():
                self._again(batch, error)
            return
        if self._acks == 0:
            for batch in taken.values():
                self._delivered(batch, None)
            return
        for batch in taken.values():
            batch.in_flight = True
        self._in_flight[leader_id] = _InFlight(connection, pending, taken, self._cluster.now_ms())

    def _number(self, batch: Batch) -> None:
        """Give a batch its place in the sequence, once."""
        if self._producer is None or batch.producer_id != NO_PRODUCER_ID:
            return
        batch.producer_id, batch.producer_epoch = self._producer
        batch.base_sequence = self._sequences.get(batch.key, 0)
        # After 2^31 - 1 comes 0.
        self._sequences[batch.key] = (batch.base_sequence + batch.count) & 0x7FFFFFFF

    def _prepare(self, ready: list[Batch]) -> None:
        """What batches need before they are sent; what it raises is retried where that may help."""
        if self._acks == -1 and self._producer is None:
            self._producer = self._ask_producer_id()

    def _produce_version(self, connection: Connection) -> int | None:
        """None: the highest that both sides speak."""
        return None

    def _ask_producer_id(self) -> tuple[int, int]:
        response = self._cluster.ask(
            ApiKey.INIT_PRODUCER_ID,
            InitProducerIdRequest(transactional_id=None, transaction_timeout_ms=60_000),
            InitProducerIdResponse,
        )
        check_code(response.error_code, "a producer id")
        self._sequences.clear()
        return response.producer_id, response.producer_epoch

    def _collect(self, wait_ms: int) -> None:
        """Take in the answers that arrive within `wait_ms`."""
        if not self._in_flight:
            return
        by_connection = {one.connection: leader for leader, one in self._in_flight.items()}
        ready = self._cluster.wait_answers(list(by_connection), wait_ms)
        for connection in ready:
            leader_id = by_connection[connection]
            flight = self._in_flight.pop(leader_id)
            for batch in flight.batches.values():
                batch.in_flight = False
            try:
                response = connection.receive(flight.pending, ProduceResponse)
            except ConnectionLostError as error:
                for batch in flight.batches.values():
                    self._again(batch, error)
                continue
            self._take_answer(response, flight.batches)

    def _take_answer(self, response: ProduceResponse, batches: dict[TopicPartition, Batch]) -> None:
        answered = {
            (topic.name, partition.index): partition
            for topic in response.responses
            for partition in topic.partition_responses
        }
        for key, batch in batches.items():
            partition = answered.get(key)
            if partition is None:
                self._again(batch, ConnectionLostError("the broker left a partition unanswered"))
            else:
                self._take_partition(batch, partition)

    def _take_partition(self, batch: Batch, answer: PartitionProduceResponse) -> None:
        code = answer.error_code
        if code in (ErrorCode.NONE, ErrorCode.DUPLICATE_SEQUENCE_NUMBER):
            self._delivered(batch, answer.base_offset if answer.base_offset >= 0 else None)
            return
        if code == ErrorCode.MESSAGE_TOO_LARGE and batch.count > 1:
            self._accumulator.split(batch)
            return
        subject = _subject(batch.key)
        if code == ErrorCode.MESSAGE_TOO_LARGE:
            subject = f"a record of {len(batch.data or b'')} bytes for {subject}"
        self._retry_or_fail(batch, protocol_error(code, subject, answer.error_message))

    def _retry_or_fail(self, batch: Batch, error: ProtocolError) -> None:
        if error.retriable:
            self._again(batch, error)
        else:
            self._fail(batch, error)

    def _again(self, batch: Batch, error: OttlaError) -> None:
        """Try a batch again a little later."""
        self._cluster.stale = True
        batch.error = error
        batch.delay_ms = min(max(BACKOFF_MS_MIN, batch.delay_ms * 2), BACKOFF_MS_MAX)
        batch.retry_at_ms = self._cluster.now_ms() + batch.delay_ms
        self._options.on_retry(f"sending to {_subject(batch.key)}: {sentence(error)}; trying again")

    def _expire(self) -> None:
        """Give up requests that are not answered, and batches whose delivery time is over."""
        now_ms = self._cluster.now_ms()
        limit_ms = min(self._options.request_timeout_ms + _ANSWER_MARGIN_MS, self._delivery_ms)
        for leader_id, flight in list(self._in_flight.items()):
            if now_ms - flight.sent_ms <= limit_ms:
                continue
            del self._in_flight[leader_id]
            error = self._cluster.give_up(flight.connection)
            for batch in flight.batches.values():
                batch.in_flight = False
                self._again(batch, error)
        for batch in self._accumulator.heads():
            if batch.in_flight or batch.first_try_ms is None:
                continue
            if now_ms - batch.first_try_ms <= self._delivery_ms:
                continue
            reason = sentence(batch.error) if batch.error else "the broker does not answer"
            seconds = self._delivery_ms / 1000
            self._fail(
                batch,
                DeadlineError(
                    f"{_subject(batch.key)} confirmed nothing within {seconds:g} s: {reason}"
                ),
            )

    def _delivered(self, batch: Batch, base_offset: int | None) -> None:
        self._accumulator.done(batch)
        self.delivered += batch.count
        for position, on_delivery in enumerate(batch.on_delivery):
            if on_delivery is not None:
                offset = None if base_offset is None else base_offset + position
                on_delivery(Delivery(*batch.key, offset, None))

    def _fail(self, batch: Batch, error: OttlaError) -> None:
        self._accumulator.failed(batch)
        self.failed += batch.count
        self._after_failure(batch, error)
        for on_delivery in batch.on_delivery:
            if on_delivery is None:
                self._failed_unreported += 1
                self._failure = error
            else:
                on_delivery(Delivery(*batch.key, None, error))

    def _after_failure(self, batch: Batch, error: OttlaError) -> None:
        if batch.base_sequence != NO_SEQUENCE:
            # Whether the broker counted these sequences is unknown: start a new series.
            self._producer = None


def _subject(key: TopicPartition) -> str:
    return f"partition {key[1]} of topic '{key[0]}'"
