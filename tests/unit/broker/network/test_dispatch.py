from __future__ import annotations

import json
import logging
import os
import struct
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from broker.handlers.api_versions import api_versions_handler
from broker.handlers.error_counts import ErrorCounts
from broker.handlers.services import BrokerServices
from broker.handlers.spec import CloseConnection, EncodedAnswer, HandlerSpec, RequestContext
from broker.network.dispatch import Dispatcher, Exchange, Peer
from broker.network.transfer import INLINE_BYTES
from broker.quotas.table import Client, QuotaKind
from ottla.core.errors import DecodeError, ErrorCode, ProtocolError
from ottla.core.logs import JsonFormatter, TextFormatter
from ottla.protocol.api import ApiKey
from ottla.protocol.header import RequestHeader
from ottla.protocol.messages.api_versions_request import ApiVersionsRequest
from ottla.protocol.messages.api_versions_response import ApiVersionsResponse
from ottla.protocol.messages.fetch_request import FetchRequest
from ottla.protocol.messages.fetch_response import (
    FetchableTopicResponse,
    FetchResponse,
    PartitionData,
)
from ottla.protocol.messages.heartbeat_request import HeartbeatRequest
from ottla.protocol.messages.heartbeat_response import HeartbeatResponse
from ottla.protocol.messages.metadata_request import MetadataRequest
from ottla.protocol.messages.metadata_response import MetadataResponse
from ottla.protocol.messages.produce_request import ProduceRequest
from ottla.protocol.messages.produce_response import ProduceResponse

SERVICES = cast(BrokerServices, SimpleNamespace(errors=ErrorCounts()))


def request(
    key: int, version: int, body: bytes, *, flexible: bool, client_id: str | None = "client"
) -> memoryview:
    header = RequestHeader(key, version, 77, client_id).encode(2 if flexible else 1)
    return memoryview(bytearray(header + body))


def serve(dispatcher: Dispatcher, frame: memoryview, peer: Peer | None = None) -> Exchange:
    return dispatcher.dispatch(peer or Peer("c-1", "PLAINTEXT", "127.0.0.1"), frame, 0, len(frame))


class Heartbeats:
    """A handler that notes what it was called with."""

    def __init__(self, answer: Any = None, error: Exception | None = None) -> None:
        self.calls: list[tuple[RequestContext, HeartbeatRequest]] = []
        self._answer = answer if answer is not None else HeartbeatResponse(throttle_time_ms=5)
        self._error = error

    def __call__(self, services: Any, context: RequestContext, asked: HeartbeatRequest) -> Any:
        self.calls.append((context, asked))
        if self._error is not None:
            raise self._error
        return self._answer


def heartbeat(version: int = 4, **options: Any) -> memoryview:
    body = HeartbeatRequest(group_id="g", generation_id=3, member_id="m").encode(version)
    return request(ApiKey.HEARTBEAT, version, body, flexible=version >= 4, **options)


@pytest.mark.parametrize("version", [0, 3, 4])
@pytest.mark.parametrize("client_id", ["client", "", None])
def test_a_request_reaches_its_handler_and_its_answer_leaves(
    version: int, client_id: str | None
) -> None:
    handler = Heartbeats()
    dispatcher = Dispatcher([HandlerSpec(ApiKey.HEARTBEAT, 0, 4, handler)], SERVICES)
    exchange = serve(dispatcher, heartbeat(version, client_id=client_id))
    context, asked = handler.calls[0]
    assert (asked.group_id, asked.generation_id, asked.member_id) == ("g", 3, "m")
    assert (context.api_key, context.api_version) == (ApiKey.HEARTBEAT, version)
    assert (context.correlation_id, context.client_id) == (77, client_id)
    assert (context.peer_host, context.principal) == ("127.0.0.1", "User:ANONYMOUS")
    assert exchange.is_answered
    out = bytearray(b"before")
    assert dispatcher.encode(exchange, out) is None
    assert out[:6] == b"before"
    size, correlation_id = struct.unpack_from(">ii", out, 6)
    assert (size, correlation_id) == (len(out) - 10, 77)
    assert HeartbeatResponse.decode(out, version, 15 if version >= 4 else 14) == (
        HeartbeatResponse(throttle_time_ms=5 if version else 0)
    )


