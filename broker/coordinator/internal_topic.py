"""A coordinator's topic: made on demand, never with fewer replicas than configured."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Final, Protocol

from broker.control.requests import NewTopic, TopicResult
from controller.state import ClusterState, TopicMetadata
from ottla.core.errors import ErrorCode, ProtocolError

logger = logging.getLogger(__name__)

TOPIC: Final = "__consumer_offsets"
CREATE_TIMEOUT_MS: Final = 5_000
_CONFIGS: Final = {
    "cleanup.policy": "compact",
    "compression.type": "producer",
    # Compaction leaves the active segment alone: small ones keep loading short.
    "segment.bytes": "104857600",
}


class MetadataSource(Protocol):
    """broker.control.metadata_cache.MetadataCache."""

    @property
    def state(self) -> ClusterState: ...


class TopicCreator(Protocol):
    """broker.control.client.ControllerClient."""

    async def create_topics(
        self, topics: Sequence[NewTopic], *, validate_only: bool, timeout_ms: int
    ) -> list[TopicResult]: ...


class InternalTopic:
    """One creation at a time; whoever asks meanwhile waits for it."""

    __slots__ = (
        "_controller",
        "_metadata",
        "_partition_count",
        "_replication_factor",
        "_replication_setting",
        "_running",
        "name",
    )

    def __init__(
        self,
        name: str,
        partition_count: int,
        replication_factor: int,
        metadata: MetadataSource,
        controller: TopicCreator,
        *,
        replication_setting: str = "offsets.topic.replication.factor",
    ) -> None:
        self._replication_setting = replication_setting
        self.name = name
        self._partition_count = partition_count
        self._replication_factor = replication_factor
        self._metadata = metadata
        self._controller = controller
        self._running: asyncio.Future[None] | None = None

    @property
    def metadata(self) -> TopicMetadata | None:
        return self._metadata.state.topic_named(self.name)

    async def ensure(self) -> TopicMetadata:
        """The topic, created if need be.

        COORDINATOR_NOT_AVAILABLE with a sentence: too few brokers, or the controller did not manage
        it in time; the client asks again.
        """
        topic = self.metadata
        if topic is not None:
            return topic
        if self._running is not None:
            await asyncio.wait([self._running], timeout=2 * CREATE_TIMEOUT_MS / 1000)
        else:
            self._running = asyncio.get_running_loop().create_future()
            try:
                await self._create()
            finally:
                running, self._running = self._running, None
                running.set_result(None)
        topic = self.metadata
        if topic is None:
            raise ProtocolError(
                ErrorCode.COORDINATOR_NOT_AVAILABLE, f"{self.name} is being created"
            )
        return topic

    async def _create(self) -> None:
        brokers = [b for b in self._metadata.state.brokers.values() if not b.fenced]
        if len(brokers) < self._replication_factor:
            raise ProtocolError(
                ErrorCode.COORDINATOR_NOT_AVAILABLE,
                f"{self.name} needs {self._replication_factor} brokers and {len(brokers)} are "
                f"there; start more, or set {self._replication_setting}",
            )
        wanted = NewTopic(
            self.name, self._partition_count, self._replication_factor, None, _CONFIGS
        )
        try:
            async with asyncio.timeout(2 * CREATE_TIMEOUT_MS / 1000):
                results = await self._controller.create_topics(
                    [wanted], validate_only=False, timeout_ms=CREATE_TIMEOUT_MS
                )
        except ProtocolError as error:
            raise ProtocolError(
                ErrorCode.COORDINATOR_NOT_AVAILABLE, f"{self.name} could not be created: {error}"
            ) from error
        except TimeoutError as error:
            raise ProtocolError(
                ErrorCode.COORDINATOR_NOT_AVAILABLE,
                f"{self.name} could not be created: the controller did not answer in time",
            ) from error
        for result in results:
            if result.code not in (ErrorCode.NONE, ErrorCode.TOPIC_ALREADY_EXISTS):
                message = f"{self.name} could not be created: {result.message or result.code.name}"
                logger.warning("%s", message)
                raise ProtocolError(ErrorCode.COORDINATOR_NOT_AVAILABLE, message)
