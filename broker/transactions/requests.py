"""What clients, partitions and tools ask of transactions, and the answers, free of versions."""

from __future__ import annotations

from dataclasses import dataclass

from broker.transactions.seams import TopicPartition
from broker.transactions.stored import NO_EPOCH, NO_PRODUCER_ID, StoredTransaction


@dataclass(frozen=True, slots=True)
class ProducerIdentity:
    producer_id: int
    producer_epoch: int


@dataclass(frozen=True, slots=True)
class NeedsProducerId:
    """An answer: nothing has changed; ask again with `fresh_producer_id`."""


@dataclass(frozen=True, slots=True)
class InitRequest:
    transactional_id: str
    timeout_ms: int
    expected: ProducerIdentity | None = None
    """What the producer goes by already (KIP-360)."""
    fresh_producer_id: int | None = None
    """From a block of the controller; taken only when one is needed."""


@dataclass(frozen=True, slots=True)
class AddRequest:
    transactional_id: str
    identity: ProducerIdentity
    partitions: tuple[TopicPartition, ...]
    client_version: int
    verify_only: bool = False


@dataclass(frozen=True, slots=True)
class EndRequest:
    transactional_id: str
    identity: ProducerIdentity
    is_commit: bool
    client_version: int
    fresh_producer_id: int | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """A transaction whose end is decided and committed: its markers are to be written."""

    transactional_id: str
    transaction: StoredTransaction


@dataclass(frozen=True, slots=True)
class TransactionListing:
    transactional_id: str
    producer_id: int
    state: str
    duration_ms: int
    """Since the transaction began; 0 without one."""


NOBODY = ProducerIdentity(NO_PRODUCER_ID, NO_EPOCH)
