"""A token bucket: so many at once, then so many a second; Kafka's TokenBucket (KIP-599). Pure.

What is taken may bring it below zero, so that nothing is too large for ever; until it has filled up
to zero again nothing more is to be taken.
"""

from __future__ import annotations

import math
from typing import Final

_ROUNDING_MS: Final = 1e-6


class TokenBucket:
    """Full at first. `rate` is a second; at most `burst_seconds` of it are saved up."""

    __slots__ = ("_burst_seconds", "_rate", "_tokens", "_updated_ms")

    def __init__(self, rate: float, burst_seconds: float, now_ms: int) -> None:
        self._rate = rate
        self._burst_seconds = burst_seconds
        self._tokens = rate * burst_seconds
        self._updated_ms = now_ms

    def set_rate(self, rate: float, now_ms: int) -> None:
        """Another rate from now on; what is owed stays owed."""
        self._refill(now_ms)
        self._rate = rate
        self._tokens = min(self._tokens, rate * self._burst_seconds)

    def take(self, count: float, now_ms: int) -> None:
        """Whatever is there; fewer than none: they are given back."""
        self._refill(now_ms)
        self._tokens = min(self._tokens - count, self._rate * self._burst_seconds)

    def throttle_ms(self, now_ms: int) -> int:
        """How long until nothing is owed; 0: nothing is."""
        self._refill(now_ms)
        owed_ms = -self._tokens / self._rate * 1_000
        return max(0, math.ceil(owed_ms - _ROUNDING_MS))

    def _refill(self, now_ms: int) -> None:
        gained = (now_ms - self._updated_ms) / 1_000 * self._rate
        self._tokens = min(self._tokens + gained, self._rate * self._burst_seconds)
        self._updated_ms = now_ms
