from __future__ import annotations

from ottla.client.model import PartitionDescription, TopicDescription


def partition(replicas: tuple[int, ...], isr: tuple[int, ...]) -> PartitionDescription:
    return PartitionDescription(0, 1, 0, replicas, isr, ())


def test_under_replicated() -> None:
    assert partition((1, 2, 3), (1, 3)).under_replicated
    assert not partition((1, 2), (1, 2)).under_replicated


def test_replication_factor() -> None:
    assert TopicDescription("t", bytes(16), False, ()).replication_factor == 0
    topic = TopicDescription("t", bytes(16), False, (partition((1, 2), ()), partition((1,), ())))
    assert topic.replication_factor == 2
