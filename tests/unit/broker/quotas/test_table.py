from __future__ import annotations

import pytest

from broker.quotas import table
from broker.quotas.table import Client, QuotaKind, QuotaTable
from controller.state import QuotaEntity

PRODUCE, FETCH = QuotaKind.PRODUCE, QuotaKind.FETCH
BY_PRECEDENCE: list[tuple[QuotaEntity, tuple[str | None, str | None]]] = [
    ((("user", "u"), ("client-id", "c")), ("u", "c")),
    ((("user", "u"), ("client-id", None)), ("u", "c")),
    ((("user", "u"),), ("u", None)),
    ((("user", None), ("client-id", "c")), ("u", "c")),
    ((("user", None), ("client-id", None)), ("u", "c")),
    ((("user", None),), ("u", None)),
    ((("client-id", "c"),), (None, "c")),
    ((("client-id", None),), (None, "c")),
]


@pytest.mark.parametrize("first", range(len(BY_PRECEDENCE)))
def test_the_most_exact_quota_holds(first: int) -> None:
    quotas = {
        entity: {"producer_byte_rate": float(number)}
        for number, (entity, _) in enumerate(BY_PRECEDENCE)
        if number >= first
    }
    found = QuotaTable(quotas).find(PRODUCE, Client("u", "c"))
    assert found is not None
    assert (found.limit, found.shared_by) == (first, BY_PRECEDENCE[first][1])


def test_each_kind_is_looked_up_for_itself() -> None:
    quotas: dict[QuotaEntity, dict[str, float]] = {
        (("user", "u"),): {"consumer_byte_rate": 5},
        (("client-id", None),): {"producer_byte_rate": 7},
    }
    found = QuotaTable(quotas)
    assert found.kinds == {PRODUCE, FETCH}
    assert found.find(PRODUCE, Client("u", "c")) == table.Quota(7, (None, "c"))
    assert found.find(FETCH, Client("u", "c")) == table.Quota(5, ("u", None))
    assert found.find(FETCH, Client("v", "c")) is None
    assert found.find(QuotaKind.REQUEST, Client("u", "c")) is None


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "RESOLVED_MAX", 3)
    found = QuotaTable({(("client-id", None),): {"producer_byte_rate": 7}})
    for number in range(10):
        assert found.find(PRODUCE, Client("u", str(number))) is not None
        assert len(found._resolved) <= 3
