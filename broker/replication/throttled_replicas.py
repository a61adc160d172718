"""Which replicas the rates of catching up hold back (KIP-73): two lists of each topic, pure.

`leader.replication.throttled.replicas` names senders, `follower.replication.throttled.replicas`
takers, each as ``partition:broker,…`` or ``*``. A list holds nothing back by itself: the rate of
the broker that it names does, and without a list no rate does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from ottla.core.topic_configs import (
    FOLLOWER_THROTTLED_REPLICAS,
    LEADER_THROTTLED_REPLICAS,
)

EVERY: Final = "*"
_NOBODY: Final[frozenset[int]] = frozenset()


@dataclass(frozen=True, slots=True)
class ThrottledReplicas:
    """Of one partition, the brokers in either list; None: all."""

    leaders: frozenset[int] | None
    followers: frozenset[int] | None

    def sends(self, leader_id: int) -> bool:
        """Whether what this broker sends to who catches up is held back."""
        return self.leaders is None or leader_id in self.leaders

    def takes(self, follower_id: int) -> bool:
        """Whether what this broker takes to catch up is held back."""
        return self.followers is None or follower_id in self.followers


NOT_THROTTLED: Final = ThrottledReplicas(_NOBODY, _NOBODY)


def throttled_replicas(configs: Mapping[str, str], index: int) -> ThrottledReplicas:
    """Of partition `index`, by the configs of its topic (which were checked when they were set)."""
    leaders = _brokers(configs.get(LEADER_THROTTLED_REPLICAS, ""), index)
    followers = _brokers(configs.get(FOLLOWER_THROTTLED_REPLICAS, ""), index)
    if leaders == followers == _NOBODY:
        return NOT_THROTTLED
    return ThrottledReplicas(leaders, followers)


def _brokers(listed: str, index: int) -> frozenset[int] | None:
    return None if listed.strip() == EVERY else _by_partition(listed).get(index, _NOBODY)


# All partitions of a topic ask for the same list, of which each is a small part.
@lru_cache(maxsize=64)
def _by_partition(listed: str) -> Mapping[int, frozenset[int]]:
    found: dict[int, set[int]] = {}
    for entry in filter(None, map(str.strip, listed.split(","))):
        partition, _, broker = entry.partition(":")
        found.setdefault(int(partition), set()).add(int(broker))
    return {partition: frozenset(brokers) for partition, brokers in found.items()}
