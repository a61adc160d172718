"""All transactional ids of one partition of __transaction_state: the coordinator that is replayed.

Every request is a method (request, ticket, turn) as the runtime wants it. `prepared` is a request
too: its answer waits, like all, until what it saw is committed, so no marker is ever written for an
end that could be lost.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from broker.coordinator.deadlines import Deadlines
from broker.coordinator.machine import Moment, Ticket, Turn
from broker.transactions import records
from broker.transactions.end import complete, decide_end, prepare
from broker.transactions.partitions import decide_add
from broker.transactions.producer import decide_init
from broker.transactions.requests import (
    AddRequest,
    EndRequest,
    InitRequest,
    Prepared,
    ProducerIdentity,
    TransactionListing,
)
from broker.transactions.settings import TransactionSettings
from broker.transactions.states import VALID_PREVIOUS, TransactionState
from broker.transactions.stored import Record, StoredTransaction
from ottla.core.checks import check
from ottla.core.errors import ErrorCode, ProtocolError

IDS_PER_TURN: Final = 200
"""How much one `on_deadline` looks at; what is left stays due."""


class TransactionMachine:
    """See the module; a `Coordinator` of `Record`."""

    __slots__ = (
        "_bumped_from",
        "_deadlines",
        "_is_live",
        "_prepared",
        "_settings",
        "_sweep",
        "_sweep_at_ms",
        "transactions",
    )

    def __init__(self, settings: TransactionSettings) -> None:
        self.transactions: dict[str, StoredTransaction] = {}
        self._settings = settings
        self._prepared: dict[str, None] = {}
        """Ids in PREPARE_*, in the order in which they were decided."""
        self._bumped_from: dict[str, ProducerIdentity] = {}
        self._deadlines: Deadlines[str] = Deadlines()
        self._is_live = False
        self._sweep: deque[str] = deque()
        self._sweep_at_ms: int | None = None

    # ---- the log

    def encode(self, record: Record) -> tuple[bytes, bytes | None]:
        return records.encode(record)

    def decode(self, key: bytes, value: bytes | None) -> Record | None:
        return records.decode(key, value)

    def replay(self, record: Record, producer_id: int | None = None) -> None:
        name, stored = record.transactional_id, record.transaction
        if self._is_live:
            self._check_move(name, stored)
        self._prepared.pop(name, None)
        if stored is None:
            self.transactions.pop(name, None)
            self._bumped_from.pop(name, None)
            self._deadlines.forget(name)
            return
        self.transactions[name] = stored
        if stored.state.is_prepared:
            self._prepared[name] = None

    def replay_end(self, producer_id: int, *, is_commit: bool) -> None:
        """Nothing here is transactional itself."""

    def loaded(self, moment: Moment) -> None:
        self._is_live = True
        for name, stored in self.transactions.items():
            self._schedule(name, stored, moment)
        self._sweep_at_ms = moment.now_ms + self._settings.cleanup_interval_ms

    def _check_move(self, name: str, target: StoredTransaction | None) -> None:
        before = self.transactions.get(name)
        if target is None:
            check(before is None or before.state.is_idle, "only an idle id is forgotten", id=name)
        elif before is not None:
            check(
                before.state in VALID_PREVIOUS[target.state],
                "a transaction cannot change so",
                transactional_id=name,
                state=before.state,
                target=target.state,
            )

    # ---- requests

    def init(self, request: InitRequest, ticket: Ticket, turn: Turn[Record]) -> None:
        stored = self.transactions.get(request.transactional_id)
        decide_init(stored, request, self._bumped_from, ticket, turn)

    def add(self, request: AddRequest, ticket: Ticket, turn: Turn[Record]) -> None:
        stored = self.transactions.get(request.transactional_id)
        decide_add(stored, request, ticket, turn, self._settings)
        for record in turn.records:
            if record.transaction is not None:
                self._schedule(record.transactional_id, record.transaction, turn.moment)

    def end(self, request: EndRequest, ticket: Ticket, turn: Turn[Record]) -> None:
        decide_end(self.transactions.get(request.transactional_id), request, ticket, turn)

    def abandon(self, ticket: Ticket, turn: Turn[Record]) -> None:
        """Nobody waits here but for the commit."""

    # ---- markers

    @property
    def has_prepared(self) -> bool:
        return bool(self._prepared)

    def prepared(self, ticket: Ticket, turn: Turn[Record]) -> None:
        """What is to be completed; the result is a list of Prepared."""
        turn.answer(ticket, [Prepared(name, self.transactions[name]) for name in self._prepared])

    def completed(self, done: Prepared, ticket: Ticket, turn: Turn[Record]) -> None:
        """All markers of `done` are committed; the result is whether that was news."""
        stored = self.transactions.get(done.transactional_id)
        is_news = stored == done.transaction
        if stored is not None and is_news:
            finished = complete(stored, turn.moment.timestamp_ms)
            turn.append(Record(done.transactional_id, finished))
        turn.answer(ticket, is_news)

    # ---- tools

    def describe(self, transactional_id: str, ticket: Ticket, turn: Turn[Record]) -> None:
        """The result is a StoredTransaction; TRANSACTIONAL_ID_NOT_FOUND."""
        stored = self.transactions.get(transactional_id)
        if stored is None:
            raise ProtocolError(ErrorCode.TRANSACTIONAL_ID_NOT_FOUND)
        turn.answer(ticket, stored)

    def list_transactions(self, ticket: Ticket, turn: Turn[Record]) -> None:
        """The result is a list of TransactionListing."""
        now_ms = turn.moment.timestamp_ms
        turn.answer(
            ticket,
            [
                TransactionListing(
                    name,
                    stored.producer_id,
                    stored.state.shown,
                    max(now_ms - stored.start_timestamp_ms, 0)
                    if stored.start_timestamp_ms >= 0
                    else 0,
                )
                for name, stored in self.transactions.items()
            ],
        )

    # ---- time

    def _schedule(self, name: str, stored: StoredTransaction, moment: Moment) -> None:
        if stored.state is TransactionState.ONGOING:
            left_ms = stored.start_timestamp_ms + stored.timeout_ms - moment.timestamp_ms
            # A clock that was set back must not keep a transaction open for ever.
            self._deadlines.wake_by(name, moment.now_ms + min(max(left_ms, 0), stored.timeout_ms))

    def next_deadline(self) -> int | None:
        deadline_ms = self._deadlines.next_deadline()
        if self._sweep_at_ms is None or deadline_ms is None:
            return self._sweep_at_ms if deadline_ms is None else deadline_ms
        return min(deadline_ms, self._sweep_at_ms)

    def on_deadline(self, turn: Turn[Record]) -> None:
        moment = turn.moment
        for _ in range(IDS_PER_TURN):
            name = self._deadlines.pop_due(moment.now_ms)
            if name is None:
                break
            stored = self.transactions.get(name)
            if stored is None or stored.state is not TransactionState.ONGOING:
                continue
            if stored.start_timestamp_ms + stored.timeout_ms > moment.timestamp_ms:
                self._schedule(name, stored, moment)  # a later transaction than it was set for
                continue
            turn.append(Record(name, prepare(stored, turn, is_commit=False, is_bumped=True)))
            turn.count("timed_out")
            turn.note(
                f"transactional id {name}: open for more than {stored.timeout_ms} ms, aborted"
            )
        if self._sweep_at_ms is not None and self._sweep_at_ms <= moment.now_ms:
            self._sweep_some(turn)

    def _sweep_some(self, turn: Turn[Record]) -> None:
        """Forget ids that nobody has used for long, a part at a time."""
        if turn.records:
            return  # what has just changed is looked at once that is replayed
        if not self._sweep:
            self._sweep.extend(self.transactions)
        oldest_ms = turn.moment.timestamp_ms - self._settings.id_expiration_ms
        for _ in range(IDS_PER_TURN):
            if not self._sweep:
                break
            name = self._sweep.popleft()
            stored = self.transactions.get(name)
            if stored is None or not stored.state.is_idle:
                continue
            if stored.update_timestamp_ms <= oldest_ms:
                turn.append(Record(name, None))
                turn.note(f"transactional id {name} was not used for long: forgotten")
        if not self._sweep:
            self._sweep_at_ms = turn.moment.now_ms + self._settings.cleanup_interval_ms
