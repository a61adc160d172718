"""A rolling restart of static members (KIP-345): nobody is rebalanced."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import confluent_kafka as ck

from ottla.client.admin import Admin
from ottla.core.errors import ProtocolError
from ottla.testing import Cluster

SECONDS_MAX = 60.0
PARTITIONS = 6


class Member(threading.Thread):
    """A static member that remembers what was given to it and taken from it."""

    def __init__(self, bootstrap: str, instance: str) -> None:
        super().__init__(daemon=True)
        self.given: list[list[int]] = []
        self.revoked = 0
        self._stopping = threading.Event()
        self._consumer = ck.Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": "static",
                "group.instance.id": instance,
                "session.timeout.ms": 30_000,
                "heartbeat.interval.ms": 300,
                "enable.auto.commit": False,
            }
        )
        self._consumer.subscribe(["t"], on_assign=self._assigned, on_revoke=self._lost)
        self.start()

    def _assigned(self, _: object, partitions: list[ck.TopicPartition]) -> None:
        self.given.append(sorted(p.partition for p in partitions))

    def _lost(self, _: object, partitions: list[ck.TopicPartition]) -> None:
        self.revoked += not self._stopping.is_set()

    def run(self) -> None:
        while not self._stopping.is_set():
            self._consumer.poll(0.05)
        self._consumer.close()

    def stop(self) -> None:
        """A static member that closes does not leave its group."""
        self._stopping.set()
        self.join(SECONDS_MAX)
        assert not self.is_alive()


def wait_until(condition: Callable[[], object], what: str) -> None:
    end = time.monotonic() + SECONDS_MAX
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.02)


def test_a_rolling_restart_of_static_members_rebalances_nobody() -> None:
    with Cluster(brokers=1) as cluster, Admin(cluster.bootstrap) as admin:
        admin.create_topic("t", PARTITIONS)
        names = ["a", "b", "c"]
        members = {name: Member(cluster.bootstrap, name) for name in names}

        def is_whole() -> bool:
            owned = [p for m in members.values() for p in (m.given[-1] if m.given else [])]
            try:
                group = admin.describe_group("static")
            except ProtocolError:
                return False  # nobody has joined yet
            return (
                sorted(owned) == list(range(PARTITIONS))
                and group.state == "Stable"
                and len(group.members) == len(names)
            )

        wait_until(is_whole, "the group did not become stable")
        log = cluster.log(1)
        generations = log.count(" is rebalanced: ")
        before = {name: member.given[-1] for name, member in members.items()}
        for member in members.values():
            member.given.clear()
        for name in names:
            members[name].stop()
            members[name] = Member(cluster.bootstrap, name)
            member = members[name]
            wait_until(member.given.__len__, f"{name} got nothing")
        # A rebalance would reach the others by heartbeat.
        time.sleep(1)
        after = {name: member.given for name, member in members.items()}
        assert after == {name: [owned] for name, owned in before.items()}
        assert not any(member.revoked for member in members.values())
        assert cluster.log(1).count(" is rebalanced: ") == generations
        for member in members.values():
            member.stop()
