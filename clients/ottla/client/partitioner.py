"""Which partition a record goes to, as Kafka's default partitioner decides (KIP-480).

With a key: murmur2 of it, over all partitions, so that one key always goes to one partition.
Without: one random partition, until its batch is sent; then another. Partitions without a leader
are passed over then.
"""

from __future__ import annotations

import random

from ottla.client.model import TopicDescription
from ottla.core.hashing import partition_for_key


class Partitioner:
    """Remembers the current partition of each topic for records without a key."""

    def __init__(self, source: random.Random) -> None:
        self._source = source
        self._current: dict[str, int] = {}

    def choose(self, topic: TopicDescription, key: bytes | None) -> int:
        """A partition's index; `topic` has at least one."""
        count = len(topic.partitions)
        if key is not None:
            return partition_for_key(key, count)
        current = self._current.get(topic.name)
        if current is None or current >= count:
            current = self._pick(topic, None)
            self._current[topic.name] = current
        return current

    def batch_done(self, topic: TopicDescription, partition: int) -> None:
        """A batch for `partition` takes no more records: keyless ones go elsewhere from now on."""
        if self._current.get(topic.name) == partition:
            self._current[topic.name] = self._pick(topic, partition)

    def _pick(self, topic: TopicDescription, current: int | None) -> int:
        led = [one.index for one in topic.partitions if one.leader_id is not None]
        candidates = led or [one.index for one in topic.partitions]
        others = [index for index in candidates if index != current]
        return self._source.choice(others or candidates)
