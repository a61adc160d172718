"""Consumer groups (KIP-848) under members of both protocols that come, go, and lose answers.

Clients are modelled as they behave: what a client uses changes only when it hears an answer, and it
tells with its next request. After every step: a replay of the log gives the state that is served,
no partition is used by two members, and no acknowledged commit is lost. At the end, when nothing
fails any longer: every join ends, and each partition has one owner.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from broker.coordinator.machine import Turn
from broker.groups.consumer.requests import ConsumerHeartbeatResult, TopicsView
from broker.groups.machine import GroupMachine
from broker.groups.requests import JoinResult, SyncResult
from broker.groups.settings import GroupSettings
from broker.groups.subscriptions import read_assignment, read_subscription, write_assignment
from ottla.core.errors import ErrorCode, ProtocolError
from tests.support.consumer_driver import TOPIC, ConsumerDriver, subscription
from tests.support.examples import examples
from tests.support.group_driver import GROUP, PENDING, offset

SESSION_MS = 45_000
REBALANCE_MS = 30_000
SETTINGS = GroupSettings(initial_rebalance_delay_ms=0, offsets_retention_ms=10**12)
EAGER, COOPERATIVE = "range", "cooperative-sticky"
REJOINING = (
    ErrorCode.UNKNOWN_MEMBER_ID,
    ErrorCode.FENCED_MEMBER_EPOCH,
    ErrorCode.ILLEGAL_GENERATION,
)


class Client:
    """One consumer: who it is, what it uses."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.number = 0
        self.reset()

    def reset(self) -> None:
        """It has lost its place: it uses nothing and begins anew."""
        self.number += 1
        self.member_id = f"{self.name}-{self.number}"
        self.epoch = 0
        self.used: set[int] = set()
        self.is_new = True


