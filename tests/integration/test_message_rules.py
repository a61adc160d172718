"""What a topic's settings ask of messages and make of them, as librdkafka meets it."""

from __future__ import annotations

import time
from collections.abc import Iterator

import confluent_kafka
import kafka
import pytest
from confluent_kafka import KafkaError

from ottla.client.admin import Admin
from ottla.record.batch import crc_matches, iter_headers
from ottla.record.compression import Compression
from ottla.testing import Cluster

DAY_MS = 24 * 3600 * 1000
MESSAGES = 300
CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with Cluster(brokers=3, settings={"compression.type": "gzip"}) as cluster:
        yield cluster


def make_topic(cluster: Cluster, name: str, **configs: str) -> None:
    with Admin(cluster.bootstrap) as admin:
        settings = {key.replace("_", "."): value for key, value in configs.items()}
        admin.create_topic(name, 1, 3, settings)
    cluster.wait_in_sync(name)


def value_of(number: int) -> bytes:
    return b"%d: some text that compresses, some text that compresses" % number


def produce_all(cluster: Cluster, topic: str, codec: str) -> None:
    producer = confluent_kafka.Producer(
        {
            "bootstrap.servers": cluster.bootstrap,
            "enable.idempotence": True,
            "compression.type": codec,
            "linger.ms": 20,
        }
    )
    for number in range(MESSAGES):
        producer.produce(topic, value_of(number), key=b"%d" % number)
    assert producer.flush(60) == 0


def read_all(cluster: Cluster, topic: str) -> list[confluent_kafka.Message]:
    consumer = confluent_kafka.Consumer(
        {"bootstrap.servers": cluster.bootstrap, "group.id": "g", "check.crcs": True}
    )
    consumer.assign([confluent_kafka.TopicPartition(topic, 0, 0)])
    messages = consumer.consume(MESSAGES, 60)
    consumer.close()
    return messages


def stored(cluster: Cluster, topic: str) -> set[Compression]:
    """The codecs of the batches on disk, which every replica has in the same bytes."""
    files = [
        path.read_bytes()
        for path in cluster.directory.glob(f"**/{topic}-0/00000000000000000000.log")
    ]
    assert len(files) == 3
    assert len(set(files)) == 1
    found = set()
    for position, header in iter_headers(files[0]):
        assert crc_matches(files[0], position, header)
        found.add(header.compression)
    return found


@pytest.mark.parametrize("kept", ["uncompressed", "snappy", "lz4", "zstd", "producer", None])
def test_the_topics_compression_whatever_the_producers(cluster: Cluster, kept: str | None) -> None:
    for codec in CODECS:
        topic = f"kept-{kept}-{codec}"
        configs = {} if kept is None else {"compression_type": kept}
        make_topic(cluster, topic, **configs)
        produce_all(cluster, topic, codec)
        wanted = {"uncompressed": "none", "producer": codec, None: "gzip"}.get(kept, kept)
        assert wanted is not None
        assert [(m.offset(), m.value()) for m in read_all(cluster, topic)] == [
            (number, value_of(number)) for number in range(MESSAGES)
        ]
        assert stored(cluster, topic) == {Compression.named(wanted)}


def test_the_brokers_time_in_the_topics_compression(cluster: Cluster) -> None:
    topic = "append-time"
    make_topic(
        cluster, topic, compression_type="gzip", **{"message.timestamp.type": "LogAppendTime"}
    )
    before = int(time.time() * 1000)
    produce_all(cluster, topic, "lz4")
    after = int(time.time() * 1000)
    times = [message.timestamp() for message in read_all(cluster, topic)]
    assert len(times) == MESSAGES
    assert {kind for kind, _ in times} == {confluent_kafka.TIMESTAMP_LOG_APPEND_TIME}
    assert all(before <= at <= after for _, at in times)
    assert stored(cluster, topic) == {Compression.GZIP}
    consumer = kafka.KafkaConsumer(bootstrap_servers=cluster.bootstrap, consumer_timeout_ms=30_000)
    partition = kafka.TopicPartition(topic, 0)
    consumer.assign([partition])
    consumer.seek(partition, 0)
    values = [next(consumer).value for _ in range(MESSAGES)]
    consumer.close()
    assert values == [value_of(number) for number in range(MESSAGES)]


def outcome(cluster: Cluster, topic: str, **message: object) -> int | None:
    """The error code that librdkafka gives a message's delivery report; None: delivered."""
    found: list[int | None] = []

    def delivered(error: KafkaError | None, _: confluent_kafka.Message) -> None:
        found.append(None if error is None else error.code())

    producer = confluent_kafka.Producer({"bootstrap.servers": cluster.bootstrap})
    producer.produce(topic, value=b"v", callback=delivered, **message)  # type: ignore[arg-type]
    assert producer.flush(60) == 0
    return found[0]


def test_a_compacted_topic_takes_no_message_without_key(cluster: Cluster) -> None:
    make_topic(cluster, "compacted", cleanup_policy="compact")
    assert outcome(cluster, "compacted") == KafkaError.INVALID_RECORD
    assert outcome(cluster, "compacted", key=b"") is None
    assert outcome(cluster, "compacted", key=b"k") is None


def test_times_out_of_bounds(cluster: Cluster) -> None:
    make_topic(cluster, "times", **{"message.timestamp.before.max.ms": str(DAY_MS)})
    now = int(time.time() * 1000)
    invalid = KafkaError.INVALID_TIMESTAMP
    assert outcome(cluster, "times", timestamp=now) is None
    assert outcome(cluster, "times", timestamp=now + 2 * 3_600_000) == invalid
    assert outcome(cluster, "times", timestamp=now - 2 * DAY_MS) == invalid
    assert outcome(cluster, "times", timestamp=now - DAY_MS // 2) is None
    make_topic(cluster, "old-times")
    assert outcome(cluster, "old-times", timestamp=1) is None
