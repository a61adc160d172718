from __future__ import annotations

import asyncio
from collections.abc import Coroutine

import pytest

from controller.generated import metadata_pb2 as pb
from controller.image import MetadataImage
from controller.state_machine import Event
from ottla.core.errors import ConfigError, ErrorCode
from tests.support.controllers import CLUSTER, OfficeHarness, running_office


def run(test: Coroutine[object, object, None]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(10):
            await test

    asyncio.run(bounded())


def test_the_epoch_is_committed_before_the_controller_acts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def test() -> None:
        async with running_office(monkeypatch, min_insync_replicas=2) as harness:
            assert harness.office.controller_epoch == 1
            assert harness.image.state.controller_epoch == 1
            assert harness.image.state.controller_id == 1
            assert harness.image.state.cluster_id == CLUSTER
            assert harness.image.state.default_min_insync_replicas == 2
            assert harness.office.leader_id == 1

    run(test())


def test_it_acts_on_no_image_from_before_its_office(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        held: list[Event] = []
        receive = MetadataImage.receive
        monkeypatch.setattr(MetadataImage, "receive", lambda image, event: held.append(event))
        async with running_office(monkeypatch, elect=False) as harness:
            harness.quorum.elect(1)
            await harness.until(lambda: bool(held))
            await harness.settle()
            assert harness.office.controller_epoch is None
            for event in held:
                receive(harness.image, event)
            await harness.until(lambda: harness.office.controller_epoch == 1)

    run(test())


def test_taking_office_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        async with running_office(monkeypatch, elect=False) as harness:
            harness.quorum.lose_before = 1
            harness.quorum.lose_answers = 1
            harness.quorum.elect(1)
            await harness.until(lambda: harness.office.controller_epoch == 1)

    run(test())


def test_losing_the_leadership_ends_the_office_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        async with running_office(monkeypatch) as harness:
            session = await harness.live_broker(5)
            harness.quorum.elect(2)
            assert harness.office.controller_epoch is None
            assert session.ended is not None
            assert session.ended.code == ErrorCode.NOT_CONTROLLER
            harness.dead.add(5)
            harness.sessions.remove(session)
            harness.office.session_lost(session)
            harness.clock.advance(100)
            await harness.settle()
            assert not harness.fenced(5)
            harness.quorum.elect(1)
            await harness.until(lambda: harness.office.controller_epoch == 3)

    run(test())


def test_metadata_of_another_cluster_stops_the_node(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        harness = OfficeHarness()
        harness.quorum.elect(1)
        await harness.propose(take_office=pb.TakeOffice(cluster_id="other"))
        command = pb.Command(
            controller_epoch=1, take_office=pb.TakeOffice(controller_id=9, cluster_id="other")
        )
        await harness.log.propose(command.SerializeToString(), 1)
        with pytest.raises(ConfigError, match="cluster.id"):
            await harness.office.run()

    run(test())


def test_a_lease_that_ended_fences(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        async with running_office(monkeypatch, lease_ms=500) as harness:
            await harness.live_broker(5)
            other = await harness.live_broker(6)
            for _ in range(4):
                harness.clock.advance(150)
                harness.office.session_heard(other)
                await harness.settle()
            assert harness.fenced(5)
            assert not harness.fenced(6)

    run(test())


def test_standing_still_ourselves_fences_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        async with running_office(monkeypatch, lease_ms=500) as harness:
            await harness.live_broker(5)
            harness.clock.advance(60_000)
            await harness.settle()
            assert not harness.fenced(5)

    run(test())


def test_a_reset_stream_of_a_dead_broker_fences_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        async with running_office(monkeypatch) as harness:
            session = await harness.live_broker(5)
            harness.dialed.clear()
            harness.dead.add(5)
            harness.sessions.remove(session)
            harness.office.session_lost(session)
            await harness.until(lambda: harness.fenced(5))
            assert harness.dialed == [5]

    run(test())


def test_a_reset_stream_of_a_broker_that_accepts_waits_for_the_lease(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def test() -> None:
        async with running_office(monkeypatch) as harness:
            session = await harness.live_broker(5)
            harness.dialed.clear()
            harness.sessions.remove(session)
            harness.office.session_lost(session)
            await harness.settle()
            assert harness.dialed == [5, 5, 5]
            assert not harness.fenced(5)

    run(test())


def test_a_broker_that_is_back_is_not_dialed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        async with running_office(monkeypatch) as harness:
            session = await harness.live_broker(5)
            harness.dialed.clear()
            harness.dead.add(5)
            harness.sessions.remove(session)
            harness.session(5)
            harness.office.session_lost(session)
            await harness.settle()
            assert harness.dialed == []
            assert not harness.fenced(5)

    run(test())


def test_a_new_controller_dials_every_live_broker_and_restarts_the_leases(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def test() -> None:
        async with running_office(monkeypatch, lease_ms=500) as harness:
            for broker_id in (5, 6, 7):
                await harness.live_broker(broker_id)
            await harness.propose(
                fence_broker=pb.FenceBroker(
                    broker_id=7, broker_epoch=harness.image.state.brokers[7].broker_epoch
                )
            )
            harness.quorum.elect(2)
            for broker_id in (5, 6, 7):
                session = harness.sessions.get(broker_id)
                assert session is not None
                harness.sessions.remove(session)
            harness.dialed.clear()
            harness.dead.add(5)
            harness.clock.advance(120)
            harness.quorum.elect(1)
            await harness.until(lambda: harness.fenced(5))
            assert sorted(harness.dialed) == [5, 6]
            for _ in range(3):
                harness.clock.advance(150)
                await harness.settle()
            assert not harness.fenced(6)
            harness.clock.advance(150)
            await harness.until(lambda: harness.fenced(6))

    run(test())


def test_leases_of_an_earlier_office_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        async with running_office(monkeypatch, lease_ms=500) as harness:
            session = await harness.live_broker(5)
            harness.quorum.elect(2)
            harness.quorum.elect(1)
            await harness.propose(
                fence_broker=pb.FenceBroker(broker_id=5, broker_epoch=session.broker_epoch)
            )
            await harness.until(lambda: harness.office.controller_epoch == 3)
            commands = len(harness.quorum.commands)
            for _ in range(5):
                harness.clock.advance(150)
                await harness.settle()
            assert len(harness.quorum.commands) == commands

    run(test())


def test_a_broker_is_unfenced_when_it_is_ready_and_has_caught_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def test() -> None:
        async with running_office(monkeypatch) as harness:
            await harness.register(5)
            session = harness.session(5, applied=harness.image.offset - 1)
            await harness.settle()
            assert harness.fenced(5)
            session.applied_offset = harness.image.offset
            session.ready = False
            harness.office.session_heard(session)
            await harness.settle()
            assert harness.fenced(5)
            session.ready = True
            harness.office.session_heard(session)
            await harness.until(lambda: not harness.fenced(5))

    run(test())


def test_a_fenced_broker_must_have_applied_its_fencing(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        async with running_office(monkeypatch) as harness:
            session = await harness.live_broker(5)
            before = harness.image.offset
            await harness.propose(
                fence_broker=pb.FenceBroker(broker_id=5, broker_epoch=session.broker_epoch)
            )
            session.applied_offset = before
            harness.office.session_heard(session)
            await harness.settle()
            assert harness.fenced(5)
            session.applied_offset = harness.image.offset
            harness.office.session_heard(session)
            await harness.until(lambda: not harness.fenced(5))

    run(test())


def test_a_new_incarnation_ends_the_session_of_the_old_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def test() -> None:
        async with running_office(monkeypatch) as harness:
            session = await harness.live_broker(5)
            await harness.register(5)
            assert session.ended is not None
            assert session.ended.code == ErrorCode.STALE_BROKER_EPOCH
            # Its late signs of life unfence nobody.
            session.applied_offset = harness.image.offset
            harness.office.session_heard(session)
            await harness.settle()
            assert harness.fenced(5)

    run(test())


def test_preferred_leaders_are_restored(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        async with running_office(
            monkeypatch, leader_imbalance_check_ms=5, min_insync_replicas=1
        ) as harness:
            await harness.live_broker(5)
            six = await harness.live_broker(6)
            await harness.propose(
                create_topics=pb.CreateTopics(
                    topics=[
                        pb.NewTopic(
                            name="t",
                            partition_count=-1,
                            replication_factor=-1,
                            assignments=[pb.ReplicaAssignment(replicas=[5, 6])],
                            topic_id=b"t" * 16,
                        )
                    ]
                )
            )
            await harness.register(5)
            five = harness.session(5)
            await harness.until(lambda: not harness.fenced(5))
            partition = harness.image.state.topics[b"t" * 16].partitions[0]
            assert partition.leader_id == 6
            await harness.propose(
                alter_partitions=pb.AlterPartitions(
                    broker_id=6,
                    broker_epoch=six.broker_epoch,
                    partitions=[
                        pb.AlterPartition(
                            topic_id=b"t" * 16,
                            leader_epoch=partition.leader_epoch,
                            partition_epoch=partition.partition_epoch,
                            isr=[
                                pb.IsrMember(broker_id=5, broker_epoch=five.broker_epoch),
                                pb.IsrMember(broker_id=6, broker_epoch=six.broker_epoch),
                            ],
                        )
                    ],
                )
            )
            await harness.until(
                lambda: harness.image.state.topics[b"t" * 16].partitions[0].leader_id == 5
            )

    run(test())
