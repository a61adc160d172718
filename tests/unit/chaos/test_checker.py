"""A checker that finds no planted fault proves nothing: one of each kind, and a history without."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.chaos.checker import Kind, Violation, check_group, check_topic
from tests.chaos.history import (
    UNKNOWN_OFFSET,
    Ack,
    Commit,
    GroupHistory,
    Observation,
    Resume,
    TopicHistory,
    identity_of,
    key_and_number,
)

KEY = 7
PLACE = ("topic", 0)
Log = list[tuple[int, int]]


def message(number: int, key: int = KEY) -> int:
    return identity_of(key, number)


def history(*, once: bool = True, acknowledged: int = 5) -> TopicHistory:
    """Five messages of one key, acknowledged at 0 to 4, read by a reader and by a group."""
    topic = TopicHistory("topic", 1, once)
    topic.sent[KEY] = 6  # one was never answered
    topic.steady.add("reader")
    for number in range(acknowledged):
        topic.acks.note(Ack(message(number), 0, number, at=float(number)))
    for reader in ("reader", "group"):
        for number in range(5):
            topic.reads[reader, 0].note(number, message(number))
    return topic


def log(*numbers: int) -> dict[int, Log]:
    return {0: [(offset, message(number)) for offset, number in enumerate(numbers)]}


def kinds(found: list[Violation]) -> set[Kind]:
    return {violation.kind for violation in found}


def test_nothing_is_found_where_nothing_is_wrong() -> None:
    assert check_topic(history(), log(0, 1, 2, 3, 4)) == []


def test_a_message_without_an_answer_may_be_there() -> None:
    topic = history()
    for reader in ("reader", "group"):
        topic.reads[reader, 0].note(5, message(5))
    assert check_topic(topic, log(0, 1, 2, 3, 4, 5)) == []


def test_lost_at_the_end_and_what_was_read_of_it_is_a_phantom() -> None:
    found = check_topic(history(), log(0, 1, 2, 3))
    assert kinds(found) == {Kind.LOST, Kind.PHANTOM}
    lost = next(v for v in found if v.kind is Kind.LOST)
    assert lost.place == PLACE
    assert lost.at == 4.0
    assert "7/4" in lost.detail


def test_lost_although_its_place_was_never_told() -> None:
    topic = history(acknowledged=4)
    topic.acks.note(Ack(message(5), 0, UNKNOWN_OFFSET, at=9.0))
    assert kinds(check_topic(topic, log(0, 1, 2, 3, 4))) == {Kind.LOST}


def test_moved() -> None:
    topic = history(acknowledged=4)
    topic.acks.note(Ack(message(4), 0, 3, at=9.0))
    assert kinds(check_topic(topic, log(0, 1, 2, 3, 4))) == {Kind.MOVED}


def test_moved_to_another_partition() -> None:
    topic = history(acknowledged=4)
    topic.acks.note(Ack(message(4), 1, UNKNOWN_OFFSET, at=9.0))
    assert kinds(check_topic(topic, log(0, 1, 2, 3, 4))) == {Kind.MOVED}


def see_all(topic: TopicHistory, final: dict[int, Log]) -> TopicHistory:
    """Readers that saw what is there at the end."""
    topic.reads.clear()
    for reader in ("reader", "group"):
        for partition, records in final.items():
            for offset, identity in records:
                topic.reads[reader, partition].note(offset, identity)
    return topic


def test_twice_and_out_of_order_count_where_the_producer_is_idempotent() -> None:
    twice = log(0, 1, 2, 3, 4, 2)
    assert kinds(check_topic(see_all(history(), twice), twice)) == {Kind.DUPLICATED}
    swapped = {0: [(n, message(m)) for n, m in enumerate((0, 1, 3, 2, 4))]}
    topic = see_all(history(acknowledged=2), swapped)
    assert kinds(check_topic(topic, swapped)) == {Kind.REORDERED}
    for final in (twice, swapped):
        acknowledged = 5 if final is twice else 2
        topic = see_all(history(once=False, acknowledged=acknowledged), final)
        assert check_topic(topic, final) == []


def test_a_phantom_read_is_gone_or_another() -> None:
    topic = history(acknowledged=4)
    assert kinds(check_topic(topic, log(0, 1, 2, 3))) == {Kind.PHANTOM}
    assert kinds(check_topic(topic, log(0, 1, 2, 3, 5))) == {Kind.PHANTOM}


def test_a_record_that_nobody_sent() -> None:
    final = log(0, 1, 2, 3, 4, 6)
    assert kinds(check_topic(see_all(history(), final), final)) == {Kind.PHANTOM}


def test_a_reader_that_was_told_that_the_log_was_cut() -> None:
    topic = history()
    topic.complaints.append("the position is gone")
    assert kinds(check_topic(topic, log(0, 1, 2, 3, 4))) == {Kind.PHANTOM}


def test_a_gap_of_offsets() -> None:
    final = {0: [(offset, message(n)) for n, offset in enumerate((0, 1, 2, 4, 5))]}
    topic = see_all(history(acknowledged=3), final)
    topic.steady.clear()
    assert kinds(check_topic(topic, final)) == {Kind.GAP}


def test_a_reader_jumps() -> None:
    topic = history()
    reads = topic.reads["reader", 0]
    reads.note(3, message(3))
    assert kinds(check_topic(topic, log(0, 1, 2, 3, 4))) == {Kind.SKIPPED}


def test_a_group_may_read_again_and_must_read_all() -> None:
    topic = history()
    topic.reads["group", 0].note(3, message(3))
    assert check_topic(topic, log(0, 1, 2, 3, 4)) == []
    del topic.reads["group", 0].offsets[2]
    del topic.reads["group", 0].identities[2]
    assert kinds(check_topic(topic, log(0, 1, 2, 3, 4))) == {Kind.SKIPPED}


def test_a_reader_that_saw_nothing_at_all() -> None:
    topic = history()
    topic.reads.pop(("reader", 0))
    assert kinds(check_topic(topic, log(0, 1, 2, 3, 4))) == {Kind.SKIPPED}


def test_given_up() -> None:
    topic = history()
    topic.failed.append("message timed out")
    assert kinds(check_topic(topic, log(0, 1, 2, 3, 4))) == {Kind.GIVEN_UP}


def told(at: float, offset: int | None) -> Observation:
    return Observation(at - 0.5, at, PLACE, offset)


def after_a_failed_commit(group: GroupHistory, offset: int) -> None:
    group.commits.append(Commit(0.8, PLACE, 8, is_acknowledged=False))
    group.observations.append(told(3.0, offset))


GROUPS: list[tuple[str, Callable[[GroupHistory], object], set[Kind]]] = [
    ("as committed", lambda g: g.observations.append(told(3.0, 10)), set()),
    ("more, of a commit without an answer", lambda g: g.observations.append(told(3.0, 12)), set()),
    ("asked before the commit was answered", lambda g: g.observations.append(told(1.2, 5)), set()),
    ("less", lambda g: g.observations.append(told(3.0, 9)), {Kind.COMMIT_LOST}),
    ("nothing", lambda g: g.observations.append(told(3.0, None)), {Kind.COMMIT_LOST}),
    ("back", lambda g: g.observations.extend([told(3.0, 12), told(4.0, 11)]), {Kind.COMMIT_BACK}),
    ("asked at once", lambda g: g.observations.extend([told(3.2, 11), told(3.1, 12)]), set()),
    ("resumed there", lambda g: g.resumes.append(Resume(2.0, PLACE, 10)), set()),
    ("resumed before it", lambda g: g.resumes.append(Resume(2.0, PLACE, 9)), {Kind.COMMIT_LOST}),
    (
        "an earlier commit that failed came late",
        lambda g: after_a_failed_commit(g, 8),
        set(),
    ),
    (
        "one that failed excuses no other offset",
        lambda g: after_a_failed_commit(g, 7),
        {Kind.COMMIT_LOST},
    ),
    ("assigned before the commit", lambda g: g.resumes.append(Resume(0.5, PLACE, 0)), set()),
]


@pytest.mark.parametrize(("plant", "expected"), [c[1:] for c in GROUPS], ids=[c[0] for c in GROUPS])
def test_committed_offsets(plant: Callable[[GroupHistory], object], expected: set[Kind]) -> None:
    group = GroupHistory(commits=[Commit(1.0, PLACE, 10), Commit(0.5, PLACE, 4)])
    plant(group)
    assert kinds(check_group(group)) == expected


def test_the_same_offset_of_another_partition_is_not_meant() -> None:
    group = GroupHistory(commits=[Commit(1.0, ("topic", 1), 10)])
    group.observations.append(told(3.0, 2))
    assert check_group(group) == []


def test_identities_are_taken_apart_again() -> None:
    assert key_and_number(identity_of(3019, 2**32 - 1)) == (3019, 2**32 - 1)
