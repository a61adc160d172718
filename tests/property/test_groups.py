"""Groups under members that come, go and crash, appends that fail, and coordinators that change.

One partition of __consumer_offsets, run by the real runtime over a log in memory. After every step:
a replay of the log gives the state that is served, and no acknowledged commit is lost. Whenever a
member hears of its part: nobody else has it in that generation. At the end: every request is
answered.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from broker.coordinator.runtime import CoordinatorRuntime
from broker.groups.machine import GroupMachine
from broker.groups.requests import (
    CommitRequest,
    FetchRequest,
    HeartbeatRequest,
    JoinRequest,
    JoinResult,
    LeaveRequest,
    LeavingMember,
    OffsetToCommit,
    SyncRequest,
    SyncResult,
)
from broker.groups.settings import GroupSettings
from broker.groups.states import GroupState
from broker.groups.stored import CommittedOffset, OffsetRecord, StoredGroup
from broker.transactions.seams import TransactionMarker
from ottla.core.clock import ManualClock
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.record.batch import iter_records, read_header
from ottla.record.control import ControlRecordType, control_record_type
from tests.support.examples import examples
from tests.support.group_driver import join_request
from tests.support.in_loop import turns
from tests.support.memory_partition import MemoryPartition

PARTITIONS = 6
SESSION_MS = 10_000
REBALANCE_MS = 20_000
NEVER_MS = 10**12
SETTINGS = GroupSettings(
    initial_rebalance_delay_ms=500,
    offsets_retention_ms=NEVER_MS,
    offsets_retention_check_interval_ms=NEVER_MS,
)
APPEND_ERRORS = (
    ProtocolError(ErrorCode.NOT_ENOUGH_REPLICAS),
    ProtocolError(ErrorCode.KAFKA_STORAGE_ERROR),
    OSError("disk"),
)
State = tuple[
    dict[str, StoredGroup],
    dict[tuple[str, int], CommittedOffset],
    dict[int, dict[tuple[str, tuple[str, int]], OffsetRecord | None]],
]


PRODUCERS = (7, 8)


@dataclass(eq=False)
class Client:
    """One consumer: what it believes, and the one request that it waits for."""

    name: str
    instance_id: str | None
    member_id: str = ""
    generation: int = -1
    joined: JoinResult | None = None
    waiting: asyncio.Future[Any] | None = None

    @property
    def owner(self) -> str:
        return self.instance_id or self.member_id


class Groups(RuleBasedStateMachine):
    """See the module."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.clock = ManualClock(now_ms=1_000)
        self.partition = MemoryPartition()
        self.machine: GroupMachine | None = None
        self.runtime: CoordinatorRuntime[GroupMachine] = CoordinatorRuntime(
            "__consumer_offsets", self.make, lambda index: self.partition, self.clock
        )
        self.clients = [Client(f"c{n}", None) for n in range(3)]
        self.clients += [Client(f"s{n}", f"instance-{n}") for n in range(2)]
        self.owners: dict[tuple[int, int], str] = {}
        self.leaders: dict[int, set[str]] = {}
        self.number = 0
        self.commits: list[tuple[int, int, asyncio.Future[Any]]] = []
        self.acknowledged: dict[int, int] = {}
        self.in_transaction: dict[int, list[tuple[int, int, asyncio.Future[Any]]]] = {}
        self.requests: list[asyncio.Future[Any]] = []
        self.task = self.loop.create_task(self.runtime.run())
        self.runtime.on_leadership(0, self.partition.leader_epoch, True)
        self.run(turns())

    def make(self, index: int) -> GroupMachine:
        self.machine = GroupMachine(SETTINGS)
        return self.machine

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        async def settle() -> None:
            await work
            await turns(8)

        self.loop.run_until_complete(settle())
        for client in self.clients:
            self.take_answer(client)
        for partition, value, future in self.commits:
            if future.done() and future.exception() is None:
                before = self.acknowledged.get(partition, -1)
                self.acknowledged[partition] = max(before, value)
        self.commits = [commit for commit in self.commits if not commit[2].done()]

    def submit(self, name: str, request: Any) -> asyncio.Future[Any]:
        """Send one request now; its failure is looked at where it matters."""

        async def send() -> asyncio.Future[Any]:
            return self.runtime.submit(
                0, lambda machine, ticket, turn: getattr(machine, name)(request, ticket, turn)
            )

        future = self.loop.run_until_complete(send())
        future.add_done_callback(lambda done: done.cancelled() or done.exception())
        self.requests.append(future)
        return future

    # ---- clients

    def take_answer(self, client: Client) -> None:
        future, client.waiting = client.waiting, None
        if future is None:
            return
        if not future.done():
            client.waiting = future
            return
        if future.cancelled():
            return
        error = future.exception()
        if isinstance(error, ProtocolError):
            if error.code in (ErrorCode.UNKNOWN_MEMBER_ID, ErrorCode.FENCED_INSTANCE_ID):
                client.member_id = ""
            client.joined = None
        elif error is not None:
            raise error
        elif isinstance(result := future.result(), JoinResult):
            client.member_id = result.member_id
            if result.error is ErrorCode.NONE:
                client.joined = result
                client.generation = result.generation
                if result.members:
                    self.leaders.setdefault(result.generation, set()).add(result.leader_id)
        elif isinstance(result, SyncResult):
            self.take_part(client, result)

    def take_part(self, client: Client, result: SyncResult) -> None:
        for partition in result.assignment:
            owner = self.owners.setdefault((client.generation, partition), client.owner)
            assert owner == client.owner, "two members own one partition in one generation"

    def idle(self, client: Client) -> bool:
        return client.waiting is None

    @rule(client=st.integers(0, 4), subscription=st.sampled_from([b"x", b"y"]))
    def join(self, client: int, subscription: bytes) -> None:
        who = self.clients[client]
        if not self.idle(who):
            return
        self.number += 1
        request: JoinRequest = join_request(
            "" if who.instance_id is not None and self.number % 3 == 0 else who.member_id,
            instance_id=who.instance_id,
            session_timeout_ms=SESSION_MS,
            rebalance_timeout_ms=REBALANCE_MS,
            protocols=(("range", subscription),),
            fresh_member_id=f"{who.name}-{self.number}",
            requires_known_member_id=self.number % 2 == 0,
        )
        who.joined = None
        who.waiting = self.submit("join", request)
        self.run(turns(0))

    @rule(client=st.integers(0, 4))
    def sync(self, client: int) -> None:
        who = self.clients[client]
        if not self.idle(who) or who.joined is None:
            return
        assignments: dict[str, list[int]] = {}
        members = [member.member_id for member in who.joined.members]
        for partition in range(PARTITIONS if members else 0):
            assignments.setdefault(members[partition % len(members)], []).append(partition)
        request = SyncRequest(
            "group",
            who.generation,
            who.member_id,
            who.instance_id,
            "consumer",
            "range",
            {member_id: bytes(given) for member_id, given in assignments.items()},
        )
        who.waiting = self.submit("sync", request)
        self.run(turns(0))

    @rule(subscription=st.sampled_from([b"x", b"y"]))
    def everybody_joins(self, subscription: bytes) -> None:
        self.everybody_goes_on(subscription, set(range(5)))

    @rule(subscription=st.sampled_from([b"x", b"y"]), joining=st.sets(st.integers(0, 4)))
    def everybody_goes_on(self, subscription: bytes, joining: set[int]) -> None:
        """What clients do by themselves, so that stable groups are seen often enough."""
        for _ in range(2):  # the second time with the id that some were given
            for index in joining:
                self.join(index, subscription)
        for _ in range(12):  # at most until the round's time is over
            self.wait(2_000)
            self.partition.commit()
            self.run(turns())
            for index in range(len(self.clients)):
                self.sync(index)
            if all(self.idle(client) for client in self.clients):
                break
        self.partition.commit()
        self.run(turns())

    @rule(client=st.integers(0, 4))
    def heartbeat(self, client: int) -> None:
        who = self.clients[client]
        request = HeartbeatRequest("group", who.generation, who.member_id, who.instance_id)
        self.submit("heartbeat", request)
        self.run(turns(0))

    @rule(client=st.integers(0, 4))
    def leave(self, client: int) -> None:
        who = self.clients[client]
        leaving = LeavingMember(who.member_id, who.instance_id)
        self.submit("leave", LeaveRequest("group", (leaving,)))
        if who.waiting is None:
            who.member_id, who.joined = "", None
        self.run(turns(0))

    @rule(client=st.integers(0, 4))
    def crash(self, client: int) -> None:
        """The connection is lost; the client starts anew without its member id."""
        who = self.clients[client]
        if who.waiting is not None:
            who.waiting.cancel()
        self.clients[client] = Client(who.name, who.instance_id)
        self.run(turns(0))

    @rule(client=st.integers(-1, 4), partition=st.integers(0, PARTITIONS - 1))
    def commit_offset(self, client: int, partition: int) -> None:
        who = self.clients[client] if client >= 0 else Client("", None)
        self.number += 1
        request = CommitRequest(
            "group",
            who.member_id,
            who.instance_id,
            who.generation,
            (OffsetToCommit("t", partition, self.number),),
        )
        self.commits.append((partition, self.number, self.submit("commit", request)))
        self.run(turns(0))

    @rule(producer=st.sampled_from(PRODUCERS), partition=st.integers(0, PARTITIONS - 1))
    def commit_in_transaction(self, producer: int, partition: int) -> None:
        self.number += 1
        offsets = (OffsetToCommit("t", partition, self.number),)
        request = CommitRequest("group", "", None, -1, offsets)
        number = self.number

        async def send() -> asyncio.Future[Any]:
            return self.runtime.submit(
                0,
                lambda machine, ticket, turn: machine.commit_in_transaction(
                    request, (producer, 0), ticket, turn
                ),
            )

        future = self.loop.run_until_complete(send())
        future.add_done_callback(lambda done: done.cancelled() or done.exception())
        self.requests.append(future)
        self.in_transaction.setdefault(producer, []).append((partition, number, future))
        self.run(turns(0))

    @rule(producer=st.sampled_from(PRODUCERS), is_commit=st.booleans())
    def end_transaction(self, producer: int, is_commit: bool) -> None:
        """A transaction is committed when all of it was acknowledged; its end is asked for until it
        is there, as the coordinator of transactions does."""
        offsets = self.in_transaction.get(producer, [])
        if not all(f.done() for _, _, f in offsets):
            return
        if is_commit and any(f.exception() is not None for _, _, f in offsets):
            is_commit = False
        marker = TransactionMarker(producer, 0, 0, is_commit=is_commit)

        async def send() -> asyncio.Future[None]:
            return self.runtime.end_transaction(0, marker)

        for _ in range(10):
            future = self.loop.run_until_complete(send())
            future.add_done_callback(lambda done: done.cancelled() or done.exception())
            self.partition.commit()
            self.run(turns())
            if future.done() and future.exception() is None:
                break
            self.news()
            self.wait(5_000)
        else:
            raise AssertionError("the transaction could not be ended")
        self.in_transaction.pop(producer, None)
        if is_commit:
            for partition, number, _ in offsets:
                before = self.acknowledged.get(partition, -1)
                self.acknowledged[partition] = max(before, number)

    @rule(partition=st.integers(0, PARTITIONS - 1))
    def fetch_offset(self, partition: int) -> None:
        """What a reader is told is committed, and is never older than an acknowledgement."""
        acknowledged = self.acknowledged.get(partition, -1)
        future = self.submit("fetch", FetchRequest("group", (("t", (partition,)),)))
        self.run(turns(0))
        if future.done() and future.exception() is None:
            committed = future.result()[0].committed
            told = -1 if committed is None else committed.offset
            assert told >= acknowledged
            if committed is not None:
                assert any(
                    offset.offset == told
                    for key, offset in self.replayed(self.partition.high_watermark)[1].items()
                    if key[1] == partition
                )

    # ---- the cluster

    @rule(at_once=st.booleans())
    def replicate(self, at_once: bool) -> None:
        self.partition.commits_at_once = at_once
        self.partition.commit()
        self.run(turns())

    @rule(which=st.integers(0, 10))
    def replicate_some(self, which: int) -> None:
        behind = self.partition.log_end_offset - self.partition.high_watermark
        self.partition.commit(self.partition.high_watermark + which % (behind + 1))
        self.run(turns())

    @rule(
        fault=st.sampled_from([*APPEND_ERRORS, "replicas", "leader", "late news", "news"]),
        lost=st.integers(0, 10),
    )
    def fault(self, fault: Exception | str, lost: int) -> None:
        """One rule for all, lest nothing else happened."""
        match fault:
            case "replicas":
                self.partition.fail_waiters(ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND)
            case "leader" | "late news":
                # The coordinator moves: what was not committed may be lost.
                behind = self.partition.log_end_offset - self.partition.high_watermark
                keep = self.partition.log_end_offset - lost % (behind + 1)
                self.partition.change_epoch(keep=keep)
                if fault == "leader":
                    self.news()
            case "news":
                self.news()
            case Exception():
                self.partition.append_error = fault
        self.run(turns())

    def news(self) -> None:
        self.runtime.on_leadership(0, self.partition.leader_epoch, self.partition.is_leader)

    @rule(milliseconds=st.sampled_from([100, 500, 1_000, 3_000, 3_000, SESSION_MS, REBALANCE_MS]))
    def wait(self, milliseconds: int) -> None:
        self.clock.advance(milliseconds)
        self.pass_time()

    def pass_time(self) -> None:
        async def wake() -> None:
            self.runtime.on_deadline(self.clock.now_ms())
            self.runtime._wake.set()
            await turns()

        for _ in range(5):
            self.run(wake())

    # ---- what must hold

    def replayed(self, end_offset: int) -> State:
        machine = GroupMachine(SETTINGS)
        for data in self.partition.batches_before(end_offset):
            header = read_header(data)
            producer_id = header.producer_id if header.is_transactional else None
            for found in iter_records(data, 0, header):
                if header.is_control:
                    kind = control_record_type(found.key)
                    is_commit = kind is ControlRecordType.COMMIT
                    machine.replay_end(header.producer_id, is_commit=is_commit)
                    continue
                assert found.key is not None
                record = machine.decode(found.key, found.value)
                assert record is not None
                machine.replay(record, producer_id)
        return state_of(machine)

    @precondition(lambda self: self.runtime.is_active(0))
    @invariant()
    def a_reload_gives_the_same_state(self) -> None:
        shard = self.runtime._shards[0]
        if shard.leader_epoch != self.partition.leader_epoch:
            return  # the news of another leader has not come yet
        assert shard.machine is not None
        assert state_of(shard.machine) == self.replayed(self.partition.log_end_offset)
        for group in shard.machine.groups.values():
            if group.state in (GroupState.STABLE, GroupState.COMPLETING_REBALANCE):
                assert group.stored is not None
                assert {m.member_id for m in group.stored.members} == set(group.members)
                assert group.leader_id in group.members
                assert group.join_round is None
            if group.state is GroupState.PREPARING_REBALANCE:
                assert group.join_round is not None
            parked = {m.join_ticket for m in group.members.values()}
            parked |= {m.sync_ticket for m in group.members.values()}
            assert parked - {None} <= set(shard._waiting)

    @invariant()
    def no_acknowledged_commit_is_lost(self) -> None:
        committed = self.replayed(self.partition.high_watermark)[1]
        for partition, value in self.acknowledged.items():
            assert committed["t", partition].offset >= value

    @invariant()
    def one_leader_a_generation(self) -> None:
        for generation, leaders in self.leaders.items():
            # A static leader that restarted leads under a new id.
            names = {leader.rsplit("-", 1)[0] for leader in leaders}
            assert len(names) == 1, (generation, leaders)

    def teardown(self) -> None:
        try:
            self.partition.append_error = None
            self.replicate(at_once=True)
            self.news()
            for _ in range(12):  # new members wait for five minutes at most
                self.wait(REBALANCE_MS)
            assert all(future.done() for future in self.requests), "a request was not answered"
        finally:
            self.task.cancel()
            self.loop.run_until_complete(asyncio.wait([self.task]))
            self.loop.close()


def state_of(machine: GroupMachine) -> State:
    groups = {
        group.group_id: group.stored
        for group in machine.groups.values()
        if group.stored is not None
    }
    offsets = {
        (topic, partition): committed
        for topic, partitions in machine.offsets.of_group("group").items()
        for partition, committed in partitions.items()
    }
    return groups, offsets, machine.pending.summary()


TestGroups = Groups.TestCase
TestGroups.settings = settings(
    max_examples=examples(60),
    stateful_step_count=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