def test_the_client_id_may_change_on_a_connection() -> None:
    handler = Heartbeats()
    dispatcher = Dispatcher([HandlerSpec(ApiKey.HEARTBEAT, 0, 4, handler)], SERVICES)
    peer = Peer("c-1", "PLAINTEXT", "127.0.0.1")
    for name in ("a", "a", None, "a", "bb", ""):
        serve(dispatcher, heartbeat(client_id=name), peer)
        assert handler.calls[-1][0].client_id == name


def test_unknown_tagged_fields_of_the_header_are_skipped() -> None:
    handler = Heartbeats()
    dispatcher = Dispatcher([HandlerSpec(ApiKey.HEARTBEAT, 0, 4, handler)], SERVICES)
    header = struct.pack(">hhih", ApiKey.HEARTBEAT, 4, 1, -1)
    tags = bytes([2, 0, 3]) + b"abc" + bytes([0x81, 0x01, 1]) + b"x"
    body = HeartbeatRequest(group_id="tagged").encode(4)
    serve(dispatcher, memoryview(bytearray(header + tags + body)))
    assert handler.calls[0][1].group_id == "tagged"


@pytest.mark.parametrize(
    "content",
    [
        struct.pack(">hhi", ApiKey.HEARTBEAT, 4, 1),  # no client id
        struct.pack(">hhih", ApiKey.HEARTBEAT, 4, 1, 5) + b"ab",  # client id longer than the rest
        struct.pack(">hhih", ApiKey.HEARTBEAT, 4, 1, -2),
        struct.pack(">hhih", ApiKey.HEARTBEAT, 4, 1, 1) + b"\xff\x00",  # not UTF-8
        struct.pack(">hhih", ApiKey.HEARTBEAT, 4, 1, -1),  # no tagged fields, no body
        struct.pack(">hhih", ApiKey.HEARTBEAT, 4, 1, -1) + b"\xff\xff\xff\xff\xff\xff",
        struct.pack(">hhih", ApiKey.HEARTBEAT, 4, 1, -1) + b"\x01\x00\x7f",  # tag beyond the end
        struct.pack(">hhih", ApiKey.HEARTBEAT, 4, 1, -1) + b"\x00\x05ab",  # body cut short
        struct.pack(">hhih", ApiKey.HEARTBEAT, 5, 1, -1) + b"\x00",  # unsupported version
        struct.pack(">hhih", ApiKey.HEARTBEAT, -1, 1, -1) + b"\x00",
        struct.pack(">hhih", ApiKey.FETCH, 4, 1, -1) + b"\x00",  # an API without a handler
        struct.pack(">hhih", 4711, 4, 1, -1) + b"\x00",
        b"GET / HTTP/1.1\r\n\r\n",
    ],
)
def test_what_breaks_the_protocol_is_a_decode_error(content: bytes) -> None:
    handler = Heartbeats()
    dispatcher = Dispatcher([HandlerSpec(ApiKey.HEARTBEAT, 0, 4, handler)], SERVICES)
    with pytest.raises(DecodeError):
        serve(dispatcher, memoryview(bytearray(content)))
    assert handler.calls == []


def test_a_body_is_not_read_beyond_its_frame() -> None:
    handler = Heartbeats()
    dispatcher = Dispatcher([HandlerSpec(ApiKey.HEARTBEAT, 0, 4, handler)], SERVICES)
    whole = heartbeat()
    with pytest.raises(DecodeError):
        dispatcher.dispatch(Peer("c", "P", ""), whole, 0, len(whole) - 3)


def test_an_expected_error_becomes_the_answers_error_code() -> None:
    handler = Heartbeats(error=ProtocolError(ErrorCode.NOT_COORDINATOR))
    dispatcher = Dispatcher([HandlerSpec(ApiKey.HEARTBEAT, 0, 4, handler)], SERVICES)
    assert serve(dispatcher, heartbeat()).answer == HeartbeatResponse(error_code=16)
    assert dispatcher.unexpected_errors == 0


def test_an_unexpected_error_is_one_log_line_and_an_unknown_server_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    handler = Heartbeats(error=RuntimeError("boom"))
    dispatcher = Dispatcher([HandlerSpec(ApiKey.HEARTBEAT, 0, 4, handler)], SERVICES)
    with caplog.at_level(logging.INFO):
        assert serve(dispatcher, heartbeat()).answer == HeartbeatResponse(error_code=-1)
        serve(dispatcher, heartbeat())
    who = "connection c-1 (PLAINTEXT, client 'client')"
    assert [record.getMessage() for record in caplog.records] == [
        f"HEARTBEAT version 4 of {who} failed unexpectedly (1 such errors so far)",
        f"HEARTBEAT version 4 of {who} failed unexpectedly (2 such errors so far)",
    ]


