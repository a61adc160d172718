"""Drives a TransactionMachine as the runtime does: decide, encode, decode, replay, all at once."""

from __future__ import annotations

from typing import Any

from broker.coordinator.machine import Moment, Turn
from broker.transactions.machine import TransactionMachine
from broker.transactions.requests import (
    AddRequest,
    EndRequest,
    InitRequest,
    Prepared,
    ProducerIdentity,
)
from broker.transactions.seams import TopicPartition
from broker.transactions.settings import TransactionSettings
from broker.transactions.stored import (
    VERSION_BUMPING,
    VERSION_CLASSIC,
    Record,
    StoredTransaction,
)
from ottla.core.clock import ManualClock
from ottla.core.errors import ErrorCode, ProtocolError

NAME = "tx"


class TransactionDriver:
    """Answers are results, or the ErrorCode of a refusal."""

    def __init__(self) -> None:
        self.settings = TransactionSettings()
        self.clock = ManualClock(now_ms=1_000)
        self.records: list[tuple[bytes, bytes | None]] = []
        self.machine = TransactionMachine(self.settings)
        self.machine.loaded(self.moment)

    @property
    def moment(self) -> Moment:
        return Moment(self.clock.now_ms(), self.clock.timestamp_ms())

    @property
    def stored(self) -> StoredTransaction:
        return self.machine.transactions[NAME]

    def reload(self) -> None:
        self.machine = self.loaded()

    def loaded(self) -> TransactionMachine:
        """Another machine, from the records alone."""
        machine = TransactionMachine(self.settings)
        for key, value in self.records:
            record = machine.decode(key, value)
            assert record is not None
            machine.replay(record)
        machine.loaded(self.moment)
        return machine

    def put(self, stored: StoredTransaction, name: str = NAME) -> None:
        self._take([Record(name, stored)])

    def _take(self, records: list[Record]) -> None:
        for record in records:
            self.records.append(self.machine.encode(record))
        for record in records:
            self.machine.replay(record)

    def run(self, method: str, *arguments: Any) -> Any:
        turn: Turn[Record] = Turn(self.moment)
        try:
            getattr(self.machine, method)(*arguments, 1, turn)
        except ProtocolError as error:
            return error.code
        self._take(turn.records)
        ((_, answer),) = turn.answers
        return answer.code if isinstance(answer, ProtocolError) else answer

    def init(
        self,
        *,
        expected: ProducerIdentity | None = None,
        fresh: int | None = None,
        timeout_ms: int = 60_000,
        name: str = NAME,
    ) -> Any:
        return self.run("init", InitRequest(name, timeout_ms, expected, fresh))

    def add(
        self,
        identity: ProducerIdentity,
        *partitions: TopicPartition,
        verify: bool = False,
        bumps: bool = False,
        name: str = NAME,
    ) -> Any:
        version = VERSION_BUMPING if bumps else VERSION_CLASSIC
        return self.run("add", AddRequest(name, identity, partitions, version, verify))

    def end(
        self,
        identity: ProducerIdentity,
        *,
        commit: bool,
        bumps: bool = False,
        fresh: int | None = None,
        name: str = NAME,
    ) -> Any:
        version = VERSION_BUMPING if bumps else VERSION_CLASSIC
        return self.run("end", EndRequest(name, identity, commit, version, fresh))

    def prepared(self) -> list[Prepared]:
        found: list[Prepared] = self.run("prepared")
        return found

    def completed(self, prepared: Prepared) -> bool | ErrorCode:
        outcome: bool | ErrorCode = self.run("completed", prepared)
        return outcome

    def complete(self) -> None:
        for prepared in self.prepared():
            assert self.completed(prepared) is True

    def advance(self, ms: int) -> None:
        """Let time pass and do all that is due."""
        self.clock.advance(ms)
        while True:
            due = self.machine.next_deadline()
            if due is None or due > self.clock.now_ms():
                return
            turn: Turn[Record] = Turn(self.moment)
            self.machine.on_deadline(turn)
            self._take(turn.records)
