"""aiokafka: its coroutines run on a loop of their own thread, behind the scenarios' driver."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future
from typing import Any

import aiokafka
import aiokafka.errors
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.structs import OffsetAndMetadata, TopicPartition

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
SET = 0
CODES = {10: "MESSAGE_TOO_LARGE", 36: "TOPIC_ALREADY_EXISTS"}


class Loop:
    """One event loop in a thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()

    def call(self, function: Callable[[Any], None], argument: object) -> None:
        self._loop.call_soon_threadsafe(function, argument)

    def start(self, work: Coroutine[Any, Any, Any]) -> Future[Any]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def run(self, work: Coroutine[Any, Any, Any], seconds: float = SECONDS_MAX) -> Any:
        return self.start(work).result(seconds)


async def _made(kind: Any, *arguments: Any, **settings: Any) -> Any:
    """Made and started on the loop, as aiokafka wants it."""
    client = kind(*arguments, **settings)
    await client.start()
    return client


def _refusal(error: BaseException) -> BaseException:
    code = CODES.get(getattr(error, "errno", -1))
    return Refused(code) if code else error


class AioProducer:
    def __init__(self, loop: Loop, bootstrap: str, options: ProducerOptions) -> None:
        self._loop = loop
        settings: dict[str, Any] = {
            "bootstrap_servers": bootstrap,
            "acks": "all",
            "compression_type": None if options.compression == "none" else options.compression,
            "enable_idempotence": options.idempotent or options.transactional_id is not None,
        }
        if options.transactional_id:
            settings["transactional_id"] = options.transactional_id
        if options.request_bytes_max:
            settings["max_request_size"] = options.request_bytes_max
        self._producer = loop.run(_made(aiokafka.AIOKafkaProducer, **settings))
        self._outbox: asyncio.Queue[Callable[[], Coroutine[Any, Any, None]]] = asyncio.Queue()
        loop.start(self._send_all())

    async def _send_all(self) -> None:
        """One after the other: `send` may wait, and the order is to be kept."""
        while True:
            send = await self._outbox.get()
            await send()
            self._outbox.task_done()

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

        def told(future: Any) -> None:
            if (error := future.exception()) is not None:
                place.set_exception(_refusal(error))
            else:
                place.set_result((future.result().partition, future.result().offset))

        async def send() -> None:
            try:
                future = await self._producer.send(
                    topic,
                    value,
                    key=key,
                    partition=partition,
                    headers=list(headers),
                    timestamp_ms=timestamp_ms,
                )
            except aiokafka.errors.KafkaError as error:
                place.set_exception(_refusal(error))
            else:
                future.add_done_callback(told)

        self._loop.call(self._outbox.put_nowait, send)
        return place

    def serve(self, seconds: float) -> None:
        time.sleep(seconds)

    def flush(self) -> None:
        self._loop.run(self._outbox.join())
        self._loop.run(self._producer.flush())

    def init_transactions(self) -> None:
        """`start` has done it."""

    def begin(self) -> None:
        self._loop.run(self._producer.begin_transaction())

    def send_offsets(self, consumer: Consumer, ends: Mapping[int, int]) -> None:
        assert isinstance(consumer, AioConsumer)
        offsets = {
            TopicPartition(consumer.topic, index): OffsetAndMetadata(end, "")
            for index, end in ends.items()
        }
        self._loop.run(self._producer.send_offsets_to_transaction(offsets, consumer.group))

    def commit(self) -> None:
        self._loop.run(self._producer.commit_transaction())

    def abort(self) -> None:
        self._loop.run(self._producer.abort_transaction())

    def close(self) -> None:
        self._loop.run(self._producer.stop())


