"""What a handler is: the versions of one API and the function that serves it.

A handler function is called in the order of the connection's frames and does what must keep that
order (an append above all) before it returns. What it returns is the answer, or an awaitable of it
when the answer has to wait; ``None`` means that no answer is sent (Produce with acks=0).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from ottla.protocol.api import ApiKey

if TYPE_CHECKING:
    from broker.handlers.services import BrokerServices


@dataclass(frozen=True, slots=True)
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


Answer: TypeAlias = Any  # a response message of ottla.protocol.messages; None for no answer at all
HandlerFunction: TypeAlias = Callable[
    ["BrokerServices", RequestContext, Any], "Answer | Awaitable[Answer]"
]


@dataclass(frozen=True, slots=True)
class HandlerSpec:
    """One row of the table of what is supported."""

    api_key: ApiKey
    min_version: int
    max_version: int
    """Inclusive."""
    handle: HandlerFunction
