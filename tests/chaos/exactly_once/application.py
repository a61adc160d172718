"""Consume, transform, produce with confluent-kafka: the application that is killed.

    application.py BOOTSTRAP TRANSACTIONAL_ID SEED

Reads ``input``, writes ``output`` and commits its offsets in one transaction. Some transactions are
aborted on purpose, after records were written that nobody may ever see (`ABORTED`).
"""

from __future__ import annotations

import contextlib
import random
import sys
from collections.abc import Callable

import confluent_kafka as ck

GROUP = "transformers"
INPUT = "input"
OUTPUT = "output"
ABORTED = b"aborted"
BATCH_MAX = 20
ABORT_RATE = 0.15
WAIT_S = 30.0


def main() -> None:
    bootstrap, transactional_id, seed = sys.argv[1:4]
    source = random.Random(seed)
    producer = ck.Producer(
        {
            "bootstrap.servers": bootstrap,
            "transactional.id": transactional_id,
            "transaction.timeout.ms": 10_000,
            "linger.ms": 1,
        }
    )
    consumer = ck.Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": GROUP,
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "session.timeout.ms": 6_000,
        }
    )
    consumer.subscribe([INPUT])
    retry(lambda: producer.init_transactions(WAIT_S))
    print("ready", flush=True)
    while True:
        messages = [m for m in consumer.consume(BATCH_MAX, 0.2) if m.error() is None]
        if messages:
            transform(producer, consumer, messages, aborts=source.random() < ABORT_RATE)


def transform(
    producer: ck.Producer, consumer: ck.Consumer, messages: list[ck.Message], *, aborts: bool
) -> None:
    """One transaction; on an error that allows it, abort and read again."""
    producer.begin_transaction()
    try:
        for message in messages:
            value = ABORTED if aborts else message.value()
            producer.produce(OUTPUT, value, message.key(), partition=_place(message)[0])
        if aborts:
            producer.flush(WAIT_S)
            producer.abort_transaction(WAIT_S)
            rewind(consumer, messages)
            return
        ends = {_place(m)[0]: _place(m)[1] + 1 for m in messages}
        producer.send_offsets_to_transaction(
            [ck.TopicPartition(INPUT, index, offset) for index, offset in ends.items()],
            consumer.consumer_group_metadata(),
            WAIT_S,
        )
        retry(lambda: producer.commit_transaction(WAIT_S))
    except ck.KafkaException as error:
        if not error.args[0].txn_requires_abort():
            raise
        retry(lambda: producer.abort_transaction(WAIT_S))
        rewind(consumer, messages)


def rewind(consumer: ck.Consumer, messages: list[ck.Message]) -> None:
    first: dict[int, int] = {}
    for message in messages:
        index, offset = _place(message)
        first.setdefault(index, offset)
    for index, offset in first.items():
        # One that was taken away meanwhile: whoever has it begins at what is committed.
        with contextlib.suppress(ck.KafkaException):
            consumer.seek(ck.TopicPartition(INPUT, index, offset))


def _place(message: ck.Message) -> tuple[int, int]:
    """Partition and offset."""
    index, offset = message.partition(), message.offset()
    assert index is not None
    assert offset is not None
    return index, offset


def retry(call: Callable[[], object]) -> None:
    while True:
        try:
            call()
            return
        except ck.KafkaException as error:
            if not error.args[0].retriable():
                raise


if __name__ == "__main__":
    main()
