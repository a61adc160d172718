from __future__ import annotations

import pytest

from ottla.client import ClientError, Consumer
from ottla.client.model import OffsetSpec
from ottla.core.errors import ProtocolError
from ottla.protocol.api import ApiKey
from ottla.record.build import build_batch
from tests.support.fake_kafka import FakeKafka


@pytest.fixture
def kafka() -> FakeKafka:
    kafka = FakeKafka()
    kafka.create("t", 2)
    for index in range(2):
        fill(kafka, index, 10)
    return kafka


def fill(kafka: FakeKafka, index: int, count: int) -> None:
    kafka.append("t", index, build_batch([(None, b"%d" % n, (), 0) for n in range(count)]))


def consumer_of(kafka: FakeKafka, **settings: object) -> Consumer:
    return Consumer(kafka.bootstrap, options=kafka.options(), **settings)  # type: ignore[arg-type]


def drain(consumer: Consumer) -> int:
    return len(list(consumer.records(idle_seconds=1.0)))


def test_a_whole_topic(kafka: FakeKafka) -> None:
    with consumer_of(kafka) as consumer:
        consumer.assign_topic("t", "earliest")
        assert drain(consumer) == 20
        assert consumer.positions() == {("t", 0): 10, ("t", 1): 10}
        consumer.assign_topic("t", 8)
        assert drain(consumer) == 4
        consumer.assign_topic("t", "latest")
        assert drain(consumer) == 0
        fill(kafka, 1, 3)
        assert drain(consumer) == 3


def test_chosen_partitions(kafka: FakeKafka) -> None:
    with consumer_of(kafka) as consumer:
        consumer.assign({("t", 1): OffsetSpec.EARLIEST})
        assert consumer.assignment() == [("t", 1)]
        assert {record.partition for record in consumer.records(idle_seconds=1)} == {1}


def test_limits_of_poll_and_records(kafka: FakeKafka) -> None:
    with consumer_of(kafka) as consumer:
        consumer.assign_topic("t", "earliest")
        assert len(consumer.poll(1.0, max_records=3)) == 3
        assert len(list(consumer.records(max_records=4))) == 4
        assert list(consumer.records(max_records=0)) == []
        assert sum(consumer.positions().values()) == 7


def test_idle_time_begins_anew_with_every_record(kafka: FakeKafka) -> None:
    with consumer_of(kafka) as consumer:
        consumer.assign_topic("t", "earliest")
        for _ in consumer.records(idle_seconds=2.0):
            kafka.clock.advance(5_000)
        assert sum(consumer.positions().values()) == 20
        started_ms = kafka.clock.now_ms()
        assert drain(consumer) == 0
        assert 1_000 <= kafka.clock.now_ms() - started_ms < 2_000


def test_topics_that_do_not_exist(kafka: FakeKafka) -> None:
    consumer = consumer_of(kafka, group="g")
    with pytest.raises(ProtocolError, match="topic 'no' does not exist"):
        consumer.assign_topic("no")
    with pytest.raises(ProtocolError, match="topic 'no' does not exist"):
        consumer.subscribe(["no"])


def test_groups_are_needed_to_subscribe_and_commit(kafka: FakeKafka) -> None:
    consumer = consumer_of(kafka)
    with pytest.raises(ClientError, match="needs a group"):
        consumer.subscribe(["t"])
    with pytest.raises(ClientError, match="only a member"):
        consumer.commit()


def test_a_group_goes_on_where_it_stopped(kafka: FakeKafka) -> None:
    with consumer_of(kafka, group="g", offset_reset="earliest") as consumer:
        consumer.subscribe(["t"])
        assert len(list(consumer.records(max_records=7))) == 7
    assert sum(kafka.committed.values()) == 7
    assert kafka.members == {}
    with consumer_of(kafka, group="g", offset_reset="earliest") as consumer:
        consumer.subscribe(["t"])
        assert drain(consumer) == 13
    assert kafka.committed == {("t", 0): 10, ("t", 1): 10}


def test_without_a_committed_offset_a_group_begins_at_the_end(kafka: FakeKafka) -> None:
    with consumer_of(kafka, group="g") as consumer:
        consumer.subscribe(["t"])
        assert drain(consumer) == 0
        fill(kafka, 0, 2)
        assert drain(consumer) == 2


def test_a_record_that_was_not_taken_is_not_committed(kafka: FakeKafka) -> None:
    with consumer_of(kafka, group="g", offset_reset="earliest") as consumer:
        consumer.subscribe(["t"])
        for number, _ in enumerate(consumer.records()):
            if number == 4:
                break
    assert sum(kafka.committed.values()) == 5


def test_after_an_error_nothing_is_committed(kafka: FakeKafka) -> None:
    def fail() -> None:
        with consumer_of(kafka, group="g", offset_reset="earliest") as consumer:
            consumer.subscribe(["t"])
            assert consumer.poll()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert kafka.committed == {}
    assert kafka.members == {}


def test_commits_of_ones_own(kafka: FakeKafka) -> None:
    with consumer_of(kafka, group="g", offset_reset="earliest", auto_commit=False) as consumer:
        consumer.subscribe(["t"])
        consumer.poll(max_records=3)
        consumer.commit()
        assert sum(kafka.committed.values()) == 3
        consumer.commit()
        assert len(kafka.requests(ApiKey.OFFSET_COMMIT)) == 1
        consumer.poll(max_records=3)
    assert sum(kafka.committed.values()) == 3


def test_commits_by_time(kafka: FakeKafka) -> None:
    with consumer_of(kafka, group="g", offset_reset="earliest") as consumer:
        consumer.subscribe(["t"])
        consumer.poll(max_records=3)
        consumer.poll(max_records=3)
        assert kafka.committed == {}
        kafka.clock.advance(5_000)
        consumer.poll(max_records=3)
        assert sum(kafka.committed.values()) == 6


def test_a_rebalance_commits_joins_again_and_goes_on(kafka: FakeKafka) -> None:
    with consumer_of(kafka, group="g", offset_reset="earliest") as consumer:
        consumer.subscribe(["t"])
        consumer.poll(max_records=5)
        kafka.rebalancing = True
        kafka.clock.advance(3_000)
        assert len(consumer.poll(max_records=1)) == 1
        assert sum(kafka.committed.values()) == 5
        assert kafka.generation == 2
        assert drain(consumer) == 14


def test_a_member_that_was_expelled_joins_again(kafka: FakeKafka) -> None:
    with consumer_of(kafka, group="g", offset_reset="earliest") as consumer:
        consumer.subscribe(["t"])
        consumer.poll(max_records=5)
        kafka.members.clear()
        kafka.clock.advance(60_000)
        # Nothing was committed: the records are read again, none is missed.
        assert drain(consumer) == 20


def test_subscribing_after_assigning_and_back(kafka: FakeKafka) -> None:
    with consumer_of(kafka, group="g", offset_reset="earliest") as consumer:
        consumer.assign_topic("t", "earliest")
        assert drain(consumer) == 20
        consumer.subscribe(["t"])
        assert consumer.assignment() == []
        assert drain(consumer) == 20
        consumer.assign_topic("t", 9)
        assert kafka.members == {}
        assert drain(consumer) == 2
