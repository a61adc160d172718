"""A real Prometheus scrapes a real cluster: dashboards have data, alerts fire at their faults.

The rules are the ones of deploy/prometheus; only how long a fault has to last is a second here.
What cannot be made within a minute (a disk that fills up over hours, …) is in alerts_test.yml.
"""

from __future__ import annotations

import json
import re
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import confluent_kafka
import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from deploy.grafana.dashboards import DASHBOARDS, Panel
from ottla.client.admin import Admin
from ottla.local.ports import free_ports
from ottla.testing import Cluster
from tests.support.mounts import Tmpfs

pytestmark = pytest.mark.root

RULES = Path(__file__).parents[2] / "deploy" / "prometheus" / "alerts.yml"
SECONDS_MAX = 60.0
DISK_MB = 96
PARTITIONS = 6


class Prometheus:
    """A process of its own on a free port, its data in `folder`."""

    def __init__(self, folder: Path, targets: list[str]) -> None:
        self._folder = folder
        self._targets = targets
        self._process: subprocess.Popen[bytes] | None = None
        (self._port,) = free_ports(1)

    def __enter__(self) -> Prometheus:
        self._folder.mkdir()
        rules = re.sub(r"\bfor: \w+", "for: 1s", RULES.read_text("utf-8"))
        (self._folder / "alerts.yml").write_text(rules, "utf-8")
        config = {
            "global": {
                "scrape_interval": "1s",
                "scrape_timeout": "1s",
                "evaluation_interval": "1s",
            },
            "rule_files": ["alerts.yml"],
            "scrape_configs": [
                {"job_name": "ottla", "static_configs": [{"targets": self._targets}]}
            ],
        }
        file = self._folder / "prometheus.yml"
        file.write_text(json.dumps(config), "utf-8")  # YAML contains JSON
        self._process = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={file}",
                f"--storage.tsdb.path={self._folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{self._port}",
            ],
            stdout=subprocess.DEVNULL,
            stderr=(self._folder / "log").open("wb"),
        )
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The series of an instant query."""
        asked = urllib.parse.urlencode({"query": expression})
        url = f"http://127.0.0.1:{self._port}/api/v1/query?{asked}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            data = json.load(answer)["data"]
        result = data["result"]
        return [{"value": result}] if data["resultType"] == "scalar" else list(result)

    def firing(self) -> set[str]:
        found = self.query('ALERTS{alertstate="firing"}')
        return {series["metric"]["alertname"] for series in found}

    def wait_firing(self, *names: str) -> None:
        wait(f"{names} fire, not only", lambda: {*names} <= self.firing(), self.firing)


def wait(what: str, is_so: Callable[[], bool], shown: Callable[[], object] = lambda: "") -> None:
    deadline = time.monotonic() + SECONDS_MAX
    while True:
        try:
            if is_so():
                return
        except OSError:
            pass  # Prometheus starts
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} {shown()}: not within {SECONDS_MAX} s")
        time.sleep(0.2)


class Scene:
    def __init__(self, cluster: Cluster, prometheus: Prometheus, disk: Tmpfs) -> None:
        self.cluster = cluster
        self.prometheus = prometheus
        self.disk = disk


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("prometheus")
    disk = Tmpfs(folder / "disk-3", DISK_MB)
    with (
        disk.mounted(),
        Cluster(
            brokers=3,
            directory=folder / "cluster",
            settings={
                "log.dirs": str(folder / "disk-{node.id}" / "log"),
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
        yield Scene(cluster, prometheus, disk)


def produce(bootstrap: str, count: int) -> None:
    producer = confluent_kafka.Producer({"bootstrap.servers": bootstrap, "acks": "all"})
    for number in range(count):
        producer.produce("orders", b"x", partition=number % PARTITIONS)
        if number % 1_000 == 0:
            producer.poll(0)
    assert producer.flush(30) == 0


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
    producer = confluent_kafka.Producer({"bootstrap.servers": bootstrap, "transactional.id": "one"})
    producer.init_transactions(30)
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
    named = set(re.findall(r"alert: (\w+)", RULES.read_text("utf-8")))
    tested = RULES.with_name("alerts_test.yml").read_text("utf-8")
    assert {name for name in named if f'"{name}"' not in tested} == set()


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


def test_alerts_fire_when_their_fault_is_made(scene: Scene) -> None:
    cluster, prometheus = scene.cluster, scene.prometheus
    # A group that commits nothing more while records come.
    committer = confluent_kafka.Consumer(
        {"bootstrap.servers": cluster.bootstrap, "group.id": "slow", "enable.auto.commit": False}
    )
    start = [confluent_kafka.TopicPartition("orders", p, 0) for p in range(PARTITIONS)]
    committer.commit(offsets=start, asynchronous=False)
    committer.close()
    produce(cluster.bootstrap, 11_000)
    wait("the lag is scraped", lambda: bool(prometheus.query("ottla_group_lag_records > 10000")))
    produce(cluster.bootstrap, 1_000)
    prometheus.wait_firing("OttlaGroupLags")

    scene.disk.fill()
    prometheus.wait_firing("OttlaLogDirectoryFull")
    scene.disk.grow(DISK_MB)
    cluster.wait_in_sync("orders")

    controller = cluster.controller()
    victim, other = (node for node in cluster.node_ids if node != controller)
    with Admin(cluster.address(controller)) as admin:

        def is_out() -> bool:
            partitions = admin.describe_topic("orders").partitions
            return all(victim not in partition.isr for partition in partitions)

        for _ in range(4):  # it stands still for longer than its lease, again and again
            cluster.pause(victim)
            try:
                wait("who stands still is out of the in-sync replicas", is_out)
            finally:
                cluster.resume(victim)
            cluster.wait_in_sync("orders")
    prometheus.wait_firing("OttlaIsrFlapping", "OttlaEventLoopStalls")

    cluster.kill(victim)
    prometheus.wait_firing(
        "OttlaNodeDown",
        "OttlaBrokerFenced",
        "OttlaPartitionOffline",
        "OttlaPartitionUnderMinIsr",
        "OttlaPartitionUnderReplicated",
    )
    cluster.kill(other)
    prometheus.wait_firing("OttlaNoActiveController", "OttlaNodeNotReady")