def test_what_is_logged_of_a_request_names_it_and_tells_nothing_of_its_content(
    caplog: pytest.LogCaptureFixture,
) -> None:
    handler = Heartbeats(error=RuntimeError("boom"))
    body = HeartbeatRequest(group_id="g", member_id="what the client sent").encode(4)
    with caplog.at_level(logging.DEBUG):
        dispatcher = Dispatcher([HandlerSpec(ApiKey.HEARTBEAT, 0, 4, handler)], SERVICES)
        serve(dispatcher, request(ApiKey.HEARTBEAT, 4, body, flexible=True))
    seen, failed = caplog.records
    assert seen.getMessage().startswith("HEARTBEAT version 4 of connection c-1 (PLAINTEXT, client")
    for record in (seen, failed):
        event = JsonFormatter().format(record)
        assert json.loads(event)["request_id"] == "c-1:77"
        assert (json.loads(event)["api"], json.loads(event)["api_version"]) == ("HEARTBEAT", 4)
        assert "what the client sent" not in event + TextFormatter().format(record)


def test_requests_are_logged_only_when_that_is_asked_for(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        dispatcher = Dispatcher([HandlerSpec(ApiKey.HEARTBEAT, 0, 4, Heartbeats())], SERVICES)
        serve(dispatcher, heartbeat())
    assert caplog.records == []


def metadata() -> memoryview:
    return request(ApiKey.METADATA, 12, MetadataRequest().encode(12), flexible=True)


def failing(*_: Any) -> Any:
    raise ProtocolError(ErrorCode.REQUEST_TIMED_OUT, "why")


def test_a_handler_may_shape_the_answer_to_its_own_failure() -> None:
    def fail(asked: Any, version: int, code: ErrorCode, message: str | None) -> MetadataResponse:
        return MetadataResponse(cluster_id=f"{version} {code.name} {message}")

    dispatcher = Dispatcher([HandlerSpec(ApiKey.METADATA, 0, 13, failing, fail)], SERVICES)
    assert serve(dispatcher, metadata()).answer.cluster_id == "12 REQUEST_TIMED_OUT why"


def test_an_api_without_a_place_for_an_error_closes_the_connection() -> None:
    def produce_like(*_: Any) -> Any:
        raise ProtocolError(ErrorCode.REQUEST_TIMED_OUT)

    from ottla.protocol.messages.list_offsets_request import ListOffsetsRequest

    dispatcher = Dispatcher([HandlerSpec(ApiKey.LIST_OFFSETS, 1, 9, produce_like)], SERVICES)
    frame = request(ApiKey.LIST_OFFSETS, 7, ListOffsetsRequest().encode(7), flexible=True)
    with pytest.raises(CloseConnection, match="LIST_OFFSETS failed with REQUEST_TIMED_OUT"):
        serve(dispatcher, frame)


def test_a_handler_may_close_the_connection() -> None:
    handler = Heartbeats(error=CloseConnection("enough"))
    dispatcher = Dispatcher([HandlerSpec(ApiKey.HEARTBEAT, 0, 4, handler)], SERVICES)
    with pytest.raises(CloseConnection, match="enough"):
        serve(dispatcher, heartbeat())


def test_an_encoded_answer_leaves_as_it_is() -> None:
    handler = Heartbeats(answer=EncodedAnswer(b"body"))
    dispatcher = Dispatcher([HandlerSpec(ApiKey.HEARTBEAT, 0, 4, handler)], SERVICES)
    exchange = serve(dispatcher, heartbeat())
    out = bytearray()
    assert exchange.is_answered
    assert dispatcher.encode(exchange, out) is None
    assert out == struct.pack(">iib", 9, 77, 0) + b"body"


def test_an_answer_that_cannot_be_encoded_becomes_an_error_and_leaves_no_trace() -> None:
    handler = Heartbeats(answer=HeartbeatResponse(throttle_time_ms=2**40))
    dispatcher = Dispatcher([HandlerSpec(ApiKey.HEARTBEAT, 0, 4, handler)], SERVICES)
    out = bytearray(b"before")
    assert dispatcher.encode(serve(dispatcher, heartbeat()), out) is None
    assert out[:6] == b"before"
    assert struct.unpack_from(">i", out, 6) == (len(out) - 10,)
    assert HeartbeatResponse.decode(out, 4, 15).error_code == -1
    assert dispatcher.unexpected_errors == 1


def test_an_unsupported_version_of_api_versions_is_answered_in_version_0() -> None:
    dispatcher = Dispatcher([api_versions_handler(())], SERVICES)
    frame = memoryview(bytearray(struct.pack(">hhih", ApiKey.API_VERSIONS, 99, 77, -1) + b"\0any"))
    out = bytearray()
    assert dispatcher.encode(serve(dispatcher, frame), out) is None
    assert struct.unpack_from(">ii", out) == (len(out) - 4, 77)
    answer, end = ApiVersionsResponse.decode_from(out, 8, 0)
    assert end == len(out)
    assert answer.error_code == 35
    assert [(k.api_key, k.min_version, k.max_version) for k in answer.api_keys] == [(18, 0, 4)]


def test_api_versions_tells_later_handlers_the_clients_software() -> None:
    handler = Heartbeats()

    def versions(*_: Any) -> ApiVersionsResponse:
        return ApiVersionsResponse()

    dispatcher = Dispatcher(
        [
            HandlerSpec(ApiKey.HEARTBEAT, 0, 4, handler),
            HandlerSpec(ApiKey.API_VERSIONS, 0, 4, versions),
        ],
        SERVICES,
    )
    peer = Peer("c-1", "PLAINTEXT", "127.0.0.1")
    body = ApiVersionsRequest("librdkafka", "2.11.0").encode(3)
    exchange = serve(dispatcher, request(ApiKey.API_VERSIONS, 3, body, flexible=True), peer)
    out = bytearray()
    dispatcher.encode(exchange, out)
    assert ApiVersionsResponse.decode(out, 3, 8) == ApiVersionsResponse()  # header version 0
    serve(dispatcher, heartbeat(), peer)
    assert handler.calls[0][0].client_software == "librdkafka/2.11.0"


class Slice:
    """A range of a file, as the log gives it."""

    def __init__(self, path: Path, position: int, size: int) -> None:
        self._descriptor = os.open(path, os.O_RDONLY)
        self.position = position
        self.size = size

    def fileno(self) -> int:
        return self._descriptor

    def __del__(self) -> None:
        os.close(self._descriptor)


def fetch_answer(*sizes: int, path: Path) -> FetchResponse:
    partitions = []
    position = 0
    for index, size in enumerate(sizes):
        records = Slice(path, position, size) if size else b""
        partitions.append(PartitionData(partition_index=index, records=records))
        position += size
    return FetchResponse(responses=[FetchableTopicResponse(partitions=partitions)])


@pytest.mark.parametrize(
    "sizes",
    [(0,), (10,), (10, 0, 20), (INLINE_BYTES + 1,), (10, INLINE_BYTES + 1, 20, INLINE_BYTES + 2)],
)
def test_small_slices_travel_in_the_answer_and_large_ones_as_slices(
    sizes: tuple[int, ...], tmp_path: Path
) -> None:
    path = tmp_path / "log"
    content = os.urandom(sum(sizes))
    path.write_bytes(content)
    answer = fetch_answer(*sizes, path=path)
    dispatcher = Dispatcher([HandlerSpec(ApiKey.FETCH, 4, 17, lambda *_: answer)], SERVICES)
    frame = request(ApiKey.FETCH, 12, FetchRequest().encode(12), flexible=True)
    out = bytearray(b"before")
    parts = dispatcher.encode(serve(dispatcher, frame), out)
    if max(sizes) <= INLINE_BYTES:
        assert parts is None
        whole = bytes(out)
    else:
        assert parts is not None
        assert parts[0] is out
        pieces = []
        for part in parts:
            if isinstance(part, bytes | bytearray | memoryview):
                pieces.append(bytes(part))
            else:
                assert part.size > INLINE_BYTES
                pieces.append(os.pread(part.fileno(), part.size, part.position))
        whole = b"".join(pieces)
    size, correlation_id = struct.unpack_from(">ii", whole, 6)
    assert (whole[:6], size, correlation_id) == (b"before", len(whole) - 10, 77)
    decoded = FetchResponse.decode(whole, 12, 15)
    records = [bytes(p.records) for p in decoded.responses[0].partitions]  # type: ignore[arg-type]
    assert records == [content[sum(sizes[:i]) : sum(sizes[: i + 1])] for i in range(len(sizes))]


class FakeQuotas:
    """Remembers what was charged, and answers with a pause."""

    def __init__(self, *kinds: QuotaKind) -> None:
        self.kinds = frozenset(kinds)
        self.charged: list[tuple[QuotaKind, Client, float]] = []

    def charge(self, kind: QuotaKind, client: Client, amount: float) -> int:
        self.charged.append((kind, client, amount))
        return {QuotaKind.PRODUCE: 30, QuotaKind.REQUEST: 40}[kind]


@pytest.mark.parametrize(
    ("kinds", "throttle_ms"),
    [((), 0), ((QuotaKind.FETCH,), 0), ((QuotaKind.PRODUCE,), 30), (tuple(QuotaKind), 40)],
)
def test_a_produce_is_charged_for_its_bytes_and_its_time(
    kinds: tuple[QuotaKind, ...], throttle_ms: int
) -> None:
    quotas = FakeQuotas(*kinds)
    dispatcher = Dispatcher(
        [HandlerSpec(ApiKey.PRODUCE, 3, 13, lambda *_: ProduceResponse())],
        SERVICES,
        cast(Any, quotas),
    )
    body = ProduceRequest(None, 1, 1_000, []).encode(9)
    frame = request(ApiKey.PRODUCE, 9, body, flexible=True)
    exchange = serve(dispatcher, frame)
    assert exchange.throttle_ms == throttle_ms
    by_kind = {kind: amount for kind, _, amount in quotas.charged}
    assert by_kind.keys() == {QuotaKind.PRODUCE, QuotaKind.REQUEST}.intersection(kinds)
    assert by_kind.get(QuotaKind.PRODUCE, len(frame)) == len(frame)
    assert all(client == Client("ANONYMOUS", "client") for _, client, _ in quotas.charged)
    out = bytearray()
    dispatcher.encode(exchange, out)
    assert ProduceResponse.decode(out, 9, 9).throttle_time_ms == throttle_ms


def test_requests_errors_and_durations_are_counted() -> None:
    services = cast(BrokerServices, SimpleNamespace(errors=ErrorCounts()))
    codes = iter([ErrorCode.NONE, ErrorCode.UNKNOWN_MEMBER_ID, None])

    def handler(*_: object) -> HeartbeatResponse:
        code = next(codes)
        if code is None:
            raise ProtocolError(ErrorCode.NOT_COORDINATOR)
        return HeartbeatResponse(error_code=int(code))

    dispatcher = Dispatcher([HandlerSpec(ApiKey.HEARTBEAT, 0, 4, handler)], services)
    for _ in range(3):
        dispatcher.encode(serve(dispatcher, heartbeat()), bytearray())
    assert list(dispatcher.requests()) == [(ApiKey.HEARTBEAT, 4, 3)]
    assert services.errors.counts == {
        (ApiKey.HEARTBEAT, ErrorCode.UNKNOWN_MEMBER_ID): 1,
        (ApiKey.HEARTBEAT, ErrorCode.NOT_COORDINATOR): 1,
    }
    ((api, durations),) = dispatcher.durations()
    assert (api, durations.count) == (ApiKey.HEARTBEAT, 3)


def test_an_error_of_an_answer_without_a_place_for_it_counts_once() -> None:
    services = cast(BrokerServices, SimpleNamespace(errors=ErrorCounts()))

    def failing(*_: object) -> MetadataResponse:
        raise ProtocolError(ErrorCode.UNKNOWN_TOPIC_ID)

    def fail(*_: object) -> MetadataResponse:
        return MetadataResponse()

    dispatcher = Dispatcher([HandlerSpec(ApiKey.METADATA, 0, 13, failing, fail)], services)
    frame = request(ApiKey.METADATA, 12, MetadataRequest().encode(12), flexible=True)
    dispatcher.encode(serve(dispatcher, frame), bytearray())
    assert services.errors.counts == {(ApiKey.METADATA, ErrorCode.UNKNOWN_TOPIC_ID): 1}
