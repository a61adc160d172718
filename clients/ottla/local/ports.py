"""Ports of this machine: whether one is free, and finding free ones."""

from __future__ import annotations

import random
import socket

from ottla.core.errors import ConfigError

# Below the range from which systems take the ports of outgoing connections: a port that a stopped
# node comes back to is then not given away meanwhile.
_FIRST, _LAST = 10_000, 30_000
_TRIES_MAX = 1_000


def port_is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could bind the port now (ports in TIME_WAIT count as free)."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def free_ports(count: int) -> list[int]:
    """`count` different ports that are free now; another program may still take one first."""
    found: set[int] = set()
    chooser = random.SystemRandom()
    for _ in range(_TRIES_MAX):
        if len(found) == count:
            break
        port = chooser.randint(_FIRST, _LAST)
        if port not in found and port_is_free(port):
            found.add(port)
    if len(found) < count:
        raise ConfigError(f"no {count} free ports between {_FIRST} and {_LAST}")
    return sorted(found)
