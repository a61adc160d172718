"""Which brokers have been heard of lately. Pure: `now_ms` comes in.

A lease ends `lease_ms` after the last sign of life. Time in which this process itself stood still
does not count: the signs of life of that time may lie unread in its sockets.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class _Lease:
    broker_epoch: int
    deadline_ms: int


class Leases:
    """One lease per broker, for one incarnation of it."""

    def __init__(self, lease_ms: int) -> None:
        self._lease_ms = lease_ms
        self._leases: dict[int, _Lease] = {}

    def renew(self, broker_id: int, broker_epoch: int, now_ms: int) -> None:
        """A sign of life; one of an older incarnation than is known does not count."""
        lease = self._leases.get(broker_id)
        if lease is None or lease.broker_epoch < broker_epoch:
            self._leases[broker_id] = _Lease(broker_epoch, now_ms + self._lease_ms)
        elif lease.broker_epoch == broker_epoch:
            lease.deadline_ms = now_ms + self._lease_ms

    def end(self, broker_id: int) -> None:
        """The broker is fenced: it needs none."""
        self._leases.pop(broker_id, None)

    def clear(self) -> None:
        self._leases.clear()

    def extend(self, by_ms: int) -> None:
        """This process stood still for `by_ms`."""
        for lease in self._leases.values():
            lease.deadline_ms += by_ms

    def expired(self, now_ms: int) -> list[tuple[int, int]]:
        """(broker id, broker epoch) of the leases that have ended; they stay until `end`."""
        return [
            (broker_id, lease.broker_epoch)
            for broker_id, lease in self._leases.items()
            if lease.deadline_ms <= now_ms
        ]
