"""Apache Kafka's own command-line tools, and kafka-python's, do their main jobs on our cluster."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import confluent_kafka
import pytest

from ottla.testing import Cluster
from tests.support.apache_kafka import run_tool

pytestmark = pytest.mark.apache_kafka

CLIENT_METRICS = "org.apache.kafka.tools.ClientMetricsCommand"
CONFIGS = "kafka.admin.ConfigCommand"
TOPICS = "org.apache.kafka.tools.TopicCommand"
QUORUM = "org.apache.kafka.tools.MetadataQuorumCommand"
FEATURES = "org.apache.kafka.tools.FeatureCommand"
GROUPS = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand"
LOG_DIRS = "org.apache.kafka.tools.LogDirsCommand"
REASSIGN = "org.apache.kafka.tools.reassign.ReassignPartitionsCommand"
ELECTION = "org.apache.kafka.tools.LeaderElectionCommand"
PRODUCER = "org.apache.kafka.tools.ProducerPerformance"
SECONDS_MAX = 60


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with Cluster(brokers=3) as cluster:
        yield cluster


def squeezed(text: str) -> list[str]:
    """Lines with single spaces, without empty ones."""
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


def test_topics(cluster: Cluster) -> None:
    def topics(*arguments: str) -> str:
        return run_tool(TOPICS, cluster.bootstrap, *arguments)

    topics("--create", "--topic", "made", "--partitions", "2", "--replication-factor", "3",
           "--config", "retention.ms=5000")  # fmt: skip
    assert "made" in topics("--list").split()
    described = squeezed(topics("--describe", "--topic", "made"))
    assert "PartitionCount: 2 ReplicationFactor: 3" in described[0]
    assert "retention.ms=5000" in described[0]
    for index, line in enumerate(described[1:]):
        assert re.search(
            rf"Partition: {index} Leader: [123] Replicas: [123],[123],[123] Isr: .* Elr:", line
        )
    topics("--alter", "--topic", "made", "--partitions", "3")
    assert "PartitionCount: 3" in topics("--describe", "--topic", "made")
    assert topics("--describe", "--under-replicated-partitions").strip() == ""
    topics("--delete", "--topic", "made")
    assert "made" not in topics("--list").split()


def test_settings(cluster: Cluster) -> None:
    def configs(*arguments: str) -> str:
        return run_tool(CONFIGS, cluster.bootstrap, *arguments)

    run_tool(TOPICS, cluster.bootstrap, "--create", "--topic", "set")
    topic = ("--entity-type", "topics", "--entity-name", "set")
    configs("--alter", *topic, "--add-config", "retention.ms=77,cleanup.policy=[compact,delete]")
    described = configs("--describe", *topic)
    assert "synonyms={DYNAMIC_TOPIC_CONFIG:retention.ms=77, DEFAULT_CONFIG:" in described
    assert "cleanup.policy=compact,delete" in described
    configs("--alter", *topic, "--delete-config", "retention.ms")
    assert "retention.ms=77" not in configs("--describe", *topic)

    every = ("--entity-type", "brokers", "--entity-default")
    one = ("--entity-type", "brokers", "--entity-name", "1")
    configs("--alter", *every, "--add-config", "log.retention.ms=66")
    configs("--alter", *one, "--add-config", "leader.replication.throttled.rate=55")
    assert "log.retention.ms=66" in configs("--describe", *every)
    assert "DYNAMIC_BROKER_CONFIG:leader.replication.throttled.rate=55" in configs(
        "--describe", *one
    )
    assert "log.retention.ms=66" in configs("--describe", *topic, "--all")
    configs("--alter", *every, "--delete-config", "log.retention.ms")

    group = ("--entity-type", "groups", "--entity-name", "g")
    configs("--alter", *group, "--add-config", "consumer.session.timeout.ms=50000")
    assert "DYNAMIC_GROUP_CONFIG:consumer.session.timeout.ms=50000" in configs("--describe", *group)


def test_quotas(cluster: Cluster) -> None:
    def configs(*arguments: str) -> str:
        return run_tool(CONFIGS, cluster.bootstrap, *arguments)

    client = ("--entity-type", "clients", "--entity-name", "c")
    both = ("--entity-type", "users", "--entity-name", "u", "--entity-type", "clients",
            "--entity-default")  # fmt: skip
    configs("--alter", *client, "--add-config", "producer_byte_rate=1024,request_percentage=50")
    configs("--alter", *both, "--add-config", "consumer_byte_rate=2048")
    described = configs("--describe", *client)
    assert "'c' are" in described
    assert "producer_byte_rate=1024.0" in described
    assert "consumer_byte_rate=2048.0" in configs("--describe", *both)
    configs("--alter", *client, "--delete-config", "producer_byte_rate")
    assert "producer_byte_rate" not in configs("--describe", *client)
    user = ("--entity-type", "users", "--entity-name", "u")
    configs("--alter", *user, "--add-config", "controller_mutation_rate=5")
    assert "controller_mutation_rate=5.0" in configs("--describe", *user)
    assert "controller_mutation_rate=5.0" in configs("--describe", "--entity-type", "users")
    configs("--alter", *user, "--delete-config", "controller_mutation_rate")


def test_metrics_of_clients(cluster: Cluster) -> None:
    def subscriptions(*arguments: str) -> str:
        return run_tool(CLIENT_METRICS, cluster.bootstrap, *arguments)

    subscriptions("--alter", "--name", "java", "--metrics", "org.apache.kafka.producer.record.",
                  "--interval", "500",
                  "--match", "client_software_name=apache-kafka-java")  # fmt: skip
    assert subscriptions("--list").split() == ["java"]
    assert "interval.ms=500" in subscriptions("--describe", "--name", "java")
    run_tool(TOPICS, cluster.bootstrap, "--create", "--topic", "measured")
    run_tool(PRODUCER, cluster.bootstrap, "--topic", "measured", "--num-records", "300",
             "--record-size", "10", "--throughput", "100")  # fmt: skip
    lines = [line for number in (1, 2, 3) for line in metrics(cluster, number)]
    assert any(
        line.startswith("ottla_telemetry_client_info")
        and 'client_software_name="apache-kafka-java"' in line
        for line in lines
    )
    sent = [
        line
        for line in lines
        if line.startswith("org_apache_kafka_producer_") and not line.startswith("#")
    ]
    assert any(line.startswith("org_apache_kafka_producer_record_queue_time_avg{") for line in sent)
    assert all(line.startswith("org_apache_kafka_producer_record_") for line in sent)
    subscriptions("--delete", "--name", "java")
    assert subscriptions("--list").split() == []


def metrics(cluster: Cluster, node_id: int) -> list[str]:
    url = f"http://{cluster.http_address(node_id)}/metrics"
    with urllib.request.urlopen(url, timeout=SECONDS_MAX) as page:
        text: str = page.read().decode()
    return text.splitlines()


def test_the_quorum_and_the_features(cluster: Cluster) -> None:
    status = run_tool(QUORUM, cluster.bootstrap, "describe", "--status")
    assert re.search(rf"^LeaderId: +{cluster.controller()}$", status, re.M)
    assert status.count('"directoryId"') == 3
    replication = squeezed(run_tool(QUORUM, cluster.bootstrap, "describe", "--replication"))
    assert sorted(line.split()[0] for line in replication[1:]) == ["1", "2", "3"]
    assert [line.split()[-1] for line in replication[1:]].count("Leader") == 1
    features = run_tool(FEATURES, cluster.bootstrap, "describe")
    assert re.search(r"^Feature: metadata.version\s", features, re.M)
    level = r"^Feature: transaction.version\s.*FinalizedVersionLevel: {}\s"
    assert re.search(level.format(2), features, re.M)
    feature = ("--feature", "transaction.version=1")
    run_tool(FEATURES, cluster.bootstrap, "downgrade", *feature)
    features = run_tool(FEATURES, cluster.bootstrap, "describe")
    assert re.search(level.format(1), features, re.M)
    run_tool(FEATURES, cluster.bootstrap, "upgrade", "--feature", "transaction.version=2")
    features = run_tool(FEATURES, cluster.bootstrap, "describe")
    assert re.search(level.format(2), features, re.M)


def test_groups(cluster: Cluster) -> None:
    def groups(*arguments: str) -> str:
        return run_tool(GROUPS, cluster.bootstrap, *arguments)

    producer = confluent_kafka.Producer({"bootstrap.servers": cluster.bootstrap})
    producer.produce("read", b"x", partition=0)
    assert producer.flush(SECONDS_MAX) == 0
    consumer = confluent_kafka.Consumer(
        {
            "bootstrap.servers": cluster.bootstrap,
            "group.id": "readers",
            "auto.offset.reset": "earliest",
        }
    )
    consumer.subscribe(["read"])
    message = consumer.poll(SECONDS_MAX)
    assert message is not None
    assert message.error() is None
    consumer.commit(asynchronous=False)
    assert "Stable" in groups("--describe", "--group", "readers", "--state")
    consumer.close()
    assert "readers" in groups("--list").split()
    assert any(
        line.startswith("readers read 0 1 1 0 ")
        for line in squeezed(groups("--describe", "--group", "readers"))
    )
    groups("--reset-offsets", "--group", "readers", "--topic", "read", "--to-earliest",
           "--execute")  # fmt: skip
    assert any(
        line.startswith("readers read 0 0 1 1 ")
        for line in squeezed(groups("--describe", "--group", "readers"))
    )
    groups("--delete", "--group", "readers")
    assert "readers" not in groups("--list").split()


def test_replicas_are_moved_and_the_preferred_leader_is_elected(
    cluster: Cluster, tmp_path: Path
) -> None:
    run_tool(TOPICS, cluster.bootstrap, "--create", "--topic", "moved",
             "--replica-assignment", "1:2")  # fmt: skip
    producer = confluent_kafka.Producer({"bootstrap.servers": cluster.bootstrap})
    producer.produce("moved", b"x" * 1000)
    assert producer.flush(SECONDS_MAX) == 0
    assert brokers_with(cluster, "moved-0") == {1, 2}

    plan = tmp_path / "plan.json"
    partition = {"topic": "moved", "partition": 0, "replicas": [3, 1]}
    plan.write_text(json.dumps({"version": 1, "partitions": [partition]}))

    def reassign(*arguments: str) -> str:
        return run_tool(REASSIGN, cluster.bootstrap, *arguments)

    assert "Successfully started partition reassignment for moved-0" in reassign(
        "--execute", "--reassignment-json-file", str(plan), "--throttle", "10000000"
    )
    for _ in range(20):
        verified = reassign("--verify", "--reassignment-json-file", str(plan))
        if "moved-0 is completed" in verified:
            break
    assert "moved-0 is completed" in verified
    assert "Clearing broker-level throttles" in verified
    brokers = ("--describe", "--entity-type", "brokers")
    assert "throttled" not in run_tool(CONFIGS, cluster.bootstrap, *brokers)
    assert "No partition reassignments found" in reassign("--list")
    assert brokers_with(cluster, "moved-0") == {1, 3}

    cluster.restart(3)
    cluster.wait_in_sync("moved")
    run_tool(ELECTION, cluster.bootstrap, "--election-type", "preferred", "--topic", "moved",
             "--partition", "0")  # fmt: skip
    assert cluster.leader("moved", 0) == 3


def test_a_replica_is_moved_to_another_directory(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in "ab"]
    with Cluster(brokers=1, settings={"log.dirs": ",".join(map(str, folders))}) as cluster:
        run_tool(TOPICS, cluster.bootstrap, "--create", "--topic", "moved")
        producer = confluent_kafka.Producer({"bootstrap.servers": cluster.bootstrap})
        producer.produce("moved", b"x" * 1000)
        assert producer.flush(SECONDS_MAX) == 0
        (there,) = (folder for folder in folders if not (folder / "moved-0").is_dir())
        partition = {
            "topic": "moved",
            "partition": 0,
            "replicas": [1],
            "log_dirs": [str(there)],
        }
        plan = tmp_path / "plan.json"
        plan.write_text(json.dumps({"version": 1, "partitions": [partition]}))
        asked = ("--reassignment-json-file", str(plan))
        run_tool(REASSIGN, cluster.bootstrap, "--execute", *asked,
                 "--replica-alter-log-dirs-throttle", "10000000")  # fmt: skip
        for _ in range(10):
            verified = run_tool(REASSIGN, cluster.bootstrap, "--verify", *asked)
            if "replica moved-0-1 completed successfully" in verified:
                break
        assert "replica moved-0-1 completed successfully" in verified
        assert (there / "moved-0").is_dir()


def brokers_with(cluster: Cluster, partition: str) -> set[int]:
    """Those that say that they have a log of the partition."""
    described = run_tool(LOG_DIRS, cluster.bootstrap, "--describe")
    told = json.loads(next(line for line in described.splitlines() if line.startswith("{")))
    return {
        broker["broker"]
        for broker in told["brokers"]
        for directory in broker["logDirs"]
        for held in directory["partitions"]
        if held["partition"] == partition
    }


def test_the_commands_of_kafka_python(cluster: Cluster) -> None:
    def admin(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "kafka.admin", "-b", cluster.bootstrap, *arguments],
            capture_output=True,
            text=True,
            timeout=SECONDS_MAX,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert admin("cluster", "describe").count("'broker_id'") == 3
    admin("topics", "create", "-t", "python")
    assert "'python'" in admin("topics", "list")
    admin("configs", "alter", "-r", "topic", "-n", "python", "-c", "retention.ms=88")
    assert "88" in admin("configs", "describe", "-r", "topic", "-n", "python", "-c", "retention.ms")
    assert "'num.partitions'" in admin("configs", "describe", "-r", "broker", "-n", "1")
    admin("topics", "delete", "-t", "python")
    assert "'python'" not in admin("topics", "list")
