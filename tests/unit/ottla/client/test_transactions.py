"""Which transactions hang: only what all coordinators were asked about."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from ottla.client import transactions
from ottla.client.cluster import Cluster
from ottla.client.transactions import (
    ActiveProducer,
    TransactionDescription,
    TransactionListing,
    find_hanging,
)
from ottla.core.errors import ErrorCode, ProtocolError

OPEN = ActiveProducer("t", 0, 7, 1, 3, 1_000, 40)


class FakeCluster:
    """Metadata as a test says, the last one for ever; what is retried is tried three times."""

    def __init__(self, *leaders: tuple[int, int] | None) -> None:
        self.brokers = {1: None, 2: None}
        self.leaders = list(leaders)
        self.asked = 0

    def metadata(self, topics: list[str]) -> Any:
        self.asked += 1
        leader = self.leaders.pop(0) if len(self.leaders) > 1 else self.leaders[0]
        if leader is None:
            topic = SimpleNamespace(error_code=ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
        else:
            partition = SimpleNamespace(
                partition_index=0, leader_id=leader[0], leader_epoch=leader[1]
            )
            topic = SimpleNamespace(error_code=0, partitions=[partition])
        return SimpleNamespace(topics=[topic])

    def retry(self, what: str, attempt: Callable[[], Any]) -> Any:
        for _ in range(2):
            try:
                return attempt()
            except ProtocolError:
                pass
        return attempt()


def hanging(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch, owned: dict[int, list[tuple[str, int]]]
) -> list[ActiveProducer]:
    listed = [TransactionListing(f"x{pid}", 1, pid, "Ongoing") for pid in owned]
    monkeypatch.setattr(transactions, "list_transactions", lambda _: listed)
    monkeypatch.setattr(
        transactions,
        "describe_transaction",
        lambda _, name: TransactionDescription(
            name, 1, int(name[1:]), 1, "Ongoing", 9, 1, tuple(owned[int(name[1:])])
        ),
    )
    return find_hanging(cast(Cluster, cluster), [OPEN], 500, 1_500)


def test_what_no_coordinator_knows_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    assert hanging(FakeCluster((1, 4)), monkeypatch, {}) == [OPEN]
    assert hanging(FakeCluster(None), monkeypatch, {}) == [OPEN]
    assert hanging(FakeCluster((1, 4)), monkeypatch, {7: [("t", 1)]}) == [OPEN]
    assert hanging(FakeCluster((1, 4)), monkeypatch, {7: [("t", 0)]}) == []


def test_nothing_is_said_while_a_coordinator_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ProtocolError, match="no leader that is alive"):
        hanging(FakeCluster((-1, 4)), monkeypatch, {})
    with pytest.raises(ProtocolError, match="no leader that is alive"):
        hanging(FakeCluster((3, 4)), monkeypatch, {})


def test_a_coordinator_that_moves_meanwhile_is_asked_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = FakeCluster((1, 4), (2, 5))
    assert hanging(cluster, monkeypatch, {}) == [OPEN]
    assert cluster.asked == 4


def test_young_and_ended_transactions_are_not_asked_about() -> None:
    cluster = cast(Cluster, FakeCluster((-1, 0)))
    assert find_hanging(cluster, [OPEN], 501, 1_500) == []
