from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from ottla.client import Consumer, ProducerFencedError, TransactionAbortableError
from ottla.client.accumulator import Delivery
from ottla.client.errors import ClientError, DeadlineError, FatalTransactionError
from ottla.client.model import GroupMetadata
from ottla.client.transactional_producer import TransactionalProducer
from ottla.core.errors import ErrorCode
from ottla.protocol.api import ApiKey
from tests.support.fake_kafka import FakeKafka

GROUP = GroupMetadata("g")


@pytest.fixture(params=[1, 2], ids=["transaction.version 1", "transaction.version 2"])
def kafka(request: pytest.FixtureRequest) -> FakeKafka:
    kafka = FakeKafka()
    kafka.create("t", 3)
    kafka.transaction_version = request.param
    return kafka


def producer_of(
    kafka: FakeKafka, transactional_id: str = "x", timeout_ms: int = 30_000, **settings: object
) -> TransactionalProducer:
    return TransactionalProducer(
        kafka.bootstrap,
        transactional_id=transactional_id,
        options=kafka.options(timeout_ms),
        source=random.Random(1),
        **settings,  # type: ignore[arg-type]
    )


def ready(kafka: FakeKafka, **settings: object) -> TransactionalProducer:
    producer = producer_of(kafka, **settings)  # type: ignore[arg-type]
    producer.init_transactions()
    return producer


def committed(kafka: FakeKafka) -> list[bytes]:
    with Consumer(kafka.bootstrap, isolation="read_committed", options=kafka.options()) as consumer:
        consumer.assign_topic("t", "earliest")
        return sorted(r.value or b"" for r in consumer.records(idle_seconds=2))


def test_what_is_committed_is_read_and_what_is_aborted_is_not(kafka: FakeKafka) -> None:
    with ready(kafka) as producer:
        for number in range(6):
            producer.begin()
            for index in range(3):
                producer.send("t", b"%d.%d" % (number, index), partition=index)
            if number % 2:
                producer.abort()
            else:
                producer.flush()
                producer.commit()
    assert committed(kafka) == [b"%d.%d" % (n, i) for n in (0, 2, 4) for i in range(3)]
    assert kafka.transactions["x"].state == "CompleteCommit"


def test_records_that_were_written_before_an_abort_are_not_read(kafka: FakeKafka) -> None:
    with ready(kafka) as producer:
        producer.begin()
        producer.send("t", b"gone", partition=0)
        producer.flush()
        producer.abort()
        producer.begin()
        producer.send("t", b"kept", partition=0)
        producer.commit()
    values = [r.value for r in kafka.topics["t"][0].records() if r.value in (b"gone", b"kept")]
    assert values == [b"gone", b"kept"]
    assert committed(kafka) == [b"kept"]


def test_which_requests_are_made(kafka: FakeKafka) -> None:
    with ready(kafka) as producer:
        for _ in range(2):
            producer.begin()
            for _ in range(2):
                producer.send("t", b"v", partition=0)
                producer.flush()
            producer.send_offsets_to_transaction({("in", 0): 5}, GROUP)
            producer.commit()
    asked = [key for _, key, _ in kafka.seen]
    steps = 0 if kafka.transaction_version == 2 else 2
    assert asked.count(ApiKey.ADD_PARTITIONS_TO_TXN) == steps
    assert asked.count(ApiKey.ADD_OFFSETS_TO_TXN) == steps
    assert asked.count(ApiKey.INIT_PRODUCER_ID) == 1
    assert kafka.transactions["x"].producer_epoch == (2 if kafka.transaction_version == 2 else 0)


def test_offsets_count_with_the_commit(kafka: FakeKafka) -> None:
    with ready(kafka) as producer:
        producer.begin()
        producer.send_offsets_to_transaction({("in", 0): 5}, GROUP)
        assert kafka.committed == {}
        producer.abort()
        assert kafka.committed == {}
        producer.begin()
        producer.send_offsets_to_transaction({("in", 0): 7, ("in", 1): 1}, GROUP)
        producer.send_offsets_to_transaction({}, GROUP)
        producer.commit()
    assert kafka.committed == {("in", 0): 7, ("in", 1): 1}


