"""The only door to time.

Monotonic time is called `now_ms` and measures intervals; wall time is called `timestamp_ms` and is
what records carry. They are never mixed: a clock that is set back must not end a lease.
"""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Where a component reads time; the simulator and unit tests bring their own."""

    def now_ms(self) -> int:
        """Monotonic milliseconds from an arbitrary start."""
        ...

    def timestamp_ms(self) -> int:
        """Wall time, milliseconds since 1970-01-01 UTC."""
        ...


class SystemClock:
    """The machine's clocks."""

    __slots__ = ()

    def now_ms(self) -> int:
        return time.monotonic_ns() // 1_000_000

    def timestamp_ms(self) -> int:
        return time.time_ns() // 1_000_000


class ManualClock:
    """A clock that stands still until told otherwise."""

    __slots__ = ("_now_ms", "_timestamp_ms")

    def __init__(self, now_ms: int = 0, timestamp_ms: int = 1_700_000_000_000) -> None:
        self._now_ms = now_ms
        self._timestamp_ms = timestamp_ms

    def now_ms(self) -> int:
        return self._now_ms

    def timestamp_ms(self) -> int:
        return self._timestamp_ms

    def advance(self, milliseconds: int) -> None:
        """Move both clocks forward."""
        self._now_ms += milliseconds
        self._timestamp_ms += milliseconds

    def set_wall(self, timestamp_ms: int) -> None:
        """Make the wall clock jump, as an administrator or NTP would."""
        self._timestamp_ms = timestamp_ms
