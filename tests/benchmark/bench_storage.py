"""`make bench-storage`: what a crash and many partitions cost on this machine.

- *scan*: the engine alone opens logs of 1 GB that nobody flushed, in batches of several sizes.
- *recovery*: a broker that holds such logs is killed and started again, until it serves.
- *partitions*: 2,000 partitions on one broker and on three: time, memory and descriptors of each
  step, and what they cost while nothing happens.

Nothing here is a test: a slow machine makes slow figures, not failures. What takes long says so on
the standard error.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import socket
import struct
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import confluent_kafka

from ottla.client.admin import Admin
from ottla.client.model import NewTopic
from ottla.core.clock import SystemClock
from ottla.record.batch import patch_offset_and_epoch
from ottla.record.build import build_batch
from ottla.testing import Cluster
from storage.config import LogConfig
from storage.manager import LogManager
from storage.vfs import OsVfs
from tests.benchmark.measure import Brokers, Measure, print_table
from tests.benchmark.requests import answer, produce_request
from tests.support.topics import create_topic

GB = 1_000_000_000
_TOPIC = "bench"
_TOPIC_ID = bytes(range(16))
_IDLE_SECONDS = 30
_OPEN_PARTITIONS_SECONDS_MAX = 300.0


def note(text: str) -> None:
    """Say what is being done; the figures go to standard output."""
    print(f"… {text}", file=sys.stderr, flush=True)


# The engine alone


def scan(measures: list[Measure], tries: int, total: int) -> None:
    """The time to open a log of which everything must be scanned, by the size of its batches."""
    for size, logs, part in (
        (1_000_000, 1, 1.0),
        (1_000_000, 50, 1.0),
        (16_000, 1, 1.0),
        (1_000, 1, 0.25),
        (100, 1, 0.05),
    ):
        written = int(total * part)
        name = f"scan {written / GB:.2f} GB, batches of {size:,} B, {logs} log(s)"
        warm = Measure(f"{name}, in the page cache", "s/GB", True, "2 s/GB")
        cold = Measure(f"{name}, from the disk", "s/GB", True)
        with tempfile.TemporaryDirectory(prefix="ottla-bench-") as folder:
            note(f"{name}: writing")
            _in_child(partial(_write, folder, size, logs, written))
            for _ in range(tries):
                warm.values.append(_in_child(partial(_open, folder, logs)) / written * GB)
            note(f"{name}: from the disk")
            os.sync()
            _drop_from_cache(Path(folder))
            cold.values.append(_in_child(partial(_open, folder, logs)) / written * GB)
        measures += [warm, cold]


def _manager(folder: str) -> LogManager:
    return LogManager.open(
        [folder], cluster_id="bench", node_id=1, clock=SystemClock(), vfs=OsVfs()
    )


def _write(folder: str, size: int, logs: int, total: int) -> float:
    """`total` bytes in batches of about `size` bytes, spread over `logs` logs; seconds."""
    began = time.monotonic()
    manager = _manager(folder)
    manager.mark_running(1)
    batch = build_batch([(None, os.urandom(max(1, size - 70)), (), 1_700_000_000_000)])
    at_once = max(1, 1_000_000 // len(batch))
    for number in range(logs):
        log = manager.open_log(_TOPIC, number, _TOPIC_ID, LogConfig())
        written = 0
        while written < total // logs:
            data = bytearray(bytes(batch) * at_once)
            for index in range(at_once):
                patch_offset_and_epoch(
                    data,
                    index * len(batch),
                    base_offset=log.log_end_offset + index,
                    leader_epoch=0,
                )
            log.append_as_follower(memoryview(data))
            written += len(data)
    return time.monotonic() - began


def _open(folder: str, logs: int) -> float:
    """Open all logs after a crash; seconds."""
    began = time.monotonic()
    manager = _manager(folder)
    for number in range(logs):
        log = manager.open_log(_TOPIC, number, _TOPIC_ID, LogConfig())
        if log.scanned_bytes != log.size_bytes or not log.size_bytes:
            raise RuntimeError(f"only {log.scanned_bytes} of {log.size_bytes} bytes were scanned")
    return time.monotonic() - began


def _in_child(work: Callable[[], float]) -> float:
    """Run `work` in a process that then ends without closing anything; what it returned."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.write(writer, struct.pack("d", work()))
            os._exit(0)
        finally:
            os._exit(1)
    os.close(writer)
    with closing(os.fdopen(reader, "rb")) as file:
        data = file.read()
    os.waitpid(child, 0)
    if len(data) != 8:
        raise RuntimeError("the child process failed")
    return float(struct.unpack("d", data)[0])


def _drop_from_cache(folder: Path) -> None:
    for path in folder.rglob("*.log"):
        descriptor = os.open(path, os.O_RDONLY)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)


# A broker


def recovery(measures: list[Measure], tries: int, total: int) -> None:
    """SIGKILL of a broker with unflushed data → it serves again; an empty one beside it."""
    for partitions, size in ((0, 0), (4, total), (50, total)):
        name = f"SIGKILL with {size / GB:.1f} GB unflushed in {partitions} partitions → serves"
        measure = Measure(name, "s", True)
        with Cluster(brokers=1, start_seconds_max=_OPEN_PARTITIONS_SECONDS_MAX) as cluster:
            if partitions:
                note(f"writing {size / GB:.1f} GB into {partitions} partitions")
                create_topic(cluster.bootstrap, _TOPIC, partitions, 1)
                _produce(cluster, partitions, size)
            for _ in range(tries):
                cluster.kill(1)
                began = time.monotonic()
                cluster.start(1)
                measure.values.append(time.monotonic() - began)
                measure.cpu_seconds.append(Brokers(cluster).cpu_seconds())
        measures.append(measure)


