"""Records of every kind, written and read by librdkafka through any broker of Kafka's protocol."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

import confluent_kafka
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
WAIT_SECONDS_MAX = 60.0

Headers = tuple[tuple[str, bytes | None], ...]


@dataclass(frozen=True)
class Read:
    """One record as a consumer sees it."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers


def make_topic(bootstrap: str, name: str, configs: Mapping[str, str]) -> None:
    """A topic of one partition and one replica."""
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    topic = NewTopic(name, 1, 1, config=dict(configs))
    admin.create_topics([topic])[name].result(WAIT_SECONDS_MAX)


def producer(bootstrap: str, **settings: Any) -> confluent_kafka.Producer:
    """Small batches, so that there are many."""
    named = {name.replace("_", "."): value for name, value in settings.items()}
    return confluent_kafka.Producer(
        {"bootstrap.servers": bootstrap, "batch.num.messages": 20, "log_level": 0, **named}
    )


def records(count: int) -> Iterator[dict[str, Any]]:
    """With and without key, value, headers and header values; small and large, all different."""
    for number in range(count):
        yield {
            "key": None if number % 7 == 0 else f"key-{number % 13}",
            "value": None if number % 11 == 0 else f"{number} ".encode() * (1 + number % 50),
            "headers": [("n", str(number).encode()), ("none", None)] if number % 3 == 0 else [],
            "timestamp": 1_600_000_000_000 + number * 10,
        }


def produce_all_codecs(bootstrap: str, topic: str, count_each: int) -> int:
    """Every codec, with an idempotent producer and with one that is not; how many records."""
    sent = 0
    for codec in CODECS:
        for idempotent in (False, True):
            client = producer(bootstrap, compression_type=codec, enable_idempotence=idempotent)
            for fields in records(count_each):
                client.produce(topic, **fields)
                sent += 1
            assert client.flush(WAIT_SECONDS_MAX) == 0
    return sent


def produce_transactions(bootstrap: str, topic: str) -> None:
    """Two transactions whose records alternate; the first is committed, the second aborted."""
    clients = [producer(bootstrap, transactional_id=f"{topic}-{number}") for number in range(2)]
    for client in clients:
        client.init_transactions(WAIT_SECONDS_MAX)
        client.begin_transaction()
    for turn in range(3):
        for number, client in enumerate(clients):
            for fields in records(25):
                client.produce(topic, **{**fields, "value": f"transaction {number}, turn {turn}"})
            assert client.flush(WAIT_SECONDS_MAX) == 0
    clients[0].commit_transaction(WAIT_SECONDS_MAX)
    clients[1].abort_transaction(WAIT_SECONDS_MAX)


def consume(bootstrap: str, topic: str, *, committed: bool = False) -> list[Read]:
    """Everything in partition 0, up to its end."""
    consumer = confluent_kafka.Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "reader",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed" if committed else "read_uncommitted",
            "log_level": 0,
        }
    )
    found: list[Read] = []
    try:
        consumer.assign([confluent_kafka.TopicPartition(topic, 0, 0)])
        while True:
            message = consumer.poll(WAIT_SECONDS_MAX)
            assert message is not None
            error = message.error()
            if error is not None:
                assert error.code() == confluent_kafka.KafkaError._PARTITION_EOF, error
                return found
            headers = tuple(
                (str(name), value.encode() if isinstance(value, str) else value)
                for name, value in cast(Any, message.headers() or [])
            )
            offset, (_, timestamp) = message.offset(), message.timestamp()
            assert offset is not None
            found.append(Read(offset, timestamp, message.key(), message.value(), headers))
    finally:
        consumer.close()
