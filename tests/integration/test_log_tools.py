"""`ottla log verify` beside a cluster at work, after a kill, and on a replica that was damaged."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import confluent_kafka
import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from ottla.cli.main import run
from ottla.testing import Cluster

SMALL = {"segment.bytes": "20000"}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with Cluster(brokers=3) as cluster:
        admin = AdminClient({"bootstrap.servers": cluster.bootstrap})
        admin.create_topics([NewTopic("busy", 2, 3, config=SMALL)])["busy"].result(30)
        yield cluster


def folders(cluster: Cluster) -> list[Path]:
    return [cluster.directory / f"node-{node}" / "log" for node in cluster.node_ids]


def verify(*paths: Path) -> int:
    return run(["log", "verify", "--deep", *(str(path) for path in paths)])


def test_nothing_is_found_in_a_sound_cluster(
    cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    done = threading.Event()

    def write() -> None:
        producer = confluent_kafka.Producer(
            {"bootstrap.servers": cluster.bootstrap, "batch.num.messages": 50}
        )
        number = 0
        while not done.is_set():
            producer.produce("busy", key=f"{number % 10}", value=bytes(200))
            number += 1
            if number % 200 == 0:
                producer.flush(30)
        producer.flush(30)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(5):
            code = verify(*folders(cluster))
            shown = capsys.readouterr().out
            assert code == 0, shown
            assert "in use" in shown
    finally:
        done.set()
        writer.join()
    cluster.kill(2)
    assert verify(folders(cluster)[1]) == 0
    assert "stopped: killed" in capsys.readouterr().out
    cluster.start(2)


def test_a_damaged_replica_is_named(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    assert cluster.stop_all()
    assert verify(*folders(cluster)) == 0
    assert "stopped: clean" in capsys.readouterr().out
    segment = max((folders(cluster)[2] / "busy-0").glob("*.log"), key=lambda f: f.stat().st_size)
    with open(segment, "r+b") as file:
        file.seek(90)
        byte = file.read(1)
        file.seek(90)
        file.write(bytes([byte[0] ^ 1]))
    assert verify(*folders(cluster)) == 1
    shown = capsys.readouterr().out
    assert f"{segment}, byte 0" in shown
    assert "its CRC is wrong" in shown
    assert "bytes of the same length and CRC" in shown
