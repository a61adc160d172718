"""Transactions against a model of what clients were told, with coordinators that crash anywhere.

Checked after every step: a state loaded from the log is the state; a transaction never gets both
kinds of marker; who was replaced gets nothing done. In the end everything that was decided is done.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
)

from broker.transactions.requests import NeedsProducerId, Prepared, ProducerIdentity
from broker.transactions.states import TransactionState as State
from broker.transactions.stored import EPOCH_GIVEN_MAX
from ottla.core.errors import ErrorCode
from tests.support.transaction_driver import TransactionDriver

NAMES = ("x", "y")
PARTITIONS = (("t", 0), ("t", 1), ("u", 0))
TIMEOUT_MS = 5_000


class _Client:
    """One incarnation of a producer, as it sees itself."""

    def __init__(self, name: str, identity: ProducerIdentity, *, bumps: bool) -> None:
        self.name = name
        self.identity = identity
        self.bumps = bumps
        self.is_fenced = False
        self.added: set[tuple[str, int]] = set()
        self.began: ProducerIdentity | None = None
        self.maybe_ended: bool | None = None
        """How it asked to end the transaction; the answer was lost."""


class Transactions(RuleBasedStateMachine):
    @initialize(exhausted=st.booleans())
    def begin(self, exhausted: bool) -> None:
        self.driver = TransactionDriver()
        self.clients: dict[str, list[_Client]] = {name: [] for name in NAMES}
        self.next_id = 100
        self.written: dict[tuple[int, int, str, int], bool] = {}
        """(producer id, marker's epoch, partition) → whether it was a commit."""
        self.open: list[Prepared] = []
        self.promised: dict[tuple[str, int, int], tuple[bool, frozenset[tuple[str, int]]]] = {}
        """(name, identity of the transaction) → the end that was confirmed, and its partitions."""
        self.exhausted = exhausted

    # ---- clients

    @rule(name=st.sampled_from(NAMES), bumps=st.booleans())
    def start(self, name: str, bumps: bool) -> None:
        answer = self.driver.init(name=name, timeout_ms=TIMEOUT_MS)
        if isinstance(answer, NeedsProducerId):
            answer = self.driver.init(name=name, timeout_ms=TIMEOUT_MS, fresh=self._fresh())
            if self.exhausted and isinstance(answer, ProducerIdentity):
                # Near the end of its epochs from the beginning.
                answer = self._exhaust(name)
        if not isinstance(answer, ProducerIdentity):
            assert answer is ErrorCode.CONCURRENT_TRANSACTIONS
            return
        for other in self.clients[name]:
            other.is_fenced = True
        self.clients[name] = [*self.clients[name][-1:], _Client(name, answer, bumps=bumps)]

    def _exhaust(self, name: str) -> ProducerIdentity:
        """Give the id its last epoch but one."""
        stored = self.driver.machine.transactions[name]
        last = ProducerIdentity(stored.producer_id, EPOCH_GIVEN_MAX - 1)
        self.driver.put(replace(stored, producer_epoch=last.producer_epoch), name)
        return last

    def _fresh(self) -> int:
        self.next_id += 1
        return self.next_id

    def _pick(self, data: st.DataObject) -> _Client | None:
        everyone = [client for clients in self.clients.values() for client in clients]
        return data.draw(st.sampled_from(everyone)) if everyone else None

    @rule(data=st.data(), partition=st.sampled_from(PARTITIONS))
    def add(self, data: st.DataObject, partition: tuple[str, int]) -> None:
        client = self._pick(data)
        if client is None:
            return
        answer = self.driver.add(client.identity, partition, bumps=client.bumps, name=client.name)
        if answer == [ErrorCode.NONE]:
            assert not client.is_fenced, "a producer that was replaced added to a transaction"
            client.added.add(partition)
            client.began = client.identity

    @rule(data=st.data(), commit=st.booleans(), is_lost=st.booleans())
    def end(self, data: st.DataObject, commit: bool, is_lost: bool) -> None:
        client = self._pick(data)
        if client is None:
            return
        if client.maybe_ended is not None:
            commit = client.maybe_ended  # it asks again
        answer: Any = self.driver.end(
            client.identity, commit=commit, bumps=client.bumps, name=client.name
        )
        if isinstance(answer, NeedsProducerId):
            answer = self.driver.end(
                client.identity,
                commit=commit,
                bumps=client.bumps,
                name=client.name,
                fresh=self._fresh(),
            )
        if not isinstance(answer, ProducerIdentity):
            if answer is not ErrorCode.CONCURRENT_TRANSACTIONS:
                client.maybe_ended = None
            if answer is ErrorCode.PRODUCER_FENCED:
                client.is_fenced = True
            return
        if client.began is not None:
            key = (client.name, client.began.producer_id, client.began.producer_epoch)
            if client.bumps:
                before = self.promised.get(key)
                assert before is None or before[0] is commit
                self.promised[key] = (commit, frozenset(client.added))
        assert not client.is_fenced or client.maybe_ended is not None, "a zombie ended something"
        if is_lost:
            client.maybe_ended = commit
            return
        client.maybe_ended = None
        client.identity = answer
        client.added.clear()
        client.began = None

    # ---- markers, one by one, from whatever coordinator

    @rule()
    def look(self) -> None:
        known = {(p.transactional_id, p.transaction) for p in self.open}
        for prepared in self.driver.prepared():
            if (prepared.transactional_id, prepared.transaction) not in known:
                self.open.append(prepared)

    @rule(data=st.data())
    def write_marker(self, data: st.DataObject) -> None:
        if self.open:
            prepared: Prepared = data.draw(st.sampled_from(self.open))
            for partition in sorted(prepared.transaction.partitions)[:1]:
                self._mark(prepared, partition)

    def _mark(self, prepared: Prepared, partition: tuple[str, int]) -> None:
        stored = prepared.transaction
        key = (stored.producer_id, stored.producer_epoch, *partition)
        is_commit = stored.state is State.PREPARE_COMMIT
        if stored.client_version:  # epochs name one transaction each
            assert self.written.setdefault(key, is_commit) is is_commit, "both kinds of marker"

    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        if not self.open:
            return
        prepared = data.draw(st.sampled_from(self.open))
        for partition in prepared.transaction.partitions:
            self._mark(prepared, partition)
        self.driver.completed(prepared)
        self.open.remove(prepared)

    # ---- what befalls the coordinator

    @rule()
    def crash(self) -> None:
        self.driver.reload()
        self.open.clear()

    @rule(ms=st.sampled_from([1, 1_000, TIMEOUT_MS]))
    def wait(self, ms: int) -> None:
        before = dict(self.driver.machine.transactions)
        self.driver.advance(ms)
        for name, stored in self.driver.machine.transactions.items():
            if before[name].state is State.ONGOING and stored.state is State.PREPARE_ABORT:
                for client in self.clients[name]:
                    client.is_fenced = True

    # ---- what must hold

    @invariant()
    def the_log_says_the_same(self) -> None:
        if hasattr(self, "driver"):
            loaded = self.driver.loaded()
            assert loaded.transactions == self.driver.machine.transactions
            assert [*loaded._prepared] == [*self.driver.machine._prepared]

    def teardown(self) -> None:
        if not hasattr(self, "driver"):
            return
        self.driver.advance(2 * TIMEOUT_MS)
        for prepared in self.driver.prepared():
            for partition in prepared.transaction.partitions:
                self._mark(prepared, partition)
            assert self.driver.completed(prepared) is True
        assert all(t.state.is_idle for t in self.driver.machine.transactions.values()), (
            "a transaction did not end"
        )
        for (_, producer_id, epoch), (commit, partitions) in self.promised.items():
            for partition in partitions:
                # With KIP-890 the marker of a transaction has the epoch after its own.
                kind = self.written.get((producer_id, epoch + 1, *partition))
                assert kind in (None, commit), "the other end than was confirmed"


TestTransactions = Transactions.TestCase
