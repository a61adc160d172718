"""Which assignor makes a group's target, and what it is given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from broker.groups.consumer.range_assignor import assign_ranges
from broker.groups.consumer.requests import TopicsView
from broker.groups.consumer.stored import StoredSubscriber, TopicPartitions
from broker.groups.consumer.uniform_assignor import assign_uniformly

UNIFORM: Final = "uniform"
RANGE: Final = "range"
ASSIGNORS: Final = (UNIFORM, RANGE)


def choose_assignor(members: Mapping[str, StoredSubscriber], allowed: Sequence[str]) -> str:
    """What most members ask for; among equals, and when nobody asks, the first of `allowed`."""
    votes = Counter(m.assignor for m in members.values() if m.assignor in allowed)
    return max(allowed, key=lambda name: votes[name])


def assign(
    assignor: str,
    members: Mapping[str, StoredSubscriber],
    topics: Mapping[str, set[str]],
    previous: Mapping[str, TopicPartitions],
    view: TopicsView,
) -> dict[str, TopicPartitions]:
    """A target for each of `members`; `topics`: the names that each subscribes to."""
    subscriptions = {
        member_id: frozenset(view.topics[name][0] for name in names if name in view.topics)
        for member_id, names in topics.items()
    }
    subscribed = {name for names in topics.values() for name in names if name in view.topics}
    counts = dict(view.topics[name] for name in sorted(subscribed))
    if assignor == RANGE:
        order = {
            member_id: member.instance_id
            for member_id, member in members.items()
            if member.instance_id is not None
        }
        return assign_ranges(subscriptions, counts, order)
    return assign_uniformly(subscriptions, counts, previous)
