from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Coroutine

from controller.generated import control_pb2 as pb
from controller.generated import metadata_pb2
from controller.service import ControllerService
from controller.settings import ControllerSettings
from controller.state_machine import Crossing, MetadataStateMachine
from ottla.core.clock import ManualClock
from ottla.core.errors import ErrorCode
from tests.support.memory_metadata_log import MemoryQuorum, MemoryVoter

CLUSTER = "a" * 22


class Context:
    """A stream of the broker: what it sends is put in `up`, what it gets is in `down`."""

    def __init__(self) -> None:
        self.up: asyncio.Queue[pb.SessionRequest | None] = asyncio.Queue()
        self.down: asyncio.Queue[pb.SessionResponse] = asyncio.Queue()

    async def read(self) -> pb.SessionRequest | None:
        return await self.up.get()

    async def write(self, message: pb.SessionResponse) -> None:
        self.down.put_nowait(message)


class Harness:
    def __init__(self) -> None:
        self.quorum = MemoryQuorum()
        self.dialed = 0
        crossing = Crossing(asyncio.get_running_loop())
        log = MemoryVoter(self.quorum, 1, MetadataStateMachine(crossing))
        settings = ControllerSettings(
            1, CLUSTER, num_partitions=3, brokers_wait_ms=100, lease_ms=60_000
        )
        self.service = ControllerService(
            log, crossing, settings, ManualClock(), rng=random.Random(1), dial=self.dial
        )
        self.sessions: list[asyncio.Task[None]] = []

    async def dial(self, host: str, port: int) -> bool:
        self.dialed += 1
        return False

    async def execute(self, *, wait: bool = False, **kind: object) -> pb.ExecuteResponse:
        return await self.service.Execute(
            pb.ExecuteRequest(
                cluster_id=CLUSTER,
                command=metadata_pb2.Command(**kind),  # type: ignore[arg-type]
                timeout_ms=1_000,
                wait_for_brokers=wait,
            ),
            None,
        )

    async def register(self, broker_id: int) -> int:
        answer = await self.execute(
            register_broker=metadata_pb2.RegisterBroker(
                broker_id=broker_id,
                incarnation_id=bytes([broker_id] * 16),
                cluster_id=CLUSTER,
                directories=[metadata_pb2.DirectoryReport(directory_id=bytes([broker_id] * 16))],
            )
        )
        assert answer.error_code == 0
        return answer.result.broker_epoch

    def open(self) -> Context:
        context = Context()
        self.sessions.append(
            asyncio.ensure_future(self.service.Session(None, context))  # type: ignore[arg-type]
        )
        return context

    def hello(self, broker_id: int, epoch: int, **fields: object) -> pb.SessionRequest:
        return pb.SessionRequest(
            cluster_id=CLUSTER,
            broker_id=broker_id,
            broker_epoch=epoch,
            **fields,  # type: ignore[arg-type]
        )

    async def live_broker(self, broker_id: int) -> Context:
        """Unfenced, with everything applied up to there."""
        epoch = await self.register(broker_id)
        context = self.open()
        context.up.put_nowait(self.hello(broker_id, epoch))
        snapshot = await context.down.get()
        image = self.service.image
        context.up.put_nowait(
            self.hello(broker_id, epoch, ready=True, applied_offset=snapshot.offset)
        )
        while image.state.brokers[broker_id].fenced:
            await image.changed.wait()
        return context


@contextlib.asynccontextmanager
async def running_service() -> AsyncIterator[Harness]:
    harness = Harness()
    running = asyncio.ensure_future(harness.service.run())
    try:
        async with asyncio.timeout(5):
            await asyncio.sleep(0)
            harness.quorum.elect(1)
            while harness.service.office.controller_epoch is None:
                await harness.service.office.changed.wait()
            yield harness
    finally:
        for task in (running, *harness.sessions):
            task.cancel()
        await asyncio.gather(running, *harness.sessions, return_exceptions=True)


def run(test: Coroutine[object, object, None]) -> None:
    asyncio.run(test)


def new_topic(name: str) -> metadata_pb2.CreateTopics:
    return metadata_pb2.CreateTopics(
        topics=[metadata_pb2.NewTopic(name=name, partition_count=-1, replication_factor=-1)]
    )


