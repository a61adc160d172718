"""Offsets that a group commits without having members."""

from __future__ import annotations

import time
from collections.abc import Mapping

import confluent_kafka


def commit_offsets(
    bootstrap: str, group: str, offsets: Mapping[tuple[str, int], int], seconds_max: float = 60.0
) -> None:
    """Commit; the first commits of a cluster are refused until its coordinators are made."""
    consumer = confluent_kafka.Consumer(
        {"bootstrap.servers": bootstrap, "group.id": group, "enable.auto.commit": False}
    )
    wanted = [
        confluent_kafka.TopicPartition(topic, partition, offset)
        for (topic, partition), offset in offsets.items()
    ]
    deadline = time.monotonic() + seconds_max
    try:
        while True:
            try:
                consumer.commit(offsets=wanted, asynchronous=False)
                return
            except confluent_kafka.KafkaException:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
    finally:
        consumer.close()
