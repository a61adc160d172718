"""A leader and a follower with the two streams between them, in memory."""

from __future__ import annotations

from itertools import count
from typing import cast

from broker.replication.follower_session import FollowerSession, PartitionKey
from broker.replication.follower_stream import FollowerStream
from broker.replication.follower_streams import FollowerStreams
from broker.replication.leader_session import LeaderSession
from broker.replication.partition import Partition
from broker.replication.settings import ReplicationSettings
from broker.replication.throttle import UNLIMITED, Throttle
from tests.unit.broker.replication.replication_support import (
    Host,
    Reads,
    Woken,
    fill,
    leader_session,
)

RECORD = bytes(300)
TICK_MS = 100


class Link:
    """One stream, both ends; it stands for a FollowerStream."""

    def __init__(self, pair: Pair, catch_up: bool) -> None:
        self.pair = pair
        self.catch_up = catch_up
        self.partitions: dict[PartitionKey, Partition] = {}
        self.connect()

    def connect(self) -> None:
        pair = self.pair
        self.leader = leader_session(
            pair.leader_host,
            *pair.leaders,
            credit_bytes=pair.credit_bytes,
            partition_credit_bytes=800,
            message_bytes=pair.message_bytes,
            catch_up=self.catch_up,
            reader=pair.reads,
            throttle=pair.throttle_out,
        )
        self.follower = FollowerSession(
            1,
            broker_epoch=lambda: 20,
            settings=ReplicationSettings(2, "cluster"),
            clock=pair.host.clock,
            wake=Woken(),
            requests=pair.requests,
            elsewhere=pair.streams.switch,
            throttle=pair.throttle_in,
            catch_up=self.catch_up,
        )
        for partition in self.partitions.values():
            self.follower.follow(partition)

    def lose(self) -> None:
        self.leader.close()
        self.connect()

    def follow(self, partition: Partition) -> None:
        self.partitions[partition.topic_id, partition.index] = partition
        self.follower.follow(partition)

    def unfollow(self, key: PartitionKey) -> None:
        self.partitions.pop(key, None)
        self.follower.unfollow(key)

    def exchange(self) -> bool:
        """One message each way; whether there was any."""
        to_leader, to_follower = self.follower.next_message(), self.leader.next_message()
        if to_leader is not None:
            self.leader.receive(to_leader)
        if to_follower is not None:
            self.follower.receive(to_follower)
        return to_leader is not None or to_follower is not None


class Pair:
    """Broker 1 leads, 2 follows and is not in the ISR unless told so."""

    def __init__(
        self,
        *,
        isr: tuple[int, ...] = (1, 3),
        records: int = 40,
        partitions: int = 1,
        rate_out: int = UNLIMITED,
        rate_in: int = UNLIMITED,
        credit_bytes: int = 1 << 20,
        message_bytes: int = 1 << 20,
    ) -> None:
        self.leader_host, self.host = Host(1), Host(2)
        self.leaders = [self.leader_host.partition(n, isr=isr) for n in range(partitions)]
        self.followers = [self.host.partition(n, isr=isr) for n in range(partitions)]
        self.leader, self.partition = self.leaders[0], self.followers[0]
        self.throttle_out, self.throttle_in = Throttle(rate_out), Throttle(rate_in)
        self.credit_bytes, self.message_bytes = credit_bytes, message_bytes
        self.requests = count(1)
        self.reads = Reads()
        self.links: dict[bool, Link] = {}
        self.streams = FollowerStreams(self.open)
        for leader in self.leaders:
            fill(leader, *[RECORD] * records)

    def open(self, leader_id: int, catch_up: bool) -> FollowerStream:
        self.links[catch_up] = Link(self, catch_up)
        return cast(FollowerStream, self.links[catch_up])

    def follow(self) -> None:
        for partition in self.followers:
            self.streams.follow(partition)

    def talk(self) -> None:
        for _ in range(500):
            if sum(link.exchange() for link in [*self.links.values()]) == 0:
                return
        raise AssertionError("no end of talk")

    def pass_time(self, ms: int) -> None:
        """In steps of a tick, with all that is said meanwhile."""
        for _ in range(ms // TICK_MS):
            for host in (self.leader_host, self.host):
                host.clock.advance(TICK_MS)
            for link in [*self.links.values()]:
                link.leader.on_tick(self.leader_host.clock.now_ms())
                link.follower.on_tick(self.host.clock.now_ms())
            self.talk()

    @property
    def serving(self) -> LeaderSession:
        (subscription,) = self.leader.feed.subscriptions
        return subscription.session
