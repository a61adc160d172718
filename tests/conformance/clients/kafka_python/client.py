"""kafka-python: its threads behind the scenarios' driver."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any

import kafka
import kafka.errors
from kafka.admin import (
    ConfigResource,
    ConfigResourceType,
    KafkaAdminClient,
    NewPartitions,
    NewTopic,
)
from kafka.structs import OffsetAndMetadata, TopicPartition

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


def refusal(error: Exception) -> Exception:
    match error:
        case kafka.errors.MessageSizeTooLargeError():
            return Refused("MESSAGE_TOO_LARGE")
        case kafka.errors.TopicAlreadyExistsError():
            return Refused("TOPIC_ALREADY_EXISTS")
        case _:
            return error


class PythonProducer:
    def __init__(self, bootstrap: str, options: ProducerOptions) -> None:
        settings: dict[str, Any] = {
            "bootstrap_servers": bootstrap.split(","),
            "acks": "all",
            "compression_type": None if options.compression == "none" else options.compression,
            "enable_idempotence": options.idempotent or options.transactional_id is not None,
        }
        if options.transactional_id:
            settings["transactional_id"] = options.transactional_id
        if options.request_bytes_max:
            settings["max_request_size"] = options.request_bytes_max
        self._producer = kafka.KafkaProducer(**settings)

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
        told = self._producer.send(
            topic,
            value=value,
            key=key,
            headers=list(headers),
            partition=partition,
            timestamp_ms=timestamp_ms,
        )
        told.add_callback(lambda metadata: place.set_result((metadata.partition, metadata.offset)))
        told.add_errback(lambda error: place.set_exception(refusal(error)))
        return place

    def serve(self, seconds: float) -> None:
        time.sleep(seconds)

    def flush(self) -> None:
        self._producer.flush(SECONDS_MAX)

    def init_transactions(self) -> None:
        self._producer.init_transactions()

    def begin(self) -> None:
        self._producer.begin_transaction()

    def send_offsets(self, consumer: Consumer, ends: Mapping[int, int]) -> None:
        assert isinstance(consumer, PythonConsumer)
        self._producer.send_offsets_to_transaction(
            consumer.offsets(ends), consumer.inner.group_metadata()
        )

    def commit(self) -> None:
        self._producer.commit_transaction()

    def abort(self) -> None:
        self._producer.abort_transaction()

    def close(self) -> None:
        self._producer.close()


class PythonConsumer(kafka.AsyncConsumerRebalanceListener):  # type: ignore[misc]
    def __init__(self, bootstrap: str, topic: str, options: ConsumerOptions) -> None:
        self.topic = topic
        self.inner = kafka.KafkaConsumer(
            bootstrap_servers=bootstrap.split(","),
            group_id=options.group,
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            isolation_level="read_committed" if options.read_committed else "read_uncommitted",
        )
        if options.group is None:
            found = self.inner.partitions_for_topic(topic)
            self.inner.assign([TopicPartition(topic, index) for index in sorted(found)])
        elif options.commits_on_revoke:
            self.inner.subscribe([topic], listener=self)
        else:
            self.inner.subscribe([topic])

    async def on_partitions_revoked(self, revoked: set[Any]) -> None:
        if revoked:
            await self.inner.commit_async()  # the blocking one cannot be called here

    async def on_partitions_assigned(self, assigned: set[Any]) -> None:
        pass

    def offsets(self, ends: Mapping[int, int]) -> dict[Any, Any]:
        return {
            TopicPartition(self.topic, index): OffsetAndMetadata(end, "", -1)
            for index, end in ends.items()
        }

    def poll(self, seconds: float) -> list[Record]:
        batches = self.inner.poll(timeout_ms=round(seconds * 1_000))
        return [
            Record(r.partition, r.offset, r.key, r.value, tuple(r.headers), r.timestamp)
            for records in batches.values()
            for r in records
        ]

    def assignment(self) -> set[int]:
        return {partition.partition for partition in self.inner.assignment()}

    def seek(self, partition: int, offset: int) -> None:
        self.inner.seek(TopicPartition(self.topic, partition), offset)

    def pause(self, partition: int) -> None:
        self.inner.pause(TopicPartition(self.topic, partition))

    def resume(self, partition: int) -> None:
        self.inner.resume(TopicPartition(self.topic, partition))

    def offsets_for_times(self, times_ms: Mapping[int, int]) -> dict[int, int | None]:
        asked = {TopicPartition(self.topic, index): at for index, at in times_ms.items()}
        found = self.inner.offsets_for_times(asked)
        return {place.partition: at.offset if at else None for place, at in found.items()}

    def commit(self) -> None:
        self.inner.commit()

    def committed(self, partition: int) -> int | None:
        offset = self.inner.committed(TopicPartition(self.topic, partition))
        assert offset is None or isinstance(offset, int)
        return offset

    def close(self) -> None:
        self.inner.close()


class PythonAdmin:
    def __init__(self, bootstrap: str) -> None:
        self._admin = KafkaAdminClient(bootstrap_servers=bootstrap.split(","))

    def create(self, topic: str, partitions: int, configs: Mapping[str, str]) -> None:
        new = NewTopic(topic, partitions, 3, topic_configs=dict(configs))
        try:
            self._admin.create_topics([new])
        except kafka.errors.KafkaError as error:
            raise refusal(error) from error

    def describe(self, topic: str) -> list[tuple[int, int]]:
        (told,) = self._admin.describe_topics([topic])
        return [(part["leader_id"], len(part["replica_nodes"])) for part in told["partitions"]]

    def config(self, topic: str, name: str) -> str | None:
        resource = ConfigResource(ConfigResourceType.TOPIC, topic)
        told = self._admin.describe_configs([resource], config_filter="all")
        value = told["topic"][topic][name]["value"]
        return None if value is None else str(value)

    def alter_config(self, topic: str, name: str, value: str) -> None:
        resource = ConfigResource(ConfigResourceType.TOPIC, topic, configs={name: value})
        self._admin.alter_configs([resource])

    def add_partitions(self, topic: str, total: int) -> None:
        self._admin.create_partitions({topic: NewPartitions(total)})

    def topics(self) -> set[str]:
        return set(self._admin.list_topics())

    def delete(self, topic: str) -> None:
        self._admin.delete_topics([topic])


class PythonDriver:
    has_null_headers = False

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap

    def admin(self) -> PythonAdmin:
        return PythonAdmin(self._bootstrap)

    def producer(self, options: ProducerOptions) -> PythonProducer:
        return PythonProducer(self._bootstrap, options)

    def consumer(self, topic: str, options: ConsumerOptions) -> PythonConsumer:
        return PythonConsumer(self._bootstrap, topic, options)


if __name__ == "__main__":
    sys.exit(main(PythonDriver))
