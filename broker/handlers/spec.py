"""What a handler is: the versions of one API and the function that serves it.

A handler function is called in the order of the connection's frames and does what must keep that
order (an append above all) before it returns. What it returns is the answer, or an awaitable of it
when the answer has to wait; ``None`` means that no answer is sent (Produce with acks=0). A future
that it returns is cancelled when the connection is lost; a coroutine runs to its end.

`records` fields of a request are borrowed from the network buffer until the function returns. A
coroutine's body starts later than that: what it needs of them is copied before.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from ottla.core.errors import ErrorCode, OttlaError
from ottla.protocol.api import ApiKey

if TYPE_CHECKING:
    from broker.handlers.services import BrokerServices


@dataclass(slots=True)  # not frozen: one a request, and a frozen one costs a microsecond more
class RequestContext:
    """Who asks, over which connection, in which version."""

    api_key: ApiKey
    api_version: int
    correlation_id: int
    client_id: str | None
    client_software: str
    """Name and version from ApiVersions, ``name/version``; empty when the client told none."""
    connection_id: str
    listener_name: str
    peer_host: str
    principal: str
    """``User:ANONYMOUS`` on a listener without authentication."""
    peer_port: int = 0


class CloseConnection(OttlaError):
    """Raised by a handler whose API has no other way to tell the client; the text is logged."""


class EncodedAnswer:
    """An answer's body, encoded already for the version of the request; shared, never changed."""

    __slots__ = ("body",)

    def __init__(self, body: bytes) -> None:
        self.body = body

    def encode_into(self, out: bytearray, version: int) -> None:
        out += self.body


Answer: TypeAlias = Any  # a message of ottla.protocol.messages, an EncodedAnswer, or None for none
HandlerFunction: TypeAlias = Callable[
    ["BrokerServices", RequestContext, Any], "Answer | Awaitable[Answer]"
]
FailureFunction: TypeAlias = Callable[[Any, int, ErrorCode, str | None], Answer]
RefusalFunction: TypeAlias = Callable[[memoryview, int], bytes]


@dataclass(frozen=True, slots=True)
class HandlerSpec:
    """One row of the table of what is supported."""

    api_key: ApiKey
    min_version: int
    max_version: int
    """Inclusive."""
    handle: HandlerFunction
    fail: FailureFunction | None = None
    """Makes the answer to (request, version, code, message) when `handle` failed as a whole. Not
    needed where the response has an `error_code` of its own; without either the connection is
    closed."""
    refuse: RefusalFunction | None = None
    """Makes the *encoded* answer to (body, version) for a version outside the range; without it the
    connection is closed, as Kafka does. The response header has no tagged fields."""
