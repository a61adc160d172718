from __future__ import annotations

import random

import pytest

from ottla.client import DeliveryError, Producer
from ottla.client.accumulator import Delivery
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.core.hashing import partition_for_key
from ottla.protocol.api import ApiKey
from ottla.record.compression import Compression
from tests.support.fake_kafka import FakeKafka


@pytest.fixture
def kafka() -> FakeKafka:
    kafka = FakeKafka()
    kafka.create("t", 3)
    return kafka


def producer_of(kafka: FakeKafka, timeout_ms: int = 30_000, **settings: object) -> Producer:
    return Producer(
        kafka.bootstrap,
        options=kafka.options(timeout_ms),
        source=random.Random(1),
        **settings,  # type: ignore[arg-type]
    )


def values(kafka: FakeKafka, topic: str = "t") -> list[bytes | None]:
    return [value for partition in kafka.topics[topic] for value in partition.values()]


def numbered(first: int, last: int) -> list[bytes]:
    return [b"%d" % number for number in range(first, last)]


def test_records_arrive_in_order_in_the_partition_of_their_key(kafka: FakeKafka) -> None:
    with producer_of(kafka, batch_bytes=500) as producer:
        for number in range(300):
            producer.send("t", b"%d" % number, b"k%d" % (number % 7), headers=[("h", b"x")])
    assert (producer.sent, producer.delivered, producer.failed) == (300, 300, 0)
    for index, partition in enumerate(kafka.topics["t"]):
        for record in partition.records():
            assert record.key is not None
            assert partition_for_key(record.key, 3) == index
            assert record.headers == (("h", b"x"),)
            assert record.timestamp >= 1_700_000_000_000
        for key in {record.key for record in partition.records()}:
            own = [int(r.value or b"") for r in partition.records() if r.key == key]
            assert own == sorted(own)
    assert sorted(values(kafka), key=lambda value: int(value or b"")) == numbered(0, 300)


def test_records_without_a_key_are_spread(kafka: FakeKafka) -> None:
    with producer_of(kafka, batch_bytes=500) as producer:
        for number in range(300):
            producer.send("t", b"%d" % number)
    assert all(partition.values() for partition in kafka.topics["t"])
    assert len(values(kafka)) == 300


def test_a_partition_of_ones_own_choice(kafka: FakeKafka) -> None:
    with producer_of(kafka) as producer:
        producer.send("t", b"v", b"key", partition=2, timestamp_ms=77)
        with pytest.raises(ProtocolError, match="it has partitions 0–2, not 3"):
            producer.send("t", b"v", partition=3)
    (record,) = kafka.topics["t"][2].records()
    assert record.timestamp == 77


@pytest.mark.parametrize("codec", list(Compression))
def test_compression(kafka: FakeKafka, codec: Compression) -> None:
    with producer_of(kafka, compression=codec.name.lower()) as producer:
        producer.send("t", b"v" * 1000, partition=0)
    ((header, _),) = kafka.topics["t"][0].batches
    assert header.compression is codec
    assert values(kafka) == [b"v" * 1000]


def test_linger_and_poll(kafka: FakeKafka) -> None:
    producer = producer_of(kafka, linger_ms=10)
    producer.send("t", b"v")
    producer.poll()
    assert values(kafka) == []
    kafka.clock.advance(10)
    producer.poll()
    assert values(kafka) == [b"v"]
    producer.close()


def test_deliveries_are_reported(kafka: FakeKafka) -> None:
    reports: list[Delivery] = []
    with producer_of(kafka) as producer:
        for _ in range(3):
            producer.send("t", b"v", partition=1, on_delivery=reports.append)
    assert reports == [Delivery("t", 1, offset, None) for offset in range(3)]


def test_a_lost_answer_neither_loses_nor_duplicates(kafka: FakeKafka) -> None:
    kafka.lose_answers[ApiKey.PRODUCE] = 3
    with producer_of(kafka, batch_bytes=300) as producer:
        for number in range(100):
            producer.send("t", b"%d" % number, partition=0)
    assert values(kafka) == numbered(0, 100)
    assert kafka.retries


def test_a_duplicate_counts_as_delivered(kafka: FakeKafka) -> None:
    kafka.errors[ApiKey.PRODUCE].append(ErrorCode.DUPLICATE_SEQUENCE_NUMBER)
    with producer_of(kafka) as producer:
        producer.send("t", b"0", partition=0)
    assert (producer.delivered, producer.failed) == (1, 0)


def test_errors_that_pass_are_retried_in_order(kafka: FakeKafka) -> None:
    kafka.errors[ApiKey.PRODUCE].extend(
        [ErrorCode.NOT_ENOUGH_REPLICAS, ErrorCode.NONE, ErrorCode.NOT_LEADER_OR_FOLLOWER] * 3
    )
    with producer_of(kafka, batch_bytes=300) as producer:
        for number in range(100):
            producer.send("t", b"%d" % number, partition=0)
    assert values(kafka) == numbered(0, 100)


def test_a_leader_that_moves(kafka: FakeKafka) -> None:
    with producer_of(kafka, batch_bytes=300) as producer:
        for number in range(50):
            producer.send("t", b"%d" % number, partition=0)
        kafka.topics["t"][0].leader_id = 2
        kafka.down.add(1)
        for number in range(50, 100):
            producer.send("t", b"%d" % number, partition=0)
    assert values(kafka) == numbered(0, 100)


