from __future__ import annotations

from broker.replication.isr import CommittedIsr, IsrChange, PendingExpand, PendingShrink

CHANGE = IsrChange(0, 0, ())


def test_maximal_is_everyone_who_may_be_in_the_isr() -> None:
    assert CommittedIsr((1, 2)).maximal == {1, 2}
    assert PendingExpand((1, 2), 3, CHANGE).maximal == {1, 2, 3}
    assert PendingShrink((1, 2, 3), frozenset({3}), CHANGE).maximal == {1, 2, 3}
