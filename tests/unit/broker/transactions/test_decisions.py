"""What a transactional id goes through, as its coordinator decides it."""

from __future__ import annotations

import pytest

from broker.transactions.requests import NeedsProducerId, ProducerIdentity
from broker.transactions.states import TransactionState as State
from broker.transactions.stored import EPOCH_GIVEN_MAX, StoredTransaction
from ottla.core.errors import ErrorCode
from tests.support.transaction_driver import TransactionDriver

A, B = ("t", 0), ("t", 1)


def started(timeout_ms: int = 60_000) -> tuple[TransactionDriver, ProducerIdentity]:
    driver = TransactionDriver()
    assert isinstance(driver.init(timeout_ms=timeout_ms), NeedsProducerId)
    identity = driver.init(fresh=100, timeout_ms=timeout_ms)
    assert identity == ProducerIdentity(100, 0)
    return driver, ProducerIdentity(100, 0)


def test_every_start_gives_the_next_epoch() -> None:
    driver, _ = started()
    assert driver.init() == ProducerIdentity(100, 1)
    assert driver.init() == ProducerIdentity(100, 2)


def test_a_producer_that_names_itself_must_be_the_last() -> None:
    driver, first = started()
    second = driver.init(expected=first)
    assert second == ProducerIdentity(100, 1)
    assert driver.init(expected=first) == second, "its answer was lost"
    third = driver.init()
    assert third == ProducerIdentity(100, 2)
    assert driver.init(expected=second) is ErrorCode.PRODUCER_FENCED
    assert driver.init(expected=ProducerIdentity(9, 2)) is ErrorCode.PRODUCER_FENCED


def test_epochs_that_are_used_up_give_a_new_id() -> None:
    driver, _ = started()
    driver.put(StoredTransaction(100, EPOCH_GIVEN_MAX, 1_000, State.EMPTY, 0))
    assert isinstance(driver.init(), NeedsProducerId)
    assert driver.init(fresh=200) == ProducerIdentity(200, 0)
    assert driver.stored.previous_producer_id == 100


def test_a_start_aborts_what_is_open_and_fences_it() -> None:
    driver, first = started()
    assert driver.add(first, A) == [ErrorCode.NONE]
    assert driver.init() is ErrorCode.CONCURRENT_TRANSACTIONS
    assert (driver.stored.state, driver.stored.producer_epoch) == (State.PREPARE_ABORT, 1)
    assert driver.init() is ErrorCode.CONCURRENT_TRANSACTIONS
    assert driver.end(first, commit=True) is ErrorCode.PRODUCER_FENCED
    driver.complete()
    assert driver.init() == ProducerIdentity(100, 2)


def test_partitions_are_added_once_and_by_the_present_producer_alone() -> None:
    driver, first = started()
    assert driver.add(first, A) == [ErrorCode.NONE]
    count = len(driver.records)
    assert driver.add(first, A) == [ErrorCode.NONE]
    assert len(driver.records) == count
    assert driver.add(first, A, B) == [ErrorCode.NONE] * 2
    assert driver.stored.partitions == {A, B}
    assert driver.add(ProducerIdentity(100, 7), A) is ErrorCode.PRODUCER_FENCED
    assert driver.add(ProducerIdentity(7, 0), A) is ErrorCode.INVALID_PRODUCER_ID_MAPPING


def test_verifying_adds_nothing() -> None:
    driver, first = started()
    assert driver.add(first, A, verify=True) == [ErrorCode.INVALID_TXN_STATE]
    driver.add(first, A)
    assert driver.add(first, A, B, verify=True) == [ErrorCode.NONE, ErrorCode.INVALID_TXN_STATE]


@pytest.mark.parametrize("commit", [True, False])
def test_a_classic_end_keeps_the_epoch_and_may_be_repeated(commit: bool) -> None:
    driver, first = started()
    assert driver.end(first, commit=commit) is ErrorCode.INVALID_TXN_STATE
    driver.add(first, A)
    assert driver.end(first, commit=commit) == first
    assert driver.end(first, commit=commit) is ErrorCode.CONCURRENT_TRANSACTIONS
    assert driver.end(first, commit=not commit) is ErrorCode.INVALID_TXN_STATE
    assert driver.add(first, A) is ErrorCode.CONCURRENT_TRANSACTIONS
    driver.complete()
    assert driver.end(first, commit=commit) == first
    assert driver.end(first, commit=not commit) is ErrorCode.INVALID_TXN_STATE
    assert driver.stored.partitions == frozenset()


