from __future__ import annotations

import asyncio

import pytest

from broker.handlers.producer_ids import ProducerIds
from ottla.core.errors import ErrorCode, ProtocolError


def test_ids_of_a_block_are_handed_out_once_each_and_then_a_new_block_is_asked_for() -> None:
    async def test() -> None:
        blocks = [(100, 3), (500, 3)]

        async def allocate() -> tuple[int, int]:
            await asyncio.sleep(0)
            return blocks.pop(0)

        ids = ProducerIds()
        assert ids.maybe_take() is None
        taken = await asyncio.gather(*(ids.take(allocate) for _ in range(4)))
        assert sorted(taken) == [100, 101, 102, 500]
        assert ids.maybe_take() == 501
        assert await ids.take(allocate) == 502
        assert ids.maybe_take() is None

    asyncio.run(test())


def test_an_error_of_the_controller_passes_and_the_next_one_tries_again() -> None:
    async def test() -> None:
        async def fail() -> tuple[int, int]:
            raise ProtocolError(ErrorCode.NOT_CONTROLLER)

        async def allocate() -> tuple[int, int]:
            return 7, 1

        ids = ProducerIds()
        with pytest.raises(ProtocolError):
            await ids.take(fail)
        assert await ids.take(allocate) == 7

    asyncio.run(test())
