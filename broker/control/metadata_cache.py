"""The broker's image of the cluster, and who is told when it changes.

The image is the controller's own state class, changed by the same records. It never goes back:
what is below the (controller epoch, offset) that it has is refused (SAFETY.md, rule 13). All calls
are on the event loop; listeners run inside the call that brings the change, in the order in which
they subscribed, so that the offset is told to the controller only once they are done.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from controller.state import (
    TOPIC,
    BrokerRegistration,
    BrokerUnregistered,
    ClusterState,
    ConfigsChanged,
    ControllerInOffice,
    PartitionsChanged,
    QuotasChanged,
    Record,
    TopicCreated,
    TopicRemoved,
)
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.core.identifiers import Uuid


@dataclass(slots=True)
class MetadataDelta:
    """What changed. After a `snapshot` everything may have; the sets then name all there is, and
    `deleted` what was there before and is no more."""

    topics: set[Uuid] = field(default_factory=set)
    """New, or with a changed partition."""
    deleted: dict[Uuid, str] = field(default_factory=dict)
    """Topic ids with the names they had."""
    brokers: set[int] = field(default_factory=set)
    configs: set[tuple[str, str]] = field(default_factory=set)
    """(resource type, resource name) of what has other settings now, be it by another default."""
    quotas: bool = False
    """Some entity has other quotas."""
    snapshot: bool = False


Listener = Callable[[MetadataDelta], None]


class MetadataCache:
    """See the module."""

    def __init__(self) -> None:
        self.state = ClusterState()
        """Replaced by a snapshot: ask for it anew after every await."""
        self.offset = 0
        """Everything up to here is contained; 0 before the first metadata came."""
        self.controller_epoch = 0
        self._listeners: list[Listener] = []
        self._waiters: list[tuple[int, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` after every change, until the returned function is called."""
        self._listeners.append(listener)

        def unsubscribe() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return unsubscribe

    async def wait_offset(self, offset: int, timeout_ms: int) -> None:
        """Until everything up to `offset` is applied here; REQUEST_TIMED_OUT after `timeout_ms`."""
        if self.offset >= offset:
            return
        future = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiters, (offset, next(self._numbers), future))
        try:
            async with asyncio.timeout(timeout_ms / 1000):
                await future
        except TimeoutError:
            raise ProtocolError(
                ErrorCode.REQUEST_TIMED_OUT,
                f"the metadata did not reach offset {offset} in time; it is at {self.offset}",
            ) from None

    # ---- for the session with the controller

    def check_not_older(self, controller_epoch: int, offset: int) -> None:
        """STALE_CONTROLLER_EPOCH for what comes from a controller that was overtaken."""
        if controller_epoch < self.controller_epoch or offset < self.offset:
            raise ProtocolError(
                ErrorCode.STALE_CONTROLLER_EPOCH,
                f"metadata of controller epoch {controller_epoch} up to {offset} is older than "
                f"ours of epoch {self.controller_epoch} up to {self.offset}",
            )

    def apply(self, records: Iterable[Record], offset: int, controller_epoch: int) -> None:
        """Take over the records that lead to `offset`."""
        self.check_not_older(controller_epoch, offset)
        delta = MetadataDelta()
        state = self.state
        for record in records:
            _note(delta, record, state)
            state.replay(record)
        self._advance(offset, controller_epoch, delta)

    def install(self, state: ClusterState, offset: int, controller_epoch: int) -> None:
        """Replace everything by a snapshot."""
        self.check_not_older(controller_epoch, offset)
        delta = MetadataDelta(snapshot=True)
        delta.topics.update(state.topics)
        delta.brokers.update(state.brokers, self.state.brokers)
        delta.configs.update(state.configs, self.state.configs)
        for topic in self.state.topics.values():
            if topic.topic_id not in state.topics:
                delta.deleted[topic.topic_id] = topic.name
        self.state = state
        self._advance(offset, controller_epoch, delta)

    def _advance(self, offset: int, controller_epoch: int, delta: MetadataDelta) -> None:
        self.offset = offset
        self.controller_epoch = controller_epoch
        for listener in tuple(self._listeners):
            listener(delta)
        waiters = self._waiters
        while waiters and waiters[0][0] <= self.offset:
            _, _, future = heapq.heappop(waiters)
            if not future.done():
                future.set_result(None)


def _note(delta: MetadataDelta, record: Record, before: ClusterState) -> None:
    """Write into `delta` what `record` changes in the state `before` it."""
    match record:
        case PartitionsChanged() | TopicCreated():
            delta.topics.add(record.topic_id)
        case TopicRemoved(topic_id):
            name = before.topics[topic_id].name
            delta.topics.discard(topic_id)
            delta.deleted[topic_id] = name
            delta.configs.add((TOPIC, name))
        case BrokerRegistration() | BrokerUnregistered():
            delta.brokers.add(record.broker_id)
        case ConfigsChanged():
            delta.configs.add((record.resource_type, record.resource_name))
        case QuotasChanged():
            delta.quotas = True
        case ControllerInOffice():
            if record.election_defaults() != before.election_defaults():
                delta.configs.update((TOPIC, name) for name in before.topic_ids)
        case _:
            pass
