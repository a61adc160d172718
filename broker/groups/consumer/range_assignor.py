"""The `range` assignor: of each topic every subscriber gets one run of partitions.

Subscribers stand in the order of their instance ids, or member ids. Those who subscribe to the same
topics get the same partition numbers of each, so that topics with equal keys and numbers of
partitions can be joined. Nothing else is even, and nothing is kept on purpose.
"""

from __future__ import annotations

from collections.abc import Mapping

from broker.groups.consumer.stored import TopicPartitions
from ottla.core.identifiers import Uuid


def assign_ranges(
    subscriptions: Mapping[str, frozenset[Uuid]],
    partition_counts: Mapping[Uuid, int],
    order: Mapping[str, str],
) -> dict[str, TopicPartitions]:
    """Member id to partitions, for every member.

    `order`: by what each member is sorted; members without an entry by their ids.
    """
    assigned: dict[str, set[tuple[Uuid, int]]] = {member_id: set() for member_id in subscriptions}
    subscribers: dict[Uuid, list[str]] = {}
    for member_id in sorted(subscriptions, key=lambda one: (order.get(one, one), one)):
        for topic_id in subscriptions[member_id]:
            subscribers.setdefault(topic_id, []).append(member_id)
    for topic_id, member_ids in subscribers.items():
        share, longer = divmod(partition_counts.get(topic_id, 0), len(member_ids))
        start = 0
        for place, member_id in enumerate(member_ids):
            end = start + share + (place < longer)
            assigned[member_id].update((topic_id, index) for index in range(start, end))
            start = end
    return {member_id: frozenset(partitions) for member_id, partitions in assigned.items()}
