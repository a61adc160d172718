"""A transaction's first batch in a partition waits until the coordinator knows of it (KIP-890).

    the partition has the producer's transaction open   append at once
    else                                                ask the coordinator, then append

A marker that comes while the question is under way makes the answer worthless: it may have ended
the very transaction, and what is appended after it would stay open for ever. So the marker
invalidates the admission, and the batch is refused with a code that lets the client try again.

What the producer sends to the partition meanwhile waits behind, in order (SAFETY.md, rule 19).
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


@dataclass(slots=True)
class _Waiting:
    batch: bytearray
    appended: asyncio.Future[Appended]


@dataclass(frozen=True, slots=True)
class BatchOrigin:
    """Whose batch it is."""

    transactional_id: str
    producer_id: int
    producer_epoch: int
    is_implicit: bool
    """The batch itself adds the partition to the transaction (Produce 12, KIP-890)."""
    is_abortable: bool
    """The client knows TRANSACTION_ABORTABLE (Produce 11)."""


class Admissions:
    """What waits at this broker's partitions."""

    def __init__(self, gate: TransactionGate, *, verifies: bool) -> None:
        """`verifies`: transaction.partition.verification.enable; without it only batches that add
        their partition themselves ask."""
        self._gate = gate
        self._verifies = verifies
        self._waiting: dict[_Key, deque[_Waiting]] = {}

    def append(
        self, partition: AdmittingPartition, batch: memoryview, origin: BatchOrigin
    ) -> Appended | asyncio.Future[Appended]:
        """Append a transactional batch now, or when the coordinator has answered.

        `batch` is borrowed for the call. The errors of `Partition.append`, raised or in the future,
        and those of `client_code`.
        """
        key = (partition.topic_id, partition.index, origin.producer_id)
        queue = self._waiting.get(key)
        if queue is None:
            admission = None
            if self._verifies or origin.is_implicit:
                admission = partition.begin_admission(origin.producer_id, origin.producer_epoch)
            if admission is None:
                return partition.append(batch, acks=ACKS_ALL)
            queue = self._waiting[key] = deque()
            self._ask(key, partition, admission, origin)
        elif len(queue) >= WAITING_MAX:
            raise ProtocolError(
                ErrorCode.NOT_ENOUGH_REPLICAS, "too many batches wait for their transaction"
            )
        waiting = _Waiting(bytearray(batch), asyncio.get_running_loop().create_future())
        queue.append(waiting)
        return waiting.appended

    def _ask(
        self,
        key: _Key,
        partition: AdmittingPartition,
        admission: Admission,
        origin: BatchOrigin,
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
                code = ErrorCode.CONCURRENT_TRANSACTIONS
            code = client_code(
                code, is_implicit=origin.is_implicit, is_abortable=origin.is_abortable
            )
            self._release(partition, self._waiting.pop(key), admission.leader_epoch, code)

        answer.add_done_callback(on_answer)

    def _release(
        self,
        partition: AdmittingPartition,
        queue: deque[_Waiting],
        leader_epoch: int,
        code: ErrorCode,
    ) -> None:
        """Append in order, or refuse all."""
        for waiting in queue:
            if code is not ErrorCode.NONE:
                _fail(waiting, ProtocolError(code, "the transaction's coordinator refused it"))
                continue
            try:
                appended = partition.append(
                    memoryview(waiting.batch), acks=ACKS_ALL, expected_leader_epoch=leader_epoch
                )
            except ProtocolError as error:
                _fail(waiting, error)
                continue
            if not waiting.appended.done():
                waiting.appended.set_result(appended)


def _fail(waiting: _Waiting, error: ProtocolError) -> None:
    if not waiting.appended.done():
        waiting.appended.set_exception(error)
