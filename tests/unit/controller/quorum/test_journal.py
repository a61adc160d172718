"""The journal under power cuts at every write, damage, full disks and failing syncs."""

from __future__ import annotations

import errno
import random
from typing import TypeAlias

import pytest

from controller.quorum.journal import FILE_NAME, Entry, Journal
from ottla.core.errors import ConfigError, InvariantError
from storage.vfs import MemoryVfs, OpenMode, SimulatedCrash, read_file

DIRECTORY_ID = b"directory-id-16b"
PREALLOCATED = 8192
State: TypeAlias = tuple[int, int | None, list[Entry]]


def _disk(seed: int = 0, capacity: int | None = None) -> MemoryVfs:
    vfs = MemoryVfs(seed, capacity)
    vfs.mkdirs("/q")
    vfs.fsync_dir("/")
    return vfs


def _create(vfs: MemoryVfs) -> Journal:
    return Journal.create(vfs, "/q", 1, DIRECTORY_ID, preallocated_bytes=PREALLOCATED)


def _open(vfs: MemoryVfs) -> Journal:
    return Journal.open(vfs, "/q", 1, DIRECTORY_ID, preallocated_bytes=PREALLOCATED)


def _state(journal: Journal) -> State:
    return journal.getCurrentTerm(), journal.getVotedForNodeId(), journal[:]


class Story:
    """Random changes of a journal, and which states a crash at this point may leave."""

    def __init__(self, journal: Journal, seed: int) -> None:
        self.journal = journal
        self.random = random.Random(seed)
        self.possible: list[State] = [_state(journal)]

    def happen(self) -> None:
        journal, chance = self.journal, self.random
        term, vote, entries = self.possible[-1]
        last = entries[-1][1] if entries else 0
        match chance.randrange(10):
            case 0 | 1 | 2 | 3:
                command = chance.randbytes(chance.choice((1, 30, 900)))
                self.possible.append((term, vote, [*entries, (command, last + 1, term)]))
                journal.add(command, last + 1, term)
            case 4 if len(entries) > 3:
                keep = chance.randrange(2, len(entries))
                self.possible.append((term, vote, entries[:keep]))
                journal.deleteEntriesFrom(keep)
            case 5:
                voted = chance.choice((None, 1, 2, 3))
                self.possible.append((term + 1, voted, entries))
                journal.setCurrentTerm(term + 1, voted)
                self.settled()
            case 6 if len(entries) > 3:
                self.compact(entries, term, vote)
            case 7 if entries and chance.random() < 0.2:
                new = [(b"s", last + 5, term), (b"t", last + 6, term)]
                self.possible.append((term, vote, new))
                journal.replace_entries(new)
                self.settled()
            case _:
                journal.sync()
                self.settled()

    def compact(self, entries: list[Entry], term: int, vote: int | None) -> None:
        keep = self.random.randrange(1, len(entries) - 1)
        compaction = self.journal.begin_compaction(entries[keep][1])
        compaction.write()
        added = (b"meanwhile", entries[-1][1] + 1, term)
        self.possible.append((term, vote, [*entries, added]))
        self.journal.add(*added)
        self.possible.append((term, vote, [*entries, added][keep:]))
        self.journal.finish_compaction(compaction)
        self.settled()

    def settled(self) -> None:
        """What is now, is durable."""
        self.possible = self.possible[-1:]
        assert _state(self.journal) == self.possible[0]
        assert self.journal.is_durable


@pytest.mark.parametrize("seed", range(30))
def test_a_power_cut_at_any_operation_leaves_a_state_that_was(seed: int) -> None:
    vfs = _disk(seed)
    story = Story(_create(vfs), seed)
    for crash_after in range(60):
        vfs.crash_after(crash_after % 25)
        try:
            for _ in range(12):
                story.happen()
        except SimulatedCrash:
            pass
        vfs.power_cut()
        journal = _open(vfs)
        found = _state(journal)
        assert found in story.possible, "something durable is gone, or something else appeared"
        story = Story(journal, seed * 1000 + crash_after)


def test_a_process_crash_loses_nothing_synced() -> None:
    vfs = _disk()
    journal = _create(vfs)
    journal.add(b"one", 1, 0)
    journal.setCurrentTerm(3, 2)
    vfs.process_crash()
    assert _state(_open(vfs)) == (3, 2, [(b"one", 1, 0)])


def test_term_and_vote_are_durable_when_the_call_returns() -> None:
    vfs = _disk()
    _create(vfs).setCurrentTerm(9, 1)
    vfs.power_cut()
    assert _state(_open(vfs)) == (9, 1, [])


def test_the_commit_index_never_passes_what_is_synced() -> None:
    vfs = _disk()
    journal = _create(vfs)
    journal.add(b"one", 1, 0)
    journal.add(b"two", 2, 0)
    journal.setRaftCommitIndex(2)
    assert journal.is_durable
    vfs.power_cut()
    assert [entry[1] for entry in _open(vfs)[:]] == [1, 2]


def test_the_commit_index_is_noted_and_comes_back() -> None:
    vfs = _disk()
    journal = _create(vfs)
    journal.add(b"one", 1, 0)
    journal.add(b"two", 2, 0)
    journal.setRaftCommitIndex(2)
    journal.onOneSecondTimer()
    journal.close()
    vfs.power_cut()
    assert _open(vfs).getRaftCommitIndex() == 2


