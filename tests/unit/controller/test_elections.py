from __future__ import annotations

from dataclasses import replace

import pytest

from controller.elections import (
    ElectionRules,
    Electorate,
    awaits_log_ends,
    elect,
    with_isr,
    with_log_end,
)
from controller.state import BrokerRegistration, LogEnd, PartitionMetadata

TOPIC = bytes(16)
RULES = ElectionRules(min_insync_replicas=2, unclean_allowed=False)
UNCLEAN = ElectionRules(min_insync_replicas=2, unclean_allowed=True)


def broker(broker_id: int, *, fenced: bool = False, stopping: bool = False) -> BrokerRegistration:
    return BrokerRegistration(
        broker_id, 10 + broker_id, bytes(16), (), "h", 1, None, fenced, stopping, ()
    )


def live(*broker_ids: int) -> Electorate:
    return Electorate({broker_id: broker(broker_id) for broker_id in broker_ids})


def partition(
    isr: tuple[int, ...],
    leader_id: int | None,
    *,
    elr: tuple[int, ...] = (),
    last_known: tuple[int, ...] = (),
    log_ends: tuple[LogEnd, ...] = (),
) -> PartitionMetadata:
    return PartitionMetadata(TOPIC, 0, (1, 2, 3), isr, leader_id, 5, 7, elr, last_known, log_ends)


def test_nothing_to_change_gives_the_same_object() -> None:
    before = partition((1, 2, 3), 1)
    assert elect(before, live(1, 2, 3), RULES) is before


def test_the_leader_stays_when_another_member_goes() -> None:
    after = elect(partition((1, 2, 3), 1), live(1, 3), RULES)
    assert after == replace(partition((1, 3), 1), partition_epoch=8)


def test_the_next_leader_is_the_first_of_the_replicas_in_sync() -> None:
    after = elect(partition((3, 2, 1), 1), live(2, 3), RULES)
    assert (after.leader_id, after.isr, after.leader_epoch, after.partition_epoch) == (
        2,
        (3, 2),
        6,
        8,
    )


def test_removed_members_are_out_although_they_live() -> None:
    after = elect(partition((1, 2, 3), 1), live(1, 2, 3), RULES, removed=[1])
    assert (after.leader_id, after.isr) == (2, (2, 3))


def test_a_broker_that_shuts_down_neither_leads_nor_is_in_sync() -> None:
    electorate = Electorate({1: broker(1, stopping=True), 2: broker(2), 3: broker(3)})
    after = elect(partition((1, 2, 3), 1), electorate, RULES)
    assert (after.leader_id, after.isr, after.elr) == (2, (2, 3), ())


def test_who_leaves_below_the_minimum_stays_eligible() -> None:
    after = elect(partition((1, 2), 1), live(1), RULES)
    assert (after.leader_id, after.isr, after.elr) == (1, (1,), (2,))
    nobody = elect(after, live(), RULES)
    assert (nobody.leader_id, nobody.isr, nobody.elr) == (None, (), (1, 2))
    assert nobody.leader_epoch == 6
    back = elect(nobody, live(2), RULES)
    assert (back.leader_id, back.isr, back.elr) == (2, (2,), (1,))
    assert back.leader_epoch == 7


def test_the_last_member_stays_eligible_with_a_minimum_of_one() -> None:
    rules = ElectionRules(1, False)
    gone = elect(partition((1,), 1), live(2, 3), rules)
    assert (gone.leader_id, gone.isr, gone.elr) == (None, (), (1,))
    back = elect(gone, live(1, 2, 3), rules)
    assert (back.leader_id, back.isr, back.elr) == (1, (1,), ())


def test_who_left_before_the_high_watermark_stood_still_is_not_eligible() -> None:
    gone = elect(partition((1, 2), 1), live(), RULES)
    assert elect(gone, live(3), RULES) is gone


def test_the_minimum_is_at_most_the_number_of_replicas() -> None:
    single = PartitionMetadata(TOPIC, 0, (1,), (1,), 1, 0, 0)
    gone = elect(single, live(), ElectionRules(3, False))
    assert gone.elr == (1,)
    assert elect(gone, live(1), ElectionRules(3, False)).elr == ()


def test_lost_data_ends_eligibility() -> None:
    after = elect(partition((), None, elr=(1, 2)), live(1, 2), RULES, lost_data=frozenset({1}))
    assert (after.leader_id, after.elr, after.last_known_elr) == (2, (), (1,))


