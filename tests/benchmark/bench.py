"""`make bench`: what Ottla costs and how fast it is on this machine.

Every line gives the median, the worst, the number of tries, and the CPU seconds that the brokers
used beside (all of them together, a try). The client runs on the same machine and takes its share
of it. Nothing here is a test: a slow machine makes slow figures, not failures.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import socket
import statistics
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import confluent_kafka

from ottla.record.build import build_batch
from ottla.testing import Cluster
from tests.benchmark.fail_over import fail_over
from tests.benchmark.groups import coordinator_move, groups
from tests.benchmark.measure import Brokers, Measure, print_table
from tests.benchmark.requests import answer, produce_request
from tests.benchmark.scrape import scrape
from tests.benchmark.small import small
from tests.support.topics import create_topic

MB = 1_000_000


def start_to_first_produce(measures: list[Measure], tries: int) -> None:
    """From nothing to an acknowledged record with three replicas."""
    measure = Measure("start to first acknowledged produce", "s", True, "3 s")
    memory = Measure("idle memory of a node", "MiB", True, "90 MiB")
    for _ in range(tries):
        began = time.monotonic()
        with Cluster(brokers=3) as cluster:
            create_topic(cluster.bootstrap, "first")
            producer = confluent_kafka.Producer(
                {"bootstrap.servers": cluster.bootstrap, "acks": "all"}
            )
            producer.produce("first", b"x")
            if producer.flush(60):
                raise RuntimeError("the first record was not acknowledged")
            measure.values.append(time.monotonic() - began)
            brokers = Brokers(cluster)
            measure.cpu_seconds.append(brokers.cpu_seconds())
            time.sleep(2)
            memory.values += brokers.resident_megabytes()
    measures += [measure, memory]


def settle(cluster: Cluster, topic: str, partitions: int) -> None:
    """Wait until the followers have everything: what acks=1 left behind is not the next one's."""
    producer = confluent_kafka.Producer({"bootstrap.servers": cluster.bootstrap, "acks": "all"})
    for partition in range(partitions):
        producer.produce(topic, b"settled?", partition=partition)
    if producer.flush(300):
        raise RuntimeError("the followers did not catch up")


def produce_by_librdkafka(
    cluster: Cluster, measures: list[Measure], tries: int, size: int, acks: str, total: int
) -> None:
    """Messages of `size` bytes by confluent-kafka as fast as they go."""
    count = total // size
    rate = Measure(f"produce {size} B, acks={acks}", "MB/s", False)
    messages = Measure(f"produce {size} B, acks={acks}", "messages/s", False)
    topic = f"produce-{size}-{acks}"
    create_topic(cluster.bootstrap, topic)
    brokers = Brokers(cluster)
    payload = os.urandom(size)
    for _ in range(tries):
        os.sync()
        producer = confluent_kafka.Producer(
            {
                "bootstrap.servers": cluster.bootstrap,
                "acks": acks,
                "linger.ms": 5,
                "batch.size": 1_000_000,
                "queue.buffering.max.messages": 1_000_000,
                "queue.buffering.max.kbytes": 500_000,
            }
        )
        cpu = brokers.cpu_seconds()
        began = time.monotonic()
        for _number in range(count):
            while True:
                try:
                    producer.produce(topic, payload)
                    break
                except BufferError:
                    producer.poll(0.005)
        if producer.flush(300):
            raise RuntimeError("not everything was acknowledged")
        seconds = time.monotonic() - began
        settle(cluster, topic, partitions=3)
        rate.values.append(count * size / MB / seconds)
        messages.values.append(count / seconds)
        rate.cpu_seconds.append(brokers.cpu_seconds() - cpu)
    measures += [rate, messages]


def consume_by_librdkafka(cluster: Cluster, measures: list[Measure], tries: int, size: int) -> None:
    """Read back what was produced, from the page cache."""
    measure = Measure(f"consume {size} B", "MB/s", False)
    topic = f"produce-{size}-all"
    brokers = Brokers(cluster)
    for _ in range(tries):
        consumer = confluent_kafka.Consumer(
            {
                "bootstrap.servers": cluster.bootstrap,
                "group.id": "bench",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "queued.max.messages.kbytes": 200_000,
                "fetch.message.max.bytes": 10_000_000,
            }
        )
        partitions = [
            confluent_kafka.TopicPartition(topic, n, confluent_kafka.OFFSET_BEGINNING)
            for n in range(3)
        ]
        consumer.assign(partitions)
        cpu = brokers.cpu_seconds()
        began = time.monotonic()
        received = ended = 0
        while ended < 3:
            for message in consumer.consume(1_000, 0.05):
                if message.error() is None:
                    received += 1
                else:
                    ended += 1
        seconds = time.monotonic() - began
        consumer.close()
        measure.values.append(received * size / MB / seconds)
        measure.cpu_seconds.append(brokers.cpu_seconds() - cpu)
    measures.append(measure)


