from __future__ import annotations

from broker.replication.traffic import TopicTraffic


def test_a_changed_isr_counts_once_in_each_direction() -> None:
    traffic = TopicTraffic()
    traffic.note_isr((1, 2, 3), (1, 2, 3))
    traffic.note_isr((1, 2, 3), (1,))
    traffic.note_isr((1,), (1, 3))
    traffic.note_isr((1, 3), (1, 2))
    assert (traffic.isr_shrinks, traffic.isr_expands) == (2, 2)
