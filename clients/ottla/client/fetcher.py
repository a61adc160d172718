"""Fetching: positions, one long poll a leader, and records decoded as they are taken.

A partition is asked for only while nothing of it is buffered, so at most one answer's bytes are
kept a partition. Its position moves with each record that is handed out, never before: what was
fetched and not handed out is fetched again after a commit and a restart.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from ottla.client.aborted_transactions import AbortedTransactions
from ottla.client.cluster import Cluster
from ottla.client.connection import Connection, Pending
from ottla.client.errors import ConnectionLostError, DeadlineError, protocol_error, sentence
from ottla.client.model import IsolationLevel, OffsetSpec
from ottla.client.offsets import TopicPartition, list_offsets
from ottla.client.options import BACKOFF_MS_MAX, BACKOFF_MS_MIN
from ottla.core.errors import DecodeError, ErrorCode, OttlaError
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.fetch_request import FetchPartition, FetchRequest, FetchTopic
from ottla.protocol.messages.fetch_response import FetchResponse, PartitionData
from ottla.protocol.parts import RecordsSource
from ottla.record.batch import (
    HEADER_SIZE,
    BatchHeader,
    crc_matches,
    iter_records,
    read_header,
)

FETCH_BYTES = 8 * 1024 * 1024
PARTITION_BYTES = 1024 * 1024
FETCH_WAIT_MS_MAX = 500
_ANSWER_MARGIN_MS = 2_000
_WAIT_MS_MAX = 1_000  # overdue answers are noticed at this interval
_LOOK_MS = 10  # looking at the sockets for every record would cost more than the record


@dataclass(slots=True)
class ConsumerRecord:
    """A record with where it came from. `timestamp` in ms since 1970."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]


class _Partition:
    """One assigned partition."""

    __slots__ = ("failing_since_ms", "key", "position", "records", "start")

    def __init__(self, key: TopicPartition, start: int) -> None:
        self.key = key
        self.start = start
        """Where to begin while there is no position: an offset or an `OffsetSpec`."""
        self.position: int | None = start if start >= 0 else None
        self.records: Iterator[ConsumerRecord] | None = None
        self.failing_since_ms: int | None = None


@dataclass(slots=True)
class _InFlight:
    connection: Connection
    pending: Pending
    offsets: dict[TopicPartition, int]
    sent_ms: int