class ConsumerClient(Client):
    """Of the consumer protocol."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.told: set[int] | None = None
        """What it last heard that it has."""

    def step(self, driver: Driver, *, is_lost: bool) -> None:
        owned = frozenset((TOPIC, index) for index in self.used)
        ticket = driver.consumer_beat(
            self.member_id,
            self.epoch,
            owned if self.epoch else frozenset(),
            rebalance_timeout_ms=REBALANCE_MS,
        )
        if is_lost:
            return
        answer = driver.answer(ticket)
        if isinstance(answer, ProtocolError):
            assert answer.code in REJOINING, answer
            self.reset()
            return
        assert isinstance(answer, ConsumerHeartbeatResult), answer
        self.epoch = answer.member_epoch
        self.is_new = False
        if answer.assignment is not None:
            self.told = {index for _, index in answer.assignment}
            # It gives up and takes at once: the coordinator must have seen to it that it may.
            self.used = set(self.told)

    def leave(self, driver: Driver) -> None:
        driver.consumer_beat(self.member_id, -1)
        self.reset()


class ClassicClient(Client):
    """Of the classic protocol; one request at a time."""

    def __init__(self, name: str, strategy: str) -> None:
        super().__init__(name)
        self.strategy = strategy
        self.must_join = True
        self.joined: JoinResult | None = None
        self.waiting: int | None = None

    def reset(self) -> None:
        super().reset()
        self.must_join = True
        self.joined = None
        self.waiting = None

    @property
    def protocols(self) -> tuple[tuple[str, bytes], ...]:
        owned = self.used if self.strategy == COOPERATIVE else ()
        return ((self.strategy, subscription(owned=owned)),)

    def step(self, driver: Driver, *, is_lost: bool) -> None:
        if self.waiting is not None:
            self._hear(driver, self.waiting)
        elif self.must_join:
            if self.strategy == EAGER:
                self.used = set()
            ticket = driver.join(
                "" if self.is_new else self.member_id,
                fresh_member_id=self.member_id,
                protocols=self.protocols,
                session_timeout_ms=SESSION_MS,
                rebalance_timeout_ms=REBALANCE_MS,
            )
            if is_lost:
                driver.abandon(ticket)
                if self.is_new:
                    self.reset()
                return
            self._hear(driver, ticket)
        elif self.joined is not None:
            given = driver.assign(self.joined) if self.joined.members else None
            ticket = driver.sync(
                self.member_id, self.epoch, given, protocol_type="consumer", protocol=self.strategy
            )
            if is_lost:
                driver.abandon(ticket)
                return
            self._hear(driver, ticket)
        else:
            ticket = driver.heartbeat(self.member_id, self.epoch)
            if not is_lost:
                self._hear(driver, ticket)

    def _hear(self, driver: Driver, ticket: int) -> None:
        answer = driver.answer(ticket)
        self.waiting = ticket if answer is PENDING else None
        match answer:
            case ProtocolError(code=ErrorCode.REBALANCE_IN_PROGRESS):
                self.must_join, self.joined = True, None
            case ProtocolError():
                assert answer.code in REJOINING, answer
                self.reset()
            case JoinResult():
                self.epoch, self.is_new = answer.generation, False
                self.must_join, self.joined = False, answer
            case SyncResult():
                given = {index for _, index in read_assignment(answer.assignment)}
                self.must_join = self.strategy == COOPERATIVE and bool(self.used - given)
                self.used, self.joined = given, None

    def leave(self, driver: Driver) -> None:
        if not self.is_new:
            driver.leave_by_id(self.member_id)
        self.reset()


class Driver(ConsumerDriver):
    """With a leader's assignment, and steps that the log refuses."""

    refuses_next = False

    def assign(self, joined: JoinResult) -> dict[str, bytes]:
        """What a leader does: even, and cooperative: nothing that another still uses."""
        used: dict[int, str] = {}
        for member in joined.members:
            told = read_subscription(member.metadata)
            assert told is not None
            for topic in told.owned_partitions:
                used |= dict.fromkeys(topic.partitions, member.member_id)
        given: dict[str, list[int]] = {member.member_id: [] for member in joined.members}
        ids = sorted(given)
        for index in range(self.view.topics["t"][1]):
            wanted = ids[index % len(ids)]
            if used.get(index, wanted) == wanted:
                given[wanted].append(index)
        return {
            m: write_assignment([("t", indexes)], subscription()) for m, indexes in given.items()
        }

    def leave_by_id(self, member_id: str) -> None:
        from broker.groups.requests import LeavingMember

        self.leave(LeavingMember(member_id))

    def decide(self, decide: Callable[[GroupMachine, int, Turn[Any]], None]) -> int:
        if not self.refuses_next:
            return super().decide(decide)
        self.refuses_next = False
        turn: Turn[Any] = Turn(self.moment)
        ticket = -len(self.answers) - 1
        with contextlib.suppress(ProtocolError):
            decide(self.machine, ticket, turn)
        self.reload()  # the log did not take it: the state is made anew from what it has
        self.answers[ticket] = ProtocolError(ErrorCode.REBALANCE_IN_PROGRESS)
        return ticket


