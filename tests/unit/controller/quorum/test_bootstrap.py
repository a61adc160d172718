"""Who may start from nothing, and what the refusals say."""

from __future__ import annotations

import contextlib
import random

import pytest

from controller.quorum.bootstrap import (
    MarkState,
    VoterMark,
    check_founders,
    format_joiner,
    format_voter,
    open_voter,
    read_mark,
)
from ottla.core.errors import ConfigError
from storage.vfs import MemoryVfs, OpenMode, SimulatedCrash, read_file


def _format(vfs: MemoryVfs, node_id: int = 1) -> VoterMark:
    return format_voter("/q", "cluster", node_id, [3, 1, 2], vfs=vfs, source=random.Random(1))


def test_a_formatted_voter_starts_from_nothing_once() -> None:
    vfs = MemoryVfs()
    mark = _format(vfs)
    assert read_mark("/q", vfs) == mark
    assert (mark.voters, mark.state) == ((1, 2, 3), MarkState.FORMATTED)
    opened, journal = open_voter("/q", 1, vfs)
    journal.add(b"x", 1, 0)
    journal.close()
    assert opened.state is MarkState.STARTED
    again, journal = open_voter("/q", 1, vfs)
    assert again == opened
    assert len(journal) == 1


def test_a_folder_without_a_mark_does_not_vote() -> None:
    with pytest.raises(ConfigError, match="never formatted .*: check metadata.log.dir, or format"):
        open_voter("/q", 1, MemoryVfs())


def test_a_journal_without_a_mark_does_not_vote() -> None:
    vfs = MemoryVfs()
    _format(vfs)
    open_voter("/q", 1, vfs)[1].close()
    vfs.unlink("/q/voter.mark")
    with pytest.raises(ConfigError, match="never formatted"):
        open_voter("/q", 1, vfs)


def test_a_voter_that_lost_its_journal_does_not_vote() -> None:
    vfs = MemoryVfs()
    _format(vfs)
    open_voter("/q", 1, vfs)[1].close()
    vfs.unlink("/q/journal")
    with pytest.raises(ConfigError, match="journal of voter 1 is missing .*: restore the folder"):
        open_voter("/q", 1, vfs)


def test_the_journal_of_another_disk_does_not_vote() -> None:
    vfs = MemoryVfs()
    _format(vfs)
    open_voter("/q", 1, vfs)[1].close()
    vfs.unlink("/q/voter.mark")
    content = read_file(vfs, "/q/journal")
    vfs.unlink("/q/journal")
    format_voter("/q", "cluster", 1, [1, 2, 3], vfs=vfs, source=random.Random(2))
    vfs.open("/q/journal", OpenMode.CREATE).write(content)
    with pytest.raises(ConfigError, match="another voter or directory"):
        open_voter("/q", 1, vfs)


def test_settings_that_do_not_fit_the_folder() -> None:
    vfs = MemoryVfs()
    mark = _format(vfs)
    with pytest.raises(ConfigError, match="belongs to voter 1, not to 2: correct node.id"):
        open_voter("/q", 2, vfs)
    with pytest.raises(ConfigError, match="voters 1,2,3, but the settings name 1: correct contr"):
        check_founders("/q", mark, [1])
    check_founders("/q", mark, [2, 1, 3])


def test_a_node_that_joins_is_no_founder() -> None:
    vfs = MemoryVfs()
    mark = format_joiner("/q", "cluster", 4, vfs=vfs, source=random.Random(1))
    assert not mark.is_founder
    opened, _ = open_voter("/q", 4, vfs)
    assert opened.voters == ()
    assert read_mark("/q", vfs) == opened
    check_founders("/q", opened, [1, 2, 3])  # whatever the settings name
    with pytest.raises(ConfigError, match="already belongs to a voter"):
        format_joiner("/q", "cluster", 4, vfs=vfs)


def test_a_voter_is_formatted_once() -> None:
    vfs = MemoryVfs()
    _format(vfs)
    with pytest.raises(ConfigError, match="already belongs to a voter"):
        _format(vfs)
    with pytest.raises(ConfigError, match="node 9 is not among the voters 1,2,3"):
        _format(MemoryVfs(), 9)
    with pytest.raises(ConfigError, match="may not be empty"):
        format_voter("/q", "", 1, [1], vfs=MemoryVfs())


def test_a_damaged_or_newer_mark_refuses() -> None:
    vfs = MemoryVfs()
    _format(vfs)
    content = read_file(vfs, "/q/voter.mark")
    for damaged in (content.replace(b"formatted", b"started"), content[:20], b""):
        vfs.unlink("/q/voter.mark")
        vfs.open("/q/voter.mark", OpenMode.CREATE_NEW).write(damaged)
        with pytest.raises(ConfigError, match="cannot be read"):
            read_mark("/q", vfs)


@pytest.mark.parametrize("operations", range(40))
def test_a_crash_during_the_first_start_is_harmless(operations: int) -> None:
    vfs = MemoryVfs(operations)
    vfs.mkdirs("/q")
    vfs.fsync_dir("/")
    _format(vfs)
    vfs.crash_after(operations)
    with contextlib.suppress(SimulatedCrash):
        open_voter("/q", 1, vfs, preallocated_bytes=4096)
    vfs.power_cut()
    opened, _ = open_voter("/q", 1, vfs, preallocated_bytes=4096)
    assert opened.state is MarkState.STARTED
