"""An operator who moves partitions while everything else goes wrong.

Targets of two or three brokers, in any order, also over a reassignment that is under way; some are
called off. Every answer is allowed: what must hold is checked by the ledger and the oracle.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.simulation.clients import Client
    from tests.simulation.world import World

CANCELLED_SHARE = 0.2


class Reassigner:
    """See the module; `run` goes on as long as the world is in trouble."""

    def __init__(self, world: World, client: Client, pause_s: float) -> None:
        self._world = world
        self._client = client
        self._pause_s = pause_s
        self._chance = world.random()

    async def run(self) -> None:
        world, chance, client = self._world, self._chance, self._client
        while world.troubled:
            await asyncio.sleep(chance.expovariate(1 / self._pause_s))
            topics = sorted(world.oracle.state.topic_ids)
            if not topics or not world.troubled:
                continue
            topic = world.oracle.state.topic_named(chance.choice(topics))
            assert topic is not None
            if not topic.partitions:
                continue
            index = chance.randrange(len(topic.partitions))
            target: list[int] | None = chance.sample([*world.brokers], chance.choice((2, 3, 3)))
            if chance.random() < CANCELLED_SHARE:
                target = None
            asked = (topic.name, index, target)
            code = await client.call(chance.choice(client.brokers), "reassign", asked, 8)
            world.note("operator", "%s: %s", asked, code)
            world.counts["reassignments asked for"] += 1
