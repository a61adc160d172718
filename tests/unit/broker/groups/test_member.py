from __future__ import annotations

from typing import Any

from broker.groups.member import NEW_MEMBER_JOIN_MS_MAX, Member
from broker.groups.stored import StoredMember
from tests.support.group_driver import join_request


def member(**fields: Any) -> Member:
    return Member.of_request("m", join_request(**fields))


def test_a_session_runs_unless_the_member_waits_for_us() -> None:
    waiting = member(session_timeout_ms=10_000)
    waiting.refresh(5)
    assert waiting.deadline_ms == 10_005
    waiting.sync_ticket = 1
    waiting.refresh(6)
    assert waiting.deadline_ms is None


def test_a_new_member_is_not_waited_for_without_end() -> None:
    waiting = member()
    waiting.join_ticket = 1
    waiting.refresh(5)
    assert waiting.deadline_ms == 5 + NEW_MEMBER_JOIN_MS_MAX
    waiting.is_new = False
    waiting.refresh(5)
    assert waiting.deadline_ms is None


def test_metadata_is_that_of_the_chosen_protocol() -> None:
    chosen = member(protocols=(("a", b"1"), ("b", b"22")))
    assert chosen.metadata("b") == b"22"
    assert chosen.metadata("c") == chosen.metadata(None) == b""
    assert chosen.metadata_bytes_max == 2
    assert chosen.to_stored("b", b"mine").subscription == b"22"


def test_a_stored_member_comes_back_with_its_one_protocol() -> None:
    stored = StoredMember("m", "i", "c", "/h", 1, 2, b"sub", b"mine")
    loaded = Member.of_stored(stored, "range")
    assert not loaded.is_new
    assert loaded.is_static
    assert loaded.to_stored("range", b"mine") == stored
    assert Member.of_stored(stored, None).protocols == ()
