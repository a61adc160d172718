from __future__ import annotations

from dataclasses import replace

from broker.groups.offsets import OffsetStore
from broker.groups.stored import CommittedOffset, OffsetRecord
from ottla.core.errors import ErrorCode
from tests.support.group_driver import SETTINGS, GroupDriver, offset

ID_1, ID_2 = bytes([1] * 16), bytes([2] * 16)


def test_the_store_counts_and_forgets() -> None:
    store = OffsetStore()
    committed = CommittedOffset(1, -1, "", 0)
    for partition in (0, 1, 1):
        store.replay(OffsetRecord("g", "t", partition, committed))
    assert store.count == 2
    assert store.has("g")
    for partition in (0, 1, 2):
        store.replay(OffsetRecord("g", "t", partition, None))
    store.replay(OffsetRecord("h", "t", 0, None))
    assert store.count == 0
    assert not store.has("g")
    assert list(store.group_ids) == []


def test_a_consumer_that_assigns_itself_commits_and_fetches() -> None:
    driver = GroupDriver()
    ticket = driver.commit(offset(5, "t", 0, leader_epoch=3, metadata="note"), offset(6, "u", 1))
    assert driver.answer(ticket) == [ErrorCode.NONE, ErrorCode.NONE]
    found = driver.fetch(("t", (0, 1)), ("u", (1,)))
    assert [(f.topic, f.partition, f.committed and f.committed.offset) for f in found] == [
        ("t", 0, 5),
        ("t", 1, None),
        ("u", 1, 6),
    ]
    assert (found[0].committed.leader_epoch, found[0].committed.metadata) == (3, "note")
    everything = driver.fetch(everything=True)
    assert {(f.topic, f.partition) for f in everything} == {("t", 0), ("u", 1)}


def test_members_commit_for_their_generation() -> None:
    driver = GroupDriver()
    generation = driver.stable_group("a", "b")
    assert driver.answer(driver.commit(offset(1), member_id="a", generation=generation)) == [
        ErrorCode.NONE
    ]
    for member_id, asked, instance_id, code in [
        ("a", generation - 1, None, ErrorCode.ILLEGAL_GENERATION),
        ("c", generation, None, ErrorCode.UNKNOWN_MEMBER_ID),
        ("", -1, None, ErrorCode.UNKNOWN_MEMBER_ID),
        ("a", -1, None, ErrorCode.ILLEGAL_GENERATION),
        ("a", generation, "i", ErrorCode.UNKNOWN_MEMBER_ID),
    ]:
        ticket = driver.commit(
            offset(9), member_id=member_id, generation=asked, instance_id=instance_id
        )
        assert driver.error(ticket) is code
    assert driver.committed() == 1


def test_commits_while_a_group_rebalances() -> None:
    driver = GroupDriver()
    generation = driver.stable_group("a", "b")
    driver.join("a", protocols=(("range", b"new"),))
    # b commits before it gives its partitions up …
    ticket = driver.commit(offset(7), member_id="b", generation=generation)
    assert driver.answer(ticket) == [ErrorCode.NONE]
    driver.join("b")
    # … and cannot for partitions that may be another's already.
    ticket = driver.commit(offset(8), member_id="b", generation=generation + 1)
    assert driver.error(ticket) is ErrorCode.REBALANCE_IN_PROGRESS
    ticket = driver.commit(offset(8), member_id="b", generation=generation)
    assert driver.error(ticket) is ErrorCode.ILLEGAL_GENERATION
    assert driver.committed() == 7


def test_a_generation_of_a_group_that_is_unknown() -> None:
    driver = GroupDriver()
    ticket = driver.commit(offset(1), member_id="a", generation=3)
    assert driver.error(ticket) is ErrorCode.ILLEGAL_GENERATION


def test_commits_keep_a_session_alive() -> None:
    driver = GroupDriver()
    generation = driver.stable_group("a")
    for value in range(5):
        driver.advance(9_000)
        driver.commit(offset(value), member_id="a", generation=generation)
    assert driver.committed() == 4
    assert "a" in driver.group.members


def test_notes_are_bounded_each_for_itself() -> None:
    driver = GroupDriver(replace(SETTINGS, offset_metadata_max_bytes=4))
    ticket = driver.commit(offset(1, metadata="12345"), offset(2, partition=1, metadata="1234"))
    assert driver.answer(ticket) == [ErrorCode.OFFSET_METADATA_TOO_LARGE, ErrorCode.NONE]
    assert driver.committed() is None
    assert driver.committed(partition=1) == 2


def test_a_note_always_fits_its_record() -> None:
    driver = GroupDriver(replace(SETTINGS, offset_metadata_max_bytes=10**9))
    assert driver.answer(driver.commit(offset(1, metadata="𝄞" * 8_191))) == [ErrorCode.NONE]
    assert driver.answer(driver.commit(offset(1, metadata="𝄞" * 8_192))) == [
        ErrorCode.OFFSET_METADATA_TOO_LARGE
    ]


def test_a_retention_time_of_its_own() -> None:
    driver = GroupDriver()
    driver.commit(offset(1), retention_ms=5_000)
    driver.commit(offset(2, partition=1), retention_ms=2**63 - 1)
    first, second = driver.fetch(("t", (0, 1)))
    assert first.committed.expire_timestamp_ms == driver.clock.timestamp_ms() + 5_000
    assert second.committed.expire_timestamp_ms == 2**63 - 1


def test_offsets_of_a_deleted_topic_go_and_those_of_its_successor_stay() -> None:
    driver = GroupDriver()
    driver.commit(offset(1, partition=0, topic_id=ID_1))
    driver.commit(offset(2, partition=1, topic_id=ID_2))
    driver.commit(offset(3, partition=2))  # stored without an id
    driver.commit(offset(4, "u", topic_id=ID_1))
    driver.decide(lambda m, ticket, turn: m.forget_topics({ID_1: "t"}, turn, just_now=False))
    assert [driver.committed("t", partition) for partition in range(3)] == [None, 2, 3]
    driver.decide(lambda m, ticket, turn: m.forget_topics({ID_1: "t"}, turn, just_now=True))
    assert [driver.committed("t", partition) for partition in range(3)] == [None, 2, None]
    assert driver.committed("u") == 4
    assert driver.machine.offsets.topic_ids() == {("t", ID_2), ("u", ID_1)}
