"""A transaction's first batch in a partition waits until the coordinator knows of it (KIP-890).

    the partition has the producer's transaction open   append at once
    else                                                ask the coordinator, then append

A marker that comes while the question is under way makes the answer worthless: it may have ended
the very transaction, and what is appended after it would stay open for ever. So the marker
invalidates the admission, and the coordinator is asked again. Mostly it is the marker of the
transaction before, for whose end the answer waited; a client that is refused comes back only after
a pause, franz-go after seconds. After `ASKS_MAX` answers the batch is refused with a code that lets
the client try again.

What the producer sends to the partition meanwhile waits behind, in order (SAFETY.md, rule 19). An
answer is good for batches of the same origin alone: another epoch, or another transactional id, is
asked for when it stands in front. After a refusal later batches are refused until the refused one
has come again.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

from broker.replication.partition_host import Appended
from broker.transactions.seams import TopicPartition, TransactionGate
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.core.identifiers import Uuid

WAITING_MAX: Final = 64
"""Batches of one producer that wait at one partition; clients send five at a time."""
ASKS_MAX: Final = 3
"""How often the coordinator is asked for a batch, each time because a marker came meanwhile."""
REFUSED_MAX: Final = 10_000
REFUSED_SECONDS: Final = 30.0
"""How long later batches wait for one that was refused; clients come back within seconds."""
ACKS_ALL: Final = -1

_AS_THEY_ARE: Final = frozenset(
    {
        ErrorCode.NONE,
        ErrorCode.INVALID_PRODUCER_ID_MAPPING,
        ErrorCode.INVALID_PRODUCER_EPOCH,
        ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
    }
)


def client_code(code: ErrorCode, *, is_implicit: bool, is_abortable: bool) -> ErrorCode:
    """A coordinator's answer in terms that a producer knows.

    `is_implicit`: of transaction.version 2, whose clients know CONCURRENT_TRANSACTIONS in a Produce
    answer; `is_abortable`: they know TRANSACTION_ABORTABLE. What passes by itself is
    NOT_ENOUGH_REPLICAS: every client tries again.
    """
    if code in _AS_THEY_ARE:
        return code
    if code is ErrorCode.PRODUCER_FENCED:
        return ErrorCode.INVALID_PRODUCER_EPOCH
    if code is ErrorCode.INVALID_TXN_STATE:
        return ErrorCode.TRANSACTION_ABORTABLE if is_abortable else ErrorCode.INVALID_TXN_STATE
    if code is ErrorCode.CONCURRENT_TRANSACTIONS and is_implicit:
        return code
    return ErrorCode.NOT_ENOUGH_REPLICAS


class Admission:
    """One question to a coordinator, as the partition remembers it."""

    __slots__ = ("is_valid", "leader_epoch", "producer_id")

    def __init__(self, producer_id: int, leader_epoch: int) -> None:
        self.producer_id = producer_id
        self.leader_epoch = leader_epoch
        self.is_valid = True
        """No marker of the producer has come since."""


class AdmittingPartition(Protocol):
    """broker.replication.partition.Partition."""

    @property
    def topic(self) -> str: ...
    @property
    def topic_id(self) -> Uuid: ...
    @property
    def index(self) -> int: ...

    def append(
        self, batch: memoryview, *, acks: int, expected_leader_epoch: int | None = None
    ) -> Appended: ...

    def begin_admission(self, producer_id: int, producer_epoch: int) -> Admission | None: ...

    def is_admitted(self, admission: Admission) -> bool: ...

    def end_admission(self, admission: Admission) -> None: ...


_Key: TypeAlias = tuple[Uuid, int, int]  # topic id, partition, producer id


@dataclass(frozen=True, slots=True)
class BatchOrigin:
    """Whose batch it is; what is asked for one holds for all of the same origin."""

    transactional_id: str
    producer_id: int
    producer_epoch: int
    is_implicit: bool
    """The batch itself adds the partition to the transaction (Produce 12, KIP-890)."""
    is_abortable: bool
    """The client knows TRANSACTION_ABORTABLE (Produce 11)."""


@dataclass(slots=True)
class _Waiting:
    batch: bytearray
    origin: BatchOrigin
    sequence: int
    appended: asyncio.Future[Appended]


@dataclass(frozen=True, slots=True)
class _Refused:
    """The first batch that its producer has to send again before any later one."""

    producer_epoch: int
    sequence: int
    until_s: float
    """When it is given up, in the loop's time: its client may have given it up too."""


