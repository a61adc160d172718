from __future__ import annotations

import random

from ottla.client.model import PartitionDescription, TopicDescription
from ottla.client.partitioner import Partitioner


def topic(leaders: list[int | None]) -> TopicDescription:
    return TopicDescription(
        "t",
        bytes(16),
        False,
        tuple(
            PartitionDescription(index, leader, 0, (1,), (1,), ())
            for index, leader in enumerate(leaders)
        ),
    )


def test_keys_go_where_java_sends_them() -> None:
    partitioner = Partitioner(random.Random(1))
    six: list[int | None] = [1] * 6
    # Kafka's toPositive(murmur2("21")) % 6, from its own test values: murmur2("21") = -973932308.
    assert partitioner.choose(topic(six), b"21") == (-973932308 & 0x7FFFFFFF) % 6
    # Also a partition without a leader: a key belongs to one partition.
    assert partitioner.choose(topic([None] * 6), b"21") == (-973932308 & 0x7FFFFFFF) % 6
    assert partitioner.choose(topic(six), b"") == partitioner.choose(topic(six), b"")


def test_without_a_key_one_partition_until_its_batch_is_done() -> None:
    partitioner = Partitioner(random.Random(1))
    three = topic([1, 2, 3])
    first = partitioner.choose(three, None)
    assert {partitioner.choose(three, None) for _ in range(20)} == {first}
    partitioner.batch_done(three, (first + 1) % 3)
    assert partitioner.choose(three, None) == first
    partitioner.batch_done(three, first)
    second = partitioner.choose(three, None)
    assert second != first
    seen = set()
    for _ in range(50):
        partition = partitioner.choose(three, None)
        seen.add(partition)
        partitioner.batch_done(three, partition)
    assert seen == {0, 1, 2}


def test_partitions_without_a_leader_are_passed_over() -> None:
    partitioner = Partitioner(random.Random(1))
    two_dead = topic([None, 5, None])
    assert partitioner.choose(two_dead, None) == 1
    partitioner.batch_done(two_dead, 1)
    assert partitioner.choose(two_dead, None) == 1
    assert 0 <= Partitioner(random.Random(1)).choose(topic([None, None]), None) < 2


def test_a_topic_that_was_made_anew_with_fewer_partitions() -> None:
    partitioner = Partitioner(random.Random(1))
    partitioner.choose(topic([None, None, None, 1]), None)
    assert partitioner.choose(topic([1]), None) == 0
