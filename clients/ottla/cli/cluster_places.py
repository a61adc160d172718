"""Where a cluster's partitions are, as the planner wants to know it."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import typer

from ottla.core.errors import ConfigError, OttlaError

if TYPE_CHECKING:
    from ottla.client.admin import Admin
    from ottla.client.model import BrokerDescription, TopicDescription
    from ottla.reassignment.planner import Broker, Change, PartitionPlace, Wishes
    from ottla.reassignment.progress import Sizes


ANSWER_MS_MAX: Final = 2_000
"""Of a broker that is asked again and again."""


@dataclass(frozen=True, slots=True)
class Places:
    """A cluster as it is: live brokers, topics, sizes of logs."""

    brokers: tuple[BrokerDescription, ...]
    topics: tuple[TopicDescription, ...]
    sizes: Sizes

    def partitions(self, topics: Collection[str] = ()) -> list[PartitionPlace]:
        """Of these topics, or of all, the cluster's own included."""
        from ottla.reassignment.planner import PartitionPlace
        from ottla.reassignment.progress import bytes_of

        unknown = set(topics).difference(topic.name for topic in self.topics)
        if unknown:
            raise ConfigError(f"there is no topic '{min(unknown)}'")
        return [
            PartitionPlace(
                topic.name,
                partition.index,
                partition.replicas,
                bytes_of(self.sizes, topic.name, partition.index, partition.replicas),
            )
            for topic in self.topics
            if not topics or topic.name in topics
            for partition in topic.partitions
        ]

    def planned_for(self, ids: Collection[int]) -> list[Broker]:
        """The live brokers of these ids. ConfigError for one that is not there."""
        from ottla.reassignment.planner import Broker

        live = {broker.broker_id: broker for broker in self.brokers}
        missing = [broker_id for broker_id in ids if broker_id not in live]
        if missing:
            raise ConfigError(f"broker {missing[0]} is not live: start it first, or leave it out")
        return [Broker(broker_id, live[broker_id].rack) for broker_id in sorted(ids)]

    @property
    def live_ids(self) -> tuple[int, ...]:
        return tuple(broker.broker_id for broker in self.brokers)


def places_of(admin: Admin) -> Places:
    """Ask the cluster."""
    described = admin.describe_cluster()
    live = tuple(broker for broker in described.brokers if not broker.fenced)
    topics = tuple(admin.list_topics(internal=True))
    return Places(live, topics, sizes_of(admin, [broker.broker_id for broker in live]))


def sizes_of(admin: Admin, broker_ids: Sequence[int]) -> dict[int, dict[tuple[str, int], int]]:
    """The size of each log, by broker."""
    found = admin.describe_log_directories(broker_ids)
    return {
        broker_id: {key: size for one in directories for key, size in one.sizes.items()}
        for broker_id, directories in found.items()
    }


def latest_sizes(
    admin: Admin, broker_ids: Sequence[int], sizes: dict[int, dict[tuple[str, int], int]]
) -> set[int]:
    """Bring `sizes` up to date, and tell who answered; a broker that is not live, or does not
    answer soon, had its logs the last time and most likely has them still."""
    answered = set()
    for broker_id in broker_ids:
        with contextlib.suppress(OttlaError):
            (directories,) = admin.describe_log_directories(
                [broker_id], timeout_ms=ANSWER_MS_MAX
            ).values()
            sizes[broker_id] = {key: size for one in directories for key, size in one.sizes.items()}
            answered.add(broker_id)
    return answered


def plan_for(
    places: Places, topics: Collection[str], ids: Collection[int], wishes: Wishes
) -> list[Change]:
    """The plan that puts the partitions of these topics (or all) on these brokers."""
    from ottla.reassignment.planner import plan

    return plan(places.partitions(topics), places.planned_for(ids), wishes)


def parse_ids(text: str, option: str) -> frozenset[int]:
    """Broker ids as in '2,3,4'."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    if not words or not all(word.isascii() and word.isdecimal() for word in words):
        raise typer.BadParameter(
            f"expected broker ids, as in 2,3,4, not '{text}'", param_hint=option
        )
    return frozenset(int(word) for word in words)
