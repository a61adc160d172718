from __future__ import annotations

import pytest

from ottla.client.cluster import Cluster, describe_topic, parse_bootstrap
from ottla.client.connection import Address
from ottla.client.errors import (
    ConnectionLostError,
    DeadlineError,
    NoClusterError,
    UnsupportedApiError,
    protocol_error,
)
from ottla.core.errors import ConfigError, DecodeError, ErrorCode, ProtocolError
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.metadata_response import (
    MetadataResponsePartition,
    MetadataResponseTopic,
)
from tests.support.fake_kafka import FakeKafka


def cluster_of(kafka: FakeKafka, timeout_ms: int = 30_000) -> Cluster:
    return Cluster(kafka.bootstrap, kafka.options(timeout_ms))


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("a:1", [Address("a", 1)]),
        ("a", [Address("a", 9092)]),
        (" a:1 , b:2,", [Address("a", 1), Address("b", 2)]),
        ("[::1]:7", [Address("::1", 7)]),
        ("[::1]", [Address("::1", 9092)]),
        ("::1", [Address("::1", 9092)]),
    ],
)
def test_bootstrap(text: str, addresses: list[Address]) -> None:
    assert parse_bootstrap(text) == addresses


@pytest.mark.parametrize("text", ["", ",", ":1", "a:b", "a:0", "a:65536", "a:-1", "http://a:1"])
def test_bad_bootstrap(text: str) -> None:
    with pytest.raises(ConfigError, match="write host:port"):
        parse_bootstrap(text)


def test_nobody_answers() -> None:
    kafka = FakeKafka(brokers=2)
    kafka.down = {1, 2}
    with pytest.raises(NoClusterError) as caught:
        cluster_of(kafka).retry("asking", cluster_of(kafka).control)
    assert str(caught.value) == (
        "no cluster answers at broker:9001, broker:9002 (connection refused): "
        "start one with 'ottla up', or name another with --bootstrap"
    )
    assert kafka.retries == []


def test_another_broker_is_asked_when_one_is_down() -> None:
    kafka = FakeKafka()
    kafka.down = {1}
    with cluster_of(kafka) as cluster:
        cluster.metadata([])
        assert set(cluster.brokers) == {2, 3}
        kafka.down = {2}
        assert cluster.retry("asking", lambda: cluster.metadata([])).cluster_id == "fake"
    assert len(kafka.retries) == 1


def test_a_hanging_broker_leaves_time_for_another() -> None:
    kafka = FakeKafka()
    cluster = cluster_of(kafka)
    cluster.metadata([])
    kafka.silent = {1}
    started_ms = kafka.clock.now_ms()
    assert cluster.retry("asking", lambda: cluster.metadata([])).cluster_id == "fake"
    # One request time-out, and no second look at the same broker.
    assert kafka.clock.now_ms() - started_ms < 11_000


def test_a_cluster_that_was_there_is_waited_for() -> None:
    kafka = FakeKafka()
    cluster = cluster_of(kafka, timeout_ms=5_000)
    cluster.metadata([])
    kafka.down = {1, 2, 3}
    with pytest.raises(DeadlineError, match="asking did not succeed within 5 s: no cluster"):
        cluster.retry("asking", lambda: cluster.metadata([]))
    assert len(kafka.retries) > 5


def test_retries_end_at_the_deadline_with_the_last_reason() -> None:
    kafka = FakeKafka()
    cluster = cluster_of(kafka)

    def attempt() -> None:
        raise protocol_error(ErrorCode.NOT_ENOUGH_REPLICAS, "partition 0")

    started_ms = kafka.clock.now_ms()
    with pytest.raises(DeadlineError, match="writing .* within 3 s: partition 0 has fewer"):
        cluster.retry("writing", attempt, 3_000)
    assert kafka.clock.now_ms() - started_ms <= 3_000
    assert kafka.retries[0] == (
        "writing: partition 0 has fewer in-sync replicas than min.insync.replicas asks for; "
        "trying again"
    )


