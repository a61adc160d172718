"""Produce (key 0), versions 0–13.

Versions 0 to 2 are advertised, since librdkafka decides on message formats by them (KAFKA-18659),
and refused with UNSUPPORTED_VERSION: they carry message formats that no longer exist.

    3   transactional id
    5   log start offset in the answer
    8   record errors and a message for people (KIP-467)
    9   compact encoding
    11  TRANSACTION_ABORTABLE (KIP-890)
    12  a transaction's first batch adds its partition (KIP-890)
    10  the new leader where this broker is none (KIP-951)
    13  topic ids instead of names (KIP-516)

All batches are appended before `handle` returns, which keeps the order of a connection. With
acks=-1 the answer waits until the high watermark passes every batch, at most `timeout_ms`. With
acks=0 there is no answer; an error then closes the connection, so that the client notices.

Transactional batches are the exception to "before `handle` returns": the first of a transaction in
a partition waits for the coordinator, and later ones of its producer behind it (`admission`).
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final

from broker.handlers.endpoints import leader_hint
from broker.handlers.spec import Answer, CloseConnection, HandlerSpec, RequestContext
from broker.transactions.admission import BatchOrigin
from ottla.core.errors import DecodeError, ErrorCode, ProtocolError, RecordsRefused
from ottla.protocol.api import ApiKey
from ottla.protocol.message import Buffer
from ottla.protocol.messages.produce_request import ProduceRequest
from ottla.protocol.messages.produce_response import (
    BatchIndexAndErrorMessage,
    LeaderIdAndEpoch,
    NodeEndpoint,
    PartitionProduceResponse,
    ProduceResponse,
    TopicProduceResponse,
)
from ottla.record.batch import (
    ATTRIBUTES_POSITION,
    HEADER_SIZE,
    TRANSACTIONAL_BIT,
    read_header,
)

if TYPE_CHECKING:
    from broker.handlers.error_counts import ErrorCounts
    from broker.handlers.services import BrokerServices
    from broker.replication.partition import Partition
    from broker.replication.partition_host import Appended

_FIRST_SERVED_VERSION: Final = 3
_ATTRIBUTES_LOW_AT: Final = ATTRIBUTES_POSITION + 1


def handle(services: BrokerServices, context: RequestContext, request: ProduceRequest) -> Answer:
    version, acks = context.api_version, request.acks
    refusal = _refusal(version, request)
    if refusal is not None:
        if acks == 0:
            raise CloseConnection(f"Produce with acks=0: {refusal}")
        return fail(request, version, refusal.code, refusal.message)
    replicas = services.replicas
    transactional_id = request.transactional_id
    by_id = version >= 13
    waiting: list[tuple[asyncio.Future[None], PartitionProduceResponse]] = []
    failed: list[tuple[str | bytes, PartitionProduceResponse]] = []
    topics = []
    for topic in request.topic_data:
        results = []
        for data in topic.partition_data:
            index = data.index
            result = PartitionProduceResponse(index=index)
            results.append(result)
            try:
                if by_id:
                    partition = replicas.partition_by_id(topic.topic_id, index)
                else:
                    partition = replicas.partition(topic.name, index)
                if partition.internal:
                    raise ProtocolError(
                        ErrorCode.INVALID_TOPIC_EXCEPTION,
                        "this topic is the cluster's own; only its coordinators write to it",
                    )
                batch = _checked(data.records)
                if _is_transactional(batch):
                    if transactional_id is None:
                        raise ProtocolError(
                            ErrorCode.INVALID_TXN_STATE, "a transaction needs its transactional id"
                        )
                    origin, sequence = _origin(transactional_id, version, batch)
                    outcome = services.admissions.append(partition, batch, origin, sequence)
                    if isinstance(outcome, asyncio.Future):
                        waiting.append((_when_appended(partition, outcome, result), result))
                        continue
                    appended = outcome
                else:
                    appended = partition.append(batch, acks=acks)
                _note_appended(result, appended)
                if acks == -1:
                    committed = partition.wait_committed(
                        appended.last_offset + 1, appended.leader_epoch
                    )
                    waiting.append((committed, result))
            except ProtocolError as error:
                _write_error(result, error.code, error.message, version)
                services.errors.note(ApiKey.PRODUCE, error.code)
                if version >= 8 and isinstance(error, RecordsRefused):
                    result.record_errors = [
                        BatchIndexAndErrorMessage(index, fault)
                        for index, fault in error.record_errors
                    ]
                failed.append((topic.topic_id if by_id else topic.name, result))
        topics.append(TopicProduceResponse(topic.name, topic.topic_id, results))
    response = ProduceResponse(topics)
    if acks == 0:
        for name, result in failed:
            shown = name if isinstance(name, str) else name.hex()
            code = ErrorCode(result.error_code).name
            raise CloseConnection(f"Produce with acks=0 to {shown}-{result.index}: {code}")
        return None
    if failed and version >= 10:
        _add_hints(services, context.listener_name, response, failed)
    if not waiting:
        return response
    return _Commit(response, waiting, version, request.timeout_ms, services.errors).answer


class _Commit:
    """An answer that waits until all its batches are committed, or until the client's time-out."""

    __slots__ = ("_errors", "_left", "_response", "_timer", "_version", "_waiting", "answer")

    def __init__(
        self,
        response: ProduceResponse,
        waiting: list[tuple[asyncio.Future[None], PartitionProduceResponse]],
        version: int,
        timeout_ms: int,
        errors: ErrorCounts,
    ) -> None:
        self._errors = errors
        loop = asyncio.get_running_loop()
        self.answer: asyncio.Future[ProduceResponse] = loop.create_future()
        self._response = response
        self._version = version
        self._waiting = waiting
        self._left = len(waiting)
        self._timer = loop.call_later(max(timeout_ms, 0) / 1000, self._on_timeout)
        for committed, result in waiting:
            committed.add_done_callback(partial(self._on_committed, result))

    def _on_committed(
        self, result: PartitionProduceResponse, committed: asyncio.Future[None]
    ) -> None:
        if self.answer.done():
            if not committed.cancelled():
                committed.exception()  # else it is logged as one that nobody looked at
            return
        self._note(result, committed)
        self._left -= 1
        if self._left == 0:
            self._timer.cancel()
            self.answer.set_result(self._response)

    def _note(self, result: PartitionProduceResponse, committed: asyncio.Future[None]) -> None:
        """Write what became of one batch into the answer."""
        error = None if committed.cancelled() else committed.exception()
        if isinstance(error, ProtocolError):
            self._errors.note(ApiKey.PRODUCE, error.code)
            _write_error(result, error.code, error.message, self._version)
        elif error is not None or committed.cancelled():
            self._errors.note(ApiKey.PRODUCE, ErrorCode.UNKNOWN_SERVER_ERROR)
            _write_error(result, ErrorCode.UNKNOWN_SERVER_ERROR, str(error or ""), self._version)

    def _on_timeout(self) -> None:
        if not self.answer.done():  # it was cancelled when the connection is gone
            self.answer.set_result(self._response)
        for committed, result in self._waiting:
            if committed.done():
                # Its callback may be due only after this timer: a process that stood still finds
                # the loss of its leadership and this time-out in one turn of the loop. Without
                # this the batch would be acknowledged.
                self._note(result, committed)
            else:
                # The partition may forget it: else one that cannot commit collects them.
                committed.cancel()
                self._errors.note(ApiKey.PRODUCE, ErrorCode.REQUEST_TIMED_OUT)
                _write_error(
                    result,
                    ErrorCode.REQUEST_TIMED_OUT,
                    "the in-sync replicas did not confirm the batch in time",
                    self._version,
                )


