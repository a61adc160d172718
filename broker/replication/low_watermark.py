"""Below which offset a partition's records are deleted on every live replica (KIP-107): pure.

The low watermark is the least log start offset among the leader and its live followers, each as it
was last told to be saved: a crash right after the answer brings no deleted record back. A live
follower that has not told its own holds it at -1. Who waits for it is data, as those who wait for
the high watermark are (SAFETY rule 8).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from broker.replication.commit_waiters import OffsetWaiters
from broker.replication.progress import BrokerView, FollowerProgress

UNKNOWN = -1


class LowWatermark:
    """See the module. `saved` is this broker's own log start offset."""

    __slots__ = ("_waiters", "saved")

    def __init__(self, ids: Iterator[int]) -> None:
        self.saved = 0
        self._waiters = OffsetWaiters(ids)

    def offset(
        self, followers: Mapping[int, FollowerProgress], brokers: Mapping[int, BrokerView]
    ) -> int:
        lowest = self.saved
        for replica, follower in followers.items():
            broker = brokers.get(replica)
            if broker is not None and broker.eligible:
                start = follower.log_start_offset
                lowest = min(lowest, UNKNOWN if start is None else start)
        return lowest

    def add(self, before_offset: int) -> int:
        return self._waiters.add(before_offset)

    def forget(self, waiter: int) -> None:
        self._waiters.forget(waiter)

    def release(
        self, followers: Mapping[int, FollowerProgress], brokers: Mapping[int, BrokerView]
    ) -> tuple[int, ...]:
        """Take out all whose offset is reached."""
        if not len(self._waiters):
            return ()
        return self._waiters.release(self.offset(followers, brokers))

    def take_all(self) -> tuple[int, ...]:
        return self._waiters.take_all()
