"""Telling a dead broker from a silent one: by dialing it.

When a process dies its kernel refuses connections at once, so a refused dial is proof enough to
fence without waiting for the lease. Anything else (silence, no route, a connection) proves nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Final, TypeAlias

Refuses: TypeAlias = Callable[[str, int], Coroutine[object, object, bool]]
"""Whether (host, port) refuses connections."""

REDIAL_PAUSES_MS: Final = (0, 20, 80, 200, 400)
"""Before each attempt: a dying process may accept for a moment longer than its stream lasted."""


def refuses(timeout_ms: int) -> Refuses:
    """A dial that takes at most `timeout_ms`."""

    async def dial(host: str, port: int) -> bool:
        try:
            async with asyncio.timeout(timeout_ms / 1000):
                _, writer = await asyncio.open_connection(host, port)
        except ConnectionRefusedError:
            return True
        except (OSError, TimeoutError):
            return False
        writer.close()
        return False

    return dial
