"""A connection whose client is over a quota is not served for a while (KIP-219)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Mute:
    """One connection's pause; `on_end` is called when it is over."""

    __slots__ = ("_loop", "_on_end", "_timer", "_until_s")

    def __init__(self, loop: asyncio.AbstractEventLoop, on_end: Callable[[], None]) -> None:
        self._loop = loop
        self._on_end = on_end
        self._until_s = 0.0  # in the loop's time
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_on(self) -> bool:
        return self._timer is not None

    def extend(self, throttle_ms: int) -> None:
        """Pause for so long from now on, or for as long as before if that is longer."""
        self._until_s = max(self._until_s, self._loop.time() + throttle_ms / 1000)
        if self._timer is None:
            self._timer = self._loop.call_at(self._until_s, self._maybe_end)

    def cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _maybe_end(self) -> None:
        self._timer = None
        if self._loop.time() < self._until_s:  # it was extended
            self._timer = self._loop.call_at(self._until_s, self._maybe_end)
        else:
            self._on_end()