class Fetcher:
    """The assigned partitions and their fetches.

    `reset`: where to go when an offset is gone. With READ_COMMITTED nothing at or above the last
    stable offset is read, and nothing of an aborted transaction.
    """

    def __init__(
        self,
        cluster: Cluster,
        *,
        reset: OffsetSpec | None,
        isolation: IsolationLevel = IsolationLevel.READ_UNCOMMITTED,
        fetch_bytes: int = FETCH_BYTES,
        partition_bytes: int = PARTITION_BYTES,
    ) -> None:
        self._cluster = cluster
        self._reset = reset
        self._isolation = isolation
        self._fetch_bytes = fetch_bytes
        self._partition_bytes = partition_bytes
        self._partitions: dict[TopicPartition, _Partition] = {}
        self._in_flight: dict[int, _InFlight] = {}
        self._retry_at_ms = 0
        self._delay_ms = 0
        self._looked_ms = 0

    def assign(self, starts: Mapping[TopicPartition, int]) -> None:
        """Replace the assignment; values are offsets or `OffsetSpec`s."""
        self._partitions = {key: _Partition(key, start) for key, start in starts.items()}

    def seek(self, key: TopicPartition, start: int) -> bool:
        """Go on from an offset or an `OffsetSpec`; False when the partition is not assigned."""
        if key not in self._partitions:
            return False
        self._partitions[key] = _Partition(key, start)
        return True

    def assigned(self) -> list[TopicPartition]:
        return list(self._partitions)

    def positions(self) -> dict[TopicPartition, int]:
        """The offset of the next record of each partition, where it is known."""
        return {
            key: partition.position
            for key, partition in self._partitions.items()
            if partition.position is not None
        }

    def poll(self, max_records: int, wait_ms: int) -> list[ConsumerRecord]:
        """Up to `max_records`, as soon as there are any; none after `wait_ms`.

        ProtocolError: what is not retriable, or an offset that is gone without a reset.
        DeadlineError: a partition could not be read for the client's whole deadline.
        DecodeError: damaged records.
        """
        now_ms = self._cluster.now_ms()
        deadline_ms = now_ms + wait_ms
        if now_ms - self._looked_ms >= _LOOK_MS:
            # Also while some partitions have records left: the others are fetched meanwhile.
            self._exchange(FETCH_WAIT_MS_MAX, 0)
        while True:
            records = self._take(max_records)
            if records:
                return records
            left_ms = deadline_ms - self._cluster.now_ms()
            self._exchange(max(0, min(left_ms, FETCH_WAIT_MS_MAX)), max(0, left_ms))
            if left_ms <= 0:
                return self._take(max_records)

    def _exchange(self, long_poll_ms: int, wait_ms: int) -> None:
        """Ask for what is missing and take in what comes within `wait_ms`."""
        self._resolve()
        self._fetch(long_poll_ms)
        self._collect(wait_ms)
        self._looked_ms = self._cluster.now_ms()

    def _take(self, max_records: int) -> list[ConsumerRecord]:
        records: list[ConsumerRecord] = []
        for key, partition in list(self._partitions.items()):
            if partition.records is None:
                continue
            for record in partition.records:
                partition.position = record.offset + 1
                records.append(record)
                if len(records) >= max_records:
                    # The next call begins with another partition.
                    self._partitions[key] = self._partitions.pop(key)
                    return records
            partition.records = None
        return records

    def _resolve(self) -> None:
        """Turn "earliest" and "latest" into offsets."""
        wanted = {p.key: p.start for p in self._partitions.values() if p.position is None}
        if wanted:
            for key, listed in list_offsets(self._cluster, wanted, self._isolation).items():
                self._partitions[key].position = listed.offset or 0

    def _fetch(self, max_wait_ms: int) -> None:
        """A long poll to every leader that has none."""
        if self._cluster.now_ms() < self._retry_at_ms:
            return
        wanted = [
            p for p in self._partitions.values() if p.records is None and p.position is not None
        ]
        if not wanted:
            return
        if self._cluster.stale:
            try:
                self._cluster.refresh({partition.key[0] for partition in wanted})
            except OttlaError as error:
                if not self._cluster.may_retry(error):
                    raise
                self._failed(wanted, error)
                return
        by_leader: dict[int, list[_Partition]] = defaultdict(list)
        for partition in wanted:
            known = self._cluster.leader(*partition.key)
            if known is None:
                code = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
                self._failed([partition], protocol_error(code, _subject(partition.key)))
            elif known.leader_id is None:
                code = ErrorCode.LEADER_NOT_AVAILABLE
                self._failed([partition], protocol_error(code, _subject(partition.key)))
            elif known.leader_id not in self._in_flight:
                by_leader[known.leader_id].append(partition)
        for leader_id, partitions in by_leader.items():
            self._send(leader_id, partitions, max_wait_ms)

    def _send(self, leader_id: int, partitions: list[_Partition], max_wait_ms: int) -> None:
        topics: dict[str, FetchTopic] = {}
        offsets: dict[TopicPartition, int] = {}
        for partition in partitions:
            topic, index = partition.key
            known = self._cluster.leader(topic, index)
            if partition.position is None or known is None:
                continue
            offsets[partition.key] = partition.position
            topics.setdefault(topic, FetchTopic(topic=topic)).partitions.append(
                FetchPartition(
                    partition=index,
                    current_leader_epoch=known.leader_epoch,
                    fetch_offset=partition.position,
                    partition_max_bytes=self._partition_bytes,
                )
            )
        request = FetchRequest(
            max_wait_ms=max_wait_ms,
            min_bytes=1,
            max_bytes=self._fetch_bytes,
            isolation_level=self._isolation,
            topics=list(topics.values()),
        )
        try:
            connection = self._cluster.connection(leader_id)
            pending = connection.send(ApiKey.FETCH, request)
        except ConnectionLostError as error:
            self._failed(partitions, error)
            return
        self._in_flight[leader_id] = _InFlight(connection, pending, offsets, self._cluster.now_ms())

    def _collect(self, wait_ms: int) -> None:
        if not self._in_flight:
            retry_ms = self._retry_at_ms - self._cluster.now_ms()
            # A member of a group may be left without partitions: it waits for the next rebalance.
            self._cluster.pause(min(wait_ms, max(1, retry_ms)) if self._partitions else wait_ms)
            return
        by_connection = {one.connection: leader for leader, one in self._in_flight.items()}
        for connection in self._cluster.wait_answers(
            list(by_connection), min(wait_ms, _WAIT_MS_MAX)
        ):
            flight = self._in_flight.pop(by_connection[connection])
            try:
                answer = connection.receive(flight.pending, FetchResponse)
            except ConnectionLostError as error:
                self._failed(self._asked(flight), error)
            else:
                self._take_answer(answer, flight)
        limit_ms = self._cluster.options.request_timeout_ms + _ANSWER_MARGIN_MS
        for leader_id, flight in list(self._in_flight.items()):
            if self._cluster.now_ms() - flight.sent_ms > limit_ms:
                del self._in_flight[leader_id]
                self._failed(self._asked(flight), self._cluster.give_up(flight.connection))

    def _asked(self, flight: _InFlight) -> list[_Partition]:
        return [p for key in flight.offsets if (p := self._partitions.get(key)) is not None]

    def _take_answer(self, answer: FetchResponse, flight: _InFlight) -> None:
        if answer.error_code:
            error = protocol_error(answer.error_code, "a fetch")
            if not error.retriable:
                raise error
            self._failed(self._asked(flight), error)
            return
        for topic in answer.responses:
            for data in topic.partitions:
                key = (topic.topic, data.partition_index)
                partition = self._partitions.get(key)
                # The assignment, or a reset, may have moved on since the request.
                if partition is None or partition.position != flight.offsets.get(key):
                    continue
                if data.error_code:
                    self._take_error(partition, data)
                    continue
                partition.failing_since_ms = None
                self._delay_ms = 0
                if isinstance(data.records, RecordsSource) or not data.records:
                    continue
                # Without read_committed the answer has no list, and everything is read.
                aborted = AbortedTransactions(
                    (one.producer_id, one.first_offset) for one in data.aborted_transactions or ()
                )
                partition.records = self._decode(partition, memoryview(data.records), aborted)

    def _take_error(self, partition: _Partition, data: PartitionData) -> None:
        error = protocol_error(data.error_code, _subject(partition.key))
        if data.error_code != ErrorCode.OFFSET_OUT_OF_RANGE:
            if not error.retriable:
                raise error
            self._failed([partition], error)
        elif self._reset is None:
            raise protocol_error(
                data.error_code,
                _subject(partition.key),
                f"it has no offset {partition.position}; it begins at {data.log_start_offset} "
                f"and ends before {data.high_watermark}",
            )
        else:
            partition.start, partition.position = self._reset, None

    def _failed(self, partitions: list[_Partition], error: OttlaError) -> None:
        """Try these partitions again a little later, or give up after the deadline."""
        now_ms = self._cluster.now_ms()
        timeout_ms = self._cluster.options.timeout_ms
        self._cluster.stale = True
        for partition in partitions:
            if partition.failing_since_ms is None:
                partition.failing_since_ms = now_ms
            elif now_ms - partition.failing_since_ms > timeout_ms:
                raise DeadlineError(
                    f"reading {_subject(partition.key)} did not succeed within "
                    f"{timeout_ms / 1000:g} s: {sentence(error)}"
                ) from error
            self._cluster.options.on_retry(
                f"reading {_subject(partition.key)}: {sentence(error)}; trying again"
            )
        self._delay_ms = min(max(BACKOFF_MS_MIN, self._delay_ms * 2), BACKOFF_MS_MAX)
        self._retry_at_ms = now_ms + self._delay_ms

    def _decode(
        self, partition: _Partition, data: memoryview, aborted: AbortedTransactions
    ) -> Iterator[ConsumerRecord]:
        topic, index = partition.key
        at = 0
        # The last batch may be cut off: brokers fill an answer without parsing it (KIP-74).
        while len(data) - at >= HEADER_SIZE:
            header = read_header(data, at)
            if header.size > len(data) - at:
                break
            if not crc_matches(data, at, header):
                raise DecodeError(
                    f"the records at offset {header.base_offset} of {_subject(partition.key)} "
                    "are damaged: their checksum does not match"
                )
            is_aborted = aborted.covers(header, partial(_first_key, data, at, header))
            wanted = not header.is_control and not is_aborted
            if wanted and header.last_offset >= (partition.position or 0):
                for record in iter_records(data, at, header):
                    # A batch is delivered whole, also when it was asked for in its middle.
                    if record.offset >= (partition.position or 0):
                        yield ConsumerRecord(
                            topic,
                            index,
                            record.offset,
                            record.timestamp,
                            record.key,
                            record.value,
                            record.headers,
                        )
            # Compaction may have removed the last records of a batch; markers, and what was
            # aborted, are passed over.
            partition.position = max(partition.position or 0, header.next_offset)
            at += header.size
        if at == 0:
            raise DecodeError(f"an answer for {_subject(partition.key)} holds no whole batch")


def _first_key(data: memoryview, at: int, header: BatchHeader) -> bytes | None:
    """The key of a batch's first record; None when it has none."""
    record = next(iter_records(data, at, header), None)
    return None if record is None else record.key


def _subject(key: TopicPartition) -> str:
    return f"partition {key[1]} of topic '{key[0]}'"