def fail(
    request: ProduceRequest, version: int, code: ErrorCode, message: str | None
) -> ProduceResponse:
    """The same error for every partition of the request."""
    topics = []
    for topic in request.topic_data:
        results = []
        for data in topic.partition_data:
            result = PartitionProduceResponse(index=data.index)
            _write_error(result, code, message, version)
            results.append(result)
        topics.append(TopicProduceResponse(topic.name, topic.topic_id, results))
    return ProduceResponse(topics)


def _refusal(version: int, request: ProduceRequest) -> ProtocolError | None:
    """Why the request as a whole cannot be served."""
    if version < _FIRST_SERVED_VERSION:
        return ProtocolError(
            ErrorCode.UNSUPPORTED_VERSION, "message formats 0 and 1 are not supported any more"
        )
    if not -1 <= request.acks <= 1:
        return ProtocolError(ErrorCode.INVALID_REQUIRED_ACKS, "acks must be 0, 1 or -1 (all)")
    if request.transactional_id is not None and request.acks != -1:
        return ProtocolError(ErrorCode.INVALID_REQUIRED_ACKS, "a transaction needs acks=-1 (all)")
    return None


def _checked(records: Buffer | None) -> memoryview:
    if not isinstance(records, memoryview) or not records:
        raise ProtocolError(ErrorCode.INVALID_RECORD, "the request holds no record batch")
    return records