def test_a_leader_that_hangs(kafka: FakeKafka) -> None:
    with producer_of(kafka) as producer:
        producer.send("t", b"0", partition=0)
        producer.flush()
        kafka.silent.add(1)
        producer.send("t", b"1", partition=0)
        kafka.clock.advance(100)
        producer.poll()
        kafka.topics["t"][0].leader_id = 2
        started_ms = kafka.clock.now_ms()
        producer.flush()
        assert kafka.clock.now_ms() - started_ms < 30_000
    assert values(kafka) == numbered(0, 2)


def test_time_between_calls_is_not_held_against_the_broker(kafka: FakeKafka) -> None:
    with producer_of(kafka, linger_ms=0) as producer:
        producer.send("t", b"0", partition=0)
        producer.poll()
        kafka.clock.advance(3_600_000)
        producer.send("t", b"1", partition=0)
        kafka.clock.advance(3_600_000)
    assert values(kafka) == numbered(0, 2)
    assert kafka.retries == []
    assert len(kafka.requests(ApiKey.PRODUCE)) == 2


def test_batches_that_are_too_large_are_split(kafka: FakeKafka) -> None:
    kafka.max_batch_bytes = 700
    with producer_of(kafka) as producer:
        for number in range(100):
            producer.send("t", b"%d" % number, partition=0)
    assert values(kafka) == numbered(0, 100)


def test_a_record_that_is_too_large_fails_alone(kafka: FakeKafka) -> None:
    kafka.max_batch_bytes = 700
    reports: list[Delivery] = []
    producer = producer_of(kafka)
    for number in range(10):
        producer.send("t", b"%d" % number, partition=0)
    producer.send("t", b"x" * 1000, partition=0, on_delivery=reports.append)
    for number in range(10, 20):
        producer.send("t", b"%d" % number, partition=0)
    producer.flush()
    assert values(kafka) == numbered(0, 20)
    (report,) = reports
    assert report.offset is None
    assert "larger than the topic's max.message.bytes" in str(report.error)
    assert (producer.delivered, producer.failed) == (20, 1)


def test_flush_raises_what_nobody_was_told(kafka: FakeKafka) -> None:
    kafka.errors[ApiKey.PRODUCE].append(ErrorCode.TOPIC_AUTHORIZATION_FAILED)
    producer = producer_of(kafka)
    producer.send("t", b"0", partition=0)
    producer.send("t", b"1", partition=0)
    with pytest.raises(DeliveryError, match="2 records were not delivered: partition 0 .* may not"):
        producer.flush()
    producer.send("t", b"2", partition=0)
    producer.flush()
    assert values(kafka) == [b"2"]


def test_after_a_failure_a_new_series_of_sequences_begins(kafka: FakeKafka) -> None:
    with producer_of(kafka) as producer:
        for index in range(2):
            producer.send("t", b"first", partition=index)
        producer.flush()
        kafka.errors[ApiKey.PRODUCE].append(ErrorCode.INVALID_RECORD)
        producer.send("t", b"bad", partition=0, on_delivery=lambda report: None)
        producer.flush()
        for index in range(2):
            producer.send("t", b"second", partition=index)
    assert values(kafka) == [b"first", b"second"] * 2
    assert len(kafka.requests(ApiKey.INIT_PRODUCER_ID)) == 2


def test_the_delivery_time_ends(kafka: FakeKafka) -> None:
    kafka.errors[ApiKey.PRODUCE].extend([ErrorCode.NOT_ENOUGH_REPLICAS] * 1000)
    producer = producer_of(kafka, delivery_seconds=5)
    producer.send("t", b"0", partition=0)
    started_ms = kafka.clock.now_ms()
    with pytest.raises(DeliveryError, match="confirmed nothing within 5 s: .*fewer in-sync"):
        producer.flush()
    assert 5_000 <= kafka.clock.now_ms() - started_ms < 8_000


def test_acks_1_has_no_sequences(kafka: FakeKafka) -> None:
    with producer_of(kafka, acks=1) as producer:
        producer.send("t", b"0", partition=0)
    assert kafka.requests(ApiKey.PRODUCE)[0].acks == 1
    assert kafka.requests(ApiKey.INIT_PRODUCER_ID) == []
    assert not kafka.topics["t"][0].batches[0][0].has_producer_id


def test_acks_0_waits_for_nothing(kafka: FakeKafka) -> None:
    reports: list[Delivery] = []
    with producer_of(kafka, acks=0) as producer:
        producer.send("t", b"0", partition=0, on_delivery=reports.append)
    assert reports == [Delivery("t", 0, None, None)]
    assert values(kafka) == [b"0"]


def test_memory_is_bounded(kafka: FakeKafka) -> None:
    producer = producer_of(kafka, buffer_bytes=3_000, batch_bytes=100_000)
    largest = 0
    for number in range(500):
        producer.send("t", b"%d" % number)
        largest = max(largest, producer._accumulator.bytes)
    producer.close()
    assert largest <= 3_000
    assert len(values(kafka)) == 500


def test_topics_that_do_not_exist(kafka: FakeKafka) -> None:
    with producer_of(kafka) as producer:
        with pytest.raises(ProtocolError, match="topic 'new' does not exist"):
            producer.send("new", b"v")
        kafka.auto_create = True
        producer.send("new", b"v")
    assert values(kafka, "new") == [b"v"]


def test_a_topic_that_is_deleted_meanwhile(kafka: FakeKafka) -> None:
    producer = producer_of(kafka, delivery_seconds=5)
    producer.send("t", b"v")
    del kafka.topics["t"]
    with pytest.raises(DeliveryError, match="does not exist"):
        producer.flush()


def test_an_error_leaves_without_a_flush(kafka: FakeKafka) -> None:
    def interrupt() -> None:
        with producer_of(kafka) as producer:
            producer.send("t", b"v")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupt()
    assert values(kafka) == []
