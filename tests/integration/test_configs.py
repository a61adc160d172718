"""Settings are changed as users do it, by other people's clients, and hold at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import confluent_kafka
import kafka
import kafka.admin
import kafka.errors
import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import (
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ConfigSource,
)
from confluent_kafka.cimpl import NewTopic

from ottla.client import configs
from ottla.client.admin import Admin
from ottla.testing import Cluster

SECONDS_MAX = 30
TOPIC, BROKER = ConfigResource.Type.TOPIC, ConfigResource.Type.BROKER
SET, DELETE = AlterConfigOpType.SET, AlterConfigOpType.DELETE


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with Cluster(brokers=3) as cluster:
        yield cluster


@pytest.fixture
def admin(cluster: Cluster) -> AdminClient:
    return AdminClient({"bootstrap.servers": cluster.bootstrap})


def make_topic(admin: AdminClient, name: str) -> None:
    admin.create_topics([NewTopic(name, 1, 3)])[name].result(SECONDS_MAX)


def alter(
    admin: AdminClient,
    kind: Any,
    name: str,
    changes: Mapping[str, str | None],
    **options: Any,
) -> None:
    """Set what has a value, delete what has none; raises what the cluster answers."""
    resource = ConfigResource(
        kind,
        name,
        incremental_configs=[
            ConfigEntry(key, value, incremental_operation=DELETE if value is None else SET)
            for key, value in changes.items()
        ],
    )
    (future,) = admin.incremental_alter_configs([resource], **options).values()
    future.result(SECONDS_MAX)


def alter_all_brokers(cluster: Cluster, changes: Mapping[str, str | None]) -> None:
    """By our own client: confluent-kafka cannot name all brokers."""
    with Admin(cluster.bootstrap) as admin:
        admin.alter_configs(
            configs.ConfigResource(configs.ResourceKind.BROKER, ""),
            [
                configs.ConfigChange(
                    key,
                    configs.ConfigOperation.DELETE
                    if value is None
                    else configs.ConfigOperation.SET,
                    value,
                )
                for key, value in changes.items()
            ],
        )


def describe(admin: AdminClient, kind: Any, name: str, key: str) -> ConfigEntry:
    (future,) = admin.describe_configs([ConfigResource(kind, name)]).values()
    found: ConfigEntry = future.result(SECONDS_MAX)[key]
    return found


def failure_of_sending(cluster: Cluster, topic: str, size: int) -> str | None:
    """The name of the error with which one record is refused; None when it is taken."""
    outcome: list[confluent_kafka.KafkaError | None] = []
    producer = confluent_kafka.Producer(
        {"bootstrap.servers": cluster.bootstrap, "message.max.bytes": 10_000_000, "retries": 0}
    )
    producer.produce(topic, b"x" * size, on_delivery=lambda error, _: outcome.append(error))
    assert producer.flush(SECONDS_MAX) == 0
    return None if outcome[0] is None else str(outcome[0].name())


def eventually(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS_MAX
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_topics_largest_batch_and_the_default_of_all_brokers(
    cluster: Cluster, admin: AdminClient
) -> None:
    make_topic(admin, "large")
    assert failure_of_sending(cluster, "large", 1_500_000) == "MSG_SIZE_TOO_LARGE"
    alter_all_brokers(cluster, {"message.max.bytes": "2000000"})
    assert failure_of_sending(cluster, "large", 1_500_000) is None
    alter(admin, TOPIC, "large", {"max.message.bytes": "1000"}, validate_only=True)
    assert failure_of_sending(cluster, "large", 5_000) is None
    alter(admin, TOPIC, "large", {"max.message.bytes": "1000"})
    assert failure_of_sending(cluster, "large", 5_000) == "MSG_SIZE_TOO_LARGE"
    found = describe(admin, TOPIC, "large", "max.message.bytes")
    assert (found.value, ConfigSource(found.source)) == ("1000", ConfigSource.DYNAMIC_TOPIC_CONFIG)
    assert found.synonyms["message.max.bytes"].value in ("2000000", "1048588")  # the last one wins
    alter(admin, TOPIC, "large", {"max.message.bytes": None})
    alter_all_brokers(cluster, {"message.max.bytes": None})
    assert failure_of_sending(cluster, "large", 1_500_000) == "MSG_SIZE_TOO_LARGE"


def test_more_replicas_than_there_are_can_be_asked_for(
    cluster: Cluster, admin: AdminClient
) -> None:
    make_topic(admin, "safe")
    assert failure_of_sending(cluster, "safe", 10) is None
    alter(admin, TOPIC, "safe", {"min.insync.replicas": "3"})
    cluster.kill(follower := (cluster.leader("safe", 0) % 3) + 1)
    try:
        eventually(
            lambda: (
                failure_of_sending(cluster, "safe", 10)
                in ("NOT_ENOUGH_REPLICAS", "NOT_ENOUGH_REPLICAS_AFTER_APPEND")
            )
        )
        # A client that had the dead broker as its controller would wait for it.
        another = AdminClient({"bootstrap.servers": cluster.bootstrap})
        alter(another, TOPIC, "safe", {"min.insync.replicas": None})
        eventually(lambda: failure_of_sending(cluster, "safe", 10) is None)
    finally:
        cluster.restart(follower)
        cluster.wait_in_sync("safe")


def test_what_is_set_outlives_every_process(cluster: Cluster, admin: AdminClient) -> None:
    alter(admin, BROKER, "2", {"max.connections": "321"})
    alter_all_brokers(cluster, {"max.connections": "654"})
    cluster.restart(2)
    found = describe(admin, BROKER, "2", "max.connections")
    assert (found.value, found.is_read_only) == ("321", False)
    assert describe(admin, BROKER, "1", "max.connections").value == "654"
    alter(admin, BROKER, "2", {"max.connections": None})
    alter_all_brokers(cluster, {"max.connections": None})


def test_refusals_name_what_is_wrong(admin: AdminClient) -> None:
    make_topic(admin, "wrong")
    for kind, name, changes, code in (
        (TOPIC, "wrong", {"retention.ms": "x"}, "INVALID_CONFIG"),
        (TOPIC, "absent", {"retention.ms": "1"}, "UNKNOWN_TOPIC_OR_PART"),
        (BROKER, "1", {"num.partitions": "7"}, "INVALID_REQUEST"),
        (BROKER, "1", {"min.insync.replicas": "1"}, "INVALID_REQUEST"),
    ):
        with pytest.raises(confluent_kafka.KafkaException) as raised:
            alter(admin, kind, name, changes)
        assert raised.value.args[0].name() == code


def test_kafka_python(cluster: Cluster, admin: AdminClient) -> None:
    make_topic(admin, "python")
    client = kafka.KafkaAdminClient(bootstrap_servers=cluster.bootstrap)
    try:
        client.alter_configs(
            [
                kafka.admin.ConfigResource(
                    kafka.admin.ConfigResourceType.TOPIC, "python", {"retention.ms": "77"}
                )
            ]
        )
        assert describe(admin, TOPIC, "python", "retention.ms").value == "77"
        found = client.describe_configs(
            [kafka.admin.ConfigResource(kafka.admin.ConfigResourceType.TOPIC, "python")]
        )
        assert "77" in str(found)
    finally:
        client.close()
