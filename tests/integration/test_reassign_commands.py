"""`ottla reassign` and `broker`: a loaded topic moves to other brokers and back, one of them is
killed meanwhile, and nothing that was acknowledged is lost."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import confluent_kafka as ck
import pytest

from ottla.client.admin import Admin
from ottla.testing import Cluster
from tests.chaos.moves.counted import RECEIVED, Counted

OTTLA = str(Path(sys.executable).with_name("ottla"))
SECONDS_MAX = 120.0
PARTITIONS = 6
VALUE = b"x" * 10_000


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with Cluster(brokers=4) as cluster:
        yield cluster


def ottla(cluster: Cluster, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [OTTLA, *arguments, "--bootstrap", cluster.bootstrap],
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )


def said(cluster: Cluster, *arguments: str) -> str:
    done = ottla(cluster, *arguments)
    assert done.returncode == 0, done
    return done.stdout


def seen(cluster: Cluster, *arguments: str) -> Any:
    return json.loads(said(cluster, *arguments, "--json"))


class Load(threading.Thread):
    """Sends until it is stopped; remembers what was acknowledged."""

    def __init__(self, cluster: Cluster, topic: str) -> None:
        super().__init__(daemon=True)
        self.acknowledged: set[int] = set()
        self.failures: list[str] = []
        self._topic = topic
        self._stopping = threading.Event()
        self._producer = ck.Producer(
            {"bootstrap.servers": cluster.bootstrap, "enable.idempotence": True, "acks": "all"}
        )
        self.start()

    def run(self) -> None:
        number = 0
        while not self._stopping.is_set():
            for _ in range(5):
                self._producer.produce(
                    self._topic, VALUE, key=str(number), on_delivery=self._delivered
                )
                number += 1
            self._producer.poll(0.05)
        self._producer.flush(SECONDS_MAX)

    def _delivered(self, error: ck.KafkaError | None, message: ck.Message) -> None:
        if error is None:
            self.acknowledged.add(int(message.key() or b""))
        else:
            self.failures.append(str(error))

    def stop(self) -> None:
        self._stopping.set()
        self.join(SECONDS_MAX)
        assert not self.is_alive()


def read_keys(cluster: Cluster, topic: str, wanted: int) -> list[int]:
    consumer = ck.Consumer(
        {"bootstrap.servers": cluster.bootstrap, "group.id": "all", "enable.auto.commit": False}
    )
    consumer.assign([ck.TopicPartition(topic, index, 0) for index in range(PARTITIONS)])
    keys: list[int] = []
    idle = 0
    while idle < 20 and len(keys) < 10 * wanted:
        messages = consumer.consume(1_000, 0.2)
        keys += [int(m.key() or b"") for m in messages if m.error() is None]
        idle = 0 if messages else idle + 1
        if len(keys) >= wanted:
            idle = max(idle, 15)
    consumer.close()
    return keys


def placed(cluster: Cluster, topic: str) -> set[int]:
    with Admin(cluster.bootstrap) as admin:
        return {b for p in admin.describe_topic(topic).partitions for b in p.replicas}


def test_a_loaded_topic_moves_and_comes_back(cluster: Cluster, tmp_path: Path) -> None:
    start = json.dumps({"version": 1, "partitions": []})
    with Admin(cluster.bootstrap) as admin:
        admin.create_topic("loaded", partitions=PARTITIONS, replication_factor=3)
    (tmp_path / "empty.json").write_text(start)
    assert "0 partitions" in said(cluster, "reassign", "apply", str(tmp_path / "empty.json"))
    load = Load(cluster, "loaded")
    for brokers in ({1, 2, 3}, {2, 3, 4}, {1, 2, 3}):
        plan = tmp_path / "plan.json"
        names = ",".join(map(str, sorted(brokers)))
        shown = said(
            cluster,
            *("reassign", "plan", "--topic", "loaded", "--brokers", names, "--out", str(plan)),
        )
        assert "loaded" in shown
        written = json.loads(plan.read_text())
        assert written["version"] == 1
        with subprocess.Popen(
            [OTTLA, "reassign", "apply", str(plan), "--bootstrap", cluster.bootstrap],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as applying:
            try:
                if 4 in brokers:
                    cluster.kill(3)
                    cluster.start(3)
                output, errors = applying.communicate(timeout=SECONDS_MAX)
            finally:
                applying.kill()
        assert applying.returncode == 0, errors
        assert "Done" in output
        assert placed(cluster, "loaded") == brokers
        again = seen(cluster, "reassign", "plan", "--topic", "loaded", "--brokers", names)
        assert again == [] or again.get("partitions") == [], again
    load.stop()
    assert not load.failures
    assert "No partition is being reassigned" in said(cluster, "reassign", "status")
    keys = read_keys(cluster, "loaded", len(load.acknowledged))
    assert set(keys) >= load.acknowledged
    assert len(keys) == len(set(keys))


def test_a_broker_is_emptied_and_filled_with_a_command_each(cluster: Cluster) -> None:
    with Admin(cluster.bootstrap) as admin:
        admin.create_topic("spread", partitions=8, replication_factor=3)
    assert "Done" in said(cluster, "broker", "drain", "4", "--throttle", "50MB/s")
    rows = {row["broker"]: row for row in seen(cluster, "broker", "list")}
    assert rows[4]["replicas"] == 0
    assert "Done" in said(cluster, "broker", "fill", "4")
    rows = {row["broker"]: row for row in seen(cluster, "broker", "list")}
    assert rows[4]["replicas"] > 0
    described = seen(cluster, "broker", "describe", "4")
    assert len(described["partitions"]) == rows[4]["replicas"]
    for broker in range(1, 5):
        settings = said(cluster, "config", "describe", "--broker", str(broker))
        assert "50000000" not in settings  # the throttle is taken away


def test_the_throttle_and_the_bytes_said_are_true_by_the_bytes_counted(
    cluster: Cluster, tmp_path: Path
) -> None:
    rate, values = 2_000_000, 150
    with Admin(cluster.bootstrap) as admin:
        admin.create_topic("weighed", partitions=4, replication_factor=3)
    plan = str(tmp_path / "plan.json")
    choose = ("reassign", "plan", "--topic", "weighed", "--out", plan, "--brokers")
    said(cluster, *choose, "1,2,3")
    said(cluster, "reassign", "apply", plan)
    producer = ck.Producer({"bootstrap.servers": cluster.bootstrap, "acks": "all"})
    for number in range(4 * values):
        producer.produce("weighed", VALUE, partition=number % 4)
    assert producer.flush(SECONDS_MAX) == 0
    planned = seen(cluster, *choose, "2,3,4")
    expected = sum(change["bytes_to_move"] for change in planned)
    assert expected > 4 * values * len(VALUE)
    counted = Counted(cluster, (1, 2, 3, 4), "weighed")
    began = time.monotonic()
    done = seen(cluster, "reassign", "apply", plan, "--throttle", "2MB/s")
    elapsed = time.monotonic() - began
    counted.look()
    with Admin(cluster.bootstrap) as admin:
        (directory,) = admin.describe_log_directories([4])[4]
    on_disk = sum(size for (topic, _), size in directory.sizes.items() if topic == "weighed")
    assert on_disk == expected
    assert done["bytes_moved"] == expected
    assert counted.of(4, "follower") == counted.of(4, RECEIVED) == expected
    assert sum(counted.of(broker, "leader") for broker in (1, 2, 3)) == expected
    # A burst of a second, and what is on its way from three leaders.
    assert expected <= rate * (elapsed + 2)


def test_bad_input_gets_a_sentence(cluster: Cluster, tmp_path: Path) -> None:
    missing = ottla(cluster, "reassign", "apply", str(tmp_path / "nowhere.json"))
    assert (missing.returncode, "cannot read the plan" in missing.stderr) == (1, True)
    unknown = ottla(cluster, "reassign", "plan", "--brokers", "1,2,9")
    assert unknown.returncode != 0
    assert "9" in unknown.stderr
    assert "Traceback" not in unknown.stderr + missing.stderr
