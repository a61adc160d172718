from __future__ import annotations

from broker.groups.states import VALID_PREVIOUS, GroupState


def test_every_state_has_its_previous_states_and_kafkas_name() -> None:
    assert set(VALID_PREVIOUS) == set(GroupState)
    assert {state.value for state in GroupState} == {
        "Empty",
        "PreparingRebalance",
        "CompletingRebalance",
        "Stable",
        "Dead",
    }


def test_nothing_follows_dead_and_every_state_may_become_a_consumer_group() -> None:
    assert all(GroupState.DEAD not in previous for previous in VALID_PREVIOUS.values())
    assert VALID_PREVIOUS[GroupState.DEAD] == set(GroupState) - {GroupState.DEAD}
