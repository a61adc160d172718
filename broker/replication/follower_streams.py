"""Which stream each followed partition is on: one stream per leader."""

from __future__ import annotations

from collections.abc import Callable

from broker.replication.follower_session import PartitionKey
from broker.replication.follower_stream import FollowerStream
from broker.replication.partition import Partition


class FollowerStreams:
    """Moves partitions between streams; `open_stream` makes (and runs) the one to a leader."""

    __slots__ = ("_followed", "_open_stream", "_streams")

    def __init__(self, open_stream: Callable[[int], FollowerStream]) -> None:
        self._open_stream = open_stream
        self._streams: dict[int, FollowerStream] = {}
        self._followed: dict[PartitionKey, tuple[int, int]] = {}
        """(leader id, leader epoch)."""

    def follow(self, partition: Partition) -> None:
        """Follow the leader of the partition in its current epoch; nobody when it has none."""
        key = (partition.topic_id, partition.index)
        leader_id = partition.leader_id
        if leader_id is None:
            self.unfollow(key)
            return
        target = (leader_id, partition.leader_epoch)
        if self._followed.get(key) == target:
            return
        self.unfollow(key)
        self._followed[key] = target
        stream = self._streams.get(leader_id)
        if stream is None:
            stream = self._streams[leader_id] = self._open_stream(leader_id)
        stream.follow(partition)

    def unfollow(self, key: PartitionKey) -> None:
        """Unknown keys are ignored."""
        target = self._followed.pop(key, None)
        if target is not None:
            self._streams[target[0]].unfollow(key)

    def redial(self, leader_id: int) -> None:
        """The registration of `leader_id` changed."""
        stream = self._streams.get(leader_id)
        if stream is not None:
            stream.redial()

    def leave_full(self) -> None:
        """A log directory has become full: its leaders must not count on us."""
        for stream in self._streams.values():
            stream.leave_full()

    def note_flushed(self, partition: Partition) -> None:
        """Durable mode: more of the partition's log is synced."""
        if (stream := self._stream_of(partition)) is not None:
            stream.note_flushed(partition)

    def note_log_start(self, partition: Partition) -> None:
        """The partition's log start offset is saved."""
        if (stream := self._stream_of(partition)) is not None:
            stream.note_log_start(partition)

    def _stream_of(self, partition: Partition) -> FollowerStream | None:
        target = self._followed.get((partition.topic_id, partition.index))
        return None if target is None else self._streams[target[0]]
