"""From the bytes of one frame to a handler and from its answer to bytes.

Request header (KIP-482 for version 2):

    api_key int16 · api_version int16 · correlation_id int32
    client_id       nullable string with an int16 length, in version 2 too
    tagged fields   only in version 2: count, then (tag, size, bytes), all unsigned varints

Response frame: size int32 · correlation_id int32 · tagged fields (version 1 only) · body.

The header is read here by hand, since it is on the path of every request. Unknown tagged fields are
skipped. The dispatcher is the barrier: whatever a handler lets escape becomes an answer or a closed
connection, with one log line, and nothing else is disturbed.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from struct import Struct
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any, Final

from broker.handlers.spec import Answer, CloseConnection, EncodedAnswer, HandlerSpec, RequestContext
from broker.metrics.durations import Durations
from broker.network.transfer import Part, read_cached
from broker.quotas.client_quotas import ClientQuotas, client_of
from broker.quotas.table import QuotaKind
from ottla.core.errors import DecodeError, ErrorCode, ProtocolError
from ottla.core.logs import request_fields
from ottla.protocol.api import ApiKey, api_spec, request_header_version, response_header_version

if TYPE_CHECKING:
    from broker.handlers.services import BrokerServices

logger = logging.getLogger(__name__)

_HEADER: Final = Struct(">hhih")
_REPLY: Final = Struct(">ii")
_SIZE: Final = Struct(">i")
_CLIENT_ID_AT: Final = 10
_TAGS_MAX: Final = 64
_SENDS_PARTS: Final = frozenset({ApiKey.FETCH})
_CHARGED_LATER: Final = frozenset(
    {ApiKey.FETCH, ApiKey.CREATE_TOPICS, ApiKey.DELETE_TOPICS, ApiKey.CREATE_PARTITIONS}
)
_BORROWS: Final = frozenset({ApiKey.PRODUCE})


class Peer:
    """What is known of the other end of a connection."""

    __slots__ = (
        "client_id",
        "client_id_bytes",
        "client_software",
        "connection_id",
        "host",
        "listener_name",
        "port",
        "principal",
    )

    def __init__(self, connection_id: str, listener_name: str, host: str) -> None:
        self.connection_id = connection_id
        self.listener_name = listener_name
        self.host = host
        self.port = 0
        self.principal = "User:ANONYMOUS"
        self.client_software = ""
        self.client_id: str | None = None
        self.client_id_bytes = b""  # of `client_id`: the same on all requests of a client

    def __str__(self) -> str:
        name = f", client {self.client_id!r}" if self.client_id else ""
        return f"connection {self.connection_id} ({self.listener_name}{name})"


@dataclass(frozen=True, slots=True)
class _Row:
    """One API of the table, with what dispatch needs at hand for each version."""

    spec: HandlerSpec
    request_type: Any
    response_type: Any
    flexible_request: tuple[bool, ...]
    """By version: the request header ends with tagged fields."""
    flexible_response: tuple[bool, ...]
    sends_parts: bool
    """The response may hold slices of log files."""
    charged_later: bool
    """What it costs is known once it is done: its answer says for how long to pause."""
    borrows: bool
    """The request holds records of the receive buffer, which live until its handler returns."""
    has_error_code: bool
    """The response as a whole has one."""
    requests: list[int]
    """How many came, by version."""
    answered: Durations
    """From the dispatch of a request until its answer was encoded."""


class Exchange:
    """One request on its way: what its answer needs."""

    __slots__ = (
        "answer",
        "correlation_id",
        "is_counted",
        "peer",
        "request",
        "row",
        "started_ns",
        "throttle_ms",
        "version",
    )

    def __init__(
        self, peer: Peer, row: _Row, version: int, correlation_id: int, request: Any, answer: Any
    ) -> None:
        self.peer = peer
        self.row = row
        self.started_ns = perf_counter_ns()
        self.is_counted = False  # as an error
        self.version = version
        self.correlation_id = correlation_id
        self.request = request
        self.answer = answer
        """A message, an EncodedAnswer, None for no answer, or an awaitable of one of these."""
        self.throttle_ms = 0
        """How long the client has to pause, by its quotas."""

    @property
    def is_answered(self) -> bool:
        kind = self.answer.__class__
        return kind is self.row.response_type or kind is EncodedAnswer or self.answer is None

    def log_fields(self) -> dict[str, Any]:
        """What an event about this request carries."""
        return request_fields(
            self.peer.connection_id,
            self.correlation_id,
            self.peer.client_id,
            self.row.spec.api_key.name,
            self.version,
        )


class Dispatcher:
    """The table of handlers, shared by all connections."""

    def __init__(
        self,
        handlers: Sequence[HandlerSpec],
        services: BrokerServices,
        quotas: ClientQuotas | None = None,
    ) -> None:
        self._services = services
        self._quotas = quotas
        self._rows = {int(spec.api_key): _row(spec) for spec in handlers}
        self._logs_requests = logger.isEnabledFor(logging.DEBUG)
        self.errors = services.errors
        self.unexpected_errors = 0
        """How often the barrier was reached, i.e. our bugs."""

    def requests(self) -> Iterator[tuple[ApiKey, int, int]]:
        """(API, version, how many came), of those that came."""
        for row in self._rows.values():
            for version, count in enumerate(row.requests):
                if count:
                    yield row.spec.api_key, version, count

    def durations(self) -> Iterator[tuple[ApiKey, Durations]]:
        """How long requests took, of each API that was asked for; those without an answer
        (Produce with acks=0) are not among them."""
        for row in self._rows.values():
            if row.answered.total_ns:
                yield row.spec.api_key, row.answered

    def dispatch(self, peer: Peer, frame: memoryview, start: int, end: int) -> Exchange:
        """Serve the request in ``frame[start:end]``, which is borrowed until this returns.

        DecodeError or CloseConnection: the connection has to be closed; the text says why.
        """
        if end - start < _CLIENT_ID_AT:
            raise DecodeError(f"a request of {end - start} bytes has no whole header")
        key, version, correlation_id, length = _HEADER.unpack_from(frame, start)
        row = self._rows.get(key)
        if row is None:
            raise DecodeError(f"unknown API key {key}")
        spec = row.spec
        body = start + _CLIENT_ID_AT
        if length >= 0:
            body += length
            if body > end:
                raise DecodeError("the client id is longer than the request")
            raw = frame[body - length : body]
            if raw != peer.client_id_bytes or peer.client_id is None:
                _note_client_id(peer, bytes(raw))
        elif length == -1:
            peer.client_id = None
        else:
            raise DecodeError(f"a client id of {length} bytes")
        if not spec.min_version <= version <= spec.max_version:
            return _refuse(peer, row, version, correlation_id, frame[body:end])
        if row.flexible_request[version]:
            body = body + 1 if body < end and frame[body] == 0 else _skip_tags(frame, body, end)
        request = row.request_type.decode(frame[:end], version, body)
        context = RequestContext(
            spec.api_key,
            version,
            correlation_id,
            peer.client_id,
            peer.client_software,
            peer.connection_id,
            peer.listener_name,
            peer.host,
            peer.principal,
            peer.port,
        )
        exchange = Exchange(peer, row, version, correlation_id, request, None)
        if self._logs_requests:
            logger.debug(
                "%s version %d of %s, %d bytes",
                spec.api_key.name,
                version,
                peer,
                end - start,
                extra=exchange.log_fields(),
            )
        limited = self._quotas is not None and self._quotas.kinds
        begun_s = time.perf_counter() if limited else 0.0
        row.requests[version] += 1
        try:
            exchange.answer = spec.handle(self._services, context, request)
        except Exception as error:
            exchange.answer = self.failure(exchange, error)
        if limited:
            exchange.throttle_ms = self._charge(context, end - start, begun_s)
        if key == ApiKey.API_VERSIONS and version >= 3:
            peer.client_software = (
                f"{request.client_software_name}/{request.client_software_version}"
            )
        return exchange

    def _charge(self, context: RequestContext, size: int, begun_s: float) -> int:
        """Count a request of `size` bytes; how long its client has to pause for it, in ms."""
        quotas = self._quotas
        if quotas is None:
            return 0
        throttle_ms = 0
        client = client_of(context.principal, context.client_id)
        if context.api_key == ApiKey.PRODUCE and QuotaKind.PRODUCE in quotas.kinds:
            throttle_ms = quotas.charge(QuotaKind.PRODUCE, client, size)
        if QuotaKind.REQUEST in quotas.kinds:
            # Of the loop's time, which is all that this process has: until the handler returned.
            percent = (time.perf_counter() - begun_s) * 100
            throttle_ms = max(throttle_ms, quotas.charge(QuotaKind.REQUEST, client, percent))
        return throttle_ms

    def failure(self, exchange: Exchange, error: BaseException) -> Answer:
        """The answer to a request whose handler failed as a whole.

        CloseConnection when its API has no place for such an error; a DecodeError is raised on, for
        the request holds bytes that the handler could not read.
        """
        spec = exchange.row.spec
        if isinstance(error, CloseConnection | DecodeError):
            raise error
        if isinstance(error, ProtocolError):
            code, message = error.code, error.message
        else:
            self.unexpected_errors += 1
            code, message = ErrorCode.UNKNOWN_SERVER_ERROR, "the broker's log has the cause"
            logger.error(
                "%s version %d of %s failed unexpectedly (%d such errors so far)",
                spec.api_key.name,
                exchange.version,
                exchange.peer,
                self.unexpected_errors,
                exc_info=error,
                extra=exchange.log_fields(),
            )
        self.errors.note(spec.api_key, code)
        exchange.is_counted = True
        if spec.fail is not None:
            return spec.fail(exchange.request, exchange.version, code, message)
        answer = exchange.row.response_type()
        if not hasattr(answer, "error_code"):
            raise CloseConnection(f"{spec.api_key.name} failed with {code.name}: {message or ''}")
        answer.error_code = int(code)
        if message is not None and hasattr(answer, "error_message"):
            answer.error_message = message
        return answer

    def encode(self, exchange: Exchange, out: bytearray) -> list[Part] | None:
        """Append the frame of the answer to `out`, or return its parts when it holds slices.

        CloseConnection when it cannot be encoded; `out` is then as it was.
        """
        before = len(out)
        row = exchange.row
        took_ns = perf_counter_ns() - exchange.started_ns
        row.answered.buckets[took_ns.bit_length()] += 1
        row.answered.total_ns += took_ns
        try:
            parts = self._encode(exchange, out)
            if row.has_error_code and exchange.answer.__class__ is row.response_type:
                code = exchange.answer.error_code
                if code and not exchange.is_counted:
                    self.errors.note(row.spec.api_key, code)
            return parts
        except Exception as error:
            del out[before:]
            try:
                exchange.answer = self.failure(exchange, error)
                return self._encode(exchange, out)
            except CloseConnection:
                raise
            except Exception as second:
                del out[before:]
                name = exchange.row.spec.api_key.name
                raise CloseConnection(f"the answer of {name} cannot be encoded") from second

    @staticmethod
    def _encode(exchange: Exchange, out: bytearray) -> list[Part] | None:
        row, version, answer = exchange.row, exchange.version, exchange.answer
        if exchange.throttle_ms and answer.__class__ is row.response_type:
            _tell_throttle(answer, exchange.throttle_ms)
        start = len(out)
        out += _REPLY.pack(0, exchange.correlation_id)
        # Refused versions lie outside the table and have a response header of version 0.
        if version < len(row.flexible_response) and row.flexible_response[version]:
            out.append(0)
        if not row.sends_parts or answer.__class__ is EncodedAnswer:
            answer.encode_into(out, version)
            _SIZE.pack_into(out, start, len(out) - start - 4)
            return None
        parts: list[Part] = []
        total = len(out) - start - 4
        for part in answer.encode_parts(version):
            if not isinstance(part, bytes | bytearray | memoryview):
                total += part.size
                small = read_cached(part)
                if small is None:
                    parts += (out, part) if not parts else (part,)
                    continue
                part = small
            else:
                total += len(part)
            if not parts:
                out += part
            else:
                parts.append(part)
        _SIZE.pack_into(out, start, total)
        return parts or None


def _tell_throttle(answer: Any, throttle_ms: int) -> None:
    if hasattr(answer, "throttle_time_ms"):
        answer.throttle_time_ms = max(answer.throttle_time_ms, throttle_ms)


def _row(spec: HandlerSpec) -> _Row:
    key = spec.api_key
    api = api_spec(key)
    has_error_code = hasattr(api.response_type(), "error_code")
    versions = range(spec.max_version + 1)
    return _Row(
        spec,
        api.request_type,
        api.response_type,
        tuple(v >= spec.min_version and request_header_version(key, v) >= 2 for v in versions),
        tuple(v >= spec.min_version and response_header_version(key, v) >= 1 for v in versions),
        key in _SENDS_PARTS,
        key in _CHARGED_LATER,
        key in _BORROWS,
        has_error_code,
        [0] * len(versions),
        Durations(),
    )


def _refuse(peer: Peer, row: _Row, version: int, correlation_id: int, body: memoryview) -> Exchange:
    spec = row.spec
    if spec.refuse is None:
        raise DecodeError(
            f"{spec.api_key.name} version {version} is not supported "
            f"({spec.min_version} to {spec.max_version} are)"
        )
    answer = EncodedAnswer(spec.refuse(body, version))
    return Exchange(peer, row, version, correlation_id, None, answer)


def _note_client_id(peer: Peer, raw: bytes) -> None:
    try:
        peer.client_id = raw.decode()
    except UnicodeDecodeError as error:
        raise DecodeError("the client id is not UTF-8") from error
    peer.client_id_bytes = raw


def _skip_tags(frame: memoryview, position: int, end: int) -> int:
    count, position = _read_varint(frame, position, end)
    if count > _TAGS_MAX:
        raise DecodeError(f"a request header with {count} tagged fields")
    for _ in range(count):
        _, position = _read_varint(frame, position, end)
        size, position = _read_varint(frame, position, end)
        position += size
    if position > end:
        raise DecodeError("a tagged field is longer than the request")
    return position


def _read_varint(frame: memoryview, position: int, end: int) -> tuple[int, int]:
    value = shift = 0
    while position < end and shift < 35:
        byte = frame[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
    raise DecodeError("a variable-length integer has no end")
