"""The `uniform` assignor: every partition has an owner, loads are even, what can stay stays.

Members may subscribe to different topics. The result is such that moving any one partition to
another subscriber would not make the two loads more even; with equal subscriptions loads differ by
one at most. Deterministic: the same input gives the same result.
"""

from __future__ import annotations

from collections.abc import Mapping

from broker.groups.consumer.stored import TopicPartitions
from ottla.core.identifiers import Uuid


def assign_uniformly(
    subscriptions: Mapping[str, frozenset[Uuid]],
    partition_counts: Mapping[Uuid, int],
    previous: Mapping[str, TopicPartitions],
) -> dict[str, TopicPartitions]:
    """Member id to partitions, for every member.

    `previous`: the assignment that is kept where it can be; no partition twice.
    """
    members = sorted(subscriptions)
    subscribers: dict[Uuid, list[str]] = {}
    for member in members:
        for topic_id in subscriptions[member]:
            subscribers.setdefault(topic_id, []).append(member)
    assigned: dict[str, set[tuple[Uuid, int]]] = {member: set() for member in members}
    owners: dict[tuple[Uuid, int], str] = {}
    for member in members:
        for topic_id, index in previous.get(member, ()):
            is_there = index < partition_counts.get(topic_id, 0)
            if is_there and topic_id in subscriptions[member]:
                owners[topic_id, index] = member
                assigned[member].add((topic_id, index))
    partitions = [
        (topic_id, index)
        for topic_id in sorted(subscribers)
        for index in range(partition_counts.get(topic_id, 0))
    ]

    def least_loaded(topic_id: Uuid) -> str:
        return min(subscribers[topic_id], key=lambda member: len(assigned[member]))

    for partition in partitions:
        if partition not in owners:
            owner = owners[partition] = least_loaded(partition[0])
            assigned[owner].add(partition)
    # Every move makes the sum of the squared loads smaller: this ends.
    is_even = False
    while not is_even:
        is_even = True
        for partition in partitions:
            owner, other = owners[partition], least_loaded(partition[0])
            if len(assigned[owner]) > len(assigned[other]) + 1:
                assigned[owner].remove(partition)
                assigned[other].add(partition)
                owners[partition] = other
                is_even = False
    return {member: frozenset(its) for member, its in assigned.items()}
