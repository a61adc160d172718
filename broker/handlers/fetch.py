"""Fetch (key 1), versions 0–18, for consumers.

    3   a limit for the whole answer (KIP-74)
    4   isolation level
    7   sessions (KIP-227)
    9   fencing by leader epoch (KIP-320)
    11  the replica that a consumer should read from, by its rack (KIP-392)
    12  compact encoding, the current leader of a partition
    13  topic ids instead of names (KIP-516)
    16  addresses of new leaders (KIP-951)

The first partition that has records sends at least one whole batch, even above all limits (KIP-74);
after it, batches are sent as far as the limits allow. An offset between the high watermark and the
log end has no records yet; only beyond the log's bounds it is OFFSET_OUT_OF_RANGE.

An answer with fewer than `min_bytes` waits up to `max_wait_ms`: the poll registers with each of its
partitions and is woken by their high watermark, a change of leader or the timer. An error ends it
at once.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from broker.handlers.endpoints import leader_hint, live_endpoint
from broker.handlers.fetch_sessions import FetchContext, FetchedPartition, TopicKey
from broker.handlers.spec import Answer, HandlerSpec, RequestContext
from broker.quotas.client_quotas import client_of
from broker.quotas.table import Client, QuotaKind
from broker.replication.replica_selector import ReadableReplica, preferred_replica
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.fetch_request import FetchRequest
from ottla.protocol.messages.fetch_response import (
    AbortedTransaction,
    FetchableTopicResponse,
    FetchResponse,
    LeaderIdAndEpoch,
    NodeEndpoint,
    PartitionData,
)

if TYPE_CHECKING:
    from broker.handlers.services import BrokerServices
    from broker.replication.partition import Partition
    from storage.log import LogSlice

_FROM_FOLLOWERS: Final = 11
"""The first version that knows of replicas to prefer (KIP-392)."""
_NEW_LEADER_CODES = frozenset({ErrorCode.NOT_LEADER_OR_FOLLOWER, ErrorCode.FENCED_LEADER_EPOCH})


def handle(services: BrokerServices, context: RequestContext, request: FetchRequest) -> Answer:
    by_id = context.api_version >= 13
    try:
        fetched = services.fetch_sessions.context(
            session_id=request.session_id,
            session_epoch=request.session_epoch,
            by_topic_id=by_id,
            partitions=_asked(request, by_id),
            forgotten=[
                (topic.topic_id if by_id else topic.topic, index)
                for topic in request.forgotten_topics_data
                for index in topic.partitions
            ],
            now_ms=services.clock.now_ms(),
        )
    except ProtocolError as error:
        return FetchResponse(error_code=int(error.code))
    fetch = _Fetch(services, context, request, fetched)
    reads = fetch.read_all()
    if fetch.is_satisfied(reads):
        return fetch.response(reads)
    return _Poll(fetch, reads).answer


def fail(
    request: FetchRequest, version: int, code: ErrorCode, message: str | None
) -> FetchResponse:
    """The error for the whole answer, and for each partition below version 7."""
    response = FetchResponse(error_code=int(code))
    if version < 7:
        response.responses = [
            FetchableTopicResponse(
                topic=topic.topic,
                partitions=[
                    PartitionData(
                        partition_index=p.partition, error_code=int(code), high_watermark=-1
                    )
                    for p in topic.partitions
                ],
            )
            for topic in request.topics
        ]
    return response


class _Read:
    """What one partition has for this fetch."""

    __slots__ = ("aborted", "asked", "error", "partition", "preferred_replica", "records")

    def __init__(self, asked: FetchedPartition) -> None:
        self.asked = asked
        self.partition: Partition | None = None
        self.records: LogSlice | None = None
        self.aborted: list[AbortedTransaction] = []
        self.error: ProtocolError | None = None
        self.preferred_replica: int | None = None
        """Where the client should read instead; then there are no records."""

    @property
    def size(self) -> int:
        return self.records.size if self.records is not None else 0


class _Fetch:
    """One request: reading its partitions and making its answer."""

    __slots__ = (
        "_bytes_max",
        "_client",
        "_committed_only",
        "_listener_name",
        "_may_follow",
        "_rack",
        "_services",
        "_version",
        "fetched",
        "max_wait_ms",
        "min_bytes",
    )

    def __init__(
        self,
        services: BrokerServices,
        context: RequestContext,
        request: FetchRequest,
        fetched: FetchContext,
    ) -> None:
        self._services = services
        self._version = context.api_version
        self._listener_name = context.listener_name
        self._committed_only = request.isolation_level == 1
        self._may_follow = (
            self._version >= _FROM_FOLLOWERS
            and services.settings.replica_selector_class is not None
        )
        self._rack = request.rack_id if self._may_follow else ""
        self._bytes_max = min(request.max_bytes, services.settings.fetch_max_bytes)
        self._client: Client | None = None  # of whom the bytes are counted
        if services.quotas is not None and QuotaKind.FETCH in services.quotas.kinds:
            self._client = client_of(context.principal, context.client_id)
            burst = services.quotas.burst(QuotaKind.FETCH, self._client)
            if burst is not None:
                self._bytes_max = min(self._bytes_max, max(int(burst), 1))
        self.fetched = fetched
        self.max_wait_ms = request.max_wait_ms
        self.min_bytes = min(request.min_bytes, self._bytes_max)

    def read(self, asked: FetchedPartition, bytes_max: int, at_least_one: bool) -> _Read:
        """Up to `bytes_max` bytes of one partition."""
        read = _Read(asked)
        replicas = self._services.replicas
        try:
            if isinstance(asked.topic, str):
                partition = replicas.partition(asked.topic, asked.index)
            else:
                partition = replicas.partition_by_id(asked.topic, asked.index)
            if not self._may_follow:
                partition.check_leader(asked.current_leader_epoch)
            else:
                partition.check_leader(asked.current_leader_epoch, may_follow=True)
                read.preferred_replica = self._preferred_replica(partition, asked.fetch_offset)
                if read.preferred_replica is not None:
                    read.partition = partition
                    return read
            read.records = partition.read(
                asked.fetch_offset,
                min(asked.bytes_max, max(bytes_max, 0)),
                committed_only=self._committed_only,
                at_least_one=at_least_one,
                may_follow=self._may_follow,
            )
            if self._committed_only and read.records is not None:
                read.aborted = [
                    AbortedTransaction(aborted.producer_id, aborted.first_offset)
                    for aborted in partition.aborted_transactions(
                        asked.fetch_offset, read.records.end_offset
                    )
                ]
            read.partition = partition
        except ProtocolError as error:
            read.error = error
        return read

    def _preferred_replica(self, partition: Partition, fetch_offset: int) -> int | None:
        """Of a partition that this broker leads; None: read here."""
        services = self._services
        if not self._rack or not partition.is_leader:
            return None
        state = services.metadata.state
        replicas = [
            ReadableReplica(broker_id, state.brokers[broker_id].rack, start, end)
            for broker_id, start, end in partition.readable_replicas()
            if live_endpoint(state, broker_id, self._listener_name) is not None
        ]
        return preferred_replica(self._rack, fetch_offset, services.node_id, replicas)

    def read_all(self) -> list[_Read]:
        reads = []
        left = self._bytes_max
        is_first = True
        for asked in self.fetched:
            read = self.read(asked, left, is_first)
            if read.size:
                is_first = False
                left -= read.size
            reads.append(read)
        return reads

    def is_satisfied(self, reads: list[_Read]) -> bool:
        """Whether the answer need not wait for more."""
        if self.max_wait_ms <= 0 or not reads:
            return True
        total = 0
        for read in reads:
            if read.error is not None or read.preferred_replica is not None:
                return True
            total += read.size
        return total >= self.min_bytes

    def response(self, reads: list[_Read]) -> FetchResponse:
        """The answer, without the partitions that a session need not name again."""
        throttle_ms = self._throttle_ms(reads)
        if throttle_ms:
            return self._throttled(throttle_ms)
        topics: dict[TopicKey, FetchableTopicResponse] = {}
        endpoints: dict[int, NodeEndpoint] = {}
        for read in reads:
            data = self._partition_data(read, endpoints)
            if not self.fetched.note_answer(
                read.asked,
                error=read.error is not None or read.preferred_replica is not None,
                size=read.size,
                high_watermark=data.high_watermark,
                log_start_offset=data.log_start_offset,
            ):
                continue
            key = read.asked.topic
            topic = topics.get(key)
            if topic is None:
                topic = topics[key] = FetchableTopicResponse()
                if isinstance(key, str):
                    topic.topic = key
                else:
                    topic.topic_id = key
            topic.partitions.append(data)
        response = FetchResponse(responses=list(topics.values()))
        if self._version >= 7:
            response.session_id = self.fetched.session_id
        if self._version >= 16:
            response.node_endpoints = list(endpoints.values())
        return response

    def _throttle_ms(self, reads: list[_Read]) -> int:
        quotas = self._services.quotas
        if quotas is None or self._client is None:
            return 0
        return quotas.maybe_charge(QuotaKind.FETCH, self._client, sum(read.size for read in reads))

    def _throttled(self, throttle_ms: int) -> FetchResponse:
        """Nothing, and for how long (KIP-219); a session that begins with it does not begin."""
        if self.fetched.is_full:
            self._services.fetch_sessions.close(self.fetched.session_id)
        response = FetchResponse(throttle_time_ms=throttle_ms)
        if self._version >= 7:
            response.session_id = self.fetched.session_id
        return response

    def _partition_data(self, read: _Read, endpoints: dict[int, NodeEndpoint]) -> PartitionData:
        data = PartitionData(partition_index=read.asked.index, high_watermark=-1)
        # Never null: some clients of versions with nullable records still expect bytes.
        data.records = read.records if read.records is not None else b""
        data.aborted_transactions = read.aborted if self._committed_only else None
        partition = read.partition
        if partition is not None:
            if read.records is not None:
                traffic = partition.traffic
                traffic.bytes_out += read.records.size
                traffic.records_out += read.records.end_offset - read.asked.fetch_offset
            data.high_watermark = partition.high_watermark
            data.last_stable_offset = partition.last_stable_offset
            data.log_start_offset = partition.log_start_offset
            if read.preferred_replica is not None:
                data.preferred_read_replica = read.preferred_replica
        elif read.error is not None:
            data.error_code = int(read.error.code)
            self._services.errors.note(ApiKey.FETCH, read.error.code)
            if read.error.code in _NEW_LEADER_CODES and self._version >= 12:
                self._add_hint(read.asked, data, endpoints)
        return data

    def _add_hint(
        self, asked: FetchedPartition, data: PartitionData, endpoints: dict[int, NodeEndpoint]
    ) -> None:
        hint = leader_hint(self._services, self._listener_name, asked.topic, asked.index)
        if hint is None:
            return
        data.current_leader = LeaderIdAndEpoch(hint.leader_id, hint.leader_epoch)
        if hint.endpoint is not None:
            endpoints[hint.leader_id] = NodeEndpoint(
                hint.leader_id, hint.endpoint.host, hint.endpoint.port, hint.rack
            )


class _Poll:
    """A fetch that waits for records.

    `answer` is done with the response, or cancelled by the connection when its client is gone;
    either way the poll leaves its partitions.
    """

    __slots__ = (
        "_dirty",
        "_fetch",
        "_is_scheduled",
        "_loop",
        "_sizes",
        "_timer",
        "_wakers",
        "answer",
    )

    def __init__(self, fetch: _Fetch, reads: list[_Read]) -> None:
        self._loop = asyncio.get_running_loop()
        self.answer: asyncio.Future[FetchResponse] = self._loop.create_future()
        self._fetch = fetch
        self._sizes = [read.size for read in reads]
        self._dirty: set[int] = set()
        self._is_scheduled = False
        self._wakers: list[tuple[Partition, _Waker]] = []
        for position, read in enumerate(reads):
            if read.partition is not None:
                waker = _Waker(self, position, read.asked)
                self._wakers.append((read.partition, waker))
                read.partition.add_waiter(waker)
        self._timer = self._loop.call_later(fetch.max_wait_ms / 1000, self._finish)
        self.answer.add_done_callback(self._leave)

    def wake(self, position: int) -> None:
        """The partition at `position` of the fetch has changed; seen to once a turn."""
        self._dirty.add(position)
        if not self._is_scheduled:
            self._is_scheduled = True
            self._loop.call_soon(self._check)

    def _check(self) -> None:
        self._is_scheduled = False
        if self.answer.done():
            return
        fetch = self._fetch
        if len(self._sizes) > 1 and fetch.min_bytes > 1:
            # Only what changed is read again: a poll of a thousand partitions would otherwise read
            # them all for every append until it has enough.
            for partition, waker in self._wakers:
                if waker.position in self._dirty and self._is_changed(partition, waker):
                    break
            else:
                self._dirty.clear()
                if sum(self._sizes) < fetch.min_bytes:
                    return
        self._dirty.clear()
        reads = fetch.read_all()
        if fetch.is_satisfied(reads):
            self.answer.set_result(fetch.response(reads))

    def _is_changed(self, partition: Partition, waker: _Waker) -> bool:
        """Note how much a woken partition has now; True when it can no longer be read."""
        read = self._fetch.read(waker.asked, waker.asked.bytes_max, at_least_one=True)
        self._sizes[waker.position] = read.size
        return read.error is not None or read.partition is not partition

    def _finish(self) -> None:
        if not self.answer.done():
            self.answer.set_result(self._fetch.response(self._fetch.read_all()))

    def _leave(self, answer: asyncio.Future[FetchResponse]) -> None:
        self._timer.cancel()
        for partition, waker in self._wakers:
            partition.remove_waiter(waker)
        self._wakers.clear()


class _Waker:
    """What a poll leaves with one of its partitions."""

    __slots__ = ("_poll", "asked", "position")

    def __init__(self, poll: _Poll, position: int, asked: FetchedPartition) -> None:
        self._poll = poll
        self.position = position
        self.asked = asked

    def wake(self) -> None:
        self._poll.wake(self.position)


def _asked(request: FetchRequest, by_id: bool) -> list[FetchedPartition]:
    return [
        FetchedPartition(
            topic.topic_id if by_id else topic.topic,
            p.partition,
            p.fetch_offset,
            p.partition_max_bytes,
            p.current_leader_epoch,
            p.last_fetched_epoch,
        )
        for topic in request.topics
        for p in topic.partitions
    ]


HANDLER = HandlerSpec(ApiKey.FETCH, 0, 18, handle, fail)
