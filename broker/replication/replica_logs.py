"""Opening the logs of this broker's replicas, and what becomes of those that cannot be opened.

Logs that must be recovered first are opened one after another in a thread: that may read much. Why
one could not be opened is kept, for the controller to be told (broker.control.replica_reports):

    full      the disk had no room for what opening writes    tried again now and then
    offline   the log directory failed                        until the process restarts
    damaged   what was synced is not there any more           made again from the leader

A damaged replica is made again only once the controller knows that it lost its data and another
broker leads: then its folder is renamed, never deleted, and a new log is begun. While nobody else
has all of the data nothing is touched.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeAlias

from broker.control.requests import ReplicaState
from controller.state import PartitionMetadata, TopicMetadata
from ottla.core.errors import ProtocolError
from ottla.core.identifiers import Uuid
from storage.config import LogConfig
from storage.errors import DiskFull, LogDamaged

if TYPE_CHECKING:
    from storage.log import Log
    from storage.manager import LogManager

logger = logging.getLogger(__name__)

PartitionKey: TypeAlias = tuple[Uuid, int]


class ReplicaHost(Protocol):
    """What opening asks of the replica manager."""

    def wanted(self, key: PartitionKey) -> TopicMetadata | None:
        """The topic of a partition that metadata still gives to this broker."""
        ...

    def log_config(self, topic: TopicMetadata) -> LogConfig: ...
    def take_up(self, topic: TopicMetadata, index: int, log: Log | None) -> None:
        """A replica with its log, or with none; told what metadata says of it."""
        ...

    def let_go(self, key: PartitionKey) -> None:
        """Forget a replica whose log is about to be opened again, if there is one."""
        ...


class ReplicaLogs:
    """See the module. `idle` is called when the last queued log has been dealt with."""

    def __init__(
        self, node_id: int, logs: LogManager, host: ReplicaHost, idle: Callable[[], None]
    ) -> None:
        self.failed: dict[PartitionKey, ReplicaState] = {}
        """Replicas without a usable log, and why."""
        self._node_id = node_id
        self._logs = logs
        self._host = host
        self._idle = idle
        self._internal: dict[PartitionKey, None] = {}
        """Queued logs of internal topics: groups and transactions wait for them, so they are first,
        however many others are queued."""
        self._queue: dict[PartitionKey, None] = {}
        self._queued = asyncio.Event()
        self._anew: set[PartitionKey] = set()
        self._hopeless: set[PartitionKey] = set()

    @property
    def waiting(self) -> bool:
        """Whether logs are still to be opened."""
        return bool(self._internal or self._queue)

    def is_queued(self, key: PartitionKey) -> bool:
        return key in self._internal or key in self._queue

    def queue(self, key: PartitionKey) -> None:
        """Open it in a thread, soon."""
        topic = self._host.wanted(key)
        queue = self._internal if topic is not None and topic.internal else self._queue
        queue[key] = None
        self._queued.set()

    def forget(self, key: PartitionKey) -> None:
        """The replica is no longer this broker's."""
        self.failed.pop(key, None)
        self._anew.discard(key)
        self._hopeless.discard(key)

    def open(self, topic: TopicMetadata, index: int) -> Log | None:
        """The log; None when it cannot be opened: `failed` says why. May run in a thread."""
        key = (topic.topic_id, index)
        try:
            log = self._logs.open_log(
                topic.name,
                index,
                topic.topic_id,
                self._host.log_config(topic),
                # A partition that has never changed is new everywhere.
                may_exist=topic.partitions[index].partition_epoch > 0 and key not in self._anew,
            )
        except (OSError, ProtocolError) as error:
            self.failed[key] = _state_after(error)
            logger.error("cannot open the log of %s-%d: %s", topic.name, index, error)
            return None
        self.failed.pop(key, None)
        self._anew.discard(key)
        return log

    async def run(self) -> None:
        """Open what is queued, until cancelled."""
        while True:
            await self._queued.wait()
            self._queued.clear()
            while queue := self._internal or self._queue:
                key = next(iter(queue))
                await self._open(key)
                del queue[key]
            self._idle()

    def try_full_again(self) -> None:
        """Queue the logs for which there was no room."""
        for key, state in self.failed.items():
            if state is ReplicaState.FULL:
                self.queue(key)

    def on_metadata(self, name: str, partition: PartitionMetadata) -> None:
        """Metadata of a replica: a damaged one may be made again now, or cannot be."""
        key = (partition.topic_id, partition.index)
        if self.failed.get(key) is not ReplicaState.DAMAGED:
            return
        if self._node_id not in partition.offline_replicas:
            return  # the controller is still to be told
        if partition.leader_id is not None:
            self._hopeless.discard(key)
            self.queue(key)
        elif key not in self._hopeless:
            self._hopeless.add(key)
            logger.error(
                "%s-%d is damaged, and no live replica has all of it: nothing is changed, and the "
                "partition has no leader. Bring back the brokers of its other replicas %s, restore "
                "its folder from a backup and restart, or delete the topic",
                name,
                partition.index,
                [r for r in partition.replicas if r != self._node_id],
            )

    async def _open(self, key: PartitionKey) -> None:
        topic = self._host.wanted(key)
        if topic is None:
            return
        if self.failed.get(key) is ReplicaState.DAMAGED and not await self._put_aside(topic, key):
            return
        log = await asyncio.to_thread(self.open, topic, key[1])
        topic = self._host.wanted(key)
        if topic is None:
            if log is not None:
                self._logs.delete_log(*key)
            self.forget(key)
            return
        self._host.let_go(key)
        if log is not None:  # what was set while it was opened
            log.config = self._host.log_config(topic)
        self._host.take_up(topic, key[1], log)

    async def _put_aside(self, topic: TopicMetadata, key: PartitionKey) -> bool:
        """Make place for a new log of a damaged replica, if it may be made again (still)."""
        partition = topic.partitions[key[1]]
        leader_id = partition.leader_id
        if self._node_id not in partition.offline_replicas or leader_id is None:
            return False
        try:
            path = await asyncio.to_thread(self._logs.put_aside, topic.name, key[1], topic.topic_id)
        except OSError as error:
            logger.error("cannot put the damaged log of %s-%d aside: %s", topic.name, key[1], error)
            return False
        logger.warning(
            "the log of %s-%d is damaged: it was renamed to %s, and the replica is made again from "
            "broker %d, which leads",
            topic.name,
            key[1],
            path,
            leader_id,
        )
        self._anew.add(key)
        return True


def _state_after(error: Exception) -> ReplicaState:
    match error:
        case LogDamaged():
            return ReplicaState.DAMAGED
        case DiskFull():
            return ReplicaState.FULL
        case _:
            return ReplicaState.OFFLINE
