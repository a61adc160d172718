"""Why an address cannot be reached, told from the address and how dialling failed. Pure.

A broker tells its clients where to go on (`advertised.listeners`). Behind a container's network the
same broker has one address inside and another outside, and a client that is handed the other
side's, or a port that nobody published, fails only after its first connection has succeeded.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from enum import Enum
from typing import NamedTuple


class DialFailure(Enum):
    """How far dialling came."""

    UNRESOLVED = "the name does not resolve"
    REFUSED = "the machine answers, the port is closed"
    CLOSED = "the connection was taken and closed at once"
    SILENT = "nothing came back, or no way leads there"
    OTHER = "anything else"


class Explanation(NamedTuple):
    """What is wrong, and the remedy."""

    problem: str
    remedy: str


_OTHER_SIDE = (
    "connect to the listener that is meant for clients where you are (docker-compose.yml has "
    "127.0.0.1:9092 for this machine and broker-1:9092 for containers)"
)


def explain_advertised(
    broker_id: int, address: str, failure: DialFailure, asked: Iterable[str]
) -> Explanation | None:
    """Why the address that a broker advertises does not serve here; None when only that is known.

    `asked` are the addresses that were dialled first, as the user gave them.
    """
    who = f"broker {broker_id} advertises {address}"
    host = _host(address)
    asked_hosts = {_host(one) for one in asked}
    match failure:
        case DialFailure.UNRESOLVED:
            return Explanation(
                f"{who}, a name that does not resolve here, as that of a container does outside "
                "its network",
                f"{_OTHER_SIDE}, or set advertised.listeners to a name that clients can resolve",
            )
        case DialFailure.REFUSED | DialFailure.SILENT if _is_loopback(host) and not any(
            map(_is_loopback, asked_hosts)
        ):
            return Explanation(
                f"{who}, which is right on the broker's own machine alone: here it leads back to "
                "this one",
                f"{_OTHER_SIDE}, or set advertised.listeners to an address that clients can reach",
            )
        case DialFailure.SILENT if _is_private(host) and host not in asked_hosts:
            return Explanation(
                f"{who}, an address of a private network that cannot be reached from here; it may "
                "be inside a container's network",
                "give the broker a listener of its own for clients outside, and advertise there "
                "the machine's name: advertised.listeners=INSIDE://broker-1:9092,"
                "OUTSIDE://machine.example:9094",
            )
        case DialFailure.REFUSED:
            return Explanation(
                f"{who}, where the port is closed",
                "start the broker; if it runs in a container, publish the port under the number "
                "that is advertised",
            )
        case DialFailure.CLOSED:
            return Explanation(f"{who}, where connections are closed at once", _PUBLISHED)
    return None


def explain_given(address: str, failure: DialFailure) -> Explanation | None:
    """The same for an address that the user gave."""
    match failure:
        case DialFailure.UNRESOLVED:
            return Explanation(
                f"{address} is a name that does not resolve here",
                "correct it; names of containers are known in their own network alone, where "
                "'docker run --network ottla_default …' starts a container",
            )
        case DialFailure.CLOSED:
            return Explanation(f"{address} closes connections at once", _PUBLISHED)
    return None


_PUBLISHED = (
    "a published port must lead to the port of a listener that is bound to 0.0.0.0 inside the "
    "container: compare 'ports' with listeners, and see whether the broker runs"
)


def _host(address: str) -> str:
    return address.rpartition(":")[0].strip("[]")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_private(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return False