class ConsumerGroupMachine(RuleBasedStateMachine):
    """See the module."""

    def __init__(self) -> None:
        super().__init__()
        self.driver = Driver(SETTINGS)
        self.clients: list[ConsumerClient | ClassicClient] = []
        self.acknowledged: int | None = None
        self.number = 0

    @initialize(strategy=st.sampled_from([EAGER, COOPERATIVE]))
    def make_clients(self, strategy: str) -> None:
        self.clients = [ConsumerClient(name) for name in "xyz"]
        self.clients += [ClassicClient(name, strategy) for name in "ab"]

    def member_ids(self) -> set[str]:
        machine = self.driver.machine
        consumers = machine.consumers.groups.get(GROUP)
        classic = machine.groups.get(GROUP)
        return {*(consumers.members if consumers else ()), *(classic.members if classic else ())}

    @rule(index=st.integers(0, 4), is_lost=st.integers(0, 5), times=st.integers(1, 3))
    def step(self, index: int, is_lost: int, times: int) -> None:
        for _ in range(times):
            self.clients[index].step(self.driver, is_lost=is_lost == 0)

    @rule(data=st.data())
    def all_step(self, data: st.DataObject) -> None:
        for client in data.draw(st.permutations(self.clients)):
            client.step(self.driver, is_lost=False)

    @rule(index=st.integers(0, 4))
    def leave(self, index: int) -> None:
        self.clients[index].leave(self.driver)

    @rule(index=st.integers(0, 4))
    def crash(self, index: int) -> None:
        """Its process is gone; what it used nobody uses. The coordinator does not know."""
        client = self.clients[index]
        if isinstance(client, ClassicClient) and client.waiting is not None:
            self.driver.abandon(client.waiting)
        client.reset()

    @rule(milliseconds=st.sampled_from([1_000, REBALANCE_MS, SESSION_MS]))
    def time(self, milliseconds: int) -> None:
        self.driver.advance(milliseconds)

    @rule(count=st.integers(1, 8))
    def topic(self, count: int) -> None:
        """More partitions, or fewer in the view of a broker that is behind."""
        self.driver.view = TopicsView({"t": (TOPIC, count)}, self.driver.view.version + 1)
        for client in self.clients:
            client.used = {index for index in client.used if index < count}

    @rule()
    def coordinator_moves(self) -> None:
        self.driver.reload()
        self._lose_waiting()

    @rule(index=st.integers(0, 4))
    def append_fails(self, index: int) -> None:
        self.driver.refuses_next = True
        client = self.clients[index]
        client.step(self.driver, is_lost=isinstance(client, ConsumerClient))
        self.driver.refuses_next = False
        self._lose_waiting()

    def _lose_waiting(self) -> None:
        for client in self.clients:
            if isinstance(client, ClassicClient) and client.waiting is not None:
                client.waiting = None
                client.must_join, client.joined = True, None
                if client.is_new:
                    client.reset()

    @rule(index=st.integers(0, 4))
    def commit(self, index: int) -> None:
        client = self.clients[index]
        if client.is_new or client.epoch <= 0:
            return
        self.number += 1
        ticket = self.driver.commit(
            offset(self.number), member_id=client.member_id, generation=client.epoch
        )
        if self.driver.answer(ticket) == [ErrorCode.NONE]:
            self.acknowledged = self.number

    @invariant()
    def acknowledged_commits_are_there(self) -> None:
        assert self.driver.committed() == self.acknowledged

    @invariant()
    def no_partition_is_used_twice(self) -> None:
        members = self.member_ids()
        used: dict[int, str] = {}
        for client in self.clients:
            if client.member_id not in members:
                continue  # fenced, and will hear of it
            for index in client.used:
                assert index not in used, (index, used[index], client.name)
                used[index] = client.name

    @invariant()
    def no_partition_is_given_twice(self) -> None:
        consumers = self.driver.machine.consumers.groups.get(GROUP)
        given: list[Any] = []
        for current in () if consumers is None else consumers.currents.values():
            given += [*current.assigned, *current.pending_revocation]
        assert len(given) == len(set(given))

    def teardown(self) -> None:
        if not self.clients:
            return
        everything = list(range(self.driver.view.topics["t"][1]))
        for _ in range(60):
            self.driver.advance(2_000)
            for client in self.clients:
                client.step(self.driver, is_lost=False)
            self.no_partition_is_used_twice()
            used = sorted(index for client in self.clients for index in client.used)
            if used == everything and len(self.member_ids()) == len(self.clients):
                return
        raise AssertionError([(client.name, client.used) for client in self.clients])


TestConsumerGroups = ConsumerGroupMachine.TestCase
TestConsumerGroups.settings = settings(
    max_examples=examples(80),
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
