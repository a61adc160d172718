"""Topics made because somebody asked for them (`auto.create.topics.enable`).

Many clients ask for a new topic at once; one creation runs for each name, and all wait for it a
short while. What is not there by then is LEADER_NOT_AVAILABLE, and the client asks again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from broker.control.requests import NewTopic
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.core.identifiers import topic_name_fault

if TYPE_CHECKING:
    from broker.control.client import ControllerClient

logger = logging.getLogger(__name__)

WAIT_MS: Final = 2_000
NAMES_MAX: Final = 1_000
"""Creations at once; more names are answered LEADER_NOT_AVAILABLE."""


class TopicCreation:
    """The creations that are under way, by topic name."""

    __slots__ = ("_running",)

    def __init__(self) -> None:
        self._running: dict[str, asyncio.Future[None]] = {}

    async def create(
        self, controller: ControllerClient, names: Iterable[str]
    ) -> dict[str, ErrorCode]:
        """Create the topics with the defaults; the code of each that is not there afterwards.

        INVALID_TOPIC_EXCEPTION, INVALID_REPLICATION_FACTOR (fewer brokers than copies) and the like
        from the controller; LEADER_NOT_AVAILABLE when it did not answer in time.
        """
        codes: dict[str, ErrorCode] = {}
        mine: list[str] = []
        others: list[asyncio.Future[None]] = []
        loop = asyncio.get_running_loop()
        for name in names:
            if topic_name_fault(name) is not None:
                codes[name] = ErrorCode.INVALID_TOPIC_EXCEPTION
            elif (running := self._running.get(name)) is not None:
                others.append(running)
            elif len(self._running) >= NAMES_MAX:
                codes[name] = ErrorCode.LEADER_NOT_AVAILABLE
            else:
                mine.append(name)
                self._running[name] = loop.create_future()
        try:
            if mine:
                codes |= await self._create(controller, mine)
        finally:
            for name in mine:
                self._running.pop(name).set_result(None)
        if others:
            await asyncio.wait(others, timeout=WAIT_MS / 1000)
        return codes

    async def _create(self, controller: ControllerClient, names: list[str]) -> dict[str, ErrorCode]:
        codes: dict[str, ErrorCode] = {}
        try:
            async with asyncio.timeout(2 * WAIT_MS / 1000):
                results = await controller.create_topics(
                    [NewTopic(name) for name in names],
                    validate_only=False,
                    timeout_ms=WAIT_MS,
                )
        except (ProtocolError, TimeoutError) as error:
            logger.info("topics %s were not created on demand: %s", names, error)
            return dict.fromkeys(names, ErrorCode.LEADER_NOT_AVAILABLE)
        for result in results:
            if result.code not in (ErrorCode.NONE, ErrorCode.TOPIC_ALREADY_EXISTS):
                logger.info("topic %s was not created on demand: %s", result.name, result.message)
                codes[result.name] = ErrorCode(result.code)
        return codes
