"""Sending records, and offsets of consumed ones, in transactions: all or nothing.

    producer.init_transactions()                 once
    producer.begin()
    producer.send(…)
    producer.send_offsets_to_transaction(…)      the consumer's positions
    producer.commit()                            or abort()

With transaction.version 2 (KIP-890) each end gives the producer a new epoch, so that nothing of an
earlier transaction can come late into the next one. Before, a batch of unknown fate is left behind
by raising the epoch after the abort (KIP-360).
"""

from __future__ import annotations

import random
import ssl
from collections.abc import Callable, Mapping
from types import TracebackType

from ottla.client.accumulator import Batch, OnDelivery
from ottla.client.connection import Connection
from ottla.client.errors import ClientError, DeadlineError, DeliveryError, sentence
from ottla.client.model import GroupMetadata
from ottla.client.offsets import TopicPartition
from ottla.client.options import DEFAULT_BOOTSTRAP, ClientOptions, ignore
from ottla.client.producer import BATCH_BYTES, BUFFER_BYTES, LINGER_MS, WAIT_MS_MAX, Producer
from ottla.client.transaction_requests import (
    PRODUCE_VERSION_CLASSIC,
    ProducerIdentity,
    TransactionRequests,
)
from ottla.client.transaction_state import (
    Phase,
    TransactionState,
    meaning_of_lost_records,
    meaning_of_refusal,
)
from ottla.core.errors import ErrorCode, OttlaError, ProtocolError
from ottla.protocol.api import ApiKey
from ottla.record.batch import NO_SEQUENCE
from ottla.record.build import Headers
from ottla.record.compression import Compression

TRANSACTION_SECONDS = 60.0


