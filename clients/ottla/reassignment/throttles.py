"""The settings that hold a reassignment back (KIP-73); pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from ottla.core.broker_configs import FOLLOWER_THROTTLED_RATE, LEADER_THROTTLED_RATE
from ottla.core.config_spec import split_list
from ottla.core.topic_configs import FOLLOWER_THROTTLED_REPLICAS, LEADER_THROTTLED_REPLICAS
from ottla.reassignment.progress import Copying

RATES: Final = (LEADER_THROTTLED_RATE.name, FOLLOWER_THROTTLED_RATE.name)
"""Of brokers."""
LISTS: Final = (LEADER_THROTTLED_REPLICAS, FOLLOWER_THROTTLED_REPLICAS)
"""Of topics."""
_EVERY: Final = "*"


@dataclass(frozen=True, slots=True)
class ListEntries:
    """Entries ``partition:broker`` of one list of one topic."""

    topic: str
    name: str
    entries: tuple[str, ...]


def wanted_entries(copying: Iterable[Copying]) -> list[ListEntries]:
    """As Kafka's tool has them: who has the partition sends, who is added takes."""
    senders: dict[str, list[str]] = {}
    takers: dict[str, list[str]] = {}
    for one in copying:
        if one.adding:
            senders.setdefault(one.topic, []).extend(f"{one.index}:{b}" for b in one.others)
            takers.setdefault(one.topic, []).extend(f"{one.index}:{b}" for b in one.adding)
    return [
        ListEntries(topic, name, tuple(by_topic[topic]))
        for topic in takers
        for name, by_topic in zip(LISTS, (senders, takers), strict=True)
    ]


def missing_entries(
    wanted: Iterable[ListEntries], lists: Mapping[str, Mapping[str, str]]
) -> list[ListEntries]:
    """What is not there yet, by the lists that topics have; ``*`` holds everything."""
    found = []
    for one in wanted:
        there = split_list(lists.get(one.topic, {}).get(one.name, ""))
        entries = tuple(entry for entry in one.entries if entry not in there)
        if entries and _EVERY not in there:
            found.append(ListEntries(one.topic, one.name, entries))
    return found


def entries_of(
    partitions: Collection[tuple[str, int]], lists: Mapping[str, Mapping[str, str]]
) -> list[ListEntries]:
    """What the lists of topics name of these partitions, one by one: the mark that a throttle of
    their reassignment is there, for ``*`` names none."""
    found = []
    for topic, by_name in lists.items():
        for name in LISTS:
            entries = tuple(
                entry
                for entry in split_list(by_name.get(name, ""))
                if entry != _EVERY and (topic, int(entry.partition(":")[0])) in partitions
            )
            if entries:
                found.append(ListEntries(topic, name, entries))
    return found
