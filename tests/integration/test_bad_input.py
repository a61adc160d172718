"""Bad bytes from a stranger: an error or a closed connection, one log line, nothing disturbed."""

from __future__ import annotations

import contextlib
import random
import socket
import struct
from collections.abc import Iterator

import confluent_kafka
import pytest

from ottla.core.errors import ErrorCode
from ottla.protocol.api import ApiKey, request_header_version
from ottla.protocol.header import RequestHeader
from ottla.protocol.messages.api_versions_request import ApiVersionsRequest
from ottla.protocol.messages.api_versions_response import ApiVersionsResponse
from ottla.protocol.messages.produce_request import (
    PartitionProduceData,
    ProduceRequest,
    TopicProduceData,
)
from ottla.protocol.messages.produce_response import ProduceResponse
from ottla.record.build import build_batch
from ottla.testing import Cluster
from tests.support.topics import create_topic

ANSWER_SECONDS_MAX = 15.0


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with Cluster(brokers=1, settings={"socket.request.max.bytes": 1_000_000}) as cluster:
        create_topic(cluster.bootstrap, "victim", partitions=1, replication_factor=1)
        yield cluster


@pytest.fixture(autouse=True)
def bystander(cluster: Cluster) -> Iterator[None]:
    """A producer with an open connection, which must not notice anything."""
    problems: list[str] = []
    acknowledged: list[int] = []

    def delivered(error: confluent_kafka.KafkaError | None, _: confluent_kafka.Message) -> None:
        if error is not None:
            problems.append(str(error))
        else:
            acknowledged.append(1)

    producer = confluent_kafka.Producer(
        {"bootstrap.servers": cluster.bootstrap, "error_cb": lambda error: problems.append(error)}
    )
    producer.produce("victim", b"before", callback=delivered)
    assert producer.flush(30) == 0
    yield
    producer.produce("victim", b"after", callback=delivered)
    assert producer.flush(30) == 0
    assert not problems
    assert len(acknowledged) == 2


@contextlib.contextmanager
def connected(cluster: Cluster) -> Iterator[socket.socket]:
    host, _, port = cluster.address(1).partition(":")
    with socket.create_connection((host, int(port)), timeout=ANSWER_SECONDS_MAX) as connection:
        yield connection


def receive(connection: socket.socket) -> bytes:
    """One answer without its length, or b'' when the broker closed the connection."""
    try:
        length = _exactly(connection, 4)
        return _exactly(connection, struct.unpack(">i", length)[0]) if length else b""
    except ConnectionError:
        return b""


def _exactly(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            return b""
        data += more
    return data


def request(api_key: int, version: int, body: bytes, header_version: int) -> bytes:
    header = RequestHeader(
        request_api_key=api_key, request_api_version=version, correlation_id=7, client_id="stranger"
    )
    frame = header.encode(header_version) + body
    return struct.pack(">i", len(frame)) + frame


def warnings(cluster: Cluster) -> list[str]:
    return [
        line for line in cluster.log(1).splitlines() if " WARNING " in line or " ERROR " in line
    ]


@pytest.mark.parametrize(
    "data",
    [
        random.Random(1).randbytes(4096),
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        struct.pack(">i", -5),
        struct.pack(">i", 1_000_001) + b"x" * 1000,
        struct.pack(">i", 2**31 - 1),
        struct.pack(">ihhi", 8, 9999, 0, 1),
        struct.pack(">ihhih", 11, 3, 9, 1, 5) + b"a",
        struct.pack(">i", 3) + b"abc",
    ],
    ids=[
        "garbage",
        "http",
        "negative-length",
        "oversized",
        "huge",
        "unknown-api",
        "cut-header",
        "tiny",
    ],
)
def test_garbage_closes_the_connection_with_one_log_line(cluster: Cluster, data: bytes) -> None:
    before = len(warnings(cluster))
    with connected(cluster) as connection:
        connection.sendall(data)
        assert receive(connection) == b""
    new = warnings(cluster)[before:]
    assert len(new) == 1, new
    assert "Traceback" not in cluster.log(1)


def test_a_request_cut_in_half_by_a_lost_client_is_forgotten(cluster: Cluster) -> None:
    with connected(cluster) as connection:
        connection.sendall(struct.pack(">i", 100) + b"half")
    assert "Traceback" not in cluster.log(1)


def test_an_unsupported_version_of_api_versions_names_the_supported_ones(cluster: Cluster) -> None:
    with connected(cluster) as connection:
        connection.sendall(request(18, 99, b"\0", 2))
        answer = receive(connection)
    assert struct.unpack_from(">i", answer)[0] == 7
    body = ApiVersionsResponse.decode(answer, 0, 4)
    assert body.error_code == ErrorCode.UNSUPPORTED_VERSION
    assert [(key.api_key, key.min_version) for key in body.api_keys] == [(18, 0)]


def test_an_unsupported_version_of_another_api_is_an_error_or_an_end(cluster: Cluster) -> None:
    with connected(cluster) as connection:
        connection.sendall(request(3, 99, b"\0" * 20, 2))
        answer = receive(connection)
    assert answer == b"" or len(answer) > 4


def test_the_supported_versions_still_work_after_a_bad_one(cluster: Cluster) -> None:
    with connected(cluster) as connection:
        connection.sendall(request(18, 99, b"\0", 2))
        receive(connection)
        connection.sendall(request(18, 3, ApiVersionsRequest("a", "1").encode(3), 2))
        body = ApiVersionsResponse.decode(receive(connection), 3, 4)
    assert body.error_code == ErrorCode.NONE


def produce(cluster: Cluster, records: bytes) -> int:
    """Produce raw bytes to the victim; the error code."""
    version = 9
    message = ProduceRequest(
        acks=-1,
        timeout_ms=10_000,
        topic_data=[
            TopicProduceData(
                name="victim", partition_data=[PartitionProduceData(index=0, records=records)]
            )
        ],
    )
    with connected(cluster) as connection:
        header_version = request_header_version(ApiKey.PRODUCE, version)
        connection.sendall(request(0, version, message.encode(version), header_version))
        answer = receive(connection)
    body = ProduceResponse.decode(answer, version, 5)
    return body.responses[0].partition_responses[0].error_code


def test_a_batch_with_a_wrong_crc_is_refused(cluster: Cluster) -> None:
    batch = build_batch([(b"key", b"value", (), 1_700_000_000_000)])
    assert produce(cluster, bytes(batch)) == ErrorCode.NONE
    batch[-1] ^= 1
    assert produce(cluster, bytes(batch)) == ErrorCode.CORRUPT_MESSAGE


@pytest.mark.parametrize("cut", [1, 40, 61])
def test_a_torn_batch_is_refused(cluster: Cluster, cut: int) -> None:
    batch = build_batch([(b"key", b"value", (), 1_700_000_000_000)])
    code = produce(cluster, bytes(batch[:cut]))
    assert code in (ErrorCode.CORRUPT_MESSAGE, ErrorCode.INVALID_RECORD)


def test_an_old_message_format_is_named(cluster: Cluster) -> None:
    batch = build_batch([(b"key", b"value", (), 1_700_000_000_000)])
    batch[16] = 1
    assert produce(cluster, bytes(batch)) == ErrorCode.INVALID_RECORD