@pytest.mark.parametrize("commit", [True, False])
def test_with_kip_890_every_end_gives_a_new_epoch(commit: bool) -> None:
    driver, first = started()
    driver.add(first, A)
    second = ProducerIdentity(100, 1)
    assert driver.end(first, commit=commit, bumps=True) == second
    assert driver.end(first, commit=commit, bumps=True) is ErrorCode.CONCURRENT_TRANSACTIONS
    driver.complete()
    assert driver.end(first, commit=commit, bumps=True) == second, "its answer was lost"
    assert driver.end(first, commit=not commit, bumps=True) is ErrorCode.INVALID_TXN_STATE
    assert driver.add(first, A) is ErrorCode.PRODUCER_FENCED
    assert driver.add(second, A) == [ErrorCode.NONE]
    assert driver.end(first, commit=commit, bumps=True) is ErrorCode.PRODUCER_FENCED


def test_with_kip_890_an_abort_of_nothing_gives_a_new_epoch_too() -> None:
    driver, first = started()
    assert driver.end(first, commit=True, bumps=True) is ErrorCode.INVALID_TXN_STATE
    assert driver.end(first, commit=False, bumps=True) == ProducerIdentity(100, 1)
    assert driver.stored.state is State.PREPARE_ABORT
    driver.complete()
    assert driver.machine.transactions["tx"].state.shown == "CompleteAbort"


def test_the_last_epoch_ends_with_a_new_id() -> None:
    driver, _ = started()
    last = ProducerIdentity(100, EPOCH_GIVEN_MAX)
    driver.put(StoredTransaction(100, EPOCH_GIVEN_MAX, 1_000, State.EMPTY, 0))
    driver.add(last, A)
    assert isinstance(driver.end(last, commit=True, bumps=True), NeedsProducerId)
    fresh = ProducerIdentity(300, 0)
    assert driver.end(last, commit=True, bumps=True, fresh=300) == fresh
    assert (driver.stored.producer_id, driver.stored.producer_epoch) == (100, EPOCH_GIVEN_MAX + 1)
    driver.complete()
    assert driver.end(last, commit=True, bumps=True) == fresh
    assert driver.add(fresh, A) == [ErrorCode.NONE]


def test_a_transaction_that_is_open_too_long_is_aborted_and_fenced() -> None:
    driver, first = started(timeout_ms=1_000)
    driver.add(first, A)
    driver.advance(999)
    assert driver.stored.state is State.ONGOING
    driver.advance(1)
    assert (driver.stored.state, driver.stored.producer_epoch) == (State.PREPARE_ABORT, 1)


def test_the_time_out_counts_from_the_start_also_for_the_next_coordinator() -> None:
    driver, first = started(timeout_ms=1_000)
    driver.add(first, A)
    driver.advance(900)
    driver.reload()
    driver.advance(100)
    assert driver.stored.state is State.PREPARE_ABORT


def test_an_id_that_nobody_uses_is_forgotten_and_one_in_use_is_not() -> None:
    driver, first = started(timeout_ms=900_000_000)
    driver.add(first, A)
    driver.advance(driver.settings.id_expiration_ms + driver.settings.cleanup_interval_ms)
    assert driver.stored.state is State.ONGOING
    driver.end(first, commit=True)
    driver.complete()
    driver.advance(driver.settings.id_expiration_ms + driver.settings.cleanup_interval_ms)
    assert driver.machine.transactions == {}
    assert isinstance(driver.init(), NeedsProducerId)


def test_a_late_completion_changes_nothing() -> None:
    driver, first = started()
    driver.add(first, A)
    driver.end(first, commit=True)
    (prepared,) = driver.prepared()
    driver.complete()
    driver.add(first, B)
    assert driver.completed(prepared) is False
    assert driver.stored.state is State.ONGOING
