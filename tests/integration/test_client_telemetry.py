"""A real client sends its metrics to a real cluster once somebody subscribes to them (KIP-714)."""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Callable

import confluent_kafka
from prometheus_client.parser import text_string_to_metric_families

from ottla.client.admin import Admin
from ottla.client.configs import ConfigChange, ConfigOperation, ConfigResource, ResourceKind
from ottla.testing import Cluster

SECONDS_MAX = 30
RATE = "org_apache_kafka_producer_connection_creation_rate"
TOTAL = "org_apache_kafka_producer_connection_creation_total"


def subscribe(cluster: Cluster, **values: str) -> None:
    with Admin(cluster.bootstrap) as admin:
        admin.alter_configs(
            ConfigResource(ResourceKind.CLIENT_METRICS, "all"),
            [
                ConfigChange(name.replace("_", "."), ConfigOperation.SET, value)
                for name, value in values.items()
            ],
        )


def values(cluster: Cluster) -> dict[str, tuple[dict[str, str], float]]:
    """By name, of the one client there is: labels and value, on whichever broker it chose."""
    found = {}
    for broker_id in (1, 2, 3):
        url = f"http://{cluster.http_address(broker_id)}/metrics"
        page = urllib.request.urlopen(url, timeout=SECONDS_MAX).read().decode()
        for family in text_string_to_metric_families(page):
            for sample in family.samples:
                if sample.labels.get("client_id") == "app":
                    found[sample.name] = sample.labels, sample.value
    return found


def until(holds: Callable[[], bool], producer: confluent_kafka.Producer) -> None:
    deadline = time.monotonic() + SECONDS_MAX
    while not holds():
        assert time.monotonic() < deadline
        producer.produce("t", b"x")
        producer.poll(0.1)


def test_what_is_subscribed_to_is_shown_and_nothing_else() -> None:
    with Cluster(brokers=3) as cluster:
        subscribe(cluster, metrics="org.apache.kafka.producer.connection.", interval_ms="200")
        producer = confluent_kafka.Producer(
            {"bootstrap.servers": cluster.bootstrap, "client.id": "app"}
        )
        until(lambda: TOTAL in values(cluster), producer)
        shown = values(cluster)
        assert shown.keys() == {RATE, TOTAL, "ottla_telemetry_client_info"}
        assert shown[TOTAL][1] >= 1
        info = shown["ottla_telemetry_client_info"][0]
        assert info["client_software_name"] == "confluent-kafka-python"
        assert info["client_instance_id"] == shown[TOTAL][0]["client_instance_id"]
        subscribe(cluster, metrics="org.apache.kafka.producer.request.")
        until(lambda: "org_apache_kafka_producer_request_latency_avg" in values(cluster), producer)
        assert TOTAL not in values(cluster)
        assert producer.flush(SECONDS_MAX) == 0