class AioConsumer(aiokafka.ConsumerRebalanceListener):  # type: ignore[misc]
    def __init__(self, loop: Loop, bootstrap: str, topic: str, options: ConsumerOptions) -> None:
        self.topic = topic
        self.group = options.group
        self._loop = loop
        self._inner: Any = loop.run(
            _made(
                aiokafka.AIOKafkaConsumer,
                bootstrap_servers=bootstrap,
                group_id=options.group,
                auto_offset_reset="earliest",
                enable_auto_commit=False,
                isolation_level="read_committed" if options.read_committed else "read_uncommitted",
            )
        )
        loop.run(self._begin(options))

    async def _begin(self, options: ConsumerOptions) -> None:
        if options.group is None:
            # It knows only topics that it was told of.
            await self._inner._client.set_topics([self.topic])
            found = self._inner.partitions_for_topic(self.topic)
            self._inner.assign([TopicPartition(self.topic, index) for index in sorted(found)])
        else:
            listener = self if options.commits_on_revoke else None
            self._inner.subscribe([self.topic], listener=listener)

    async def on_partitions_revoked(self, revoked: list[Any]) -> None:
        if revoked:
            await self._inner.commit()

    async def on_partitions_assigned(self, assigned: list[Any]) -> None:
        pass

    def poll(self, seconds: float) -> list[Record]:
        batches = self._loop.run(
            self._inner.getmany(timeout_ms=round(seconds * 1_000), max_records=500)
        )
        return [
            Record(r.partition, r.offset, r.key, r.value, tuple(r.headers), r.timestamp)
            for records in batches.values()
            for r in records
        ]

    def assignment(self) -> set[int]:
        return {partition.partition for partition in self._inner.assignment()}

    def seek(self, partition: int, offset: int) -> None:
        async def seek() -> None:
            self._inner.seek(TopicPartition(self.topic, partition), offset)

        self._loop.run(seek())

    def pause(self, partition: int) -> None:
        async def pause() -> None:
            self._inner.pause(TopicPartition(self.topic, partition))

        self._loop.run(pause())

    def resume(self, partition: int) -> None:
        async def resume() -> None:
            self._inner.resume(TopicPartition(self.topic, partition))

        self._loop.run(resume())

    def offsets_for_times(self, times_ms: Mapping[int, int]) -> dict[int, int | None]:
        asked = {TopicPartition(self.topic, index): at for index, at in times_ms.items()}
        found = self._loop.run(self._inner.offsets_for_times(asked))
        return {place.partition: at.offset if at else None for place, at in found.items()}

    def commit(self) -> None:
        self._loop.run(self._inner.commit())

    def committed(self, partition: int) -> int | None:
        offset = self._loop.run(self._inner.committed(TopicPartition(self.topic, partition)))
        assert offset is None or isinstance(offset, int)
        return offset

    def close(self) -> None:
        self._loop.run(self._inner.stop())


class AioAdmin:
    def __init__(self, loop: Loop, bootstrap: str) -> None:
        self._loop = loop
        self._admin: Any = loop.run(_made(AIOKafkaAdminClient, bootstrap_servers=bootstrap))

    def create(self, topic: str, partitions: int, configs: Mapping[str, str]) -> None:
        new = NewTopic(topic, partitions, 3, topic_configs=dict(configs))
        _check(self._loop.run(self._admin.create_topics([new])).topic_errors)

    def describe(self, topic: str) -> list[tuple[int, int]]:
        (told,) = self._loop.run(self._admin.describe_topics([topic]))
        parts = sorted(told["partitions"], key=lambda part: int(part["partition"]))
        return [(part["leader"], len(part["replicas"])) for part in parts]

    def config(self, topic: str, name: str) -> str | None:
        resource = ConfigResource(ConfigResourceType.TOPIC, topic)
        (answer,) = self._loop.run(self._admin.describe_configs([resource]))
        (told,) = answer.resources
        for entry in told[4]:
            if entry[0] == name:
                return None if entry[1] is None else str(entry[1])
        return None

    def alter_config(self, topic: str, name: str, value: str) -> None:
        resource = ConfigResource(ConfigResourceType.TOPIC, topic, configs={name: value})
        (answer,) = self._loop.run(self._admin.alter_configs([resource]))
        for code, message, *_ in answer.resources:
            if code:
                raise Refused(f"{code}: {message}")

    def add_partitions(self, topic: str, total: int) -> None:
        answer = self._loop.run(self._admin.create_partitions({topic: NewPartitions(total)}))
        _check(answer.topic_errors)

    def topics(self) -> set[str]:
        return set(self._loop.run(self._admin.list_topics()))

    def delete(self, topic: str) -> None:
        _check(self._loop.run(self._admin.delete_topics([topic])).topic_error_codes)


def _check(errors: list[tuple[Any, ...]]) -> None:
    """(topic, code, …) of each topic."""
    for _, code, *_ in errors:
        if code:
            raise Refused(CODES.get(code, str(code)))


class AioDriver:
    has_null_headers = True

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._loop = Loop()

    def admin(self) -> AioAdmin:
        return AioAdmin(self._loop, self._bootstrap)

    def producer(self, options: ProducerOptions) -> AioProducer:
        return AioProducer(self._loop, self._bootstrap, options)

    def consumer(self, topic: str, options: ConsumerOptions) -> AioConsumer:
        return AioConsumer(self._loop, self._bootstrap, topic, options)


if __name__ == "__main__":
    sys.exit(main(AioDriver))