def test_defaults_ids_and_seeds_are_put_into_the_command() -> None:
    async def test() -> None:
        async with running_service() as harness:
            await harness.live_broker(5)
            answer = await harness.execute(create_topics=new_topic("t"))
            (topic,) = answer.result.topics
            assert (topic.error_code, topic.partition_count, topic.replication_factor) == (0, 3, 1)
            assert len(topic.topic_id) == 16
            command = metadata_pb2.Command.FromString(harness.quorum.commands[-1][2])
            assert command.create_topics.placement_seed
            assert command.controller_epoch == 1
            answer = await harness.execute(
                create_partitions=metadata_pb2.CreatePartitions(
                    topics=[metadata_pb2.NewPartitions(name="t", count=4)]
                )
            )
            assert answer.result.topics[0].error_code == 0
            command = metadata_pb2.Command.FromString(harness.quorum.commands[-1][2])
            assert command.create_partitions.placement_seed

    run(test())


def test_an_answer_waits_for_the_brokers_that_live() -> None:
    async def test() -> None:
        async with running_service() as harness:
            context = await harness.live_broker(5)
            fenced = harness.open()
            fenced.up.put_nowait(harness.hello(6, await harness.register(6)))
            asked = asyncio.ensure_future(harness.execute(wait=True, create_topics=new_topic("t")))
            while True:
                change = await context.down.get()
                if any(record.HasField("topic") for record in change.records):
                    break
            await asyncio.sleep(0.01)
            assert not asked.done()
            epoch = harness.service.image.state.brokers[5].broker_epoch
            context.up.put_nowait(harness.hello(5, epoch, applied_offset=change.offset))
            answer = await asked
            assert answer.offset == change.offset
            # A broker that does not answer holds nobody up for long.
            late = await harness.execute(wait=True, create_topics=new_topic("u"))
            assert late.error_code == 0
            assert late.offset > answer.offset

    run(test())


def test_what_became_of_a_lost_proposal_is_not_known() -> None:
    async def test() -> None:
        async with running_service() as harness:
            harness.quorum.lose_answers = 1
            answer = await harness.execute(create_topics=new_topic("t"))
            assert answer.error_code == ErrorCode.REQUEST_TIMED_OUT
            assert answer.outcome_unknown

    run(test())


def test_only_the_active_controller_serves() -> None:
    async def test() -> None:
        async with running_service() as harness:
            located = await harness.service.Locate(pb.LocateRequest(), None)
            assert (located.active, located.controller_epoch, located.leader_id) == (True, 1, 1)
            epoch = await harness.register(5)
            harness.quorum.elect(2)
            located = await harness.service.Locate(pb.LocateRequest(), None)
            assert (located.active, located.leader_id) == (False, 2)
            answer = await harness.execute(create_topics=new_topic("t"))
            assert (answer.error_code, answer.leader_id) == (ErrorCode.NOT_CONTROLLER, 2)
            context = harness.open()
            context.up.put_nowait(harness.hello(5, epoch))
            refusal = await context.down.get()
            assert (refusal.error_code, refusal.leader_id) == (ErrorCode.NOT_CONTROLLER, 2)

    run(test())


def test_a_controller_that_was_overtaken_does_not_serve_who_knows_it() -> None:
    async def test() -> None:
        async with running_service() as harness:
            answer = await harness.execute(controller_epoch=2, create_topics=new_topic("t"))
            assert answer.error_code == ErrorCode.NOT_CONTROLLER
            context = harness.open()
            context.up.put_nowait(harness.hello(5, await harness.register(5), controller_epoch=2))
            refusal = await context.down.get()
            assert refusal.error_code == ErrorCode.NOT_CONTROLLER

    run(test())


def test_sessions_of_strangers_are_refused() -> None:
    async def test() -> None:
        async with running_service() as harness:
            epoch = await harness.register(5)
            for hello, code in (
                (harness.hello(5, epoch - 1), ErrorCode.STALE_BROKER_EPOCH),
                (harness.hello(6, epoch), ErrorCode.STALE_BROKER_EPOCH),
                (pb.SessionRequest(cluster_id="b"), ErrorCode.INCONSISTENT_CLUSTER_ID),
            ):
                context = harness.open()
                context.up.put_nowait(hello)
                refusal = await context.down.get()
                assert refusal.error_code == code
                assert refusal.message
            empty = harness.open()
            empty.up.put_nowait(None)
            await harness.sessions[-1]

    run(test())


def test_the_end_of_a_stream_has_the_broker_dialed() -> None:
    async def test() -> None:
        async with running_service() as harness:
            context = await harness.live_broker(5)
            context.up.put_nowait(None)
            await harness.sessions[0]
            await asyncio.sleep(0.01)
            assert harness.dialed == 1
            assert harness.service.sessions.get(5) is None
            again = await harness.live_broker(6)
            del again
            harness.sessions[1].cancel()
            await asyncio.gather(harness.sessions[1], return_exceptions=True)
            assert harness.service.sessions.get(6) is None

    run(test())
