"""Recovery, compaction and installation of snapshots, with crashes and full disks in between."""

from __future__ import annotations

import errno
from collections.abc import Callable
from concurrent.futures import Future

import pytest

from controller.quorum.applied import AppliedState
from controller.quorum.commands import Assembler
from controller.quorum.journal import Entry, Journal
from controller.quorum.library import Node
from controller.quorum.snapshot import (
    OutgoingSnapshot,
    Snapshot,
    load_snapshot,
    write_snapshot,
)
from controller.quorum.snapshot_store import SnapshotStore
from controller.quorum.timings import Timings
from ottla.core.errors import ConfigError
from storage.vfs import MemoryVfs
from tests.support.raft_simulation import History

TIMINGS = Timings(snapshot_entries=10)


class Disk:
    """A voter's folder with a journal of `count` entries, all of term 1."""

    def __init__(self, count: int = 20) -> None:
        self.vfs = MemoryVfs()
        self.vfs.mkdirs("/q")
        self.vfs.fsync_dir("/")
        self.journal = Journal.create(self.vfs, "/q", 1, bytes(16), preallocated_bytes=4096)
        for index in range(1, count + 1):
            self.journal.add(*_entry(index))
        self.journal.sync()
        self.machine = History()
        self.state = AppliedState(self.machine)
        self.store = SnapshotStore(self.vfs, "/q", TIMINGS)

    def apply(self, last: int) -> None:
        for command, index, term in self.journal[1:last]:
            self.state.apply(index, term, command[1:])


def _entry(index: int, term: int = 1) -> Entry:
    return (b"\x00\x01%d" % index, index, term)


def _snapshot(index: int, term: int = 1) -> Snapshot:
    state = History()
    state.applied = [(number, term, str(number)) for number in range(2, index + 1)]
    return Snapshot(
        _entry(index - 1, term), _entry(index, term), Assembler(), None, state.snapshot()
    )


def test_without_a_snapshot_everything_is_applied_from_the_journal() -> None:
    disk = Disk()
    assert disk.store.recover(disk.journal, disk.state) == 1


def test_compaction_shortens_the_journal_and_survives_a_power_cut() -> None:
    disk = Disk()
    disk.apply(15)
    disk.store.step(disk.journal, disk.state, 15, 0.0)
    assert disk.store.is_compacting
    disk.store.step(disk.journal, disk.state, 15, 0.0)
    assert not disk.store.is_compacting
    assert disk.journal[0][1] == 14
    disk.vfs.power_cut()
    journal = Journal.open(disk.vfs, "/q", 1, bytes(16), preallocated_bytes=4096)
    machine = History()
    assert SnapshotStore(disk.vfs, "/q", TIMINGS).recover(journal, AppliedState(machine)) == 15
    assert machine.applied == disk.machine.applied
    assert [entry[1] for entry in journal[:]] == list(range(14, 21))


def test_compaction_is_not_due_before_enough_was_applied() -> None:
    disk = Disk()
    disk.apply(9)
    disk.store.step(disk.journal, disk.state, 9, 0.0)
    assert not disk.store.is_compacting


def test_a_snapshot_that_got_ahead_of_its_journal_keeps_the_entries_after_it() -> None:
    """The crash between the snapshot and the new journal; the library would clear the journal."""
    disk = Disk()
    write_snapshot(disk.vfs, "/q", _snapshot(15).encode())
    assert disk.store.recover(disk.journal, disk.state) == 15
    assert len(disk.journal) == 20


@pytest.mark.parametrize(("index", "term"), [(30, 1), (15, 2)])
def test_an_installation_that_a_crash_cut_short_is_completed(index: int, term: int) -> None:
    disk = Disk()
    snapshot = _snapshot(index, term)
    write_snapshot(disk.vfs, "/q", snapshot.encode())
    assert disk.store.recover(disk.journal, disk.state) == index
    assert disk.journal[:] == snapshot.entries
    assert disk.machine.applied[-1][0] == index


def test_a_gap_or_a_missing_snapshot_refuses_the_start() -> None:
    disk = Disk()
    disk.journal.replace_entries([_entry(50), _entry(51)])
    with pytest.raises(ConfigError, match="missing, but the journal begins at 50"):
        disk.store.recover(disk.journal, disk.state)
    write_snapshot(disk.vfs, "/q", _snapshot(40).encode())
    with pytest.raises(ConfigError, match="ends at 40, the journal begins at 50"):
        disk.store.recover(disk.journal, disk.state)


