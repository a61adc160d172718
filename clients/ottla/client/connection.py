"""One connection to one broker: versions, correlation ids, requests and their answers.

A connection is used by one thread. Requests may be sent ahead; answers come in request order, and
those that come before the one that is waited for are kept. After any failure the connection is
closed and stays so: whoever owns it makes a new one.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from struct import Struct
from typing import TypeVar, cast

from ottla.client.errors import ConnectionLostError, UnsupportedApiError, protocol_error
from ottla.client.network import Transport, reason_of
from ottla.client.options import ClientOptions
from ottla.core.checks import check
from ottla.core.errors import DecodeError, ErrorCode
from ottla.protocol.api import (
    ApiKey,
    api_spec,
    request_header_version,
    response_header_version,
)
from ottla.protocol.header import RequestHeader, ResponseHeader
from ottla.protocol.message import Message
from ottla.protocol.messages.api_versions_request import ApiVersionsRequest
from ottla.protocol.messages.api_versions_response import ApiVersionsResponse

Answer = TypeVar("Answer", bound=Message)

SOFTWARE_NAME = "ottla-python"
SOFTWARE_VERSION = "0.1.0"

_API_VERSIONS_VERSION = 3  # the first that names the client's software
# Versions above these name topics by id, ask for several groups at once, or are for brokers: this
# client has no use for any of it.
_VERSION_MAX: dict[ApiKey, int] = {
    ApiKey.PRODUCE: 12,
    ApiKey.FETCH: 12,
    ApiKey.LIST_OFFSETS: 9,
    ApiKey.OFFSET_COMMIT: 9,
    ApiKey.OFFSET_FETCH: 7,
    ApiKey.FIND_COORDINATOR: 3,
    ApiKey.DELETE_TOPICS: 5,
    ApiKey.LEAVE_GROUP: 5,
    ApiKey.ADD_PARTITIONS_TO_TXN: 3,
}
_LENGTH = Struct(">i")
_INT16 = Struct(">h")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a broker listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Pending:
    """A request whose answer has not been received."""

    correlation_id: int
    key: ApiKey
    version: int


class Connection:
    """An open connection with negotiated versions; made by `Connection.open`."""

    def __init__(self, address: Address, transport: Transport, options: ClientOptions) -> None:
        self.address = address
        self.transport = transport
        self.closed = False
        self._options = options
        self._next_correlation_id = 0
        self._in_flight: deque[Pending] = deque()
        self._answers: dict[Pending, tuple[bytearray, int]] = {}
        self._served: dict[int, tuple[int, int]] = {}
        self.features: dict[str, int] = {}
        """The cluster's finalised features and their levels (KIP-584)."""

    @classmethod
    def open(cls, address: Address, options: ClientOptions) -> Connection:
        """Connect and negotiate. ConnectionLostError, with the reason alone as its message."""
        timeout_ms = options.connect_timeout_ms
        try:
            transport = options.network.connect(address.host, address.port, timeout_ms)
        except OSError as error:
            raise ConnectionLostError(reason_of(error, timeout_ms)) from error
        connection = cls(address, transport, options)
        try:
            connection._negotiate(timeout_ms)
        except (ConnectionLostError, DecodeError) as error:
            connection.close()
            cause = error.__cause__
            reason = reason_of(cause, timeout_ms) if isinstance(cause, OSError) else str(error)
            raise ConnectionLostError(reason) from error
        return connection

    def version_of(self, key: ApiKey) -> int:
        """The highest version of an API that both sides speak; UnsupportedApiError: none."""
        spec = api_spec(key)
        served = self._served.get(key)
        if served is None:
            raise UnsupportedApiError(f"the broker at {self.address} does not serve {spec.name}")
        version = min(served[1], spec.max_version, _VERSION_MAX.get(key, spec.max_version))
        if version < max(served[0], spec.min_version):
            raise UnsupportedApiError(
                f"the broker at {self.address} serves {spec.name} {served[0]}–{served[1]}; "
                f"this client speaks {spec.min_version}–{spec.max_version}"
            )
        return version

    def request(
        self,
        key: ApiKey,
        message: Message,
        answer: type[Answer],
        timeout_ms: int | None = None,
        *,
        version_max: int | None = None,
    ) -> Answer:
        """Send and wait for the answer; ConnectionLostError, UnsupportedApiError, DecodeError."""
        version = None if version_max is None else min(self.version_of(key), version_max)
        pending = self.send(key, message, version=version, timeout_ms=timeout_ms)
        return self.receive(pending, answer, timeout_ms)

    def send(
        self,
        key: ApiKey,
        message: Message,
        *,
        version: int | None = None,
        answered: bool = True,
        timeout_ms: int | None = None,
    ) -> Pending:
        """Send a request; `answered` is False for the one kind (acks=0) that gets no answer."""
        if version is None:
            version = self.version_of(key)
        pending = Pending(self._next_correlation_id, key, version)
        self._next_correlation_id = (self._next_correlation_id + 1) & 0x7FFFFFFF
        frame = bytearray(4)
        header = RequestHeader(key, version, pending.correlation_id, self._options.client_id)
        header.encode_into(frame, request_header_version(key, version))
        message.encode_into(frame, version)
        _LENGTH.pack_into(frame, 0, len(frame) - 4)
        timeout_ms = timeout_ms or self._options.request_timeout_ms
        try:
            self.transport.send(frame, timeout_ms)
        except OSError as error:
            raise self._lost(error, timeout_ms) from error
        if answered:
            self._in_flight.append(pending)
        return pending

    def receive(
        self, pending: Pending, answer: type[Answer], timeout_ms: int | None = None
    ) -> Answer:
        """The answer to a request; those to earlier ones are kept for whoever asks for them."""
        while pending not in self._answers:
            check(
                pending in self._in_flight,
                "the answer to a request is received once",
                correlation_id=pending.correlation_id,
            )
            oldest = self._in_flight[0]
            self._answers[oldest] = self._receive_body(oldest, timeout_ms)
            self._in_flight.popleft()
        body, position = self._answers.pop(pending)
        try:
            message = answer.decode(memoryview(body), pending.version, position)
        except DecodeError:
            self.close()
            raise
        return cast(Answer, message)

    @property
    def has_answer(self) -> bool:
        """Whether an answer was received that nobody has taken yet."""
        return bool(self._answers)

    def close(self) -> None:
        self.closed = True
        self.transport.close()

    def _receive_body(self, pending: Pending, timeout_ms: int | None) -> tuple[bytearray, int]:
        timeout_ms = timeout_ms or self._options.request_timeout_ms
        try:
            frame = self.transport.receive(timeout_ms)
            header, position = ResponseHeader.decode_from(
                frame, 0, response_header_version(pending.key, pending.version)
            )
        except OSError as error:
            raise self._lost(error, timeout_ms) from error
        except DecodeError:
            self.close()
            raise
        if header.correlation_id != pending.correlation_id:
            self.close()
            raise DecodeError(
                f"the broker at {self.address} answered request {header.correlation_id} "
                f"instead of {pending.correlation_id}"
            )
        return frame, position

    def _negotiate(self, timeout_ms: int) -> None:
        """Ask which versions are served (KIP-511)."""
        request = ApiVersionsRequest(SOFTWARE_NAME, SOFTWARE_VERSION)
        version = _API_VERSIONS_VERSION
        pending = self.send(ApiKey.API_VERSIONS, request, version=version, timeout_ms=timeout_ms)
        body, position = self._receive_body(pending, timeout_ms)
        self._in_flight.popleft()
        if _error_code(body, position) == ErrorCode.UNSUPPORTED_VERSION:
            # An older broker answers in version 0, whatever it was asked in.
            version = 0
            pending = self.send(
                ApiKey.API_VERSIONS, ApiVersionsRequest(), version=0, timeout_ms=timeout_ms
            )
            body, position = self._receive_body(pending, timeout_ms)
            self._in_flight.popleft()
        response = ApiVersionsResponse.decode(body, version, position)
        if response.error_code:
            raise ConnectionLostError(str(protocol_error(response.error_code, "ApiVersions")))
        self._served = {
            served.api_key: (served.min_version, served.max_version) for served in response.api_keys
        }
        self.features = {one.name: one.max_version_level for one in response.finalized_features}

    def _lost(self, error: OSError, timeout_ms: int) -> ConnectionLostError:
        self.close()
        reason = reason_of(error, timeout_ms)
        return ConnectionLostError(f"the broker at {self.address} does not answer ({reason})")


def _error_code(body: bytearray, position: int) -> int:
    if len(body) < position + 2:
        raise DecodeError("an answer to ApiVersions is shorter than its error code")
    (code,) = _INT16.unpack_from(body, position)
    return int(code)