def test_consume_transform_produce(kafka: FakeKafka) -> None:
    kafka.create("in", 1)
    with ready(kafka) as source:
        source.begin()
        for number in range(10):
            source.send("in", b"%d" % number)
        source.commit()
    with (
        Consumer(
            kafka.bootstrap,
            group="g",
            offset_reset="earliest",
            auto_commit=False,
            isolation="read_committed",
            options=kafka.options(),
        ) as consumer,
        ready(kafka, transactional_id="y") as producer,
    ):
        consumer.subscribe(["in"])
        done = tries = 0
        while done < 10:
            tries += 1
            records = consumer.poll(1, max_records=4)
            producer.begin()
            for record in records:
                producer.send("t", b"<%s>" % record.value, partition=0)
            producer.send_offsets_to_transaction(consumer.positions(), consumer.group_metadata())
            if tries == 2:
                producer.abort()
                for (topic, index), offset in consumer.committed().items():
                    consumer.seek(topic, index, offset)
                continue
            producer.commit()
            done += len(records)
    assert committed(kafka) == [b"<%d>" % number for number in range(10)]
    # The marker stands behind the last record.
    assert kafka.committed["in", 0] in (10, 11)


def test_a_group_that_has_rebalanced_takes_no_offsets(kafka: FakeKafka) -> None:
    with ready(kafka) as producer:
        producer.begin()
        replaced = GroupMetadata("g", 3, "gone")
        with pytest.raises(TransactionAbortableError, match=r"group 'g'.*abort\(\)"):
            producer.send_offsets_to_transaction({("in", 0): 5}, replaced)
        with pytest.raises(TransactionAbortableError):
            producer.commit()
        producer.abort()
        producer.begin()
        producer.send("t", b"next")
        producer.commit()
    assert kafka.committed == {}
    assert committed(kafka) == [b"next"]


def test_a_producer_that_was_replaced_is_fenced_for_good(kafka: FakeKafka) -> None:
    old = ready(kafka)
    old.begin()
    old.send("t", b"of the old one", partition=0)
    old.flush()
    with ready(kafka) as new:
        new.begin()
        new.send("t", b"of the new one", partition=0)
        with pytest.raises(ProducerFencedError, match="taken over by another producer"):
            old.commit()
        new.commit()
    for call in (old.commit, old.abort, old.begin):
        with pytest.raises(ProducerFencedError):
            call()
    old.close()
    assert committed(kafka) == [b"of the new one"]


def test_a_fenced_producer_that_still_sends(kafka: FakeKafka) -> None:
    old = ready(kafka)
    old.begin()
    old.send("t", b"1", partition=0)
    old.flush()
    ready(kafka).close()
    old.send("t", b"2", partition=0)
    # Whether the coordinator gave up the transaction, or another producer is there, is not known.
    with pytest.raises(TransactionAbortableError):
        old.commit()
    with pytest.raises(ProducerFencedError):
        old.abort()
    assert committed(kafka) == []


def test_records_that_are_refused_let_nothing_be_committed(kafka: FakeKafka) -> None:
    reports: list[Delivery] = []
    with ready(kafka) as producer:
        producer.begin()
        producer.send("t", b"good", partition=1)
        producer.flush()
        kafka.errors[ApiKey.PRODUCE].append(ErrorCode.INVALID_RECORD)
        producer.send("t", b"bad", partition=0, on_delivery=reports.append)
        producer.poll()
        with pytest.raises(TransactionAbortableError, match=r"INVALID_RECORD; abort\(\)"):
            producer.commit()
        with pytest.raises(TransactionAbortableError):
            producer.send("t", b"more")
        with pytest.raises(TransactionAbortableError):
            producer.begin()
        producer.abort()
        for number in range(2):
            producer.begin()
            producer.send("t", b"next %d" % number, partition=0)
            producer.commit()
    (report,) = reports
    assert report.error is not None
    assert committed(kafka) == [b"next 0", b"next 1"]


