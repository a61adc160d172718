from __future__ import annotations

from ottla.reassignment.progress import Copying
from ottla.reassignment.throttles import (
    LISTS,
    ListEntries,
    entries_of,
    missing_entries,
    wanted_entries,
)

LEADERS, FOLLOWERS = LISTS


def test_who_has_it_sends_and_who_is_added_takes() -> None:
    copying = [Copying("t", 0, (4,), (1, 2)), Copying("t", 1, (), (1, 2))]
    assert wanted_entries(copying) == [
        ListEntries("t", LEADERS, ("0:1", "0:2")),
        ListEntries("t", FOLLOWERS, ("0:4",)),
    ]


def test_what_is_there_is_not_missing_and_a_star_holds_everything() -> None:
    wanted = [ListEntries("t", LEADERS, ("0:1", "0:2")), ListEntries("t", FOLLOWERS, ("0:4",))]
    assert missing_entries(wanted, {}) == wanted
    lists = {"t": {LEADERS: "0:1, 7:1", FOLLOWERS: "*"}}
    assert missing_entries(wanted, lists) == [ListEntries("t", LEADERS, ("0:2",))]


def test_the_entries_of_partitions() -> None:
    lists = {"t": {LEADERS: "0:1,1:1,10:2", FOLLOWERS: "*"}, "u": {FOLLOWERS: "1:4"}}
    assert entries_of({("t", 1), ("u", 0)}, lists) == [ListEntries("t", LEADERS, ("1:1",))]
