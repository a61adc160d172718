from __future__ import annotations

import pytest

from ottla.client.connection import Address, Connection, Pending
from ottla.client.errors import ConnectionLostError, UnsupportedApiError
from ottla.core.errors import DecodeError, InvariantError
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.describe_cluster_request import DescribeClusterRequest
from ottla.protocol.messages.describe_cluster_response import DescribeClusterResponse
from ottla.protocol.messages.metadata_request import MetadataRequest
from ottla.protocol.messages.metadata_response import MetadataResponse
from tests.support.fake_kafka import FIRST_PORT, HOST, FakeKafka, FakeTransport

ADDRESS = Address(HOST, FIRST_PORT + 1)


def opened(kafka: FakeKafka) -> tuple[Connection, FakeTransport]:
    connection = Connection.open(ADDRESS, kafka.options())
    assert isinstance(connection.transport, FakeTransport)
    return connection, connection.transport


def test_addresses() -> None:
    assert str(Address("host", 1)) == "host:1"
    assert str(Address("::1", 1)) == "[::1]:1"


def test_versions_are_negotiated() -> None:
    kafka = FakeKafka()
    connection, _ = opened(kafka)
    assert connection.version_of(ApiKey.METADATA) == 13
    assert connection.version_of(ApiKey.FETCH) == 12  # the last that names topics
    request = kafka.requests(ApiKey.API_VERSIONS)[0]
    assert request.client_software_name == "ottla-python"
    with pytest.raises(UnsupportedApiError, match="does not serve DescribeAcls"):
        connection.version_of(ApiKey.DESCRIBE_ACLS)


def test_an_older_broker_answers_in_version_0() -> None:
    kafka = FakeKafka()
    kafka.old_api_versions = True
    connection, _ = opened(kafka)
    assert connection.version_of(ApiKey.METADATA) == 13


def test_no_common_version() -> None:
    connection, _ = opened(FakeKafka())
    connection._served[ApiKey.METADATA] = (99, 100)
    with pytest.raises(
        UnsupportedApiError, match="serves Metadata 99–100; this client speaks 0–13"
    ):
        connection.version_of(ApiKey.METADATA)


def test_refused() -> None:
    kafka = FakeKafka()
    kafka.down.add(1)
    with pytest.raises(ConnectionLostError, match="^connection refused$"):
        Connection.open(ADDRESS, kafka.options())


def test_silent() -> None:
    kafka = FakeKafka()
    kafka.silent.add(1)
    with pytest.raises(ConnectionLostError, match="^no answer within 3 s$"):
        Connection.open(ADDRESS, kafka.options())


def test_request_and_answer() -> None:
    kafka = FakeKafka()
    connection, _ = opened(kafka)
    answer = connection.request(
        ApiKey.DESCRIBE_CLUSTER, DescribeClusterRequest(), DescribeClusterResponse
    )
    assert answer.cluster_id == "fake"


def test_answers_may_be_taken_in_another_order() -> None:
    connection, _ = opened(FakeKafka())
    first = connection.send(ApiKey.METADATA, MetadataRequest())
    second = connection.send(ApiKey.DESCRIBE_CLUSTER, DescribeClusterRequest())
    assert connection.receive(second, DescribeClusterResponse).cluster_id == "fake"
    assert connection.has_answer
    assert connection.receive(first, MetadataResponse).cluster_id == "fake"
    assert not connection.has_answer
    with pytest.raises(InvariantError, match="once"):
        connection.receive(first, MetadataResponse)


def test_a_time_out_closes_the_connection() -> None:
    kafka = FakeKafka()
    connection, transport = opened(kafka)
    kafka.silent.add(1)
    with pytest.raises(ConnectionLostError, match=r"broker:9001 .* \(no answer within 2 s\)"):
        connection.request(ApiKey.METADATA, MetadataRequest(), MetadataResponse, 2000)
    assert connection.closed
    assert transport.closed


def test_a_broken_connection() -> None:
    kafka = FakeKafka()
    connection, _ = opened(kafka)
    kafka.down.add(1)
    with pytest.raises(ConnectionLostError, match="the connection was closed"):
        connection.send(ApiKey.METADATA, MetadataRequest())
    assert connection.closed


@pytest.mark.parametrize("frame", [b"", b"\x00\x00\x00\x01\x00", b"\x00\x00\x00\x09\x00\x00"])
def test_nonsense_closes_the_connection(frame: bytes) -> None:
    kafka = FakeKafka()
    connection, transport = opened(kafka)
    pending = connection.send(ApiKey.METADATA, MetadataRequest())
    assert pending == Pending(1, ApiKey.METADATA, 13)
    transport.answers[0] = (0, frame)
    with pytest.raises(DecodeError):
        connection.receive(pending, MetadataResponse)
    assert connection.closed