def _is_transactional(batch: memoryview) -> bool:
    return len(batch) > HEADER_SIZE and bool(batch[_ATTRIBUTES_LOW_AT] & TRANSACTIONAL_BIT)


def _origin(transactional_id: str, version: int, batch: memoryview) -> tuple[BatchOrigin, int]:
    """Whose batch it is, and its first sequence. CORRUPT_MESSAGE: no header of a batch."""
    try:
        header = read_header(batch)
    except DecodeError as error:
        raise ProtocolError(ErrorCode.CORRUPT_MESSAGE, str(error)) from error
    origin = BatchOrigin(
        transactional_id,
        header.producer_id,
        header.producer_epoch,
        is_implicit=version >= 12,
        is_abortable=version >= 11,
    )
    return origin, header.base_sequence


def _note_appended(result: PartitionProduceResponse, appended: Appended) -> None:
    result.base_offset = appended.base_offset
    result.log_append_time_ms = appended.log_append_time_ms
    result.log_start_offset = appended.log_start_offset


def _when_appended(
    partition: Partition, outcome: asyncio.Future[Appended], result: PartitionProduceResponse
) -> asyncio.Future[None]:
    """Done when the batch, which waits for its coordinator, is committed."""
    done: asyncio.Future[None] = outcome.get_loop().create_future()

    def on_appended(finished: asyncio.Future[Appended]) -> None:
        error = None if finished.cancelled() else finished.exception()
        if finished.cancelled() or error is not None or done.done():
            if not done.done():
                done.set_exception(error or ProtocolError(ErrorCode.REQUEST_TIMED_OUT))
            return
        appended = finished.result()
        _note_appended(result, appended)
        committed = partition.wait_committed(appended.last_offset + 1, appended.leader_epoch)
        committed.add_done_callback(on_committed)
        # The request gave up: the partition may forget it.
        done.add_done_callback(lambda _: committed.cancel())

    def on_committed(finished: asyncio.Future[None]) -> None:
        error = None if finished.cancelled() else finished.exception()
        if done.done():
            return
        if error is not None or finished.cancelled():
            done.set_exception(error or ProtocolError(ErrorCode.REQUEST_TIMED_OUT))
        else:
            done.set_result(None)

    outcome.add_done_callback(on_appended)
    return done


def _write_error(
    result: PartitionProduceResponse, code: ErrorCode, message: str | None, version: int
) -> None:
    result.error_code = int(code)
    result.base_offset = -1
    result.log_append_time_ms = -1
    result.log_start_offset = -1
    if version >= 8:
        result.error_message = message


def _add_hints(
    services: BrokerServices,
    listener_name: str,
    response: ProduceResponse,
    failed: list[tuple[str | bytes, PartitionProduceResponse]],
) -> None:
    endpoints: dict[int, NodeEndpoint] = {}
    for topic, result in failed:
        if result.error_code != ErrorCode.NOT_LEADER_OR_FOLLOWER:
            continue
        hint = leader_hint(services, listener_name, topic, result.index)
        if hint is None:
            continue
        result.current_leader = LeaderIdAndEpoch(hint.leader_id, hint.leader_epoch)
        if hint.endpoint is not None:
            endpoints[hint.leader_id] = NodeEndpoint(
                hint.leader_id, hint.endpoint.host, hint.endpoint.port, hint.rack
            )
    response.node_endpoints = list(endpoints.values())


HANDLER = HandlerSpec(ApiKey.PRODUCE, 0, 13, handle, fail)
