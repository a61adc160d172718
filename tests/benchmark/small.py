"""What a small produce request costs the brokers: mostly, what it costs to replicate it.

Requests of one batch of 15 records of 1 KB, encoded once; each connection keeps five in flight and
does nothing else, so that the machine's cores are almost all the brokers'.
"""

from __future__ import annotations

import os
import selectors
import socket
import time
from collections import deque
from struct import Struct

from ottla.record.build import build_batch
from ottla.testing import Cluster
from tests.benchmark.measure import Brokers, Measure
from tests.benchmark.requests import produce_request
from tests.support.topics import create_topic

PARTITIONS = 3
IN_FLIGHT = 5
RECORDS = 15
CASES = ((1, 1, 3), (1, 3, 3), (-1, 3, 3), (-1, 3, 18))
"""acks, replicas, connections."""
_SECONDS = 5.0
_WARM_UP_SECONDS = 2.0
_SILENCE_SECONDS_MAX = 10.0
_LENGTH = Struct(">i")


class _Connection:
    def __init__(self, where: tuple[str, int], request: bytes) -> None:
        self.socket = socket.create_connection(where)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sent_at: deque[float] = deque()
        self._request = request
        self._received = bytearray()

    def send(self) -> None:
        self.sent_at.append(time.monotonic())
        self.socket.sendall(self._request)

    def answers(self) -> int:
        """How many came."""
        more = self.socket.recv(1 << 16)
        if not more:
            raise RuntimeError("the broker closed the connection")
        received, count = self._received, 0
        received += more
        while len(received) >= _LENGTH.size:
            length = _LENGTH.size + _LENGTH.unpack_from(received)[0]
            if len(received) < length:
                break
            del received[:length]
            count += 1
        return count


def small(measures: list[Measure], tries: int) -> None:
    """A cluster for each case: what one leaves in the page cache slows the next."""
    for acks, replicas, connections in CASES:
        label = "all" if acks == -1 else str(acks)
        name = f"15 KB requests, acks={label}, {replicas} replicas, {connections} connections"
        rate = Measure(name, "MB/s", False)
        cost = Measure("brokers' CPU of a request", "ms", True)
        p99 = Measure("p99 of a request", "ms", True)
        with Cluster(brokers=3) as cluster:
            brokers = Brokers(cluster)
            batch = bytes(build_batch([(None, os.urandom(1000), (), 1_700_000_000_000)] * RECORDS))
            topic = "small"
            create_topic(cluster.bootstrap, topic, PARTITIONS, replicas)
            opened = []
            for number in range(connections):
                partition = number % PARTITIONS
                host, _, port = cluster.address(cluster.leader(topic, partition)).partition(":")
                request = bytes(produce_request(topic, partition, acks, batch))
                opened.append(_Connection((host, int(port)), request))
            _drive(opened, _WARM_UP_SECONDS)
            for _ in range(tries):
                cpu, began = brokers.cpu_seconds(), time.monotonic()
                taken = _drive(opened, _SECONDS)
                seconds, used = time.monotonic() - began, brokers.cpu_seconds() - cpu
                rate.values.append(len(taken) * len(batch) / 1e6 / seconds)
                rate.cpu_seconds.append(used)
                cost.values.append(1000 * used / len(taken))
                p99.values.append(1000 * sorted(taken)[len(taken) * 99 // 100])
            for one in opened:
                one.socket.close()
        measures += [rate, cost, p99]


def _drive(connections: list[_Connection], seconds: float) -> list[float]:
    """Keep `IN_FLIGHT` requests on each for so long; what each took, in seconds."""
    ends = time.monotonic() + seconds
    taken: list[float] = []
    with selectors.DefaultSelector() as selector:
        for one in connections:
            selector.register(one.socket, selectors.EVENT_READ, one)
            for _ in range(IN_FLIGHT):
                one.send()
        while any(one.sent_at for one in connections):
            ready = selector.select(_SILENCE_SECONDS_MAX)
            if not ready:
                raise RuntimeError("the brokers do not answer")
            for key, _ in ready:
                one = key.data
                for _ in range(one.answers()):
                    now = time.monotonic()
                    taken.append(now - one.sent_at.popleft())
                    if now < ends:
                        one.send()
    return taken