def test_a_state_that_cannot_be_restored_refuses_the_start() -> None:
    disk = Disk()
    broken = Snapshot(_entry(4), _entry(5), Assembler(), None, b"not what restore reads")
    write_snapshot(disk.vfs, "/q", broken.encode())
    with pytest.raises(ConfigError, match="cannot read its state"):
        disk.store.recover(disk.journal, disk.state)


def test_a_full_disk_puts_compaction_off() -> None:
    disk = Disk()
    disk.apply(15)
    disk.vfs.fail("write", errno.ENOSPC)
    disk.store.step(disk.journal, disk.state, 15, 0.0)
    disk.store.step(disk.journal, disk.state, 15, 0.0)
    disk.store.step(disk.journal, disk.state, 15, 1.0)
    assert not disk.store.is_compacting
    assert disk.journal[0][1] == 1
    disk.store.step(disk.journal, disk.state, 15, 20.0)
    disk.store.step(disk.journal, disk.state, 15, 20.0)
    assert disk.journal[0][1] == 14


def test_a_state_machine_without_a_snapshot_does_not_stop_the_voter() -> None:
    disk = Disk()
    disk.apply(15)
    disk.machine.applied = [object()]  # type: ignore[list-item]
    disk.store.step(disk.journal, disk.state, 15, 0.0)
    assert not disk.store.is_compacting


def _install(disk: Disk, snapshot: Snapshot, applied: int) -> int | None:
    outgoing = OutgoingSnapshot(snapshot.index, snapshot.term, snapshot.encode())
    while True:
        piece, _, last = outgoing.next_piece()
        found = disk.store.install(piece, disk.journal, disk.state, applied)
        if last:
            return found


def test_installing_replaces_log_and_state() -> None:
    disk = Disk()
    snapshot = _snapshot(40, term=2)
    assert _install(disk, snapshot, 5) == 40
    assert disk.store.was_restored
    assert disk.journal[:] == snapshot.entries
    assert disk.machine.applied[-1][0] == 40
    found = load_snapshot(disk.vfs, "/q")
    assert found is not None
    assert found[0] == snapshot


@pytest.mark.parametrize(("index", "applied"), [(15, 20), (15, 5)])
def test_a_snapshot_of_what_is_known_takes_nothing_back(index: int, applied: int) -> None:
    disk = Disk()
    disk.apply(applied)
    assert _install(disk, _snapshot(index), applied) == index
    assert not disk.store.was_restored
    assert len(disk.journal) == 20
    assert len(disk.machine.applied) == applied - 1


def test_a_damaged_snapshot_changes_nothing() -> None:
    disk = Disk()
    content = bytearray(_snapshot(40).encode())
    content[30] ^= 1
    piece = OutgoingSnapshot(40, 1, bytes(content)).next_piece()[0]
    assert disk.store.install(piece, disk.journal, disk.state, 5) is None
    assert len(disk.journal) == 20
    assert load_snapshot(disk.vfs, "/q") is None
    assert disk.store.install(b"", disk.journal, disk.state, 5) is None


def test_installing_waits_for_a_compaction_that_runs() -> None:
    disk = Disk()
    disk.apply(15)
    late: list[Callable[[], None]] = []

    class Delayed(Future[None]):
        def exception(self, timeout: float | None = None) -> BaseException | None:
            late.pop()()  # whoever asks waits for the worker
            return None

    def worker(task: Callable[[], None]) -> Future[None]:
        late.append(task)
        return Delayed()

    disk.store = SnapshotStore(disk.vfs, "/q", TIMINGS, worker=worker)
    disk.store.step(disk.journal, disk.state, 15, 0.0)
    assert _install(disk, _snapshot(40, term=2), 15) == 40
    assert late == []
    found = load_snapshot(disk.vfs, "/q")
    assert found is not None
    assert found[0].index == 40
    disk.store.step(disk.journal, disk.state, 40, 0.0)
    assert disk.journal[0][1] == 39


def test_sending_waits_for_credit_and_starts_over_after_a_break() -> None:
    disk = Disk()
    credit = False
    store = SnapshotStore(disk.vfs, "/q", TIMINGS, has_credit=lambda _: credit)
    assert store.getTransmissionData(Node(2)) is None
    credit = True
    assert store.getTransmissionData(Node(2)) is None  # there is no snapshot
    write_snapshot(disk.vfs, "/q", _snapshot(15).encode() + b"")
    first = store.getTransmissionData(Node(2))
    assert first is not None
    assert first[1:] == (True, True)
    store.cancelTransmisstion(Node(2))
    assert store.getTransmissionData(Node(2)) == first
