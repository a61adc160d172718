"""When a leader's stream sends what was appended, and when it waits for more.

A message costs the two brokers far more than a small batch in it does, so small batches gather as
in Nagle's algorithm (RFC 896): a first one goes at once, and while data is on its way what is next
waits until that has arrived or it is much. A producer that waits for each record loses nothing.

To wait longer, until as much has gathered as went before, makes messages larger and was measured to
be slower: the followers stand still meanwhile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from broker.replication.feed import Subscription

GATHER_BYTES: Final = 128 * 1024
"""So much goes at once, whatever is on its way."""
ARRIVAL_MS_MAX: Final = 200
"""A message that is not acknowledged for so long holds nothing up any more."""


class Gathering:
    """What one stream has sent last and what has gathered since."""

    __slots__ = ("_awaited", "_bytes", "_is_full", "_sent_ms")

    def __init__(self) -> None:
        self._bytes = 0
        self._is_full = False
        self._awaited: Subscription | None = None
        """Of the newest message; what it has in flight says whether that message has arrived, for
        one acknowledgement answers a message."""
        self._sent_ms = 0

    def appended(self, size: int) -> bool:
        """Note `size` bytes; whether they end a wait."""
        self._bytes += size
        return self._bytes >= GATHER_BYTES

    def add(self, subscription: Subscription, *, is_all: bool) -> None:
        """Data of `subscription` is in the message that is being made, all there is or not."""
        if not subscription.partition.durable:  # what is synced first would hold up the others
            self._awaited = subscription
        if not is_all:
            self._is_full = True

    def sent(self, now_ms: int) -> None:
        """The message goes."""
        self._bytes = GATHER_BYTES if self._is_full else 0
        self._is_full = False
        self._sent_ms = now_ms

    def waits(self, now_ms: int) -> bool:
        """Whether data waits, for an acknowledgement or for more."""
        awaited = self._awaited
        return (
            awaited is not None
            and awaited.in_flight_bytes > 0
            and self._bytes < GATHER_BYTES
            and now_ms - self._sent_ms < ARRIVAL_MS_MAX
        )
