"""Which stream each followed partition is on: two streams per leader, in sync and catching up.

A partition starts on the stream of those in sync, in each leader epoch; the leader knows how far
behind it is and sends it to the other stream, and back (SAFETY rule 11). A stream is opened when it
is first needed.
"""

from __future__ import annotations

from collections.abc import Callable

from broker.replication.follower_session import PartitionKey
from broker.replication.follower_stream import FollowerStream
from broker.replication.partition import Partition


class FollowerStreams:
    """Moves partitions between streams; `open_stream` makes (and runs) one to a leader, the
    catch-up stream when its second argument is True."""

    __slots__ = ("_followed", "_on", "_open_stream", "_streams")

    def __init__(self, open_stream: Callable[[int, bool], FollowerStream]) -> None:
        self._open_stream = open_stream
        self._streams: dict[tuple[int, bool], FollowerStream] = {}
        """By leader id and whether it is for catching up."""
        self._followed: dict[PartitionKey, tuple[int, int]] = {}
        """(leader id, leader epoch)."""
        self._on: dict[PartitionKey, bool] = {}
        """Whether a followed partition is catching up."""

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
        self._put(partition, leader_id, catch_up=False)

    def switch(self, partition: Partition) -> None:
        """The leader wants it on the other stream."""
        key = (partition.topic_id, partition.index)
        target = self._followed.get(key)
        if target is None:
            return
        catching_up = self._on[key]
        self._streams[target[0], catching_up].unfollow(key)
        self._put(partition, target[0], catch_up=not catching_up)

    def _put(self, partition: Partition, leader_id: int, *, catch_up: bool) -> None:
        self._on[partition.topic_id, partition.index] = catch_up
        stream = self._streams.get((leader_id, catch_up))
        if stream is None:
            stream = self._open_stream(leader_id, catch_up)
            self._streams[leader_id, catch_up] = stream
        stream.follow(partition)

    def unfollow(self, key: PartitionKey) -> None:
        """Unknown keys are ignored."""
        target = self._followed.pop(key, None)
        if target is not None:
            self._streams[target[0], self._on.pop(key)].unfollow(key)

    def redial(self, leader_id: int) -> None:
        """The registration of `leader_id` changed."""
        for (leader, _), stream in self._streams.items():
            if leader == leader_id:
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
        key = (partition.topic_id, partition.index)
        target = self._followed.get(key)
        return None if target is None else self._streams[target[0], self._on[key]]
