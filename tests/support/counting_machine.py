"""The smallest coordinator: counters by name, with parked requests and one deadline."""

from __future__ import annotations

from broker.coordinator.machine import Moment, Ticket, Turn
from ottla.core.errors import DecodeError, ErrorCode, ProtocolError

Record = tuple[str, int]


class CountingMachine:
    """`add` answers with the new count; `park` waits for `release`; "poison" damages."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.pending: dict[int, list[Record]] = {}
        self.parked: list[Ticket] = []
        self.abandoned: list[Ticket] = []
        self.loaded_at: Moment | None = None
        self.deadline_ms: int | None = None
        self.deadlines_seen: list[int] = []

    def encode(self, record: Record) -> tuple[bytes, bytes | None]:
        return record[0].encode(), str(record[1]).encode()

    def decode(self, key: bytes, value: bytes | None) -> Record | None:
        if key == b"poison":
            raise DecodeError("poison")
        if key.startswith(b"?") or value is None:
            return None
        return key.decode(), int(value)

    def replay(self, record: Record, producer_id: int | None = None) -> None:
        if producer_id is not None:
            self.pending.setdefault(producer_id, []).append(record)
        else:
            self.counts[record[0]] = record[1]

    def replay_end(self, producer_id: int, *, is_commit: bool) -> None:
        for record in self.pending.pop(producer_id, []):
            if is_commit:
                self.replay(record)

    def loaded(self, moment: Moment) -> None:
        self.loaded_at = moment

    def abandon(self, ticket: Ticket, turn: Turn[Record]) -> None:
        self.abandoned.append(ticket)

    def next_deadline(self) -> int | None:
        return self.deadline_ms

    def on_deadline(self, turn: Turn[Record]) -> None:
        self.deadlines_seen.append(turn.moment.now_ms)
        self.deadline_ms = None
        for parked in self.parked:
            turn.answer(parked, "due")
        self.parked.clear()

    # ---- requests

    def add(self, ticket: Ticket, turn: Turn[Record], name: str = "a", times: int = 1) -> None:
        count = self.counts.get(name, 0)
        for _ in range(times):
            count += 1
            turn.append((name, count))
        turn.answer(ticket, count)

    def add_in_transaction(
        self, ticket: Ticket, turn: Turn[Record], name: str, producer: tuple[int, int]
    ) -> None:
        turn.producer = producer
        self.add(ticket, turn, name)

    def read(self, ticket: Ticket, turn: Turn[Record], name: str = "a") -> None:
        turn.answer(ticket, self.counts.get(name, 0))

    def refuse(self, ticket: Ticket, turn: Turn[Record]) -> None:
        raise ProtocolError(ErrorCode.UNKNOWN_MEMBER_ID)

    def fail(self, ticket: Ticket, turn: Turn[Record]) -> None:
        raise KeyError("a bug")

    def park(self, ticket: Ticket, turn: Turn[Record]) -> None:
        self.parked.append(ticket)

    def release(self, ticket: Ticket, turn: Turn[Record]) -> None:
        for parked in self.parked:
            turn.answer(parked, "released")
        self.parked.clear()
        self.add(ticket, turn)
