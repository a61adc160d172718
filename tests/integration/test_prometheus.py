"""A real Prometheus scrapes a real cluster: dashboards have data, alerts fire at their faults.

The rules are those of deploy/prometheus, faster (tests/support/prometheus.py). Every one of them
fires here for its fault; alerts_test.yml, which promtool runs, tests their times and their silence.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from unittest.mock import patch

import confluent_kafka
import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from deploy.grafana.dashboards import DASHBOARDS
from deploy.grafana.panels import Panel
from ottla.client.admin import Admin
from ottla.core.errors import OttlaError
from ottla.testing import Cluster
from tests.support import faulty_server
from tests.support.commits import commit_offsets
from tests.support.mounts import Ext4, Tmpfs
from tests.support.prometheus import RULES, SECONDS_MAX, Prometheus, alert_names, wait

pytestmark = pytest.mark.root

DISK_MB = 96
FILLED_MB_PER_SECOND = 5
PARTITIONS = 6
LAG_RECORDS = 101_000


class Scene:
    """`small` and `failing` are the two log directories of broker 3."""

    def __init__(
        self, cluster: Cluster, prometheus: Prometheus, small: Tmpfs, failing: Ext4
    ) -> None:
        self.cluster = cluster
        self.prometheus = prometheus
        self.small = small
        self.failing = failing


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("prometheus")
    small = Tmpfs(folder / "disk-3" / "a", DISK_MB)
    failing = Ext4(folder / "disk-3" / "b", DISK_MB)
    server = [sys.executable, "-I", faulty_server.__file__]
    with (
        small.mounted(),
        failing.mounted(),
        patch("ottla.local.processes.server_command", lambda: server),
        Cluster(
            brokers=3,
            directory=folder / "cluster",
            settings={
                "log.dirs": ",".join(str(folder / "disk-{node.id}" / one / "log") for one in "ab"),
                "ottla.log.min.free.bytes": 16 << 20,
                "broker.session.timeout.ms": 1_000,
                "broker.heartbeat.interval.ms": 200,
            },
        ) as cluster,
        Prometheus(
            folder / "prometheus", [cluster.http_address(node) for node in cluster.node_ids]
        ) as prometheus,
    ):
        admin = AdminClient({"bootstrap.servers": cluster.bootstrap})
        made = admin.create_topics(
            [
                NewTopic("orders", PARTITIONS, 3),
                NewTopic("narrow", PARTITIONS, 2, config={"min.insync.replicas": "2"}),
                NewTopic("single", PARTITIONS, 1, config={"min.insync.replicas": "1"}),
            ]
        )
        for future in made.values():
            future.result(30)
        yield Scene(cluster, prometheus, small, failing)


def produce(bootstrap: str, count: int, *, acks: str = "all", partition: int | None = None) -> None:
    producer = confluent_kafka.Producer(
        {
            "bootstrap.servers": bootstrap,
            "acks": acks,
            "linger.ms": 20,
            "queue.buffering.max.messages": 200_000,
        }
    )
    for number in range(count):
        producer.produce(
            "orders", b"x", partition=number % PARTITIONS if partition is None else partition
        )
        if number % 1_000 == 0:
            producer.poll(0)
    assert producer.flush(30) == 0


def transactional_producer(bootstrap: str) -> confluent_kafka.Producer:
    producer = confluent_kafka.Producer({"bootstrap.servers": bootstrap, "transactional.id": "one"})
    producer.init_transactions(30)
    return producer


def use_everything(bootstrap: str) -> None:
    """Records in and out, a group, a transaction, an error: each panel has something to show."""
    produce(bootstrap, 1_000)
    consumer = confluent_kafka.Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "payments",
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    consumer.subscribe(["orders"])
    message = consumer.poll(SECONDS_MAX)
    assert message is not None
    consumer.commit(message=message, asynchronous=False)
    consumer.close()
    producer = transactional_producer(bootstrap)
    producer.begin_transaction()
    producer.produce("orders", b"x")
    producer.commit_transaction(30)


def expressions() -> list[tuple[str, str]]:
    """(panel, PromQL with its variables filled in) of all dashboards."""

    def filled(expression: str) -> str:
        for variable in ("$instance", "$topic", "$group"):
            expression = expression.replace(variable, ".*")
        return expression.replace("$__rate_interval", "20s")

    panels: list[tuple[str, Panel]] = [(d.name, panel) for d in DASHBOARDS for panel in d.panels]
    return [
        (f"{name}: {panel.title}", filled(expression))
        for name, panel in panels
        for expression, _ in panel.targets
    ]


def test_the_files_are_sound_and_the_rules_pass_their_tests() -> None:
    for arguments in (
        ["check", "config", "prometheus.yml"],
        ["check", "rules", "--lint-fatal", "alerts.yml"],
        ["test", "rules", "alerts_test.yml"],
    ):
        done = subprocess.run(
            ["promtool", *arguments],
            cwd=RULES.parent,
            capture_output=True,
            text=True,
            timeout=SECONDS_MAX,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_each_alert_has_a_test() -> None:
    tested = RULES.with_name("alerts_test.yml").read_text("utf-8")
    assert {name for name in alert_names() if f'"{name}"' not in tested} == set()


def test_every_panel_has_data(scene: Scene) -> None:
    prometheus = scene.prometheus
    wait("all nodes are scraped", lambda: len(prometheus.query("ottla_node_ready == 1")) == 3)
    use_everything(scene.cluster.bootstrap)
    missing = dict.fromkeys(expressions())

    def is_whole() -> bool:
        for asked in [*missing]:
            if prometheus.query(asked[1]):
                del missing[asked]
        return not missing

    assert len(missing) > 60
    wait("panels without data:", is_whole, lambda: [*missing])
    assert prometheus.firing() == set()


def test_every_alert_fires_when_its_fault_is_made(scene: Scene) -> None:
    cluster, prometheus = scene.cluster, scene.prometheus
    wait("all nodes are scraped", lambda: len(prometheus.query("ottla_node_ready == 1")) == 3)
    a_group_lags(scene)
    a_transaction_hangs(scene)
    a_broker_is_mistaken(scene)
    a_disk_fills_up(scene)
    controller = cluster.controller()
    victim, other = sorted(node for node in cluster.node_ids if node != controller)
    a_broker_stands_still(scene, victim, controller)
    with prometheus.fires(
        "OttlaNodeDown",
        "OttlaBrokerFenced",
        "OttlaPartitionOffline",
        "OttlaPartitionUnderMinIsr",
        "OttlaPartitionUnderReplicated",
    ):
        cluster.kill(victim)
    assert victim != 3  # it comes last in `sorted`, so that its directory can fail now
    with prometheus.fires("OttlaLogDirectoryOffline"):
        scene.failing.shut_down()
        wait_written(cluster.bootstrap)
    with prometheus.fires("OttlaNoActiveController", "OttlaNodeNotReady"):
        cluster.kill(other)
    assert prometheus.fired == alert_names()


def a_group_lags(scene: Scene) -> None:
    """It commits nothing more while records come."""
    cluster, prometheus = scene.cluster, scene.prometheus
    commit_offsets(cluster.bootstrap, "slow", {("orders", p): 0 for p in range(PARTITIONS)})
    with prometheus.fires("OttlaGroupLags"):
        produce(cluster.bootstrap, 11_000)
        wait(
            "the lag is scraped", lambda: bool(prometheus.query("ottla_group_lag_records > 10000"))
        )
        produce(cluster.bootstrap, 1_000)


def a_transaction_hangs(scene: Scene) -> None:
    producer = transactional_producer(scene.cluster.bootstrap)
    with scene.prometheus.fires("OttlaTransactionHangs"):
        producer.begin_transaction()
        producer.produce("orders", b"x")
        assert producer.flush(30) == 0
    producer.abort_transaction(30)


def a_broker_is_mistaken(scene: Scene) -> None:
    with (
        scene.prometheus.fires("OttlaUnexpectedErrors"),
        Admin(scene.cluster.bootstrap) as admin,
        pytest.raises(OttlaError),
    ):
        admin.list_transactions()


def a_disk_fills_up(scene: Scene) -> None:
    """Slowly, until that is noticed; then it is full."""
    prometheus = scene.prometheus
    with prometheus.fires("OttlaLogDirectoryFull"):
        with prometheus.fires("OttlaDiskFillsUp"):
            used_mb = 0
            while "OttlaDiskFillsUp" not in prometheus.firing():
                used_mb += FILLED_MB_PER_SECOND
                assert used_mb < DISK_MB - 16, "it is full before anybody was warned"
                scene.small.take(FILLED_MB_PER_SECOND)
                time.sleep(1)
        scene.small.fill()
    scene.small.grow(DISK_MB)
    scene.cluster.wait_in_sync("orders")


def a_broker_stands_still(scene: Scene, victim: int, controller: int) -> None:
    """For longer than its lease, again and again; and once while much is produced."""
    cluster, prometheus = scene.cluster, scene.prometheus
    with Admin(cluster.address(controller)) as admin:

        def is_out() -> bool:
            partitions = admin.describe_topic("orders").partitions
            return all(victim not in partition.isr for partition in partitions)

        for _ in range(4):
            cluster.pause(victim)
            try:
                wait("who stands still is out of the in-sync replicas", is_out)
            finally:
                cluster.resume(victim)
            cluster.wait_in_sync("orders")
        prometheus.wait_firing("OttlaIsrFlapping", "OttlaEventLoopStalls")
        with prometheus.fires("OttlaFollowerLags"):
            cluster.pause(victim)
            wait("who stands still is out of the in-sync replicas", is_out)
            produce(cluster.bootstrap, LAG_RECORDS, acks="1", partition=0)
        cluster.resume(victim)
    cluster.wait_in_sync("orders")


def wait_written(bootstrap: str) -> None:
    """Something is appended in every partition of a topic that all brokers hold."""
    produce(bootstrap, 10 * PARTITIONS, acks="1")