def test_an_abort_drops_what_was_not_sent(kafka: FakeKafka) -> None:
    reports: list[Delivery] = []
    with ready(kafka) as producer:
        producer.begin()
        producer.send("t", b"never", on_delivery=reports.append)
        producer.send("t", b"never")
        producer.abort()
        assert "aborted before" in str(reports[0].error)
        assert kafka.requests(ApiKey.END_TXN) == []
        producer.begin()
        producer.commit()
    assert kafka.requests(ApiKey.END_TXN) == kafka.requests(ApiKey.PRODUCE) == []


def test_an_abort_waits_for_what_is_on_its_way(kafka: FakeKafka) -> None:
    with ready(kafka) as producer:
        producer.begin()
        producer.send("t", b"on its way", partition=0)
        kafka.clock.advance(10)
        producer.poll()
        kafka.silent.add(2)
        producer.send("t", b"no answer", partition=1)
        kafka.clock.advance(10)
        producer.poll()
        producer.abort()
        assert len(kafka.topics["t"][0].batches) == 2
        kafka.silent.clear()
        producer.begin()
        producer.send("t", b"kept", partition=1)
        producer.commit()
    assert committed(kafka) == [b"kept"]


@pytest.mark.parametrize(
    "key",
    [
        ApiKey.INIT_PRODUCER_ID,
        ApiKey.PRODUCE,
        ApiKey.ADD_PARTITIONS_TO_TXN,
        ApiKey.ADD_OFFSETS_TO_TXN,
        ApiKey.TXN_OFFSET_COMMIT,
        ApiKey.END_TXN,
    ],
)
def test_lost_answers_and_errors_that_pass(kafka: FakeKafka, key: ApiKey) -> None:
    kafka.lose_answers[key] = 2
    kafka.errors[key].extend(
        [ErrorCode.CONCURRENT_TRANSACTIONS, ErrorCode.NOT_LEADER_OR_FOLLOWER]
        if key is ApiKey.PRODUCE
        else [ErrorCode.CONCURRENT_TRANSACTIONS, ErrorCode.NOT_COORDINATOR]
    )
    with ready(kafka) as producer:
        for number in range(3):
            producer.begin()
            producer.send("t", b"%d" % number, partition=0)
            producer.send_offsets_to_transaction({("in", 0): number}, GROUP)
            producer.commit()
    assert committed(kafka) == [b"0", b"1", b"2"]
    assert kafka.committed == {("in", 0): 2}


def test_a_coordinator_that_moves(kafka: FakeKafka) -> None:
    with ready(kafka) as producer:
        for number in range(3):
            producer.begin()
            producer.send("t", b"%d" % number, partition=0)
            kafka.coordinator_id = kafka.brokers[number]
            producer.commit()
    assert committed(kafka) == [b"0", b"1", b"2"]


@pytest.mark.parametrize("is_commit", [True, False])
def test_an_end_of_unknown_outcome_is_asked_for_again(kafka: FakeKafka, is_commit: bool) -> None:
    producer = ready(kafka, timeout_ms=2_000)
    producer.begin()
    producer.send("t", b"v", partition=0)
    producer.flush()
    kafka.lose_answers[ApiKey.END_TXN] = 1000
    end, other = producer.commit, producer.abort
    if not is_commit:
        end, other = other, end
    with pytest.raises(DeadlineError, match="committing" if is_commit else "aborting"):
        end()
    kafka.lose_answers.clear()
    with pytest.raises(ClientError, match="outcome is not known"):
        other()
    end()
    producer.begin()
    producer.send("t", b"w", partition=0)
    producer.commit()
    producer.close()
    assert committed(kafka) == [b"v", b"w"][0 if is_commit else 1 :]


def test_records_that_nobody_confirms_in_time(kafka: FakeKafka) -> None:
    kafka.errors[ApiKey.PRODUCE].extend([ErrorCode.NOT_ENOUGH_REPLICAS] * 1000)
    with ready(kafka, delivery_seconds=5) as producer:
        producer.begin()
        producer.send("t", b"late", partition=0)
        with pytest.raises(TransactionAbortableError, match="confirmed nothing within 5 s"):
            producer.commit()
        producer.abort()
        kafka.errors.clear()
        producer.begin()
        producer.send("t", b"in time", partition=0)
        producer.commit()
    assert committed(kafka) == [b"in time"]


