"""Brokers that are gone, as clients must hear of it: beyond what the metadata alone can say. Pure.

Two facts that a client's fail-over hangs on, each with a bound in time:

    lingering   fenced a moment ago. Still listed among the brokers, though it leads nothing:
                librdkafka (2.16) takes a broker that disappears down together with the partitions
                that the same answer gives to another leader, and looks for that leader again only
                a second later. Kafka lists a dead broker for 9 s, until its session ends.
    dead        its process refuses connections, but no controller has fenced it yet. What it leads
                has no leader: a client told of it once more asks again only at its next look at
                all topics (librdkafka: once a second), while LEADER_NOT_AVAILABLE makes it ask
                every 100 ms.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from controller.state import ClusterState

LINGER_MS: Final = 5_000
DEAD_MS_MAX: Final = 3_000
"""A refusal may come from the network, not from the host: believed for so long, then the controller
has the say again."""
_NOBODY: Final[frozenset[int]] = frozenset()


class Departures:
    """See the module. `now_ms` is monotonic."""

    __slots__ = ("_alive", "_dead", "_left")

    def __init__(self) -> None:
        self._alive: set[int] = set()
        self._left: dict[int, int] = {}
        """When each was fenced."""
        self._dead: dict[int, tuple[int, int]] = {}
        """The broker epoch of the process that is dead, and until when that is believed."""

    def note_metadata(self, state: ClusterState, broker_ids: Iterable[int], now_ms: int) -> None:
        """The registrations of these brokers may have changed."""
        for broker_id in broker_ids:
            broker = state.brokers.get(broker_id)
            if broker is not None and not broker.fenced:
                self._alive.add(broker_id)
                self._left.pop(broker_id, None)
            elif broker_id in self._alive:
                self._alive.discard(broker_id)
                self._left[broker_id] = now_ms

    def note_dead(self, broker_id: int, broker_epoch: int, now_ms: int) -> None:
        """The process registered with `broker_epoch` refuses connections."""
        self._dead[broker_id] = (broker_epoch, now_ms + DEAD_MS_MAX)

    def lingering(self, now_ms: int) -> frozenset[int]:
        """Brokers that were fenced less than `LINGER_MS` ago and are not back."""
        if not self._left:
            return _NOBODY
        self._left = {b: at_ms for b, at_ms in self._left.items() if now_ms - at_ms < LINGER_MS}
        return frozenset(self._left)

    def dead(self, state: ClusterState, now_ms: int) -> frozenset[int]:
        """Brokers that count as live in the metadata and are not."""
        if not self._dead:
            return _NOBODY
        self._dead = {
            broker_id: (broker_epoch, until_ms)
            for broker_id, (broker_epoch, until_ms) in self._dead.items()
            if now_ms < until_ms
            and (broker := state.brokers.get(broker_id)) is not None
            and not broker.fenced
            and broker.broker_epoch == broker_epoch
        }
        return frozenset(self._dead)
