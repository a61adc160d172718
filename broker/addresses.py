"""Where a node listens and dials, as its settings say it."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass

from ottla.core.errors import ConfigError

_LISTENER = re.compile(
    r"(?P<name>[A-Za-z0-9_]+)://(?P<host>\[[^\]]*\]|[^:\[\]]*):(?P<port>\d{1,5})"
)


@dataclass(frozen=True, slots=True)
class Address:
    """Where to bind or dial; an empty host binds every interface. Printed with [] around IPv6."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class ListenerAddress:
    """One ``NAME://host:port``; `security_protocol` is PLAINTEXT or SSL."""

    name: str
    address: Address
    security_protocol: str


def parse_listener(text: str, setting_name: str, protocol_map: Iterable[str]) -> ListenerAddress:
    """``NAME://host:port``; `protocol_map`: NAME:PROTOCOL of names that are no protocols."""
    match = _LISTENER.fullmatch(text)
    if match is None:
        raise ConfigError(f"{setting_name}: expected NAME://host:port, not '{text}'")
    name = match["name"].upper()
    protocols = dict(entry.upper().split(":", 1) for entry in protocol_map if ":" in entry)
    protocol = protocols.get(name, name)
    if protocol not in ("PLAINTEXT", "SSL"):
        raise ConfigError(
            f"{setting_name}: listener '{name}' has no security protocol; name it PLAINTEXT or "
            f"SSL, or add '{name}:PLAINTEXT' or '{name}:SSL' to listener.security.protocol.map"
        )
    where = Address(match["host"].strip("[]"), _port(match["port"], setting_name))
    return ListenerAddress(name, where, protocol)


def parse_address(text: str, setting_name: str) -> Address:
    """``host:port`` or ``[ipv6]:port``."""
    match = re.fullmatch(r"(\[[^\]]*\]|[^:\[\]]*):(\d{1,5})", text)
    if match is None:
        raise ConfigError(f"{setting_name}: expected host:port, not '{text}'")
    return Address(match[1].strip("[]"), _port(match[2], setting_name))


def _port(text: str, setting_name: str) -> int:
    port = int(text)
    if not 1 <= port <= 65535:
        raise ConfigError(f"{setting_name}: port {port} is not between 1 and 65535")
    return port


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host`; names other than localhost count as beyond."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
