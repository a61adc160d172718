"""Controllers and brokers over real gRPC on loopback, in one process, with a log without Raft."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass

import grpc.aio
import pytest

from broker.control.client import NewPartitions, NewTopic
from broker.control.config_admin import ConfigChange, ConfigOperation
from broker.control.requests import LogPosition, ReplicaState
from controller import sessions as sessions_module
from controller.generated import control_pb2 as pb
from controller.generated import control_pb2_grpc, metadata_pb2
from controller.state import PartitionMetadata
from ottla.core.errors import ConfigError, ErrorCode, ProtocolError
from ottla.core.identifiers import Uuid
from storage.directory import StopState
from tests.support.control_plane import CLUSTER, BrokerNode, control_plane, until, within


@dataclass(frozen=True)
class Proposal:
    topic_id: Uuid
    partition: int
    leader_epoch: int
    partition_epoch: int
    isr: tuple[tuple[int, int], ...]


def proposal(node: BrokerNode, partition: PartitionMetadata, *members: int) -> Proposal:
    brokers = node.cache.state.brokers
    return Proposal(
        partition.topic_id,
        partition.index,
        partition.leader_epoch,
        partition.partition_epoch,
        tuple((m, brokers[m].broker_epoch) for m in members),
    )


def partitions(node: BrokerNode, name: str = "t") -> tuple[PartitionMetadata, ...]:
    topic = node.cache.state.topic_named(name)
    assert topic is not None
    return topic.partitions


async def create(node: BrokerNode, name: str = "t", count: int = 6, factor: int = 3) -> None:
    results = await node.client.create_topics([NewTopic(name, count, factor)], timeout_ms=5_000)
    assert [result.code for result in results] == [ErrorCode.NONE]


def run(test: Coroutine[object, object, None]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(20):
            await test

    asyncio.run(bounded())


def test_a_change_is_answered_when_every_broker_knows_it() -> None:
    async def test() -> None:
        async with control_plane() as plane:
            nodes = await plane.start_brokers(3)
            for number in range(5):
                await create(nodes[number % 3], f"topic-{number}")
                for node in nodes:
                    assert len(partitions(node, f"topic-{number}")) == 6
            assert nodes[0].cache.state == plane.controllers[1].service.image.state
            result = (
                await nodes[0].client.create_topics(
                    [NewTopic("u", configs={"retention.bytes": "7"})],
                    validate_only=True,
                    timeout_ms=5_000,
                )
            )[0]
            assert (result.partition_count, result.replication_factor) == (1, 3)
            assert result.configs["retention.bytes"] == "7"
            assert result.configs["retention.ms"] == "5"
            assert result.configs["segment.bytes"] == str(1 << 30)
            assert nodes[0].cache.state.topic_named("u") is None

    run(test())


def test_a_dead_leader_is_replaced_within_300_ms() -> None:
    async def test() -> None:
        async with control_plane(lease_ms=60_000) as plane:
            nodes = await plane.start_brokers(3)
            await create(nodes[0])
            await nodes[0].kill()
            took = await until(
                lambda: all(
                    p.leader_id in (2, 3) and 1 not in p.isr
                    for node in nodes[1:]
                    for p in partitions(node)
                )
            )
            assert took < 0.3

    run(test())


def test_a_broker_that_was_silent_for_a_while_comes_back_by_itself() -> None:
    async def test() -> None:
        async with control_plane(lease_ms=300) as plane:
            paused = await plane.start_broker(1, heartbeat_ms=60_000, silence_ms=60_000)
            (other,) = [await plane.start_broker(2)]
            seen: list[tuple[int, bool]] = []
            paused.cache.subscribe(
                lambda delta: seen.append(
                    (
                        paused.cache.state.brokers[1].broker_epoch,
                        paused.cache.state.brokers[1].fenced,
                    )
                )
            )
            await within(5, other.client.unfenced.wait())
            await until(lambda: [fenced for _, fenced in seen].count(True) >= 2)
            await within(5, paused.client.unfenced.wait())
            assert len({epoch for epoch, _ in seen}) == 1

    run(test())


def test_a_silent_broker_is_fenced_when_its_lease_ends() -> None:
    async def test() -> None:
        async with control_plane(lease_ms=400) as plane:
            nodes = await plane.start_brokers(3)
            await create(nodes[1])
            await nodes[0].cut_off()
            took = await until(lambda: nodes[1].cache.state.brokers[1].fenced)
            assert 0.2 < took < 2
            assert all(p.leader_id != 1 for p in partitions(nodes[1]))

    run(test())


def test_a_new_controller_fences_who_refuses_and_keeps_the_others() -> None:
    async def test() -> None:
        async with control_plane(controllers=3, lease_ms=60_000) as plane:
            nodes = await plane.start_brokers(3)
            await create(nodes[0])
            await plane.controllers[1].kill()
            await nodes[0].kill()
            plane.quorum.elect(2)
            took = await until(lambda: nodes[1].cache.state.brokers[1].fenced)
            assert took < 1
            assert nodes[1].cache.state.controller_id == 2
            assert not nodes[1].cache.state.brokers[2].fenced
            assert not nodes[1].cache.state.brokers[3].fenced
            await create(nodes[2], "u", 1, 2)

    run(test())


def test_a_controller_that_lost_its_office_sends_brokers_to_the_new_one() -> None:
    async def test() -> None:
        async with control_plane(controllers=2) as plane:
            nodes = await plane.start_brokers(2)
            plane.quorum.elect(2)
            for node in nodes:
                await until(lambda node=node: node.cache.controller_epoch == 2)  # type: ignore[misc]
            await create(nodes[0], factor=2)
            async with grpc.aio.insecure_channel(plane.controllers[1].address) as channel:
                stub = control_pb2_grpc.ControlStub(channel)
                answer = await stub.Execute(pb.ExecuteRequest(cluster_id=CLUSTER))
                assert answer.error_code == ErrorCode.NOT_CONTROLLER
                assert answer.leader_id == 2
                located = await stub.Locate(pb.LocateRequest(cluster_id=CLUSTER))
                assert (located.node_id, located.active, located.leader_id) == (1, False, 2)
            assert not any(b.fenced for b in nodes[0].cache.state.brokers.values())

    run(test())


def test_a_second_process_with_the_same_id_ends_the_first() -> None:
    async def test() -> None:
        async with control_plane() as plane:
            nodes = await plane.start_brokers(2)
            await create(nodes[1], factor=2)
            before = partitions(nodes[1])
            twin = await BrokerNode(1, plane.addresses).start()
            try:
                assert nodes[0].running is not None
                with pytest.raises(ConfigError, match="another process has registered as broker 1"):
                    await within(5, nodes[0].running)
                await within(5, twin.client.unfenced.wait())
                assert twin.client.broker_epoch != nodes[0].client.broker_epoch
                for old, new in zip(before, partitions(twin), strict=True):
                    if old.leader_id == 1:
                        assert new.leader_epoch > old.leader_epoch
            finally:
                nodes[0].running = None
                await twin.close()

    run(test())


def test_a_broker_is_unfenced_only_when_it_is_ready() -> None:
    async def test() -> None:
        async with control_plane() as plane:
            ready = asyncio.Event()
            node = await plane.start_broker(1, ready=ready)
            await within(5, node.client.registered.wait())
            await until(lambda: 1 in node.cache.state.brokers)
            await asyncio.sleep(0.15)
            assert node.cache.state.brokers[1].fenced
            ready.set()
            await within(5, node.client.unfenced.wait())

    run(test())


def test_snapshots_and_changes_come_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions_module, "CHUNK_BYTES", 100)

    async def test() -> None:
        async with control_plane() as plane:
            nodes = await plane.start_brokers(2)
            for number in range(10):
                await create(nodes[0], f"topic-{number}", 5, 2)
            late = await plane.start_broker(3)
            await within(5, late.client.unfenced.wait())
            assert late.cache.state == plane.controllers[1].service.image.state

    run(test())


def test_lost_answers_are_no_failures() -> None:
    async def test() -> None:
        async with control_plane() as plane:
            (node,) = await plane.start_brokers(1)
            plane.quorum.lose_answers = 1
            await create(node, count=2, factor=1)
            plane.quorum.lose_before = 1
            await create(node, "u", count=2, factor=1)
            plane.quorum.lose_answers = 1
            (result,) = await node.client.create_partitions(
                [NewPartitions("t", 4)], timeout_ms=5_000
            )
            assert result.code == ErrorCode.NONE
            assert len(partitions(node)) == 4
            plane.quorum.lose_answers = 1
            (result,) = await node.client.delete_topics(["t"], 5_000)
            assert (result.name, result.code) == ("t", ErrorCode.NONE)
            assert node.cache.state.topic_named("t") is None
            plane.quorum.lose_answers = 1
            first, count = await node.client.allocate_producer_ids()
            assert (first, count) == (1_000, 1_000)

    run(test())


def test_refusals_name_code_and_reason() -> None:
    async def test() -> None:
        async with control_plane() as plane:
            (node,) = await plane.start_brokers(1)
            await create(node, "a.b", 2, 1)
            results = await node.client.create_topics(
                [
                    NewTopic("a_b", 1, 1),
                    NewTopic("a.b", 1, 1),
                    NewTopic("bad name", 1, 1),
                    NewTopic("many", 1, 3),
                    NewTopic("gap", assignments={0: [1], 2: [1]}),
                    NewTopic("config", 1, 1, configs={"nothing": "1"}),
                ],
                timeout_ms=5_000,
            )
            assert {result.name: result.code for result in results} == {
                "a_b": ErrorCode.INVALID_TOPIC_EXCEPTION,
                "a.b": ErrorCode.TOPIC_ALREADY_EXISTS,
                "bad name": ErrorCode.INVALID_TOPIC_EXCEPTION,
                "many": ErrorCode.INVALID_REPLICATION_FACTOR,
                "gap": ErrorCode.INVALID_REPLICA_ASSIGNMENT,
                "config": ErrorCode.INVALID_CONFIG,
            }
            assert all(result.message for result in results)
            results = await node.client.delete_topics(["none", b"x" * 16], 5_000)
            assert [result.code for result in results] == [
                ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
                ErrorCode.UNKNOWN_TOPIC_ID,
            ]
            assert [result.name for result in results] == ["none", ""]

            def changed(value: str) -> ConfigChange:
                return ConfigChange("retention.ms", ConfigOperation.SET, value)

            results = await node.client.create_partitions(
                [NewPartitions("a.b", 1), NewPartitions("none", 3)], timeout_ms=5_000
            )
            assert [result.code for result in results] == [
                ErrorCode.INVALID_PARTITIONS,
                ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
            ]
            with pytest.raises(ProtocolError) as refused:
                await node.client.configs.alter("topic", "a.b", [changed("x")], timeout_ms=5_000)
            assert refused.value.code == ErrorCode.INVALID_CONFIG
            await node.client.configs.alter("topic", "a.b", [changed("9")], timeout_ms=5_000)
            assert node.cache.state.configs["topic", "a.b"] == {"retention.ms": "9"}

    run(test())


def test_in_sync_replicas_are_changed_in_few_requests() -> None:
    async def test() -> None:
        async with control_plane() as plane:
            nodes = await plane.start_brokers(3)
            await create(nodes[0], count=60)
            led = [p for p in partitions(nodes[0]) if p.leader_id == 1]
            commands = len(plane.quorum.commands)
            changed = await asyncio.gather(
                *(nodes[0].client.alter_partition(proposal(nodes[0], p, 1, 2)) for p in led)
            )
            assert len(plane.quorum.commands) - commands <= 2
            for before, after in zip(led, changed, strict=True):
                assert set(after.isr) == {1, 2}
                assert after == nodes[0].cache.state.partition(before.topic_id, before.index)
            for wanted, code in (
                (proposal(nodes[0], led[0], 1, 2), ErrorCode.INVALID_UPDATE_VERSION),
                (
                    Proposal(
                        led[1].topic_id, led[1].index, 0, changed[1].partition_epoch, ((1, 0),)
                    ),
                    ErrorCode.INELIGIBLE_REPLICA,
                ),
                (Proposal(bytes(16), 0, 0, 0, ((1, 0),)), ErrorCode.UNKNOWN_TOPIC_ID),
            ):
                with pytest.raises(ProtocolError) as error:
                    await nodes[0].client.alter_partition(wanted)
                assert error.value.code == code

    run(test())


def test_a_broker_that_shuts_down_gives_its_leaderships_away_first() -> None:
    async def test() -> None:
        async with control_plane() as plane:
            nodes = await plane.start_brokers(3)
            await create(nodes[0])
            await nodes[0].client.controlled_shutdown(5_000)
            for node in nodes:
                assert all(p.leader_id in (2, 3) and 1 not in p.isr for p in partitions(node))

    run(test())


def test_preferred_leaders_come_back() -> None:
    async def test() -> None:
        async with control_plane(leader_imbalance_check_ms=100) as plane:
            nodes = await plane.start_brokers(2)
            await create(nodes[0], count=1, factor=2)
            (partition,) = partitions(nodes[0])
            first, other = partition.replicas
            await plane.brokers[first].kill()
            survivor = plane.brokers[other]
            await until(lambda: partitions(survivor)[0].leader_id == other)
            again = await plane.start_broker(first)
            await within(5, again.client.unfenced.wait())
            await until(lambda: not survivor.cache.state.brokers[first].fenced)
            wanted = proposal(survivor, partitions(survivor)[0], other, first)
            await survivor.client.alter_partition(wanted)
            await until(lambda: partitions(survivor)[0].leader_id == first)

    run(test())


def test_after_a_power_cut_of_all_the_longest_log_leads() -> None:
    async def test() -> None:
        async with control_plane() as plane:
            nodes = await plane.start_brokers(3)
            await create(nodes[0], count=1)
            # At once: whoever were fenced before the last one's end would not be waited for.
            await asyncio.gather(*(node.kill() for node in nodes))
            await until(lambda: all(b.fenced for b in plane.brokers_of_image().values()))
            ends = {1: (0, 5), 2: (0, 9), 3: (0, 7)}

            def positions(broker_id: int, wanted: Sequence[tuple[Uuid, int]]) -> list[LogPosition]:
                return [LogPosition(topic, index, *ends[broker_id]) for topic, index in wanted]

            restarted = [
                await plane.start_broker(
                    broker_id,
                    stop_state=StopState.UNCLEAN,
                    positions=lambda wanted, me=broker_id: positions(me, wanted),
                )
                for broker_id in (1, 2, 3)
            ]
            for node in restarted:
                await within(5, node.client.unfenced.wait())
            await until(lambda: partitions(restarted[0])[0].leader_id is not None)
            partition = partitions(restarted[0])[0]
            assert partition.leader_id == 2
            assert partition.isr == (2,)
            assert partition.log_ends == ()

    run(test())


def test_a_replica_that_cannot_serve_gives_way_and_comes_back() -> None:
    async def test() -> None:
        async with control_plane(controllers=2) as plane:
            states: dict[tuple[Uuid, int], ReplicaState] = {}
            first = await plane.start_broker(1, replica_states=lambda: states)
            second = await plane.start_broker(2)
            for node in (first, second):
                await within(5, node.client.unfenced.wait())
            await create(first, count=4, factor=2)
            led = next(p for p in partitions(second) if p.leader_id == 1)

            def now() -> PartitionMetadata:
                found = second.cache.state.partition(led.topic_id, led.index)
                assert found is not None
                return found

            plane.quorum.lose_answers = 1
            states[led.topic_id, led.index] = ReplicaState.FULL
            await until(lambda: now().leader_id == 2)
            assert (now().isr, now().full_replicas) == ((2,), (1,))
            # Told again to whoever is in office, until it agrees.
            plane.quorum.elect(2)
            states[led.topic_id, led.index] = ReplicaState.OFFLINE
            await until(lambda: now().offline_replicas == (1,))
            assert now().full_replicas == ()
            states.clear()
            await until(lambda: now().offline_replicas == ())

    run(test())


def test_a_broker_of_another_cluster_is_refused_with_a_sentence() -> None:
    async def test() -> None:
        async with control_plane() as plane:
            stranger = await plane.start_broker(1, cluster_id="another")
            assert stranger.running is not None
            with pytest.raises(ConfigError, match="cluster.id"):
                await within(5, stranger.running)
            stranger.running = None

    run(test())


def test_a_broker_that_is_ahead_is_waited_for() -> None:
    async def test() -> None:
        async with control_plane() as plane:
            (node,) = await plane.start_brokers(1)
            image = plane.controllers[1].service.image
            async with grpc.aio.insecure_channel(plane.addresses[0]) as channel:
                call = control_pb2_grpc.ControlStub(channel).Session()
                await call.write(
                    pb.SessionRequest(
                        cluster_id=CLUSTER,
                        broker_id=1,
                        broker_epoch=node.client.broker_epoch or 0,
                        applied_offset=image.offset + 2,
                    )
                )
                reading = asyncio.ensure_future(call.read())
                done, _ = await asyncio.wait({reading}, timeout=0.15)
                assert not done
                await create(node, "t", 1, 1)
                await create(node, "u", 1, 1)
                answer = await within(5, reading)
                assert isinstance(answer, pb.SessionResponse)
                assert answer.offset == image.offset
                assert not answer.records
                call.cancel()

    run(test())


def test_what_only_the_controller_decides_cannot_be_asked_for() -> None:
    async def test() -> None:
        async with control_plane() as plane:
            (node,) = await plane.start_brokers(1)
            async with grpc.aio.insecure_channel(plane.addresses[0]) as channel:
                stub = control_pb2_grpc.ControlStub(channel)
                for command in (
                    metadata_pb2.Command(fence_broker=metadata_pb2.FenceBroker(broker_id=1)),
                    metadata_pb2.Command(take_office=metadata_pb2.TakeOffice(controller_id=7)),
                    metadata_pb2.Command(),
                ):
                    answer = await stub.Execute(
                        pb.ExecuteRequest(cluster_id=CLUSTER, command=command)
                    )
                    assert answer.error_code == ErrorCode.INVALID_REQUEST
                answer = await stub.Execute(
                    pb.ExecuteRequest(
                        cluster_id=CLUSTER, command=metadata_pb2.Command(controller_epoch=99)
                    )
                )
                assert answer.error_code == ErrorCode.NOT_CONTROLLER
            assert not node.cache.state.brokers[1].fenced

    run(test())
