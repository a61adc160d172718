from __future__ import annotations

import asyncio

import pytest

from broker.control.commands import Answer
from broker.control.metadata_cache import MetadataCache
from broker.control.partition_admin import PartitionAdmin
from controller.decide import apply
from controller.generated import control_pb2
from controller.generated import metadata_pb2 as pb
from ottla.core.errors import ErrorCode, ProtocolError
from tests.support.cluster_states import Cluster


class Controller:
    """Decides commands, and tells the cache. With `repeat` each command is decided twice, as when
    the first answer was lost."""

    def __init__(self, *, repeat: bool) -> None:
        self.cluster = Cluster(4)
        self.cluster.topic("t", [1, 2, 3], [2, 3, 1])
        self.cache = MetadataCache()
        self.repeat = repeat
        self.tell()

    def tell(self) -> None:
        self.cache.install(self.cluster.state, self.cluster.index, 1)

    async def execute(
        self, command: pb.Command, timeout_ms: int, *, wait_for_brokers: bool
    ) -> Answer:
        assert wait_for_brokers
        command.controller_epoch = 1
        for _ in range(2 if self.repeat else 1):
            self.cluster.index += 1
            result = apply(self.cluster.state, self.cluster.index, command).result
        self.tell()
        if result.error_code:
            raise ProtocolError(ErrorCode(result.error_code), result.message)
        response = control_pb2.ExecuteResponse(offset=self.cluster.index, result=result)
        return Answer(response, self.repeat)

    @property
    def admin(self) -> PartitionAdmin:
        return PartitionAdmin(self, self.cache)  # type: ignore[arg-type]


@pytest.mark.parametrize("repeat", [False, True])
def test_a_reassignment_and_its_end_bear_a_lost_answer(repeat: bool) -> None:
    async def test() -> None:
        controller = Controller(repeat=repeat)
        done = await controller.admin.reassign(
            {("t", 0): [4, 1, 2], ("u", 0): [1]}, replication_factor_may_change=True, timeout_ms=100
        )
        assert [(r.topic, r.index, r.code) for r in done] == [
            ("t", 0, ErrorCode.NONE),
            ("u", 0, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION),
        ]
        assert done[0].message is None
        assert done[1].message
        assert controller.cluster.partition().adding_replicas == (4,)
        (called_off,) = await controller.admin.reassign(
            {("t", 0): None}, replication_factor_may_change=True, timeout_ms=100
        )
        assert called_off.code is ErrorCode.NONE
        assert not controller.cluster.partition().is_reassigning

    asyncio.run(test())


@pytest.mark.parametrize("repeat", [False, True])
def test_an_election_bears_a_lost_answer(repeat: bool) -> None:
    async def test() -> None:
        controller = Controller(repeat=repeat)
        controller.cluster.start(1)
        controller.cluster.set_isr(2, 3, 1)
        (done,) = await controller.admin.elect_leaders([("t", 0)], unclean=False, timeout_ms=100)
        assert done.code is ErrorCode.NONE
        assert controller.cluster.partition().leader_id == 1

    asyncio.run(test())


def test_of_all_partitions_those_are_told_that_need_it() -> None:
    async def test() -> None:
        controller = Controller(repeat=False)
        assert await controller.admin.elect_leaders(None, unclean=False, timeout_ms=100) == []

    asyncio.run(test())


def test_a_broker_is_unregistered() -> None:
    async def test() -> None:
        controller = Controller(repeat=False)
        with pytest.raises(ProtocolError) as refused:
            await controller.admin.unregister_broker(4, 100)
        assert refused.value.code is ErrorCode.INVALID_REQUEST
        controller.cluster.fence(4)
        await controller.admin.unregister_broker(4, 100)
        assert 4 not in controller.cache.state.brokers
        with pytest.raises(ProtocolError) as refused:
            await controller.admin.unregister_broker(4, 100)
        assert refused.value.code is ErrorCode.BROKER_ID_NOT_REGISTERED

    asyncio.run(test())