def test_a_commit_that_its_coordinator_cannot_do(kafka: FakeKafka) -> None:
    with ready(kafka) as producer:
        producer.begin()
        producer.send("t", b"v", partition=0)
        kafka.errors[ApiKey.END_TXN].append(ErrorCode.TRANSACTION_ABORTABLE)
        with pytest.raises(TransactionAbortableError):
            producer.commit()
        producer.abort()
    assert committed(kafka) == []


def test_a_transactional_id_that_was_forgotten_begins_anew(kafka: FakeKafka) -> None:
    with ready(kafka) as producer:
        producer.begin()
        producer.send_offsets_to_transaction({("in", 0): 1}, GROUP)
        kafka.errors[ApiKey.END_TXN].append(ErrorCode.INVALID_PRODUCER_ID_MAPPING)
        with pytest.raises(TransactionAbortableError):
            producer.commit()
        producer.abort()
        assert len(kafka.requests(ApiKey.INIT_PRODUCER_ID)) == 2
        producer.begin()
        producer.send("t", b"v")
        producer.commit()
    assert committed(kafka) == [b"v"]


def test_refused_for_good(kafka: FakeKafka) -> None:
    kafka.errors[ApiKey.INIT_PRODUCER_ID].append(ErrorCode.INVALID_TRANSACTION_TIMEOUT)
    producer = producer_of(kafka)
    with pytest.raises(FatalTransactionError, match=r"transaction\.max\.timeout\.ms"):
        producer.init_transactions()
    with pytest.raises(FatalTransactionError):
        producer.init_transactions()
    producer.close()


def test_a_topic_that_may_not_be_written_to() -> None:
    kafka = FakeKafka()
    kafka.create("t", 3)
    kafka.transaction_version = 1
    with ready(kafka) as producer:
        producer.begin()
        for index in range(2):
            producer.send("t", b"v", partition=index)
        kafka.errors[ApiKey.ADD_PARTITIONS_TO_TXN].append(ErrorCode.TOPIC_AUTHORIZATION_FAILED)
        with pytest.raises(TransactionAbortableError, match="topic 't' may not be used"):
            producer.commit()
        producer.abort()
        producer.begin()
        producer.send("t", b"v")
        producer.commit()
    assert committed(kafka) == [b"v"]


def test_a_topic_that_does_not_exist(kafka: FakeKafka) -> None:
    with ready(kafka) as producer:
        producer.begin()
        with pytest.raises(TransactionAbortableError, match="topic 'no' does not exist"):
            producer.send("no", b"v")
        producer.abort()


@pytest.mark.parametrize(
    ("calls", "words"),
    [
        ([TransactionalProducer.begin], r"call init_transactions\(\) first"),
        (
            [TransactionalProducer.init_transactions, TransactionalProducer.commit],
            r"call begin\(\)",
        ),
        (
            [
                TransactionalProducer.init_transactions,
                TransactionalProducer.begin,
                TransactionalProducer.begin,
            ],
            r"commit\(\) or abort\(\) it first",
        ),
        ([lambda producer: producer.send("t", b"v")], "call init_transactions"),
        (
            [lambda producer: producer.send_offsets_to_transaction({("t", 0): 1}, GROUP)],
            "transactional id 'x' has no producer id yet",
        ),
    ],
)
def test_calls_out_of_order(
    kafka: FakeKafka, calls: list[Callable[[TransactionalProducer], None]], words: str
) -> None:
    producer = producer_of(kafka)
    for call in calls[:-1]:
        call(producer)
    with pytest.raises(ClientError, match=words):
        calls[-1](producer)


def test_the_end_of_the_block_aborts(kafka: FakeKafka) -> None:
    def fail() -> None:
        with ready(kafka) as producer:
            producer.begin()
            producer.send("t", b"v", partition=0)
            producer.flush()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert kafka.transactions["x"].state == "CompleteAbort"
    with ready(kafka) as producer:
        producer.begin()
        producer.send("t", b"v", partition=0)
        producer.flush()
        kafka.errors[ApiKey.END_TXN].append(ErrorCode.INVALID_TXN_STATE)
    assert any("aborting at the end failed" in said for said in kafka.retries)
