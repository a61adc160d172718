"""A replica is moved between the log directories of its broker, under load and through a kill."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import confluent_kafka
import kafka.admin
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from ottla.testing import Cluster

SECONDS_MAX = 60


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS_MAX
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def read_all(cluster: Cluster, count: int) -> list[bytes]:
    consumer = confluent_kafka.Consumer(
        {"bootstrap.servers": cluster.bootstrap, "group.id": "g", "auto.offset.reset": "earliest"}
    )
    consumer.assign([confluent_kafka.TopicPartition("moved", 0, 0)])
    found: list[bytes] = []
    while len(found) < count:
        message = consumer.poll(SECONDS_MAX)
        assert message is not None
        assert message.error() is None
        value = message.value()
        assert isinstance(value, bytes)
        found.append(value)
    consumer.close()
    return found


def test_nothing_is_lost_by_moving(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in "ab"]
    with Cluster(brokers=1, settings={"log.dirs": ",".join(map(str, paths))}) as cluster:
        admin = AdminClient({"bootstrap.servers": cluster.bootstrap})
        admin.create_topics([NewTopic("moved", 1, 1)])["moved"].result(SECONDS_MAX)
        mover = kafka.admin.KafkaAdminClient(bootstrap_servers=cluster.bootstrap)
        producer = confluent_kafka.Producer(
            {"bootstrap.servers": cluster.bootstrap, "enable.idempotence": True, "linger.ms": 1}
        )
        sent: list[bytes] = []

        def send(count: int) -> None:
            for _ in range(count):
                sent.append(str(len(sent)).encode().ljust(1_000))
                producer.produce("moved", sent[-1], partition=0)
            assert producer.flush(SECONDS_MAX) == 0

        def move_to(path: Path) -> None:
            (error,) = mover.alter_replica_log_dirs({("moved", 0, 1): str(path)}).values()
            assert error.errno == 0

        def is_in(path: Path) -> bool:
            others = [one for one in paths if one != path]
            return (path / "moved-0").is_dir() and not any(
                (one / "moved-0").is_dir() for one in others
            )

        send(5_000)
        here = next(path for path in paths if (path / "moved-0").is_dir())
        there = next(path for path in paths if path != here)
        move_to(there)
        send(2_000)
        until(lambda: is_in(there) and not (there / "moved-0" / "moving").exists())
        send(100)
        move_to(here)
        cluster.kill(1)
        cluster.restart(1)
        send(100)
        assert read_all(cluster, len(sent)) == sent
        mover.close()
