"""What the handlers that forward to the controller have in common.

The controller validates, since two racing requests first meet there. Here are the checks that need
no state: a name that is asked for twice in one request, and the bound of the wait.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Iterable
from typing import Final, TypeVar

from ottla.core.errors import ErrorCode, ProtocolError

WAIT_MS_MAX: Final = 120_000
_GRACE_MS: Final = 1_000
"""The controller's own time-out answers better: partition by partition."""

Result = TypeVar("Result")


def repeated(names: Iterable[str]) -> frozenset[str]:
    """The names that occur more than once."""
    return frozenset(name for name, count in Counter(names).items() if count > 1)


def bounded_timeout(timeout_ms: int) -> int:
    """What the client allows, within 0 … WAIT_MS_MAX."""
    return min(max(timeout_ms, 0), WAIT_MS_MAX)


async def ask(call: Awaitable[Result], timeout_ms: int) -> Result:
    """The controller's answer; ProtocolError REQUEST_TIMED_OUT when none came in time."""
    try:
        async with asyncio.timeout((timeout_ms + _GRACE_MS) / 1000):
            return await call
    except TimeoutError:
        raise ProtocolError(
            ErrorCode.REQUEST_TIMED_OUT, "the controller did not answer in time"
        ) from None
