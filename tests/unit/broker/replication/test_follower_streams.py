from __future__ import annotations

from typing import cast

from broker.replication.follower_session import PartitionKey
from broker.replication.follower_stream import FollowerStream
from broker.replication.follower_streams import FollowerStreams
from broker.replication.partition import Partition
from tests.unit.broker.replication.replication_support import TOPIC_ID, Host, lead

KEY = (TOPIC_ID, 0)


class Stream:
    def __init__(self, leader_id: int) -> None:
        self.leader_id = leader_id
        self.followed: list[int] = []
        self.flushed: list[Partition] = []
        self.log_starts: list[Partition] = []
        self.redials = 0

    def follow(self, partition: Partition) -> None:
        self.followed.append(partition.leader_epoch)

    def unfollow(self, key: PartitionKey) -> None:
        self.followed.clear()

    def note_flushed(self, partition: Partition) -> None:
        self.flushed.append(partition)

    def note_log_start(self, partition: Partition) -> None:
        self.log_starts.append(partition)

    def redial(self) -> None:
        self.redials += 1


class Opened:
    def __init__(self) -> None:
        self.streams: dict[int, Stream] = {}
        """Those of what is in sync, by leader."""
        self.catch_up: dict[int, Stream] = {}

    def __call__(self, leader_id: int, catch_up: bool) -> FollowerStream:
        streams = self.catch_up if catch_up else self.streams
        streams[leader_id] = Stream(leader_id)
        return cast(FollowerStream, streams[leader_id])


def test_a_partition_is_on_the_stream_of_its_leader() -> None:
    opened = Opened()
    streams = FollowerStreams(opened)
    partition = Host(9).partition(leader_id=1)
    streams.follow(partition)
    streams.follow(partition)
    assert opened.streams[1].followed == [0]
    lead(partition, 2, 1)
    streams.follow(partition)
    assert opened.streams[1].followed == []
    assert opened.streams[2].followed == [1]
    lead(partition, 2, 2)
    streams.follow(partition)
    assert opened.streams[2].followed == [2]
    lead(partition, None, 3)
    streams.follow(partition)
    assert opened.streams[2].followed == []


def test_what_concerns_a_stream_reaches_it() -> None:
    opened = Opened()
    streams = FollowerStreams(opened)
    partition = Host(9).partition(leader_id=1)
    streams.follow(partition)
    streams.note_flushed(partition)
    streams.note_log_start(partition)
    streams.redial(1)
    streams.redial(7)
    assert opened.streams[1].flushed == [partition]
    assert opened.streams[1].log_starts == [partition]
    assert opened.streams[1].redials == 1
    streams.unfollow(KEY)
    streams.unfollow(KEY)
    streams.note_flushed(partition)
    assert opened.streams[1].flushed == [partition]


def test_the_leader_sends_it_to_the_other_stream_and_back() -> None:
    opened = Opened()
    streams = FollowerStreams(opened)
    partition = Host(9).partition(leader_id=1)
    streams.follow(partition)
    assert opened.catch_up == {}
    streams.switch(partition)
    assert opened.streams[1].followed == []
    assert opened.catch_up[1].followed == [0]
    streams.note_flushed(partition)
    streams.note_log_start(partition)
    streams.redial(1)
    assert opened.catch_up[1].flushed == opened.catch_up[1].log_starts == [partition]
    assert (opened.streams[1].redials, opened.catch_up[1].redials) == (1, 1)
    streams.switch(partition)
    assert opened.streams[1].followed == [0]
    assert opened.catch_up[1].followed == []


def test_a_new_epoch_begins_on_the_stream_of_those_in_sync() -> None:
    opened = Opened()
    streams = FollowerStreams(opened)
    partition = Host(9).partition(leader_id=1)
    streams.follow(partition)
    streams.switch(partition)
    lead(partition, 1, 1)
    streams.follow(partition)
    assert opened.streams[1].followed == [1]
    assert opened.catch_up[1].followed == []
    lead(partition, 2, 2)
    streams.follow(partition)
    streams.switch(partition)
    assert opened.catch_up[2].followed == [2]
    streams.unfollow(KEY)
    assert opened.catch_up[2].followed == []
    streams.switch(partition)
    assert opened.streams[2].followed == opened.catch_up[2].followed == []