def produce_large_requests(
    cluster: Cluster, measures: list[Measure], tries: int, acks: int, factor: int, total: int
) -> None:
    """Requests of 1 MB that are encoded once: almost all of the work is the brokers'."""
    label = "all" if acks == -1 else str(acks)
    aim = "150 MB/s" if acks == -1 and factor == 3 else ""
    rate = Measure(f"produce 1 MB requests, acks={label}, {factor} replicas", "MB/s", False, aim)
    cost = Measure(
        f"brokers' CPU, 1 MB requests, acks={label}, {factor} replicas",
        "s/GB",
        True,
        "1.0 s/GB" if factor == 1 else "",
    )
    topic = f"large-{label}-{factor}"
    create_topic(cluster.bootstrap, topic, partitions=1, replication_factor=factor)
    batch = bytes(build_batch([(None, os.urandom(1000), (), 1_700_000_000_000)] * 990))
    request = produce_request(topic, 0, acks, batch)
    count = total // len(batch)
    brokers = Brokers(cluster)
    for _ in range(tries):
        os.sync()  # what earlier measures left to the disk is not this one's
        host, _, port = cluster.address(cluster.leader(topic, 0)).partition(":")
        with closing(socket.create_connection((host, int(port)))) as connection:
            cpu = brokers.cpu_seconds()
            began = time.monotonic()
            in_flight = 0
            for _number in range(count):
                connection.sendall(request)
                in_flight += 1
                if in_flight == 5:
                    answer(connection)
                    in_flight -= 1
            while in_flight:
                answer(connection)
                in_flight -= 1
            seconds = time.monotonic() - began
        settle(cluster, topic, partitions=1)
        used = brokers.cpu_seconds() - cpu
        sent = count * len(batch)
        rate.values.append(sent / MB / seconds)
        rate.cpu_seconds.append(used)
        cost.values.append(used / (sent / 1e9))
    measures += [rate, cost]


def latency_at_low_load(cluster: Cluster, measures: list[Measure], tries: int) -> None:
    """One record at a time, 200 a second, acks=all: from sending to the acknowledgement."""
    topic = "latency"
    create_topic(cluster.bootstrap, topic, partitions=1)
    batch = bytes(build_batch([(b"key", os.urandom(100), (), 1_700_000_000_000)]))
    request = produce_request(topic, 0, -1, batch)
    p50 = Measure("acks=all latency at low load, p50", "ms", True)
    p99 = Measure("acks=all latency at low load, p99", "ms", True, "5 ms")
    brokers = Brokers(cluster)
    host, _, port = cluster.address(cluster.leader(topic, 0)).partition(":")
    for _ in range(tries):
        cpu = brokers.cpu_seconds()
        taken = []
        with closing(socket.create_connection((host, int(port)))) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for _number in range(600):
                began = time.monotonic()
                connection.sendall(request)
                answer(connection)
                taken.append((time.monotonic() - began) * 1000)
                time.sleep(max(0.0, 0.005 - (time.monotonic() - began)))
        quantiles = statistics.quantiles(taken, n=100)
        p50.values.append(quantiles[49])
        p99.values.append(quantiles[98])
        p50.cpu_seconds.append(brokers.cpu_seconds() - cpu)
    measures += [p50, p99]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one try each, less data")
    parser.add_argument(
        "--only",
        default="",
        help="start, produce, large, latency, fail-over or coordinator-move; only by name: groups, "
        "scrape, small",
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    parser.add_argument("--tries", type=int, default=None, help="of each fail-over; default 5, 1")
    options = parser.parse_args()
    tries = 1 if options.quick else 3
    total = 50 * MB if options.quick else 300 * MB
    measures: list[Measure] = []

    def wanted(name: str) -> bool:
        return options.only in ("", name)

    print(
        f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"librdkafka {confluent_kafka.libversion()[0]}",
        file=sys.stderr,
    )
    if wanted("start"):
        start_to_first_produce(measures, 1 if options.quick else 5)
    if any(wanted(name) for name in ("produce", "large", "latency")):
        with (
            tempfile.TemporaryDirectory(prefix="ottla-bench-") as folder,
            Cluster(brokers=3, directory=Path(folder) / "cluster") as cluster,
        ):
            if wanted("latency"):
                latency_at_low_load(cluster, measures, tries)
            if wanted("large"):
                for acks, factor in ((-1, 3), (1, 1), (1, 3)):
                    produce_large_requests(cluster, measures, tries, acks, factor, 2 * total)
            if wanted("produce"):
                for size in (100, 1000):
                    for level in ("1", "all"):
                        part = total // 4 if size == 100 else total
                        produce_by_librdkafka(cluster, measures, tries, size, level, part)
                    consume_by_librdkafka(cluster, measures, tries, size)
    if wanted("fail-over"):
        kills = 1 if options.quick else options.tries or 5
        fail_over(measures, kills, pauses=options.tries or 1)
    if options.only == "groups":
        groups(measures, options.tries or 1)
    if wanted("coordinator-move"):
        coordinator_move(measures, 1 if options.quick else options.tries or 3)
    if options.only == "scrape":
        scrape(measures, options.tries or 10)
    if options.only == "small":
        small(measures, options.tries or tries)
    if options.json:
        print(json.dumps([measure.__dict__ for measure in measures]))
    else:
        print_table(measures)


if __name__ == "__main__":
    main()
