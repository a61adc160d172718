"""Apache Kafka's own ProducerPerformance, ConsumerPerformance and EndToEndLatency.

Run as bin/kafka-*-perf-test.sh runs them (512 MiB of heap), with the defaults of the Java clients
unless a measure says otherwise. MB are 1,000,000 bytes of payload.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

from tests.benchmark.compare.kafka_system import class_path

MB = 1_000_000
TOOL_SECONDS_MAX = 180
_SENT = re.compile(r"^(\d+) records sent, ", re.M)
_STEADY = re.compile(r"^\d+ steady state records sent, ([\d.]+) records/sec", re.M)
_ROUND_TRIP = re.compile(r"^Percentiles: 50th = (\d+), 99th = (\d+), 99.9th = (\d+)", re.M)


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """Milliseconds from sending a record to having received it, one at a time."""

    p50_ms: float
    p99_ms: float
    p999_ms: float


def producer_performance(
    bootstrap: str, topic: str, size: int, count: int, properties: Mapping[str, str]
) -> float:
    """MB/s of `count` records of `size` bytes as fast as they go, the first third left out."""
    said = _run(
        "org.apache.kafka.tools.ProducerPerformance",
        "--bootstrap-server", bootstrap, "--topic", topic, "--record-size", str(size),
        "--num-records", str(count), "--throughput", "-1", "--warmup-records", str(count // 3),
        "--command-property", *[f"{key}={value}" for key, value in properties.items()],
    )  # fmt: skip
    return produced_mb_per_second(said, size, count)


def produced_mb_per_second(said: str, size: int, count: int) -> float:
    """From the summary of what was sent after the warm-up, where all was sent."""
    steady = _STEADY.search(said)
    if steady is None or not any(int(sent) == count for sent in _SENT.findall(said)):
        raise RuntimeError(f"ProducerPerformance did not send {count} records: {said[-2000:]}")
    return float(steady[1]) * size / MB


def consumer_performance(bootstrap: str, topic: str, size: int, count: int) -> float:
    """MB/s of `count` records of `size` bytes from the beginning, once partitions are assigned."""
    said = _run(
        "org.apache.kafka.tools.ConsumerPerformance",
        "--bootstrap-server", bootstrap, "--topic", topic, "--num-records", str(count),
        "--hide-header",
    )  # fmt: skip
    return consumed_mb_per_second(said, size, count)


def consumed_mb_per_second(said: str, size: int, count: int) -> float:
    """start, end, MiB, MiB/s, records, records/s, rebalance ms, fetch ms, fetch MiB/s, fetch
    records/s: the last leaves out the time in which the group was formed."""
    for line in said.splitlines():
        fields = [part.strip() for part in line.split(",")]
        if len(fields) == 10 and fields[4].isdigit() and int(fields[4]) >= count:
            return float(fields[9]) * size / MB
    raise RuntimeError(f"ConsumerPerformance did not read {count} records: {said[-2000:]}")


def end_to_end_latency(bootstrap: str, topic: str, count: int, size: int) -> RoundTrip:
    """With acks=all, the next record once the last was received."""
    said = _run("org.apache.kafka.tools.EndToEndLatency", bootstrap, topic, str(count), "all",
                str(size))  # fmt: skip
    return round_trip(said)


def round_trip(said: str) -> RoundTrip:
    found = _ROUND_TRIP.search(said)
    if found is None:
        raise RuntimeError(f"EndToEndLatency printed no percentiles: {said[-2000:]}")
    return RoundTrip(*(float(value) for value in found.groups()))


def _run(name: str, *arguments: str) -> str:
    done = subprocess.run(
        ["java", "-Xmx512M", "-cp", class_path(), name, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TOOL_SECONDS_MAX,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{name} ended with {done.returncode}: {done.stdout[-2000:]}")
    return done.stdout
