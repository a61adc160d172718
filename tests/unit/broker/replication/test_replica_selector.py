from __future__ import annotations

import pytest

from broker.replication.replica_selector import ReadableReplica, preferred_replica

LEADER = ReadableReplica(1, "a", 0, 100)
NEAR = ReadableReplica(2, "b", 10, 90)
NEARER = ReadableReplica(3, "b", 10, 95)
UNKNOWN = ReadableReplica(4, None, 0, 100)


@pytest.mark.parametrize(
    ("rack", "offset", "replica"),
    [
        ("b", 50, 3),
        ("b", 95, 3),
        ("b", 96, None),  # nobody near has it yet
        ("b", 9, None),  # nobody near has it any more
        ("a", 50, None),  # the leader itself
        ("c", 50, None),
        ("", 50, None),
    ],
)
def test_a_replica_in_the_consumers_rack_that_holds_the_offset(
    rack: str, offset: int, replica: int | None
) -> None:
    assert preferred_replica(rack, offset, 1, [LEADER, NEAR, NEARER, UNKNOWN]) == replica


def test_of_equals_the_lower_id_and_the_leader_before_all() -> None:
    twin = ReadableReplica(5, "b", 10, 95)
    assert preferred_replica("b", 50, 1, [LEADER, twin, NEARER]) == 3
    assert preferred_replica("b", 50, 5, [LEADER, twin, NEARER]) is None
