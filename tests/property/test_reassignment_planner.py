"""The planner keeps factors, spreads racks, and moves as little as an exhaustive search finds."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from ottla.reassignment.planner import Broker, Change, PartitionPlace, Wishes, plan
from tests.support.examples import examples

Assignment = Sequence[frozenset[int]]


@st.composite
def clusters(
    draw: st.DrawFn, brokers_max: int = 8, partitions_max: int = 20, factor_max: int = 3
) -> tuple[list[PartitionPlace], list[Broker]]:
    """Partitions that lie anywhere, also on brokers that are none of those to plan for."""
    count = draw(st.integers(1, brokers_max))
    rack = st.sampled_from(["a", "b", "c"]) if draw(st.booleans()) else st.none()
    brokers = [Broker(number, draw(rack)) for number in range(1, count + 1)]
    anywhere = list(range(1, count + 3))
    factor = draw(st.integers(1, min(factor_max, count)))
    places = [
        PartitionPlace(
            "t",
            index,
            tuple(
                draw(
                    st.lists(
                        st.sampled_from(anywhere), min_size=factor, max_size=factor, unique=True
                    )
                )
            ),
            draw(st.sampled_from([0, 1, 10, 1000])),
        )
        for index in range(draw(st.integers(0, partitions_max)))
    ]
    return places, brokers


def after(places: Sequence[PartitionPlace], changes: Sequence[Change]) -> list[PartitionPlace]:
    replicas = {change.index: change.after for change in changes}
    return [
        PartitionPlace(p.topic, p.index, replicas.get(p.index, p.replicas), p.size_bytes)
        for p in places
    ]


def crowding(replicas: frozenset[int], brokers: Sequence[Broker]) -> int:
    racks = {b.broker_id: b.rack or b.broker_id for b in brokers}
    return sum(n * n for n in Counter(racks[r] for r in replicas).values())


def score(
    places: Sequence[PartitionPlace], found: Assignment, brokers: Sequence[Broker]
) -> tuple[int, int, int, int]:
    """(crowding, load, bytes moved, replicas moved): what is to be the least, in this order."""
    load = Counter(r for replicas in found for r in replicas)
    moves = [len(r - {*p.replicas}) for p, r in zip(places, found, strict=True)]
    return (
        sum(crowding(replicas, brokers) for replicas in found),
        sum(n * n for n in load.values()),
        sum(p.size_bytes * n for p, n in zip(places, moves, strict=True)),
        sum(moves),
    )


@given(clusters(), st.booleans())
@settings(max_examples=examples(150), deadline=None)
def test_a_plan_keeps_factors_and_uses_only_brokers_it_may(
    cluster: tuple[list[PartitionPlace], list[Broker]], keep: bool
) -> None:
    places, brokers = cluster
    ids = {b.broker_id for b in brokers}
    for before, now in zip(
        places, after(places, plan(places, brokers, Wishes(keep=keep))), strict=True
    ):
        assert len(now.replicas) == len({*now.replicas}) == len(before.replicas)
        assert {*now.replicas} <= ids
        if keep:
            assert {*before.replicas} & ids <= {*now.replicas}


@given(clusters())
@settings(max_examples=examples(150), deadline=None)
def test_racks_are_spread_as_far_as_they_go(
    cluster: tuple[list[PartitionPlace], list[Broker]],
) -> None:
    places, brokers = cluster
    ids = [b.broker_id for b in brokers]
    for now in after(places, plan(places, brokers)):
        least = min(
            crowding(frozenset(some), brokers)
            for some in itertools.combinations(ids, len(now.replicas))
        )
        assert crowding(frozenset(now.replicas), brokers) == least


@given(clusters())
@settings(max_examples=examples(150), deadline=None)
def test_the_plan_of_what_a_plan_made_is_empty(
    cluster: tuple[list[PartitionPlace], list[Broker]],
) -> None:
    places, brokers = cluster
    assert plan(after(places, plan(places, brokers)), brokers) == []


@given(clusters())
@settings(max_examples=examples(150), deadline=None)
def test_without_racks_replicas_and_leaders_differ_by_one_at_most(
    cluster: tuple[list[PartitionPlace], list[Broker]],
) -> None:
    places, brokers = cluster
    plain = [Broker(b.broker_id) for b in brokers]
    found = after(places, plan(places, plain))
    load = Counter({b.broker_id: 0 for b in plain})
    load.update(r for p in found for r in p.replicas)
    assert max(load.values()) - min(load.values()) <= 1
    if found and len(found[0].replicas) == len(plain):
        leaders = Counter({b.broker_id: 0 for b in plain})
        leaders.update(p.replicas[0] for p in found)
        assert max(leaders.values()) - min(leaders.values()) <= 1


@given(clusters(brokers_max=4, partitions_max=4, factor_max=2))
@settings(max_examples=examples(150), deadline=None)
def test_moves_are_as_few_as_an_exhaustive_search_finds(
    cluster: tuple[list[PartitionPlace], list[Broker]],
) -> None:
    places, brokers = cluster
    changes = plan(places, brokers, Wishes(level_bytes=False))
    found = [frozenset(p.replicas) for p in after(places, changes)]
    ids = [b.broker_id for b in brokers]
    choices = [
        [frozenset(some) for some in itertools.combinations(ids, len(p.replicas))] for p in places
    ]
    best = min(score(places, assignment, brokers) for assignment in itertools.product(*choices))
    assert score(places, found, brokers) == best