def _produce(cluster: Cluster, partitions: int, total: int) -> None:
    """`total` bytes in requests of 1 MB, partition after partition."""
    _append_to_all(cluster, partitions)  # once their logs are made
    batch = bytes(build_batch([(None, os.urandom(1000), (), 1_700_000_000_000)] * 900))
    requests = [produce_request(_TOPIC, number, 1, batch) for number in range(partitions)]
    host, _, port = cluster.address(1).partition(":")
    with closing(socket.create_connection((host, int(port)))) as connection:
        for number in range(total // len(batch)):
            connection.sendall(requests[number % partitions])
            answer(connection)


class Steps:
    """Times, memory and descriptors of a cluster, step by step."""

    def __init__(self, measures: list[Measure], label: str, partitions: int) -> None:
        self._measures = measures
        self._label = label
        self._partitions = partitions
        self._empty_kb: float | None = None

    def time(self, name: str, work: Callable[[], object], unit: str = "s") -> None:
        note(f"{self._label}: {name}")
        began = time.monotonic()
        work()
        self.add(name, unit, time.monotonic() - began)

    def add(self, name: str, unit: str, value: float, aim: str = "") -> None:
        measure = Measure(f"{self._label}: {name}", unit, True, aim)
        measure.values.append(value)
        self._measures.append(measure)

    def look(self, cluster: Cluster, after: str) -> None:
        """Memory and descriptors now, of the node that has the most."""
        resident_kb = max(Brokers(cluster).resident_megabytes()) * 1024
        if self._empty_kb is None:
            self._empty_kb = resident_kb
            self.add(f"memory {after}", "MiB", resident_kb / 1024)
        else:
            each = (resident_kb - self._empty_kb) / self._partitions
            self.add(f"memory a partition {after}", "KiB", each, "30 KiB")
        nodes = [Path(f"/proc/{cluster.pid(node)}/fd") for node in cluster.running]
        self.add(f"descriptors {after}", "", max(len(list(node.iterdir())) for node in nodes))


def partitions(measures: list[Measure], brokers: int, count: int) -> None:
    """Many partitions: each step once."""
    factor = min(3, brokers)
    steps = Steps(measures, f"{count:,} partitions, {brokers} broker(s)", count)
    cluster = Cluster(brokers, start_seconds_max=_OPEN_PARTITIONS_SECONDS_MAX)
    with closing(cluster):
        steps.time("start, empty", cluster.__enter__)
        steps.look(cluster, "when empty")
        with Admin(cluster.bootstrap, timeout_seconds=300) as admin:
            new_topic = NewTopic(_TOPIC, count, factor)
            steps.time("create", lambda: admin.create_topics([new_topic]))
        steps.time("until the logs are made", lambda: _wait_made(cluster, count))
        steps.look(cluster, "after creating")
        steps.time("append to all", lambda: _append_to_all(cluster, count))
        steps.look(cluster, "after appending")
        _idle(steps, cluster)
        steps.time("clean stop", cluster.stop_all)
        steps.time("start again", cluster.start_all)
        steps.time("append to all again", lambda: _append_to_all(cluster, count))
        steps.look(cluster, "after a clean start")
        cluster.kill_all()
        steps.time("start after SIGKILL", cluster.start_all)
        steps.look(cluster, "after a crash")


def _wait_made(cluster: Cluster, count: int) -> None:
    deadline = time.monotonic() + _OPEN_PARTITIONS_SECONDS_MAX
    for node_id in cluster.node_ids:
        log = cluster.directory / f"node-{node_id}" / "log"
        while len(list(log.glob(f"{_TOPIC}-*/*.log"))) < count:
            if time.monotonic() > deadline:
                raise RuntimeError(f"node {node_id} did not make all logs")
            time.sleep(0.05)


def _append_to_all(cluster: Cluster, count: int) -> None:
    producer = confluent_kafka.Producer({"bootstrap.servers": cluster.bootstrap, "acks": "all"})
    for number in range(count):
        producer.produce(_TOPIC, b"x" * 100, partition=number)
        producer.poll(0)
    if producer.flush(300):
        raise RuntimeError("not everything was acknowledged")


def _idle(steps: Steps, cluster: Cluster) -> None:
    note(f"idle for {_IDLE_SECONDS} s")
    time.sleep(5)
    brokers = Brokers(cluster)
    cpu = brokers.cpu_seconds()
    time.sleep(_IDLE_SECONDS)
    used = (brokers.cpu_seconds() - cpu) / len(cluster.running) * 60 / _IDLE_SECONDS
    steps.add("CPU of an idle broker", "s/minute", used)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one try each, less data")
    parser.add_argument("--only", default="", help="scan, recovery, partitions or partitions3")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    options = parser.parse_args()
    tries = 1 if options.quick else 3
    total = GB // 5 if options.quick else GB
    count = 200 if options.quick else 2_000
    measures: list[Measure] = []
    parts: dict[str, Callable[[], None]] = {
        "scan": lambda: scan(measures, tries, total),
        "recovery": lambda: recovery(measures, tries, total),
        "partitions": lambda: partitions(measures, 1, count),
        "partitions3": lambda: partitions(measures, 3, count),
    }
    print(
        f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        file=sys.stderr,
    )
    for name, part in parts.items():
        if options.only in ("", name):
            part()
    if options.json:
        print(json.dumps([measure.__dict__ for measure in measures]))
    else:
        print_table(measures)


if __name__ == "__main__":
    main()
