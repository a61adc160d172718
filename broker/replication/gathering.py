"""When a leader's stream sends what was appended, and when it waits for more.

A message costs the two brokers far more than a small batch in it does, so small batches gather. A
first one goes at once. While data is on its way the next waits, as in Nagle's algorithm (RFC 896).
When that has arrived, its producers hear of it and send more: what goes next waits until as much
has gathered as went before, or a moment has passed. A producer that waits for each record loses
nothing by it, and producers with many requests in flight come to send all of them in one message.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from broker.replication.feed import Subscription

GATHER_BYTES: Final = 128 * 1024
"""So much goes at once, whatever is on its way."""
LINGER_MS_MAX: Final = 10
"""From the arrival of a message until less than it carried goes, and never longer than that message
was on its way: where the machines are fast a wait is short."""
ARRIVAL_MS_MAX: Final = 200
"""A message that is not acknowledged for so long holds nothing up any more."""


class Gathering:
    """What one stream has sent last and what has gathered since."""

    __slots__ = ("_arrived_ms", "_awaited", "_bytes", "_is_full", "_sent_bytes", "_sent_ms")

    def __init__(self) -> None:
        self._bytes = 0
        self._is_full = False
        self._awaited: Subscription | None = None
        """Of the newest message; what it has in flight says whether that message has arrived, for
        one acknowledgement answers a message."""
        self._sent_bytes = 0
        self._sent_ms = 0
        self._arrived_ms = 0

    def appended(self, size: int) -> bool:
        """Note `size` bytes; whether they end a wait."""
        self._bytes += size
        return self._bytes >= GATHER_BYTES or self._bytes >= self._sent_bytes

    def add(self, subscription: Subscription, *, is_all: bool) -> None:
        """Data of `subscription` is in the message that is being made, all there is or not."""
        if not subscription.partition.durable:  # what is synced first would hold up the others
            self._awaited = subscription
        if not is_all:
            self._is_full = True

    def sent(self, size: int, now_ms: int) -> None:
        """The message goes, with `size` bytes of data."""
        self._bytes = GATHER_BYTES if self._is_full else 0
        self._is_full = False
        self._sent_bytes = size
        self._sent_ms = self._arrived_ms = now_ms

    def acknowledged(self, subscription: Subscription, now_ms: int) -> None:
        """What `subscription` has in flight is less now."""
        if subscription is self._awaited and not subscription.in_flight_bytes:
            self._awaited = None
            self._arrived_ms = now_ms

    def wait_ms(self, now_ms: int) -> int | None:
        """Until data should go: 0 is now, None when an acknowledgement comes."""
        if self._bytes >= GATHER_BYTES:
            return 0
        awaited = self._awaited
        if awaited is not None and awaited.in_flight_bytes:
            return None if now_ms - self._sent_ms < ARRIVAL_MS_MAX else 0
        if self._bytes >= self._sent_bytes:
            return 0
        linger_ms = min(self._arrived_ms - self._sent_ms, LINGER_MS_MAX)
        return max(0, self._arrived_ms + linger_ms - now_ms)