class TransactionalProducer(Producer):
    """A producer with transactions; a context manager that aborts the one that is open at the end.
    Used by one thread.

    - `transactional_id`: one for each instance of an application; who comes later with the same id
      fences who was there before.
    - `transaction_seconds`: the coordinator aborts a transaction that is open for longer.

    TransactionAbortableError from any method: abort() and begin() anew. FatalTransactionError,
    ProducerFencedError among them: close this producer.
    """

    def __init__(
        self,
        bootstrap: str = DEFAULT_BOOTSTRAP,
        *,
        transactional_id: str,
        transaction_seconds: float = TRANSACTION_SECONDS,
        compression: Compression | str = Compression.NONE,
        batch_bytes: int = BATCH_BYTES,
        linger_ms: int = LINGER_MS,
        buffer_bytes: int = BUFFER_BYTES,
        delivery_seconds: float = 120.0,
        timeout_seconds: float = 30.0,
        ssl_context: ssl.SSLContext | None = None,
        on_retry: Callable[[str], None] = ignore,
        options: ClientOptions | None = None,
        source: random.Random | None = None,
    ) -> None:
        super().__init__(
            bootstrap,
            compression=compression,
            batch_bytes=batch_bytes,
            linger_ms=linger_ms,
            buffer_bytes=buffer_bytes,
            delivery_seconds=delivery_seconds,
            timeout_seconds=timeout_seconds,
            ssl_context=ssl_context,
            on_retry=on_retry,
            options=options,
            source=source,
        )
        self.transactional_id = transactional_id
        timeout_ms = round(transaction_seconds * 1000)
        self._requests = TransactionRequests(self._cluster, transactional_id, timeout_ms)
        self._state = TransactionState(self._requests.subject)
        self._identity: ProducerIdentity | None = None
        self._added: set[TopicPartition] = set()
        """Partitions of the transaction, as far as its coordinator was told."""
        self._is_started = False
        """Whether brokers may know of the open transaction; else nobody needs to end it."""
        self._must_renew = False
        """Whether the epoch has to be raised before the next transaction."""
        self._is_forgotten = False
        """Whether the coordinator knows another producer id: it takes no end of ours."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if self._state.phase in (Phase.IN_TRANSACTION, Phase.ABORTABLE_ERROR):
                self.abort()
        except OttlaError as failure:
            # The coordinator will do it, after the time-out.
            self._options.on_retry(f"aborting at the end failed: {sentence(failure)}")
        finally:
            self._requests.close()
            self._cluster.close()

    def init_transactions(self) -> None:
        """Get a producer id, and fence whoever had this transactional id before.

        A transaction that was left open is aborted, one that is decided is waited for.
        DeadlineError: may be called again.
        """
        self._state.require(Phase.UNINITIALIZED)
        self._renew(None)
        self._state.enter(Phase.READY)

    def begin(self) -> None:
        """Begin a transaction; nothing is sent before its first records or offsets."""
        self._state.require(Phase.READY)
        self._state.enter(Phase.IN_TRANSACTION)

    def send(
        self,
        topic: str,
        value: bytes | None,
        key: bytes | None = None,
        *,
        partition: int | None = None,
        headers: Headers = (),
        timestamp_ms: int | None = None,
        on_delivery: OnDelivery | None = None,
    ) -> None:
        """As `Producer.send`, within a transaction, which can only be aborted if this fails."""
        self._state.require(Phase.IN_TRANSACTION)
        try:
            super().send(
                topic,
                value,
                key,
                partition=partition,
                headers=headers,
                timestamp_ms=timestamp_ms,
                on_delivery=on_delivery,
            )
        except OttlaError as error:
            failure = meaning_of_lost_records(error)
            self._state.fail(failure)
            if failure is error:
                raise
            raise failure from error

    def send_offsets_to_transaction(
        self, offsets: Mapping[TopicPartition, int], group: GroupMetadata
    ) -> None:
        """Commit a group's offsets, of the next records to read, with the transaction.

        `group` is what `Consumer.group_metadata` says: after a rebalance the transaction can only
        be aborted, since others may own the partitions by now.
        """
        self._state.require(Phase.IN_TRANSACTION)
        if not offsets:
            return
        identity = self._known_identity()
        try:
            self._requests.add_group(identity, group.group_id)
            self._is_started = True
            self._requests.commit_offsets(identity, group, offsets)
        except OttlaError as error:
            self._must_renew |= not self._is_started
            raise self._refused(error) from error

    def commit(self) -> None:
        """Flush, and make all of the transaction visible to readers of committed records.

        TransactionAbortableError: not all was delivered. DeadlineError: the outcome is not known;
        call it again.
        """
        self._state.require(Phase.IN_TRANSACTION, Phase.COMMITTING)
        if self._state.phase is Phase.IN_TRANSACTION:
            try:
                self.flush()
            except DeliveryError as error:
                self._state.fail(meaning_of_lost_records(error))
            self._state.require(Phase.IN_TRANSACTION)
            self._state.enter(Phase.COMMITTING)
        self._end(is_commit=True)

    def abort(self) -> None:
        """Undo the transaction; records not delivered yet fail. DeadlineError: call it again."""
        self._state.require(Phase.IN_TRANSACTION, Phase.ABORTABLE_ERROR, Phase.ABORTING)
        self._state.enter(Phase.ABORTING)
        while self._in_flight:
            self._collect(WAIT_MS_MAX)
            self._expire()
        self._drop(ClientError("the transaction was aborted before the record was delivered"))
        self._failure, self._failed_unreported = None, 0
        self._end(is_commit=False)

    def _end(self, *, is_commit: bool) -> None:
        identity = self._known_identity()
        if self._is_started and not self._is_forgotten:
            try:
                ended = self._requests.end(identity, is_commit=is_commit)
            except DeadlineError:
                raise
            except OttlaError as error:
                raise self._refused(error) from error
            self._is_started = False
            self._adopt(ended)
        if self._must_renew or self._is_forgotten:
            self._renew(identity)
        self._is_started = self._must_renew = self._is_forgotten = False
        self._added.clear()
        self._state.enter(Phase.READY)

    def _renew(self, former: ProducerIdentity | None) -> None:
        try:
            identity = self._requests.init(former)
        except DeadlineError:
            raise
        except OttlaError as error:
            raise self._refused(error) from error
        self._adopt(identity)

    def _adopt(self, identity: ProducerIdentity) -> None:
        """Go on as `identity`; a new epoch counts sequences from 0, and knows no doubt."""
        if identity != self._identity:
            self._sequences.clear()
            self._must_renew = False
        self._producer = self._identity = identity

    def _known_identity(self) -> ProducerIdentity:
        if self._identity is None:
            self._state.require(Phase.READY)  # raises: there was no init_transactions
            raise ClientError(f"{self._requests.subject} has no producer id")
        return self._identity

    def _refused(self, error: OttlaError) -> ClientError:
        """Take in what a coordinator refused; the error to raise."""
        if isinstance(error, ProtocolError):
            self._is_forgotten |= error.code is ErrorCode.INVALID_PRODUCER_ID_MAPPING
        failure = meaning_of_refusal(error)
        self._state.fail(failure)
        return failure

    # ---- the steps of Producer

    def _dispatch(self, *, flushing: bool) -> None:
        if self._state.failure is not None:
            # What could still be sent would only be aborted.
            self._drop(self._state.failure)
            return
        super()._dispatch(flushing=flushing)

    def _prepare(self, ready: list[Batch]) -> None:
        if self._requests.is_implicit:
            return
        new = {batch.key for batch in ready} - self._added
        if not new:
            return
        try:
            self._requests.add_partitions(self._known_identity(), new)
        except OttlaError as error:
            # Perhaps it was done all the same, perhaps there is no transaction that could be ended.
            self._must_renew = not self._is_started
            if self._cluster.may_retry(error):
                raise
            raise self._refused(error) from error
        self._is_started, self._must_renew = True, False
        self._added |= new

    def _send(self, leader_id: int, batches: list[Batch]) -> None:
        self._is_started = True
        super()._send(leader_id, batches)

    def _produce_version(self, connection: Connection) -> int | None:
        if self._requests.is_implicit:
            return None
        return min(connection.version_of(ApiKey.PRODUCE), PRODUCE_VERSION_CLASSIC)

    def _after_failure(self, batch: Batch, error: OttlaError) -> None:
        # Whether the broker counted these sequences is unknown.
        self._must_renew |= batch.base_sequence != NO_SEQUENCE
        self._state.fail(meaning_of_lost_records(error))

    def _drop(self, error: OttlaError) -> None:
        """Fail every batch that is not at a broker."""
        while waiting := [batch for batch in self._accumulator.heads() if not batch.in_flight]:
            for batch in waiting:
                self._fail(batch, error)