def test_unclean_election_is_the_last_resort_and_only_when_allowed() -> None:
    waiting = partition((), None, elr=(1,))
    assert elect(waiting, live(2, 3), RULES) is waiting
    after = elect(waiting, live(2, 3), UNCLEAN)
    assert (after.leader_id, after.isr, after.elr, after.last_known_elr) == (2, (2,), (), ())
    assert elect(waiting, live(1, 2, 3), UNCLEAN).leader_id == 1


def test_the_preferred_leader_must_be_in_sync() -> None:
    assert elect(partition((2, 1), 2), live(1, 2), RULES, prefer_first=True).leader_id == 1
    without = partition((2, 3), 2)
    assert elect(without, live(1, 2, 3), RULES, prefer_first=True) is without


def test_the_longest_log_of_all_last_known_members_leads() -> None:
    lost = elect(partition((), None, elr=(1, 2)), live(), RULES, lost_data=frozenset({1, 2}))
    assert awaits_log_ends(lost)
    assert lost.last_known_elr == (1, 2)
    electorate = live(1, 2, 3)
    one = with_log_end(lost, LogEnd(1, 11, 4, 100), electorate, RULES)
    assert one.leader_id is None
    assert one.partition_epoch == lost.partition_epoch + 1
    assert with_log_end(one, LogEnd(1, 11, 4, 100), electorate, RULES) is one
    three = with_log_end(one, LogEnd(3, 13, 3, 900), electorate, RULES)
    assert three.leader_id is None
    two = with_log_end(three, LogEnd(2, 12, 4, 101), electorate, RULES)
    assert (two.leader_id, two.isr, two.elr, two.last_known_elr, two.log_ends) == (
        2,
        (2,),
        (),
        (),
        (),
    )
    assert two.leader_epoch == lost.leader_epoch + 1


@pytest.mark.parametrize(
    ("ends", "leader"),
    [
        ([(1, 4, 100), (2, 5, 1)], 2),
        ([(1, 4, 100), (2, 4, 100)], 1),
        ([(1, -1, 0), (2, -1, 0)], 1),
        ([(1, 4, 100), (2, 4, 100), (3, 6, 200)], 3),
    ],
)
def test_the_last_epoch_counts_before_the_length(
    ends: list[tuple[int, int, int]], leader: int
) -> None:
    reports = tuple(LogEnd(b, 10 + b, epoch, end) for b, epoch, end in ends)
    waiting = partition((), None, last_known=(1, 2), log_ends=reports)
    assert elect(waiting, live(1, 2, 3), RULES).leader_id == leader


def test_a_report_of_an_earlier_incarnation_or_of_a_fenced_broker_does_not_count() -> None:
    reports = (LogEnd(1, 11, 4, 100), LogEnd(2, 99, 4, 100))
    stale = partition((), None, last_known=(1, 2), log_ends=reports)
    assert elect(stale, live(1, 2), RULES).leader_id is None
    current = replace(stale, log_ends=(LogEnd(1, 11, 4, 100), LogEnd(2, 12, 4, 100)))
    fenced = Electorate({1: broker(1), 2: broker(2, fenced=True)})
    assert elect(current, fenced, RULES).leader_id is None


def test_with_isr_keeps_the_order_of_the_replicas_and_the_leader() -> None:
    after = with_isr(partition((1,), 1, elr=(2,)), [3, 1], RULES)
    assert (after.isr, after.elr, after.leader_id) == ((1, 3), (), 1)
    assert (after.leader_epoch, after.partition_epoch) == (5, 8)


def test_with_isr_below_the_minimum_keeps_those_who_left_eligible() -> None:
    after = with_isr(partition((1, 2, 3), 1), [1], RULES)
    assert (after.isr, after.elr) == ((1,), (2, 3))


def test_with_isr_forgets_last_known_members_only_once_enough_are_in_sync() -> None:
    waiting = partition((1,), 1, last_known=(2, 3))
    assert with_isr(waiting, [1], RULES).last_known_elr == (2, 3)
    assert with_isr(waiting, [1, 2], RULES).last_known_elr == ()


def test_of_eligible_replicas_one_with_room_leads() -> None:
    waiting = replace(partition((), None, elr=(1, 2)), full_replicas=(1,))
    assert elect(waiting, live(1, 2), RULES).leader_id == 2
    assert elect(waiting, live(1), RULES).leader_id == 1


def test_the_longest_log_does_not_lead_where_it_cannot_be_served() -> None:
    ends = (LogEnd(1, 11, 4, 100), LogEnd(2, 12, 4, 50))
    waiting = replace(partition((), None, last_known=(2,), log_ends=ends), offline_replicas=(1,))
    assert elect(waiting, live(1, 2), RULES).leader_id == 2
    both = replace(waiting, last_known_elr=(1, 2))
    assert elect(both, live(1, 2), RULES).leader_id is None
