"""Replicas that cannot serve: what follows at once, and what the controller is to be told.

directory offline   its partitions go offline; when it was the last one, the node ends
log damaged, or     that partition goes offline
  cut off in a truncation
directory full      leaders that are followed are told not to count on it; reads go on
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from broker.control.requests import ReplicaState
from broker.replication.follower_streams import FollowerStreams
from broker.replication.partition import Partition
from broker.replication.partition_machine import Role
from broker.replication.replica_logs import PartitionKey, ReplicaLogs

if TYPE_CHECKING:
    from storage.directory import LogDirectory
    from storage.manager import LogManager


class ReplicaHealth:
    """See the module. `partitions` are the manager's, by key; `changed` is set when `states` may be
    others; `all_failed` is called when no directory is left."""

    def __init__(
        self,
        logs: LogManager,
        replica_logs: ReplicaLogs,
        partitions: Mapping[PartitionKey, Partition],
        streams: FollowerStreams,
        changed: asyncio.Event,
        all_failed: Callable[[], None],
    ) -> None:
        self._directories = logs.directories
        self._replica_logs = replica_logs
        self._partitions = partitions
        self._streams = streams
        self._changed = changed
        self._all_failed = all_failed
        self._full: frozenset[str] = frozenset()

    def states(self) -> dict[PartitionKey, ReplicaState]:
        """The replicas that cannot serve, and why."""
        states = dict(self._replica_logs.failed)
        if any(directory.offline or directory.room.full for directory in self._directories):
            for key, partition in self._partitions.items():
                if key in states or partition.log is None:
                    continue
                if partition.log.directory.offline:
                    states[key] = ReplicaState.OFFLINE
                elif partition.full:
                    states[key] = ReplicaState.FULL
        return states

    def log_failed(self, partition: Partition) -> None:
        """See `PartitionHost`."""
        log = partition.log
        if log is None:
            return
        if log.directory.appendable and not log.usable:
            state = ReplicaState.DAMAGED if log.damaged else ReplicaState.OFFLINE
            key = (partition.topic_id, partition.index)
            self._replica_logs.failed[key] = state
            self._streams.unfollow(key)
            self._changed.set()
        self._look_at_directories()

    def look(self) -> None:
        """Find what failed or filled in the background."""
        self._look_at_directories()
        for partition in [*self._partitions.values()]:
            log = partition.log
            if log is not None and log.damaged and partition.machine.role is not Role.OFFLINE:
                partition.go_offline()
                self.log_failed(partition)

    def _look_at_directories(self) -> None:
        for directory in self._directories:
            if directory.offline:
                self._take_offline(directory)
        if all(directory.offline for directory in self._directories):
            self._all_failed()
        full = frozenset(d.path for d in self._directories if d.room.full)
        if full != self._full:
            has_become_full = not full <= self._full
            self._full = full
            self._changed.set()
            if has_become_full:
                self._streams.leave_full()

    def _take_offline(self, directory: LogDirectory) -> None:
        for key, partition in self._partitions.items():
            log = partition.log
            if (
                log is not None
                and log.directory is directory
                and partition.machine.role is not Role.OFFLINE
            ):
                partition.go_offline()
                self._streams.unfollow(key)
                self._changed.set()
