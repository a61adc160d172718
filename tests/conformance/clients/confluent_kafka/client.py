"""confluent-kafka: librdkafka's callbacks as futures, its errors as Kafka's names."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any

import confluent_kafka as ck
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import AlterConfigOpType, ConfigEntry, ConfigResource
from confluent_kafka.admin._resource import ResourceType
from confluent_kafka.cimpl import NewPartitions, NewTopic

from tests.conformance.clients.shared.python.contract import expect
from tests.conformance.clients.shared.python.driver import (
    Consumer,
    ConsumerOptions,
    Headers,
    Place,
    ProducerOptions,
    Record,
    Refused,
)
from tests.conformance.clients.shared.python.program import main

SECONDS_MAX = 60.0
CODES = {
    ck.KafkaError.MSG_SIZE_TOO_LARGE: "MESSAGE_TOO_LARGE",
    ck.KafkaError.TOPIC_ALREADY_EXISTS: "TOPIC_ALREADY_EXISTS",
}


def refusal(error: ck.KafkaError) -> Exception:
    return Refused(CODES[error.code()]) if error.code() in CODES else ck.KafkaException(error)


class ConfluentProducer:
    def __init__(self, bootstrap: str, options: ProducerOptions) -> None:
        settings: dict[str, Any] = {
            "bootstrap.servers": bootstrap,
            "acks": "all",
            "compression.type": options.compression,
            "enable.idempotence": options.idempotent,
        }
        if options.transactional_id:
            settings |= {"transactional.id": options.transactional_id, "enable.idempotence": True}
        if options.request_bytes_max:
            settings["message.max.bytes"] = options.request_bytes_max
        if options.round_robin:
            settings["sticky.partitioning.linger.ms"] = 0  # its way: a partition for each message
        self._producer = ck.Producer(settings)

    def send(
        self,
        topic: str,
        value: bytes | None,
        *,
        key: bytes | None = None,
        partition: int | None = None,
        headers: Headers = (),
        timestamp_ms: int | None = None,
    ) -> Future[Place]:
        place: Future[Place] = Future()

        def delivered(error: ck.KafkaError | None, message: ck.Message) -> None:
            if error is not None:
                place.set_exception(refusal(error))
                return
            at, offset = message.partition(), message.offset()
            assert at is not None
            assert offset is not None
            place.set_result((at, offset))

        more: dict[str, Any] = {}
        if partition is not None:
            more["partition"] = partition
        if timestamp_ms is not None:
            more["timestamp"] = timestamp_ms
        if headers:
            more["headers"] = list(headers)
        self._producer.produce(topic, value, key, on_delivery=delivered, **more)
        return place

    def serve(self, seconds: float) -> None:
        self._producer.poll(seconds)

    def flush(self) -> None:
        left = self._producer.flush(SECONDS_MAX)
        expect(left == 0, f"{left} messages are not sent after {SECONDS_MAX:.0f} s")

    def init_transactions(self) -> None:
        self._producer.init_transactions(SECONDS_MAX)

    def begin(self) -> None:
        self._producer.begin_transaction()

    def send_offsets(self, consumer: Consumer, ends: Mapping[int, int]) -> None:
        assert isinstance(consumer, ConfluentConsumer)
        self._producer.send_offsets_to_transaction(
            [ck.TopicPartition(consumer.topic, index, end) for index, end in ends.items()],
            consumer.inner.consumer_group_metadata(),
            SECONDS_MAX,
        )

    def commit(self) -> None:
        self._producer.commit_transaction(SECONDS_MAX)

    def abort(self) -> None:
        self._producer.abort_transaction(SECONDS_MAX)

    def close(self) -> None:
        self.flush()


def _headers(message: ck.Message) -> tuple[tuple[str, bytes | None], ...]:
    found: Any = message.headers()
    return tuple(found or ())


class ConfluentConsumer:
    def __init__(self, bootstrap: str, topic: str, options: ConsumerOptions) -> None:
        self.topic = topic
        settings: dict[str, Any] = {
            "bootstrap.servers": bootstrap,
            "group.id": options.group or "none",  # librdkafka wants one; it is not used
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "isolation.level": "read_committed" if options.read_committed else "read_uncommitted",
            "group.protocol": options.protocol,
        }
        if options.group is None:
            settings["group.protocol"] = "classic"
        self.inner = ck.Consumer(settings)
        self._ends: dict[int, int] = {}
        if options.group is None:
            partitions = self.inner.list_topics(topic, SECONDS_MAX).topics[topic].partitions
            self.inner.assign(
                [ck.TopicPartition(topic, index, ck.OFFSET_BEGINNING) for index in partitions]
            )
        elif options.commits_on_revoke:
            self.inner.subscribe([topic], on_revoke=self._revoked)
        else:
            self.inner.subscribe([topic])

    def _revoked(self, _: ck.Consumer, partitions: list[ck.TopicPartition]) -> None:
        going = {partition.partition for partition in partitions}
        self._commit({index: end for index, end in self._ends.items() if index in going})
        for index in going:
            self._ends.pop(index, None)

    def poll(self, seconds: float) -> list[Record]:
        found: list[Record] = []
        for message in self.inner.consume(500, seconds):
            if (error := message.error()) is not None:
                if error.retriable() or error.code() == ck.KafkaError._ALL_BROKERS_DOWN:
                    continue
                raise ck.KafkaException(error)
            index, offset = message.partition(), message.offset()
            assert index is not None
            assert offset is not None
            self._ends[index] = offset + 1
            found.append(
                Record(
                    index,
                    offset,
                    message.key(),
                    message.value(),
                    _headers(message),
                    message.timestamp()[1],
                )
            )
        return found

    def assignment(self) -> set[int]:
        return {partition.partition for partition in self.inner.assignment()}

    def seek(self, partition: int, offset: int) -> None:
        # librdkafka starts fetching an assigned partition in a thread of its own.
        self.inner.seek(ck.TopicPartition(self.topic, partition, offset))

    def pause(self, partition: int) -> None:
        self.inner.pause([ck.TopicPartition(self.topic, partition)])

    def resume(self, partition: int) -> None:
        self.inner.resume([ck.TopicPartition(self.topic, partition)])

    def offsets_for_times(self, times_ms: Mapping[int, int]) -> dict[int, int | None]:
        asked = [ck.TopicPartition(self.topic, index, at) for index, at in times_ms.items()]
        found = self.inner.offsets_for_times(asked, SECONDS_MAX)
        return {
            place.partition: place.offset if place.offset >= 0 else None  # OFFSET_END is below 0
            for place in found
        }

    def commit(self) -> None:
        self._commit(self._ends)

    def _commit(self, ends: Mapping[int, int]) -> None:
        if not ends:
            return
        offsets = [ck.TopicPartition(self.topic, index, end) for index, end in ends.items()]
        for place in self.inner.commit(offsets=offsets, asynchronous=False) or ():
            if place.error is not None:
                raise ck.KafkaException(place.error)

    def committed(self, partition: int) -> int | None:
        asked = [ck.TopicPartition(self.topic, partition)]
        (place,) = self.inner.committed(asked, SECONDS_MAX)
        return place.offset if place.offset >= 0 else None

    def close(self) -> None:
        self.inner.close()


class ConfluentAdmin:
    def __init__(self, bootstrap: str) -> None:
        self._admin = AdminClient({"bootstrap.servers": bootstrap})

    def create(self, topic: str, partitions: int, configs: Mapping[str, str]) -> None:
        new = NewTopic(topic, partitions, 3, config=dict(configs))
        _done(self._admin.create_topics([new])[topic])

    def describe(self, topic: str) -> list[tuple[int, int]]:
        found = self._admin.list_topics(topic, SECONDS_MAX).topics[topic].partitions
        return [(found[index].leader, len(found[index].replicas)) for index in sorted(found)]

    def config(self, topic: str, name: str) -> str | None:
        resource = ConfigResource(ResourceType.TOPIC, topic)
        entries = _done(self._admin.describe_configs([resource])[resource])
        value = entries[name].value
        assert value is None or isinstance(value, str)
        return value

    def alter_config(self, topic: str, name: str, value: str) -> None:
        entry = ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
        resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
        _done(self._admin.incremental_alter_configs([resource])[resource])

    def add_partitions(self, topic: str, total: int) -> None:
        _done(self._admin.create_partitions([NewPartitions(topic, total)])[topic])

    def topics(self) -> set[str]:
        return set(self._admin.list_topics(timeout=SECONDS_MAX).topics)

    def delete(self, topic: str) -> None:
        _done(self._admin.delete_topics([topic])[topic])


def _done(future: Any) -> Any:
    try:
        return future.result(SECONDS_MAX)
    except ck.KafkaException as error:
        raise refusal(error.args[0]) from error


class ConfluentDriver:
    has_null_headers = True

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap

    def admin(self) -> ConfluentAdmin:
        return ConfluentAdmin(self._bootstrap)

    def producer(self, options: ProducerOptions) -> ConfluentProducer:
        return ConfluentProducer(self._bootstrap, options)

    def consumer(self, topic: str, options: ConsumerOptions) -> ConfluentConsumer:
        return ConfluentConsumer(self._bootstrap, topic, options)


if __name__ == "__main__":
    sys.exit(main(ConfluentDriver))
