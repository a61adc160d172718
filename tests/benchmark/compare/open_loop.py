"""Latency under load: an open loop of our own, the same for both systems.

The time at which each message is to be sent is fixed before the first is: `start + number / rate`.
It goes along in the message, and the latency is the time from then until a consumer has it. So a
sender that is held up (a full queue, a slow broker, a pause) adds its delay to every message that
was due meanwhile, which a sender that waits for answers would leave out.

Two processes, a sender and a receiver, on librdkafka with its defaults but for `linger.ms`; their
clock is CLOCK_MONOTONIC, the same in both. A payload is the due time and the number (two signed
64-bit integers, little-endian), and zeros up to the size.
"""

from __future__ import annotations

import argparse
import array
import gc
import json
import math
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from struct import Struct

import confluent_kafka

_STAMP = Struct("<qq")
_TICK_NS = 500_000  # no shorter sleeps: what is due meanwhile is sent late, and counted as late
_PATIENCE_SECONDS = 30.0
_DELAY_SECONDS = 0.5  # from the receiver's readiness to the first message
_GROUP = "open-loop"


@dataclass(frozen=True, slots=True)
class Latency:
    """Of the messages after the warm-up. Times are milliseconds."""

    count: int
    p50: float
    p99: float
    p999: float
    worst: float
    sent_late_p99: float
    """How late the sender called `produce`: a part of the latency, and the harness's noise."""
    lost: int


def measure(
    bootstrap: str,
    topic: str,
    partitions: int,
    *,
    rate: int,
    size: int,
    seconds: float,
    warm_up_seconds: float,
    linger_ms: float,
) -> Latency:
    """`rate` messages a second for the warm-up and `seconds` after it."""
    count = round(rate * (seconds + warm_up_seconds))
    skipped = round(rate * warm_up_seconds)
    common = ["--bootstrap", bootstrap, "--topic", topic, "--count", str(count),
              "--skipped", str(skipped), "--partitions", str(partitions)]  # fmt: skip
    base = [sys.executable, "-m", "tests.benchmark.compare.open_loop"]
    sending = ["--rate", str(rate), "--size", str(size), "--linger", str(linger_ms)]
    with subprocess.Popen([*base, "receive", *common], stdout=subprocess.PIPE) as receiver:
        try:
            assert receiver.stdout is not None
            if receiver.stdout.readline().strip() != b"ready":
                raise RuntimeError("the receiver of the open loop did not start")
            sent = subprocess.run(
                [*base, "send", *common, *sending],
                stdout=subprocess.PIPE,
                timeout=seconds + warm_up_seconds + 2 * _PATIENCE_SECONDS,
                check=True,
            )
            received, _ = receiver.communicate(timeout=2 * _PATIENCE_SECONDS)
        finally:
            receiver.kill()
    late = json.loads(sent.stdout)["sent_late_p99"]
    return Latency(**json.loads(received), sent_late_p99=late)


def quantile(ordered: Sequence[int], share: float) -> int:
    """The nearest rank: the smallest value that `share` of all do not exceed."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def summary(latencies_ns: Sequence[int], expected: int) -> dict[str, float]:
    ordered = sorted(latencies_ns)
    if not ordered:
        raise RuntimeError("no message of the open loop arrived")
    return {
        "count": len(ordered),
        "p50": quantile(ordered, 0.5) / 1e6,
        "p99": quantile(ordered, 0.99) / 1e6,
        "p999": quantile(ordered, 0.999) / 1e6,
        "worst": ordered[-1] / 1e6,
        "lost": expected - len(ordered),
    }


def _send(options: argparse.Namespace) -> None:
    producer = confluent_kafka.Producer(
        {"bootstrap.servers": options.bootstrap, "acks": "all", "linger.ms": options.linger,
         "queue.buffering.max.messages": 1_000_000, "log_level": 0}
    )  # fmt: skip
    producer.list_topics(options.topic, timeout=30)
    padding = bytes(options.size - _STAMP.size)
    late = array.array("q")
    interval_ns = 1e9 / options.rate
    gc.disable()
    start = time.monotonic_ns() + round(_DELAY_SECONDS * 1e9)
    number = 0
    while number < options.count:
        due = start + round(number * interval_ns)
        wait = due - time.monotonic_ns()
        if wait > 0:
            time.sleep(max(wait, _TICK_NS) / 1e9)
        while number < options.count:
            due = start + round(number * interval_ns)
            now = time.monotonic_ns()
            if due > now:
                break
            try:
                producer.produce(options.topic, _STAMP.pack(due, number) + padding)
            except BufferError:
                producer.poll(0.001)
                continue
            late.append(now - due)
            number += 1
        producer.poll(0)
    if producer.flush(_PATIENCE_SECONDS):
        raise RuntimeError("not everything was acknowledged")
    ordered = sorted(late[options.skipped :])
    print(json.dumps({"sent_late_p99": quantile(ordered, 0.99) / 1e6}))


def _receive(options: argparse.Namespace) -> None:
    consumer = confluent_kafka.Consumer(
        {"bootstrap.servers": options.bootstrap, "group.id": _GROUP,
         "enable.auto.commit": False, "log_level": 0}
    )  # fmt: skip
    consumer.assign(
        [
            confluent_kafka.TopicPartition(options.topic, number, confluent_kafka.OFFSET_BEGINNING)
            for number in range(options.partitions)
        ]
    )
    latencies = array.array("q")
    gc.disable()
    consumer.poll(1.0)  # nothing is there: connections are made, fetches wait
    print("ready", flush=True)
    received, last = 0, time.monotonic()
    while received < options.count:
        message = consumer.poll(1.0)
        now = time.monotonic_ns()
        if message is None or message.error() is not None:
            if time.monotonic() - last > _PATIENCE_SECONDS:
                break
            continue
        due, number = _STAMP.unpack_from(message.value() or b"")
        received += 1
        last = now / 1e9
        if number >= options.skipped:
            latencies.append(now - due)
    consumer.close()
    print(json.dumps(summary(latencies, options.count - options.skipped)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("side", choices=["send", "receive"])
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--topic", required=True)
    parser.add_argument("--partitions", type=int, required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--skipped", type=int, required=True)
    parser.add_argument("--rate", type=int, default=0)
    parser.add_argument("--size", type=int, default=0)
    parser.add_argument("--linger", type=float, default=5)
    options = parser.parse_args()
    if options.side == "send":
        _send(options)
    else:
        _receive(options)


if __name__ == "__main__":
    main()
