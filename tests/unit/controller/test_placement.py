from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.placement import UsableBroker, place_replicas
from ottla.core.errors import ErrorCode, ProtocolError


def place(
    brokers: list[UsableBroker], partitions: int, factor: int, *, first: int = 0, seed: int = 0
) -> list[tuple[int, ...]]:
    return place_replicas(
        brokers,
        first_partition=first,
        partition_count=partitions,
        replication_factor=factor,
        seed=seed,
    )


def brokers(racks: str) -> list[UsableBroker]:
    """One broker per letter, which names its rack; a dot is no rack, upper case is fenced."""
    return [
        UsableBroker(number, None if rack in ".:" else rack.lower(), rack.islower() or rack == ".")
        for number, rack in enumerate(racks, 1)
    ]


@st.composite
def clusters(draw: st.DrawFn) -> tuple[list[UsableBroker], int]:
    found = [
        UsableBroker(number, draw(st.sampled_from([None, "a", "b", "c"])), draw(st.booleans()))
        for number in range(draw(st.integers(1, 9)))
    ]
    found[0] = UsableBroker(found[0].broker_id, found[0].rack, True)
    return found, draw(st.integers(1, len(found)))


@given(clusters(), st.integers(1, 40), st.integers(0, 40), st.integers(0, 2**63))
def test_every_partition_is_well_placed(
    cluster: tuple[list[UsableBroker], int], partitions: int, first: int, seed: int
) -> None:
    found, factor = cluster
    live = {b.broker_id for b in found if b.live}
    layout = place(found, partitions, factor, first=first, seed=seed)
    assert len(layout) == partitions
    for replicas in layout:
        assert len(set(replicas)) == factor
        assert replicas[0] in live
        # Fenced brokers are taken only when the live ones do not suffice, and come last.
        assert [r in live for r in replicas] == sorted((r in live for r in replicas), reverse=True)
        assert sum(r in live for r in replicas) == min(factor, len(live))
    leaders = Counter(replicas[0] for replicas in layout)
    counts = [leaders[broker_id] for broker_id in live]
    assert max(counts) - min(counts) <= 1
    # A later placement goes on where this one would have.
    assert layout[1:] == place(found, partitions - 1, factor, first=first + 1, seed=seed)


@given(clusters(), st.integers(0, 2**63))
def test_replicas_are_spread_over_racks(cluster: tuple[list[UsableBroker], int], seed: int) -> None:
    found, factor = cluster
    racks = {b.broker_id: b.rack for b in found if b.live and b.rack is not None}
    if any(b.rack is None for b in found):
        return
    for replicas in place(found, 12, factor, seed=seed):
        used = Counter(racks[r] for r in replicas if r in racks)
        of_live = min(factor, len(racks))
        assert len(used) == min(of_live, len(set(racks.values())))
        # No rack has two more than another one that has live brokers to spare.
        sizes = Counter(racks.values())
        for rack, size in sizes.items():
            if used[rack] < size:
                assert max(used.values()) - used[rack] <= 1


@pytest.mark.parametrize("racks", ["......", "aabbcc", "abab", "..."])
def test_replicas_are_even_where_racks_are(racks: str) -> None:
    layout = place(brokers(racks), 60, 2, seed=9)
    counts = Counter(replica for replicas in layout for replica in replicas)
    assert max(counts.values()) == min(counts.values())


def test_the_load_of_a_dead_broker_is_shared() -> None:
    layout = place(brokers("......"), 60, 2)
    successors = Counter(replicas[1] for replicas in layout if replicas[0] == 1)
    assert len(successors) == 5


def test_the_seed_decides_where_to_begin() -> None:
    firsts = {place(brokers("......"), 1, 3, seed=seed)[0] for seed in range(40)}
    assert len({replicas[0] for replicas in firsts}) == 6


def test_more_replicas_than_brokers_are_refused_with_both_numbers() -> None:
    with pytest.raises(ProtocolError, match="3 is above the number of brokers, 2") as error:
        place(brokers(".."), 1, 3)
    assert error.value.code == ErrorCode.INVALID_REPLICATION_FACTOR


def test_without_a_live_broker_nothing_is_placed() -> None:
    with pytest.raises(ProtocolError, match="no broker is live") as error:
        place(brokers("AB"), 1, 1)
    assert error.value.code == ErrorCode.INVALID_REPLICATION_FACTOR
