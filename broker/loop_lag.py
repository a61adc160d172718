"""How late the event loop runs: a stalled loop looks like a dead broker to everybody else."""

from __future__ import annotations

import asyncio
import logging

from broker.metrics.durations import Durations

logger = logging.getLogger(__name__)

PERIOD_SECONDS = 0.1
WARN_MS = 500.0


class LoopLag:
    """Measures the delay of a timer on the loop. Milliseconds."""

    __slots__ = ("durations", "last_ms", "stalls", "worst_ms")

    def __init__(self) -> None:
        self.last_ms = 0.0
        self.worst_ms = 0.0
        self.durations = Durations()
        self.stalls = 0
        """Lags of WARN_MS and more."""

    def note(self, lag_ms: float) -> None:
        """Take one measurement; a long stall leaves one line in the log."""
        self.last_ms = lag_ms
        self.worst_ms = max(self.worst_ms, lag_ms)
        self.durations.note(int(lag_ms * 1e6))
        if lag_ms >= WARN_MS:
            self.stalls += 1
            logger.warning("the event loop stood still for %.0f ms", lag_ms)

    async def run(self) -> None:
        """Measure until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + PERIOD_SECONDS
            await asyncio.sleep(PERIOD_SECONDS)
            self.note(max(0.0, (loop.time() - due) * 1000.0))
