from __future__ import annotations

import pytest

from ottla.client.transactional_producer import TransactionalProducer
from ottla.core.errors import ErrorCode
from ottla.protocol.api import ApiKey
from ottla.record.build import build_batch
from tests.support.command_line import CommandLine

GHOST = 77


@pytest.fixture(autouse=True)
def topic(ottla: CommandLine) -> None:
    ottla.kafka.create("t", 2)


@pytest.fixture
def producer(ottla: CommandLine) -> TransactionalProducer:
    """With a transaction open in t-0."""
    producer = TransactionalProducer(
        ottla.kafka.bootstrap, transactional_id="live", options=ottla.kafka.options()
    )
    producer.init_transactions()
    producer.begin()
    producer.send("t", b"v", partition=0)
    producer.flush()
    return producer


def hang(ottla: CommandLine) -> None:
    """A transaction in t-1 of which no coordinator knows."""
    batch = build_batch(
        [(None, b"v", (), 1_700_000_000_000)],
        producer_id=GHOST,
        producer_epoch=2,
        base_sequence=0,
        transactional=True,
    )
    ottla.kafka.append("t", 1, batch)


def test_list_and_describe(ottla: CommandLine, producer: TransactionalProducer) -> None:
    (one,) = ottla("txn", "list", "--json").json
    assert (one["transactional_id"], one["coordinator"], one["state"]) == ("live", 3, "Ongoing")
    assert "Ongoing" in ottla("txn", "list").text
    assert ottla("txn", "list", "--state", "Empty", "--json").json == []
    ottla("txn", "list", "--longer-than", "1.5")
    assert ottla.kafka.requests(ApiKey.LIST_TRANSACTIONS)[-1].duration_filter == 1500
    done = ottla("txn", "describe", "live")
    assert done.lines[0].startswith("live is Ongoing since 2023-11-14T22:13:20+00:00; producer ")
    assert done.lines[-1].split() == ["t", "0"]
    producer.commit()
    shown = ottla("txn", "describe", "live", "--json").json
    assert (shown["state"], shown["start_timestamp_ms"]) == ("CompleteCommit", None)
    assert shown["partitions"] == []
    done = ottla("txn", "describe", "nobody")
    assert done.code == 1
    assert "transactional id 'nobody' is not known" in done.errors


def test_producers(ottla: CommandLine, producer: TransactionalProducer) -> None:
    hang(ottla)
    found = ottla("txn", "producers", "--topic", "t", "--json").json
    assert [(one["partition"], one["transaction_start_offset"]) for one in found] == [
        (0, 0),
        (1, 0),
    ]
    assert found[1]["producer_id"] == GHOST
    (one,) = ottla("txn", "producers", "--topic", "t", "--partition", "1", "--json").json
    assert one["producer_epoch"] == 2
    producer.abort()
    shown = ottla("txn", "producers", "--topic", "t", "--partition", "0").lines[-1].split()
    assert shown[4] == "-"


def test_what_hangs_is_found_and_aborted(
    ottla: CommandLine, producer: TransactionalProducer
) -> None:
    assert "No transaction hangs." in ottla("txn", "find-hanging").text
    hang(ottla)
    ottla.kafka.clock.advance(1_000_000)
    find = ("txn", "find-hanging", "--topic", "t", "--older-than", "1")
    (found,) = ottla(*find, "--json").json
    assert (found["partition"], found["producer_id"]) == (1, GHOST)
    assert ottla(*find).lines[-1].startswith("1 hang;")
    abort = ("txn", "abort", "--topic", "t", "--partition", "1", "--start-offset", "0")
    assert "--execute" in ottla(*abort).lines[-1]
    assert ottla.kafka.requests(ApiKey.WRITE_TXN_MARKERS) == []
    assert ottla(*abort, "--execute").lines[-1] == "Aborted."
    assert ottla.kafka.topics["t"][1].aborted() == [(GHOST, 0, 1)]
    assert ottla(*find, "--json").json == []


def test_what_its_coordinator_knows_is_not_aborted(
    ottla: CommandLine, producer: TransactionalProducer
) -> None:
    abort = ("txn", "abort", "--topic", "t", "--partition", "0", "--execute", "--start-offset")
    done = ottla(*abort, "0")
    assert done.code == 1
    assert "will end it" in done.errors
    done = ottla(*abort, "5")
    assert "no open transaction of t-0 begins at offset 5" in done.errors
    assert ottla.kafka.requests(ApiKey.WRITE_TXN_MARKERS) == []


def test_a_producer_that_has_gone_on_is_left_alone(ottla: CommandLine) -> None:
    hang(ottla)
    ottla.kafka.errors[ApiKey.WRITE_TXN_MARKERS].append(ErrorCode.INVALID_PRODUCER_EPOCH)
    abort = ("txn", "abort", "--topic", "t", "--partition", "1", "--start-offset", "0")
    done = ottla(*abort, "--execute")
    assert done.code == 1
    assert "INVALID_PRODUCER_EPOCH" in done.errors


def test_wrong_usage(ottla: CommandLine) -> None:
    assert ottla("txn", "find-hanging", "--partition", "1").code == 2
    assert ottla("txn", "abort", "--topic", "t", "--partition", "1").code == 2
