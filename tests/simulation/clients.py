"""Producers and consumers: simple ones, that try for ever and tell the ledger what they were told.

    idempotent     acks=all, up to three batches in flight, tried again until each is acknowledged
    plain          acks=all without a producer id: a batch tried again may be there twice
    loose          acks=1: promised nothing
    consumer       reads one partition from its start, fenced by the leader epoch (KIP-320)

All know the leaders from the answers of brokers, which may be old, and never take an older leader
epoch for a newer one.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any

from ottla.core.errors import ErrorCode
from ottla.core.identifiers import Uuid
from ottla.protocol.messages.fetch_request import FetchPartition, FetchRequest, FetchTopic
from ottla.protocol.messages.produce_request import (
    PartitionProduceData,
    ProduceRequest,
    TopicProduceData,
)
from ottla.record.build import build_batch
from tests.simulation.broker_node import Known, Topics
from tests.simulation.ledger import Ledger
from tests.simulation.loop import EPOCH_MS, Process
from tests.simulation.network import Network, Unreachable

CALL_S = 2.0
FETCH_WAIT_MS = 300
RECORDS_MS = EPOCH_MS - 24 * 3600 * 1000
"""Of all records; so old that a broker whose clock jumps back does not find them in its future."""


class Client:
    """Where the leaders are, and asking them."""

    def __init__(
        self, process: Process, network: Network, brokers: list[str], chance: random.Random
    ) -> None:
        self.process = process
        self.network = network
        self.brokers = brokers
        self.chance = chance
        self.ids: dict[str, Uuid] = {}
        self.known: dict[tuple[Uuid, int], Known] = {}

    async def call(self, host: str, kind: str, request: Any, timeout_s: float) -> Any:
        """None when there was no answer, or the broker serves nobody."""
        try:
            return await self.network.call(host, kind, request, timeout_s)
        except (TimeoutError, Unreachable):
            return None

    async def refresh(self) -> None:
        topics = await self.call(self.chance.choice(self.brokers), "metadata", None, CALL_S)
        if not isinstance(topics, Topics):
            return
        self.ids.update(topics.ids)
        for key, told in topics.partitions.items():
            known = self.known.get(key)
            if known is None or told.leader_epoch >= known.leader_epoch:
                self.known[key] = told

    async def leader(self, topic_id: Uuid, index: int, ledger: Ledger) -> str | None:
        """Its host, once one is known; None when the topic is gone."""
        while ledger.of(topic_id, index) is not None:
            known = self.known.get((topic_id, index))
            if known is not None and known.leader_id is not None:
                return f"b{known.leader_id}"
            await self.pause()
            await self.refresh()
        return None

    async def pause(self) -> None:
        await asyncio.sleep(0.02 + self.chance.random() * 0.08)


class Producer:
    """One producer of one partition. `acks` -1 or 1; `producer_id` -1: not idempotent."""

    def __init__(
        self,
        client: Client,
        ledger: Ledger,
        topic: str,
        topic_id: Uuid,
        index: int,
        *,
        name: str,
        acks: int,
        producer_id: int,
        in_flight: int,
        pause_s: float,
        timeout_s: float,
        patience_s: float,
        running: Callable[[], bool],
    ) -> None:
        self.client = client
        self.ledger = ledger
        self.topic = topic
        self.topic_id = topic_id
        self.index = index
        self.name = name
        self.acks = acks
        self.producer_id = producer_id
        self.in_flight = in_flight
        self.pause_s = pause_s
        self.timeout_s = timeout_s
        """The broker answers by then."""
        self.patience_s = patience_s
        """After so long without an answer the batch is sent again."""
        self.running = running
        self.sequence = 0
        self.number = 0
        self.done = False
        self.retries = 0

    async def run(self) -> None:
        """Send until told to stop, then end once everything is acknowledged."""
        chance = self.client.chance
        width = 1
        while self.running() and self.ledger.of(self.topic_id, self.index) is not None:
            batches = [self._next() for _ in range(chance.randint(1, width))]
            await self._deliver(batches)
            # The first batch goes alone: a broker that knows nothing of a producer takes any.
            width = self.in_flight
            await asyncio.sleep(chance.random() * 2 * self.pause_s)
        self.done = True

    def _next(self) -> bytearray:
        chance = self.client.chance
        count = chance.randint(1, 3)
        records = []
        for _ in range(count):
            self.number += 1
            value = f"{self.name} {self.number}".encode().ljust(chance.randint(16, 200), b".")
            records.append((None, value, (), RECORDS_MS))
        batch = build_batch(
            records,
            producer_id=self.producer_id,
            producer_epoch=0 if self.producer_id >= 0 else -1,
            base_sequence=self.sequence if self.producer_id >= 0 else -1,
        )
        self.sequence += count
        return batch

    async def _deliver(self, batches: list[bytearray]) -> None:
        waiting = batches
        while waiting and self.ledger.of(self.topic_id, self.index) is not None:
            host = await self.client.leader(self.topic_id, self.index, self.ledger)
            if host is None:
                return
            answers = []
            for batch in waiting:
                answers.append(asyncio.ensure_future(self._send(host, batch)))
                await asyncio.sleep(0)
            done = [await answer for answer in answers]
            # In order: what follows a failed batch was refused, or will be a duplicate.
            first = next((i for i, ok in enumerate(done) if not ok), len(done))
            if self.producer_id >= 0:
                waiting = waiting[first:]
            else:
                waiting = [batch for batch, ok in zip(waiting, done, strict=True) if not ok]
            if waiting:
                self.retries += 1
                await self.client.pause()
                await self.client.refresh()

    async def _send(self, host: str, batch: bytearray) -> bool:
        request = ProduceRequest(
            acks=self.acks,
            timeout_ms=int(self.timeout_s * 1000),
            topic_data=[
                TopicProduceData(
                    topic_id=self.topic_id,
                    partition_data=[PartitionProduceData(self.index, memoryview(bytearray(batch)))],
                )
            ],
        )
        response = await self.client.call(host, "produce", request, self.patience_s)
        if response is None:
            return False
        result = response.responses[0].partition_responses[0]
        if result.error_code:
            return False
        if self.acks == -1:
            crc = int.from_bytes(batch[17:21], "big")
            count = int.from_bytes(batch[57:61], "big")
            self.ledger.acknowledge(self.topic_id, self.index, result.base_offset, crc, count)
        return True


class Consumer:
    """Reads one partition from its start, as far as the leader says that it is committed."""

    def __init__(
        self,
        client: Client,
        ledger: Ledger,
        topic_id: Uuid,
        index: int,
        running: Callable[[], bool],
    ) -> None:
        self.client = client
        self.ledger = ledger
        self.topic_id = topic_id
        self.index = index
        self.running = running
        self.position = 0
        self.records = 0

    async def run(self) -> None:
        while self.running() and self.ledger.of(self.topic_id, self.index) is not None:
            host = await self.client.leader(self.topic_id, self.index, self.ledger)
            if host is not None and not await self._fetch(host):
                await self.client.pause()
                await self.client.refresh()

    async def _fetch(self, host: str) -> bool:
        known = self.client.known[self.topic_id, self.index]
        request = FetchRequest(
            max_wait_ms=FETCH_WAIT_MS,
            min_bytes=1,
            topics=[
                FetchTopic(
                    topic_id=self.topic_id,
                    partitions=[
                        FetchPartition(
                            partition=self.index,
                            current_leader_epoch=known.leader_epoch,
                            fetch_offset=self.position,
                            partition_max_bytes=1 << 16,
                        )
                    ],
                )
            ],
        )
        response = await self.client.call(host, "fetch", request, FETCH_WAIT_MS / 1000 + CALL_S)
        if response is None or not response.responses:
            return False
        data = response.responses[0].partitions[0]
        truth = self.ledger.of(self.topic_id, self.index)
        if truth is None:
            return False
        if data.error_code:
            if data.error_code == ErrorCode.OFFSET_OUT_OF_RANGE:
                self.ledger.fail(
                    f"{truth.name}: a consumer that has read to {self.position} is out of range on "
                    f"{host}, in leader epoch {known.leader_epoch}"
                )
            return False
        if data.high_watermark > truth.committed_end:
            self.ledger.fail(
                f"{truth.name}: {host} tells a consumer of the high watermark "
                f"{data.high_watermark}; committed is {truth.committed_end}"
            )
        before = self.position
        self.position = self.ledger.consumed(self.topic_id, self.index, self.position, data.records)
        self.records += self.position - before
        return True
