"""Drives a machine with groups of the consumer protocol; a replay of the log must give the same."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from broker.coordinator.machine import Ticket
from broker.groups.consumer.requests import ConsumerHeartbeat, TopicsView
from broker.groups.consumer.stored import TopicPartitions
from broker.groups.machine import GroupMachine
from ottla.protocol.messages.consumer_protocol_subscription import (
    ConsumerProtocolSubscription,
    TopicPartition,
)
from tests.support.group_driver import GROUP, SETTINGS, GroupDriver

TOPIC: Final = bytes([1] * 16)
_UNSAID: Final[Any] = object()


class ConsumerDriver(GroupDriver):
    """Topic "t" has six partitions."""

    def __init__(self, settings: Any = SETTINGS, partitions: int = 6) -> None:
        self.view = TopicsView({"t": (TOPIC, partitions)})
        super().__init__(settings)
        self._follower = self.new_machine()
        self._followed = 0

    def new_machine(self) -> GroupMachine:
        return GroupMachine(self.settings, lambda: self.view)

    def carried_out(self) -> None:
        """A machine that only reads the log has the same state."""
        if self._followed == len(self.log):
            return
        for key, value in self.log[self._followed :]:
            record = self._follower.decode(key, value)
            assert record is not None
            self._follower.replay(record)
        self._followed = len(self.log)
        assert state_of(self._follower) == state_of(self.machine)

    def consumer_beat(
        self,
        member_id: str,
        epoch: int,
        owned: TopicPartitions | None = _UNSAID,
        instance_id: str | None = None,
        topics: tuple[str, ...] | None = _UNSAID,
        *,
        regex: str | None = None,
        assignor: str | None = None,
        rebalance_timeout_ms: int = 10_000,
    ) -> Ticket:
        """A heartbeat; what is not said is what a joining, or staying, client says."""
        is_join = epoch == 0
        if owned is _UNSAID:
            owned = frozenset() if is_join else None
        if topics is _UNSAID:
            topics = ("t",) if is_join else None
        request = ConsumerHeartbeat(
            GROUP,
            member_id,
            epoch,
            instance_id,
            None,
            "client",
            "/host",
            rebalance_timeout_ms,
            topics,
            assignor,
            owned,
            regex,
        )
        return self.decide(lambda m, ticket, turn: m.consumer_heartbeat(request, ticket, turn))


def state_of(machine: GroupMachine) -> dict[str, Any]:
    """What the log says of all groups."""
    consumers = {
        group_id: (
            group.epoch,
            group.metadata_hash,
            group.assignment_epoch,
            group.members,
            group.targets,
            group.currents,
            group.regexes,
        )
        for group_id, group in machine.consumers.groups.items()
    }
    classic = {
        group_id: group.stored
        for group_id, group in machine.groups.items()
        if group.stored is not None
    }
    return {"consumers": consumers, "classic": classic}


def subscription(topics: Iterable[str] = ("t",), owned: Iterable[int] = ()) -> bytes:
    """A classic consumer's metadata, version 1; `owned` partitions are of "t"."""
    indexes = list(owned)
    told = ConsumerProtocolSubscription(
        list(topics), None, [TopicPartition("t", indexes)] if indexes else []
    )
    return b"\0\1" + told.encode(1)
