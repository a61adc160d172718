"""The settings that hold a reassignment back (KIP-73); pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ottla.reassignment.progress import Copying

LEADER_RATE: Final = "leader.replication.throttled.rate"
FOLLOWER_RATE: Final = "follower.replication.throttled.rate"
LEADER_REPLICAS: Final = "leader.replication.throttled.replicas"
FOLLOWER_REPLICAS: Final = "follower.replication.throttled.replicas"


def throttled_replicas(copying: Iterable[Copying]) -> dict[str, tuple[str, str]]:
    """By topic: the lists ``partition:broker,…`` of those who send, and of those who take."""
    senders: dict[str, list[str]] = {}
    takers: dict[str, list[str]] = {}
    for one in copying:
        if one.adding:
            senders.setdefault(one.topic, []).extend(f"{one.index}:{b}" for b in one.others)
            takers.setdefault(one.topic, []).extend(f"{one.index}:{b}" for b in one.adding)
    return {topic: (",".join(senders[topic]), ",".join(takers[topic])) for topic in takers}
