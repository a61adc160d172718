from __future__ import annotations

import asyncio
import random

import pytest

from broker.control.locator import Locator, open_channel
from broker.control.settings import ControlSettings
from controller.tasks import single_error
from ottla.core.errors import ConfigError
from tests.support.fake_controller import CLUSTER, FakeController


def locator(*named: str, **controllers: FakeController) -> Locator:
    """`named` by the settings; without any, all are."""
    return Locator(
        CLUSTER,
        ControlSettings(named or tuple(controllers), retry_ms_min=1, retry_ms_max=2),
        lambda address: controllers[address],  # type: ignore[arg-type, return-value]
        random.Random(1),
    )


def test_the_one_that_is_active_is_found() -> None:
    async def test() -> None:
        where = locator(
            a=FakeController(1, up=False), b=FakeController(2, active=False), c=FakeController(3)
        )
        found = await where.find(0)
        assert (found.node_id, found.address, found.controller_epoch) == (3, "c", 1)
        assert not found.lost.is_set()

    asyncio.run(test())


def test_one_that_was_overtaken_is_not_taken() -> None:
    async def test() -> None:
        old, new = FakeController(1, epoch=4), FakeController(2, active=False, epoch=5)
        finding = asyncio.ensure_future(locator(a=old, b=new).find(5))
        while old.asked < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        assert not finding.done()
        new.active = True
        assert (await finding).node_id == 2

    asyncio.run(test())


def test_another_cluster_is_named() -> None:
    async def test() -> None:
        with single_error():
            await locator(a=FakeController(cluster_id="other")).find(0)

    with pytest.raises(ConfigError, match="belongs to cluster other"):
        asyncio.run(test())


def test_channels_are_kept_until_the_end() -> None:
    async def test() -> None:
        controller = FakeController()
        where = locator(a=controller)
        first, second = await where.find(0), await where.find(0)
        assert first.lost is not second.lost
        assert not controller.closed
        await where.close()
        assert controller.closed

    asyncio.run(test())


def test_real_channels_are_made_on_demand() -> None:
    async def test() -> None:
        import grpc

        for credentials in (None, grpc.ssl_channel_credentials()):
            await open_channel(credentials)("127.0.0.1:1").close()

    asyncio.run(test())


def test_voters_that_were_added_are_asked_too() -> None:
    async def test() -> None:
        old, new = FakeController(1, active=False), FakeController(4)
        old.controllers = ["new"]
        assert (await locator("old", old=old, new=new).find(0)).node_id == 4

    asyncio.run(test())
