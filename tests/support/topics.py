"""Topics for tests, made by librdkafka's admin client."""

from __future__ import annotations

from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic


def create_topic(
    bootstrap: str, name: str, partitions: int = 3, replication_factor: int = 3
) -> None:
    """Make a topic and wait until the cluster says that it is there."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    new_topic = NewTopic(name, partitions, replication_factor)
    admin.create_topics([new_topic])[name].result(30)