class Admissions:
    """What waits at this broker's partitions."""

    def __init__(self, gate: TransactionGate, *, verifies: bool) -> None:
        """`verifies`: transaction.partition.verification.enable; without it only batches that add
        their partition themselves ask."""
        self._gate = gate
        self.verifies = verifies
        self._waiting: dict[_Key, deque[_Waiting]] = {}
        self._refused: dict[_Key, _Refused] = {}

    def append(
        self,
        partition: AdmittingPartition,
        batch: memoryview,
        origin: BatchOrigin,
        sequence: int,
    ) -> Appended | asyncio.Future[Appended]:
        """Append a transactional batch now, or when the coordinator has answered.

        `batch` is borrowed for the call, `sequence` its first one. The errors of
        `Partition.append`, raised or in the future, and those of `client_code`.
        """
        key = (partition.topic_id, partition.index, origin.producer_id)
        self._check_turn(key, origin, sequence)
        queue = self._waiting.get(key)
        if queue is None:
            admission = self._begin(partition, origin)
            if admission is None:
                appended = partition.append(batch, acks=ACKS_ALL)
                self._refused.pop(key, None)
                return appended
            queue = self._waiting[key] = deque()
            self._ask(key, partition, admission, origin)
        elif len(queue) >= WAITING_MAX:
            self._note_refused(key, origin, sequence)
            raise ProtocolError(
                ErrorCode.NOT_ENOUGH_REPLICAS, "too many batches wait for their transaction"
            )
        future: asyncio.Future[Appended] = asyncio.get_running_loop().create_future()
        queue.append(_Waiting(bytearray(batch), origin, sequence, future))
        return future

    def _begin(self, partition: AdmittingPartition, origin: BatchOrigin) -> Admission | None:
        """None when nobody need be asked."""
        if not (self.verifies or origin.is_implicit):
            return None
        return partition.begin_admission(origin.producer_id, origin.producer_epoch)

    # ---- questions

    def _ask(
        self,
        key: _Key,
        partition: AdmittingPartition,
        admission: Admission,
        origin: BatchOrigin,
        asks: int = 1,
    ) -> None:
        where: TopicPartition = (partition.topic, partition.index)
        answer = self._gate.admit(
            origin.transactional_id,
            origin.producer_id,
            origin.producer_epoch,
            [where],
            verify_only=not origin.is_implicit,
        )

        def on_answer(done: asyncio.Future[dict[TopicPartition, ErrorCode]]) -> None:
            code = ErrorCode.COORDINATOR_NOT_AVAILABLE if done.cancelled() else done.result()[where]
            is_admitted = partition.is_admitted(admission)
            partition.end_admission(admission)
            if code is ErrorCode.NONE and not is_admitted:
                if asks < ASKS_MAX and self._ask_again(key, partition, admission, origin, asks):
                    return
                code = ErrorCode.CONCURRENT_TRANSACTIONS
            code = client_code(
                code, is_implicit=origin.is_implicit, is_abortable=origin.is_abortable
            )
            refusal = None
            if code is not ErrorCode.NONE:
                refusal = ProtocolError(code, "the transaction's coordinator refused it")
            self._release(key, partition, origin, admission.leader_epoch, refusal)
            self._go_on(key, partition)

        answer.add_done_callback(on_answer)

    def _ask_again(
        self,
        key: _Key,
        partition: AdmittingPartition,
        before: Admission,
        origin: BatchOrigin,
        asks: int,
    ) -> bool:
        """False when the leader epoch is another: what waits belongs to the one before."""
        try:
            admission = self._begin(partition, origin)
        except ProtocolError:
            return False
        if admission is None:
            return False
        if admission.leader_epoch != before.leader_epoch:
            partition.end_admission(admission)
            return False
        self._ask(key, partition, admission, origin, asks + 1)
        return True

    def _release(
        self,
        key: _Key,
        partition: AdmittingPartition,
        origin: BatchOrigin,
        leader_epoch: int | None,
        refusal: ProtocolError | None,
    ) -> None:
        """Append what stands in front and is of `origin`, in order; after a refusal, refuse it."""
        queue = self._waiting[key]
        while queue and queue[0].origin == origin:
            waiting = queue.popleft()
            if refusal is None:
                try:
                    appended = partition.append(
                        memoryview(waiting.batch), acks=ACKS_ALL, expected_leader_epoch=leader_epoch
                    )
                except ProtocolError as error:
                    refusal = error
                else:
                    self._refused.pop(key, None)
                    if not waiting.appended.done():
                        waiting.appended.set_result(appended)
                    continue
            self._note_refused(key, origin, waiting.sequence)
            if not waiting.appended.done():
                waiting.appended.set_exception(refusal)

    def _go_on(self, key: _Key, partition: AdmittingPartition) -> None:
        """Ask for whoever stands in front now."""
        queue = self._waiting[key]
        while queue:
            origin = queue[0].origin
            try:
                admission = self._begin(partition, origin)
            except ProtocolError as error:
                self._release(key, partition, origin, None, error)
                continue
            if admission is not None:
                self._ask(key, partition, admission, origin)
                return
            self._release(key, partition, origin, None, None)
        del self._waiting[key]

    # ---- order after a refusal

    def _check_turn(self, key: _Key, origin: BatchOrigin, sequence: int) -> None:
        """NOT_ENOUGH_REPLICAS while an earlier batch of the producer has to come again.

        A partition takes any first sequence of a producer that it does not know: a later batch
        would be appended, and the earlier one be out of order for ever.
        """
        refused = self._refused.get(key)
        if refused is None or refused.producer_epoch > origin.producer_epoch:
            return
        if (
            refused.producer_epoch < origin.producer_epoch
            or asyncio.get_running_loop().time() >= refused.until_s
        ):
            del self._refused[key]
        elif sequence > refused.sequence and not self._has_come_again(key, refused):
            raise ProtocolError(
                ErrorCode.NOT_ENOUGH_REPLICAS,
                f"the batch with sequence {refused.sequence} was refused and has to come first",
            )

    def _has_come_again(self, key: _Key, refused: _Refused) -> bool:
        return any(
            waiting.origin.producer_epoch == refused.producer_epoch
            and waiting.sequence <= refused.sequence
            for waiting in self._waiting.get(key, ())
        )

    def _note_refused(self, key: _Key, origin: BatchOrigin, sequence: int) -> None:
        known = self._refused.pop(key, None)
        if known is not None and known.producer_epoch >= origin.producer_epoch:
            if known.producer_epoch > origin.producer_epoch or known.sequence <= sequence:
                self._refused[key] = known
                return
        elif len(self._refused) >= REFUSED_MAX:
            del self._refused[next(iter(self._refused))]
        until_s = asyncio.get_running_loop().time() + REFUSED_SECONDS
        self._refused[key] = _Refused(origin.producer_epoch, sequence, until_s)