def test_a_sync_does_not_grow_the_file() -> None:
    vfs = _disk()
    journal = _create(vfs)
    size = len(read_file(vfs, "/q/journal"))
    for index in range(1, 40):
        journal.add(bytes(100), index, 0)
        journal.sync()
    assert len(read_file(vfs, "/q/journal")) == size == PREALLOCATED
    for index in range(40, 140):
        journal.add(bytes(100), index, 0)
        journal.sync()
    assert len(read_file(vfs, "/q/journal")) % PREALLOCATED == 0


def test_one_sync_for_many_entries_and_none_for_nothing() -> None:
    journal = _create(_disk())
    for index in range(1, 10):
        journal.add(b"x", index, 0)
    before = journal.sync_count
    journal.sync()
    journal.sync()
    assert journal.sync_count == before + 1


def test_remains_of_a_torn_tail_are_never_taken_for_records() -> None:
    vfs = _disk()
    journal = _create(vfs)
    journal.add(bytes(40), 1, 0)
    journal.sync()
    end = journal.bytes_used
    for index in range(2, 6):
        journal.add(bytes(40), index, 0)  # records of 88 bytes
    journal.sync()
    journal.close()
    file = vfs.open("/q/journal", OpenMode.WRITE)
    file.pwrite(bytes(8), end)  # the first record of the last batch never reached the disk
    file.fsync()
    reopened = _open(vfs)  # notes its start in 40 bytes
    assert len(reopened) == 1
    reopened.add(bytes(7), 2, 7)  # 48 bytes: it ends where the old record of entry 3 begins
    reopened.sync()
    assert reopened.bytes_used == end + 88
    assert _open(vfs)[:] == [(bytes(40), 1, 0), (bytes(7), 2, 7)]


@pytest.mark.parametrize("zeroed", [False, True])
def test_damage_below_the_last_sync_refuses_the_start(zeroed: bool) -> None:
    vfs = _disk()
    journal = _create(vfs)
    for index in range(1, 30):
        journal.add(bytes(100), index, 0)
        journal.sync()
    journal.close()
    file = vfs.open("/q/journal", OpenMode.WRITE)
    file.pwrite(bytes(512) if zeroed else b"garbage", 1024)
    with pytest.raises(ConfigError, match="/q/journal is damaged .*: do not start this voter"):
        _open(vfs)


def test_entries_that_were_committed_but_are_gone_refuse_the_start() -> None:
    vfs = _disk()
    journal = _create(vfs)
    journal.add(b"one", 1, 0)
    journal._commit = 5
    journal.onOneSecondTimer()
    journal.close()
    with pytest.raises(ConfigError, match="up to 5 were committed"):
        _open(vfs)


def test_a_journal_of_another_voter_is_refused() -> None:
    vfs = _disk()
    _create(vfs).close()
    with pytest.raises(ConfigError, match="another voter or directory"):
        Journal.open(vfs, "/q", 2, DIRECTORY_ID)


def test_each_opening_is_a_new_incarnation() -> None:
    vfs = _disk()
    journal = _create(vfs)
    journal.add(b"one", 1, 0)
    assert journal.incarnation == 1
    assert _open(vfs).incarnation == 2
    vfs.power_cut()
    reopened = _open(vfs)
    assert reopened.incarnation == 3
    reopened.replace_entries([(b"s", 5, 1), (b"t", 6, 1)])
    vfs.power_cut()
    assert _open(vfs).incarnation == 4


def test_a_failed_sync_is_never_tried_again() -> None:
    vfs = _disk()
    journal = _create(vfs)
    journal.add(b"one", 1, 0)
    vfs.fail("fsync", errno.EIO, path=FILE_NAME)
    with pytest.raises(OSError, match="Input/output"):
        journal.sync()
    with pytest.raises(InvariantError):
        journal.sync()
    with pytest.raises(InvariantError):
        journal.add(b"two", 2, 0)
    journal.close()


def test_short_writes_are_completed() -> None:
    vfs = _disk()
    journal = _create(vfs)
    journal.add(bytes(100), 1, 0)
    vfs.shorten_writes(1, 10, 3)
    journal.sync()
    vfs.power_cut()
    assert len(_open(vfs)) == 1


def test_a_full_disk_during_compaction_leaves_the_old_file_in_use() -> None:
    vfs = _disk()
    journal = _create(vfs)
    for index in range(1, 10):
        journal.add(bytes(100), index, 0)
    compaction = journal.begin_compaction(5)
    vfs.capacity = PREALLOCATED + 100
    with pytest.raises(OSError, match="No space"):
        compaction.write()
    journal.abandon_compaction()
    journal.add(b"ten", 10, 0)
    journal.sync()  # within the preallocated file
    vfs.power_cut()
    assert [entry[1] for entry in _open(vfs)[:]] == list(range(1, 11))


def test_compaction_keeps_what_is_appended_and_truncated_meanwhile() -> None:
    vfs = _disk()
    journal = _create(vfs)
    for index in range(1, 10):
        journal.add(b"%d" % index, index, 1)
    compaction = journal.begin_compaction(4)
    compaction.write()
    journal.deleteEntriesFrom(7)
    journal.add(b"other", 8, 2)
    journal.setCurrentTerm(2, 3)
    journal.finish_compaction(compaction)
    expected = [(b"%d" % index, index, 1) for index in range(4, 8)] + [(b"other", 8, 2)]
    assert _state(journal) == (2, 3, expected)
    assert journal.header.generation == 2
    vfs.power_cut()
    assert _state(_open(vfs)) == (2, 3, expected)


def test_entries_must_follow_each_other() -> None:
    journal = _create(_disk())
    journal.add(b"one", 1, 0)
    with pytest.raises(InvariantError):
        journal.add(b"three", 3, 0)
