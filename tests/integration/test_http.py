"""The HTTP listener: its bounds, in this process; and what a real cluster's nodes say of health."""

from __future__ import annotations

import asyncio
import json
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import confluent_kafka
import pytest
from prometheus_client.parser import text_string_to_metric_families

from broker.http import server as http
from broker.http.server import HttpAnswer, HttpRequest, HttpServer
from ottla.client.admin import Admin
from ottla.core.errors import ConfigError
from ottla.testing import Cluster
from tests.support.commits import commit_offsets

SECONDS_MAX = 20.0


async def hello(request: HttpRequest) -> HttpAnswer:
    return HttpAnswer(200, b"x" * 300_000 if request.path == "/large" else b"hello\n")


async def broken(_: HttpRequest) -> HttpAnswer:
    raise ValueError("secret")


@asynccontextmanager
async def serving() -> AsyncIterator[int]:
    server = HttpServer("127.0.0.1", 0, {"/": hello, "/large": hello, "/broken": broken})
    await server.start()
    task = asyncio.ensure_future(server.run())
    await asyncio.sleep(0)  # it listens once it runs
    try:
        yield server.port
    finally:
        task.cancel()
        await asyncio.wait([task])


async def talk(port: int, data: bytes) -> bytes:
    """All that the server answers until it closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    async with asyncio.timeout(SECONDS_MAX):
        answer = await reader.read(-1)
    writer.close()
    return answer


def run(test: Callable[[int], Coroutine[Any, Any, None]]) -> None:
    async def whole() -> None:
        async with serving() as port:
            await test(port)

    asyncio.run(whole())


def test_requests_of_one_connection_are_answered_in_turn() -> None:
    async def test(port: int) -> None:
        get = b"GET /?q=1 HTTP/1.1\r\nhost: a\r\n\r\n"
        head = b"HEAD / HTTP/1.1\r\nhost: a\r\n\r\n"
        last = b"GET /large HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"
        answer = await talk(port, get + head + last)
        assert answer.count(b"HTTP/1.1 200") == 3
        assert answer.count(b"hello\n") == 1
        assert answer.endswith(b"x" * 300_000)

    run(test)


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET /nothing HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n", b"404"),
        (b"DELETE / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n", b"405"),
        (b"GET /broken HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n", b"500"),
        (b"GET / HTTP/1.1\r\nhost: a\r\nx: " + b"y" * http.HEAD_BYTES_MAX * 2, b"431"),
        (
            b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9999999\r\n\r\n"
            + b"z" * (http.BODY_BYTES_MAX + 1),
            b"413",
        ),
        (b"\x16\x03\x01 not HTTP\r\n\r\n", b"400"),
    ],
)
def test_what_is_not_served_has_its_status(request_bytes: bytes, status: bytes) -> None:
    async def test(port: int) -> None:
        answer = await talk(port, request_bytes)
        assert answer.split(b" ", 2)[1] == status
        assert b"secret" not in answer

    run(test)


def test_a_request_that_does_not_come_to_its_end_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(http, "REQUEST_SECONDS_MAX", 0.2)

    async def test(port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        async with asyncio.timeout(SECONDS_MAX):
            writer.write(b"GET / HTTP/1.1\r\n")
            drip = asyncio.ensure_future(_drip(writer))
            assert await reader.read(-1) == b""
        drip.cancel()
        writer.close()

    run(test)


async def _drip(writer: asyncio.StreamWriter) -> None:
    while True:  # a byte now and then does not keep it alive
        writer.write(b"x")
        await asyncio.sleep(0.02)


def test_one_connection_too_many_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "CONNECTIONS_MAX", 1)

    async def test(port: int) -> None:
        first = await asyncio.open_connection("127.0.0.1", port)
        assert b"503" in await talk(port, b"")
        first[1].close()
        await first[1].wait_closed()
        get = b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"
        async with asyncio.timeout(SECONDS_MAX):
            while b"hello" not in await talk(port, get):
                pass

    run(test)


def test_a_taken_port_is_a_sentence() -> None:
    async def test(port: int) -> None:
        with pytest.raises(ConfigError, match=r"is taken.*http\.listener"):
            await HttpServer("127.0.0.1", port, {}).start()

    run(test)


def get(address: str, path: str) -> tuple[int, dict[str, Any]]:
    try:
        with urllib.request.urlopen(f"http://{address}{path}", timeout=5) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def wait_ready(cluster: Cluster, node_id: int, status: int, reason: str = "") -> None:
    deadline = time.monotonic() + SECONDS_MAX
    while True:
        found, body = get(cluster.http_address(node_id), "/health/ready")
        if found == status and reason in " ".join(body.get("reasons", [])):
            return
        assert time.monotonic() < deadline, (found, body)
        time.sleep(0.05)


def test_a_node_is_ready_while_all_its_replicas_are_in_sync() -> None:
    with Cluster(brokers=3) as cluster:
        with Admin(cluster.bootstrap) as admin:
            admin.create_topic("orders", partitions=3, replication_factor=3)
        for node_id in cluster.node_ids:
            wait_ready(cluster, node_id, 200)
        others = [node_id for node_id in cluster.node_ids if node_id != cluster.controller()]
        # Without a majority nobody is ready; each says why, and lives.
        for node_id in others:
            cluster.pause(node_id)
        left = cluster.controller()
        wait_ready(cluster, left, 503, "the quorum has no leader")
        assert get(cluster.http_address(left), "/health/live") == (200, {"status": "live"})
        for node_id in others:
            cluster.resume(node_id)
        for node_id in cluster.node_ids:
            wait_ready(cluster, node_id, 200)


def page(address: str) -> str:
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=5) as answer:
        text: str = answer.read().decode()
        return text


def test_a_node_counts_what_its_clients_do() -> None:
    with Cluster(brokers=1) as cluster:
        with Admin(cluster.bootstrap) as admin:
            admin.create_topic("orders", partitions=1)
        producer = confluent_kafka.Producer({"bootstrap.servers": cluster.bootstrap, "acks": "all"})
        for _ in range(10):
            producer.produce("orders", b"x" * 100)
        assert producer.flush(30) == 0
        consumer = confluent_kafka.Consumer(
            {
                "bootstrap.servers": cluster.bootstrap,
                "group.id": "payments",
                "auto.offset.reset": "earliest",
            }
        )
        consumer.subscribe(["orders"])
        taken = 0
        while taken < 10:
            message = consumer.poll(SECONDS_MAX)
            assert message is not None
            taken += 1
            if taken == 4:
                consumer.commit(message=message, asynchronous=False)
        consumer.close()
        families = list(text_string_to_metric_families(page(cluster.http_address(1))))
    values = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in families
        for sample in family.samples
    }
    assert values["ottla_topic_received_records_total", "orders"] == 10
    assert values["ottla_topic_received_bytes_total", "orders"] >= 1_000
    assert values["ottla_topic_sent_records_total", "orders"] >= 10
    assert values["ottla_partition_log_end_offset", "0", "orders"] == 10
    assert values["ottla_groups", "Empty", "classic"] == 1
    assert values["ottla_group_rebalances_total", "member_joined"] == 1
    # Closing commits once more, up to the tenth.
    assert values["ottla_group_offset_commits_total", "plain"] >= 2
    assert values["ottla_group_lag_records", "orders", "payments"] == 0
    assert values["ottla_controller_active",] == 1
    assert values["ottla_controller_brokers", "active"] == 1
    assert values["ottla_request_duration_seconds_count", "Produce"] >= 1
    assert values["ottla_node_ready",] == 1


def test_the_lag_of_a_group_is_whole_wherever_its_partitions_are(ottla_cluster: Cluster) -> None:
    """Of most of them its coordinator has no replica: their leaders tell where they end."""
    topic, group, count = "scattered", "far-away", 6
    with Admin(ottla_cluster.bootstrap) as admin:
        admin.create_topic(topic, partitions=count, replication_factor=1)
    producer = confluent_kafka.Producer({"bootstrap.servers": ottla_cluster.bootstrap})
    commit_offsets(ottla_cluster.bootstrap, group, {(topic, index): 1 for index in range(count)})
    for index in range(count):
        for _ in range(index + 1):
            producer.produce(topic, b"x", partition=index)
    assert producer.flush(30) == 0
    deadline = time.monotonic() + SECONDS_MAX
    while True:
        lags = [
            (sample.name, sample.value)
            for node_id in ottla_cluster.node_ids
            for family in text_string_to_metric_families(page(ottla_cluster.http_address(node_id)))
            for sample in family.samples
            if sample.labels.get("group") == group
        ]
        expected = [("ottla_group_lag_records", 0 + 1 + 2 + 3 + 4 + 5)]
        if lags == [*expected, ("ottla_group_lag_unknown_partitions", 0)]:
            return
        assert time.monotonic() < deadline, lags
        time.sleep(0.1)
