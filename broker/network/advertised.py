"""Whether the names that this node advertises resolve, asked once at start.

A name that does not resolve here may still serve clients elsewhere, so it is a warning, not a
refusal: in most cases it is a slip, and its victims see no more than a failed second connection.
"""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable

from broker.settings import NodeSettings

logger = logging.getLogger(__name__)

Resolve = Callable[[str, int], object]
"""Like `socket.getaddrinfo`: OSError for a name that does not resolve."""


def unresolved(settings: NodeSettings, resolve: Resolve) -> list[str]:
    """One sentence for each advertised name that does not resolve on this machine."""
    internal = settings.advertised_internal_address()
    places = {("advertised.internal.listener", "other nodes", internal.host, internal.port)}
    for listener in settings.advertised():
        address = listener.address
        places.add(("advertised.listeners", "clients", address.host, address.port))
    sentences = []
    for setting, who, host, port in sorted(places):
        try:
            resolve(host, port)
        except OSError:
            sentences.append(
                f"{setting} tells {who} to connect to {host}:{port}, a name that does not resolve "
                "on this machine; correct it, unless it is known where they are"
            )
    return sentences


def warn_of_unresolved(settings: NodeSettings, resolve: Resolve = socket.getaddrinfo) -> None:
    """Log what does not resolve. Resolving may take long: nobody waits for this thread."""

    def look() -> None:
        for sentence in unresolved(settings, resolve):
            logger.warning("%s", sentence)

    threading.Thread(target=look, name="advertised-names", daemon=True).start()
