"""Requests a second over 1, 100 and 1,000 connections, each with one request in flight.

A request is one record of 1 KB, acks=all, encoded beforehand: what is measured is what a request
costs the brokers, not the client. Connections are spread over the leaders of a topic with three
replicas.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import subprocess
import sys
import time
from functools import partial
from typing import cast

import uvloop

from ottla.protocol.messages.produce_response import ProduceResponse
from ottla.record.build import build_batch
from tests.benchmark.compare.open_loop import quantile
from tests.benchmark.compare.samples import Measure
from tests.benchmark.compare.session import Session
from tests.benchmark.compare.system import PARTITIONS
from tests.benchmark.requests import PRODUCE_VERSION, produce_request

NUMBERS = (1, 100, 1_000)
SIZE = 1_000
_SECONDS, _WARM_UP_SECONDS = 3.0, 1.0
_RESPONSE_HEADER = 5  # correlation id and empty tagged fields


class _Connection(asyncio.Protocol):
    """Sends its request again as soon as it is answered."""

    def __init__(self, request: bytes, taken_ns: list[tuple[int, int]]) -> None:
        self._request = request
        self._taken_ns = taken_ns
        self._sent_at = 0
        self._data = bytearray()
        self._transport: asyncio.Transport | None = None
        self.error: str | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are not of the class

    def send(self) -> None:
        assert self._transport is not None
        self._sent_at = time.monotonic_ns()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._data += data
        if len(self._data) < 4 or len(self._data) < 4 + int.from_bytes(self._data[:4], "big"):
            return
        response = ProduceResponse.decode(bytes(self._data[4:]), PRODUCE_VERSION, _RESPONSE_HEADER)
        self._data.clear()
        if code := response.responses[0].partition_responses[0].error_code:
            self.error = f"error {code}"
            return
        now = time.monotonic_ns()
        self._taken_ns.append((now, now - self._sent_at))
        self.send()

    def connection_lost(self, exc: Exception | None) -> None:
        self.error = self.error or "the connection was closed"


def _same(connection: _Connection) -> _Connection:
    return connection


async def _drive(addresses: list[tuple[str, int]], topic: str, number: int) -> dict[str, float]:
    loop = asyncio.get_running_loop()
    batch = bytes(build_batch([(None, bytes(SIZE), (), 1_700_000_000_000)]))
    requests = [bytes(produce_request(topic, n, -1, batch)) for n in range(len(addresses))]
    taken_ns: list[tuple[int, int]] = []
    connections: list[_Connection] = []
    began = time.monotonic()
    for index in range(number):
        partition = index % len(addresses)
        connection = _Connection(requests[partition], taken_ns)
        await loop.create_connection(partial(_same, connection), *addresses[partition])
        connections.append(connection)
    connected = time.monotonic() - began
    for connection in connections:
        connection.send()
    await asyncio.sleep(_WARM_UP_SECONDS)
    since = time.monotonic_ns()
    await asyncio.sleep(_SECONDS)
    until = time.monotonic_ns()
    errors = [connection.error for connection in connections if connection.error]
    if errors:
        raise RuntimeError(f"{len(errors)} of {number} connections: {errors[0]}")
    measured = sorted(taken for at, taken in taken_ns if since <= at < until)
    return {
        "connect_seconds": connected,
        "requests_per_second": len(measured) / ((until - since) / 1e9),
        "p99_ms": quantile(measured, 0.99) / 1e6,
    }


def run(session: Session) -> None:
    for number in NUMBERS[:2] if session.is_short else NUMBERS:
        topic = session.new_topic()
        ports = [session.system.address(leader) for leader in session.system.leaders(topic)]
        assert len(ports) == PARTITIONS
        done = subprocess.run(
            [sys.executable, "-m", "tests.benchmark.compare.connections", topic, str(number),
             *ports],
            stdout=subprocess.PIPE,
            timeout=60 + _WARM_UP_SECONDS + _SECONDS,
            check=True,
        )  # fmt: skip
        found = json.loads(done.stdout)
        key = f"connections/{number}"
        title = f"{number:,} connection{'s' * (number > 1)}"
        session.note(
            Measure(f"{key}/rate", f"{title}: requests of 1 KB, acks=all", "1/s", False),
            found["requests_per_second"],
        )
        session.note(Measure(f"{key}/p99", f"{title}: p99 of a request", "ms", True),
                     found["p99_ms"])  # fmt: skip
        if number == NUMBERS[-1]:
            session.note(Measure(f"{key}/made", f"{title} made", "s", True),
                         found["connect_seconds"])  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("topic")
    parser.add_argument("number", type=int)
    parser.add_argument("addresses", nargs="+", help="of each partition's leader")
    options = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 4 * options.number + 100), most))
    addresses = [
        (host, int(port)) for host, _, port in (a.partition(":") for a in options.addresses)
    ]
    print(json.dumps(uvloop.run(_drive(addresses, options.topic, options.number))))


if __name__ == "__main__":
    main()