@pytest.mark.parametrize(
    "error",
    [protocol_error(ErrorCode.INVALID_REQUEST, "x"), UnsupportedApiError("x"), DecodeError("x")],
)
def test_what_cannot_help_is_not_retried(error: Exception) -> None:
    kafka = FakeKafka()
    calls = []

    def attempt() -> None:
        calls.append(1)
        raise error

    with pytest.raises(type(error)):
        cluster_of(kafka).retry("asking", attempt)
    assert len(calls) == 1


def test_topics() -> None:
    kafka = FakeKafka()
    kafka.create("t", 4)
    cluster = cluster_of(kafka)
    topic = cluster.topic("t")
    assert [partition.leader_id for partition in topic.partitions] == [1, 2, 3, 1]
    assert cluster.topic("t") is topic
    assert len(kafka.requests(ApiKey.METADATA)) == 1
    leader = cluster.leader("t", 1)
    assert leader is not None
    assert leader.leader_id == 2
    assert cluster.leader("t", 4) is None
    assert cluster.leader("t", -1) is None
    assert cluster.leader("u", 0) is None
    assert not cluster.stale


def test_a_missing_topic_fails_at_once_or_after_a_while() -> None:
    kafka = FakeKafka()
    cluster = cluster_of(kafka)
    with pytest.raises(ProtocolError, match="topic 'no' does not exist"):
        cluster.topic("no", wait_ms=0)
    assert len(kafka.requests(ApiKey.METADATA)) == 1
    assert not kafka.requests(ApiKey.METADATA)[0].allow_auto_topic_creation
    started_ms = kafka.clock.now_ms()
    with pytest.raises(ProtocolError, match="topic 'no' does not exist"):
        cluster.topic("no", wait_ms=2_000)
    assert 2_000 <= kafka.clock.now_ms() - started_ms < 5_000


def test_a_topic_is_created_by_asking_for_it() -> None:
    kafka = FakeKafka()
    kafka.auto_create = True
    assert len(cluster_of(kafka).topic("new", create=True, wait_ms=5_000).partitions) == 1


def test_a_deleted_topic_is_forgotten() -> None:
    kafka = FakeKafka()
    kafka.create("t")
    cluster = cluster_of(kafka)
    cluster.topic("t")
    del kafka.topics["t"]
    assert cluster.refresh(["t"])["t"].code is ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    assert "t" not in cluster.topics


def test_connections_to_brokers() -> None:
    kafka = FakeKafka()
    cluster = cluster_of(kafka)
    cluster.metadata([])
    cluster.stale = False
    first = cluster.connection(2)
    assert cluster.connection(2) is first
    first.close()
    assert cluster.connection(2) is not first
    with pytest.raises(ConnectionLostError, match="broker 9 is not in the cluster"):
        cluster.connection(9)
    assert cluster.stale
    kafka.down.add(3)
    with pytest.raises(ConnectionLostError, match=r"broker:9003 .*connection refused"):
        cluster.connection(3)
    again = cluster.connection(2)
    cluster.close()
    assert again.closed


def test_a_broker_that_is_given_up_is_not_asked_next() -> None:
    kafka = FakeKafka()
    cluster = cluster_of(kafka)
    cluster.metadata([])
    hanging = cluster.connection(1)
    kafka.silent.add(1)
    assert "broker:9001 does not answer" in str(cluster.give_up(hanging))
    assert hanging.closed
    assert cluster.stale
    started_ms = kafka.clock.now_ms()
    cluster.retry("asking", lambda: cluster.metadata([]))
    assert kafka.clock.now_ms() - started_ms < 4_000


def test_metadata_with_holes_is_refused() -> None:
    topic = MetadataResponseTopic(name="t", partitions=[MetadataResponsePartition(0, 1)])
    with pytest.raises(DecodeError, match="lacks some"):
        describe_topic(topic)
