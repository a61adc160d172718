"""Runs of partitions, the same numbers of each topic."""

from __future__ import annotations

from broker.groups.consumer.range_assignor import assign_ranges

ONE, TWO = bytes([1] * 16), bytes([2] * 16)


def test_the_first_members_get_one_more() -> None:
    assigned = assign_ranges({m: frozenset({ONE}) for m in "abc"}, {ONE: 5}, {})
    assert {m: sorted(i for _, i in its) for m, its in assigned.items()} == {
        "a": [0, 1],
        "b": [2, 3],
        "c": [4],
    }


def test_equal_subscriptions_get_equal_numbers_and_others_nothing_of_them() -> None:
    both, one = frozenset({ONE, TWO}), frozenset({TWO})
    assigned = assign_ranges({"a": both, "b": both, "c": one}, {ONE: 2, TWO: 3}, {})
    assert assigned == {
        "a": {(ONE, 0), (TWO, 0)},
        "b": {(ONE, 1), (TWO, 1)},
        "c": {(TWO, 2)},
    }


def test_static_members_keep_their_place_under_another_id() -> None:
    before = assign_ranges({"z": frozenset({ONE}), "m": frozenset({ONE})}, {ONE: 2}, {"z": "a"})
    after = assign_ranges({"b": frozenset({ONE}), "m": frozenset({ONE})}, {ONE: 2}, {"b": "a"})
    assert before["z"] == after["b"] == {(ONE, 0)}


def test_a_topic_that_is_gone_gives_nothing() -> None:
    assert assign_ranges({"a": frozenset({ONE})}, {}, {}) == {"a": frozenset()}
