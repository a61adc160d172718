"""Why a port cannot be bound, as a sentence that says what helps."""

from __future__ import annotations

import errno
import socket


def bind_fault(host: str, port: int, error: OSError, setting: str) -> str:
    """`host` empty: every interface; `setting` is where the address can be corrected."""
    where = f"{host or '*'}:{port}"
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return f"{where} is no address of this machine: correct {setting}"
    if error.errno == errno.EADDRINUSE:
        return f"{where} is taken: stop what listens there, or choose another port in {setting}"
    if error.errno == errno.EACCES:
        return f"this user may not bind {where}: choose a port of 1024 or above in {setting}"
    return f"cannot bind {where}: {error.strerror or error}"
