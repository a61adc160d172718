"""A limit of bytes a second for throttled replicas (KIP-73): a token bucket, pure.

It is kept as the time up to which the bytes taken are paid for. While that lies ahead the next ones
wait; when it lies behind, up to BURST_MS of unused time count. What is taken at once may be more
than there is (one message is not cut): the debt is waited for afterwards.
"""

from __future__ import annotations

UNLIMITED = 2**63 - 1
"""Kafka's default of the rates."""
BURST_MS = 1_000


class Throttle:
    """See the module; `bytes_per_second` > 0. One for all streams of a broker in one direction."""

    __slots__ = ("_bytes_per_second", "_paid_until_ms", "bytes_taken")

    def __init__(self, bytes_per_second: int) -> None:
        self._bytes_per_second = bytes_per_second
        self._paid_until_ms: float | None = None
        self.bytes_taken = 0
        """Since the start."""

    @property
    def bytes_per_second(self) -> int:
        return self._bytes_per_second

    def set_rate(self, bytes_per_second: int) -> None:
        """Another rate from now on; what was taken at the old one is paid for, when it changes."""
        if bytes_per_second != self._bytes_per_second:
            self._bytes_per_second = bytes_per_second
            self._paid_until_ms = None

    def wait_ms(self, now_ms: int) -> float:
        """How long the next bytes have to wait; 0: they may go now."""
        return 0.0 if self._paid_until_ms is None else max(0.0, self._paid_until_ms - now_ms)

    def take(self, size: int, now_ms: int) -> None:
        """`size` bytes go."""
        self.bytes_taken += size
        unused_since_ms = float(now_ms - BURST_MS)
        paid = self._paid_until_ms
        start_ms = unused_since_ms if paid is None else max(paid, unused_since_ms)
        self._paid_until_ms = start_ms + size * 1_000 / self._bytes_per_second
