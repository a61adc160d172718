"""The Raft journal: what pysyncobj asks of one, durable (layout: journal_format.py).

Crash contract. Assumed: a write reaches the disk in any order, torn at any byte, until `fsync`
returns; `rename` is atomic and durable after `fsync_dir`. Then, after any crash:

- Term and vote are on disk before `setCurrentTerm` returns, entries before `sync` returns, and the
  commit index never moves past entries that are not synced.
- A tail that was not synced is cut; anything else that cannot be read refuses the start.
- Compaction writes `journal.new`, syncs it, renames it over `journal`, syncs the folder: a crash
  leaves the old file or the new one, both whole.

After an OSError the journal refuses every further call: a failed sync is never tried again.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TypeAlias, TypeVar, overload

from controller.quorum import journal_format as layout
from controller.quorum.journal_format import Header, RecordKind
from ottla.core.checks import check
from ottla.core.errors import ConfigError, DecodeError
from ottla.core.identifiers import Uuid
from storage.vfs import OpenMode, Vfs, VfsFile, read_file

Entry: TypeAlias = tuple[bytes, int, int]  # command, index, term
_T = TypeVar("_T")

FILE_NAME = "journal"
NEW_FILE_NAME = "journal.new"
PREALLOCATED_BYTES = 4 << 20
AGAIN = (
    "empty the folder, start the node with --join, and have the quorum take it back: 'ottla quorum "
    "remove-voter', then 'ottla quorum add-voter'"
)
"""What to do with a voter whose disk is lost."""


def damaged(path: str, reason: str) -> ConfigError:
    """Why a voter refuses to join, and what helps."""
    return ConfigError(f"{path} is damaged ({reason}): do not start this voter with it; {AGAIN}")


class Compaction:
    """A new file in the making. `write` may run in another thread; the rest belongs to the
    journal's own, which meanwhile appends to the old file and notes the same bodies in `tail`."""

    def __init__(self, vfs: Vfs, path: str, header: Header, bodies: list[bytes], size: int) -> None:
        self.header = header
        self.tail: list[bytes] = []
        self.file: VfsFile | None = None
        self.end = layout.RECORDS_START
        self.size = size
        self._vfs = vfs
        self._path = path
        self.bodies = bodies

    def write(self) -> None:
        """Write and sync everything known so far, zeros behind it included."""
        if self._vfs.exists(self._path):
            self._vfs.unlink(self._path)
        content = bytearray(self.header.encode())
        for body in self.bodies:
            content += layout.encode_record(body, len(content), 0, self.header.seed)
        self.end = len(content)
        self.size = max(self.size, 2 * self.end)
        content += bytes(self.size - len(content))
        self.file = self._vfs.open(self._path, OpenMode.CREATE_NEW)
        _write_at(self.file, content, 0)
        self.file.fsync()


class Journal:
    """Entries of the log, in memory and on disk. One thread at a time."""

    def __init__(
        self, vfs: Vfs, folder: str, header: Header, *, preallocated_bytes: int, incarnation: int
    ) -> None:
        self.header = header
        self.incarnation = incarnation
        self._vfs = vfs
        self._folder = folder
        self._preallocated_bytes = preallocated_bytes
        self._file: VfsFile | None = None
        self._size = 0
        self._end = layout.RECORDS_START
        self._durable = layout.RECORDS_START
        self._pending = bytearray()
        self._entries: list[Entry] = []
        self._term = 0
        self._vote: int | None = None
        self._commit = 1
        self._commit_noted = 1
        self._compaction: Compaction | None = None
        self._broken = False
        self.sync_count = 0

    # Opening

    @classmethod
    def create(
        cls,
        vfs: Vfs,
        folder: str,
        node_id: int,
        directory_id: Uuid,
        *,
        preallocated_bytes: int = PREALLOCATED_BYTES,
    ) -> Journal:
        """An empty journal where there is none."""
        check(not vfs.exists(f"{folder}/{FILE_NAME}"), "a journal is created over another")
        journal = cls(
            vfs,
            folder,
            Header(node_id, directory_id, 0),
            preallocated_bytes=preallocated_bytes,
            incarnation=1,
        )
        journal._replace([])
        return journal

    @classmethod
    def open(
        cls,
        vfs: Vfs,
        folder: str,
        node_id: int,
        directory_id: Uuid,
        *,
        preallocated_bytes: int = PREALLOCATED_BYTES,
    ) -> Journal:
        """The journal of a folder; ConfigError when it fails its check."""
        path = f"{folder}/{FILE_NAME}"
        content = read_file(vfs, path)
        try:
            found = layout.scan(content)
        except DecodeError as error:
            raise damaged(path, str(error)) from error
        if (found.header.node_id, found.header.directory_id) != (node_id, directory_id):
            raise damaged(path, "it belongs to another voter or directory")
        journal = cls(
            vfs, folder, found.header, preallocated_bytes=preallocated_bytes, incarnation=0
        )
        try:
            for body in found.bodies:
                journal._replay(body)
            journal._check_committed()
        except DecodeError as error:
            raise damaged(path, str(error)) from error
        journal._file = vfs.open(path, OpenMode.WRITE)
        journal._size = len(content)
        journal._end = journal._durable = found.end
        if found.dirty_end > found.end:
            # Left as they are, the remains could be taken for records once new ones end at them.
            _write_at(journal._file, bytes(found.dirty_end - found.end), found.end)
        journal.incarnation += 1
        journal._append(layout.number_body(RecordKind.START, journal.incarnation))
        journal.sync()
        return journal

    def _replay(self, body: bytes) -> None:
        match body[0]:
            case RecordKind.ENTRY:
                entry = layout.parse_entry(body)
                if self._entries and entry[1] != self._entries[-1][1] + 1:
                    raise DecodeError(f"entry {entry[1]} follows entry {self._entries[-1][1]}")
                self._entries.append(entry)
            case RecordKind.TRUNCATE:
                first = self._entries[0][1] if self._entries else 0
                index = layout.parse_number(body)
                if index < first:
                    raise DecodeError(f"it truncates to {index}, before its first entry {first}")
                del self._entries[index - first :]
            case RecordKind.VOTE:
                self._term, self._vote = layout.parse_vote(body)
            case RecordKind.COMMIT:
                self._commit = self._commit_noted = layout.parse_number(body)
            case RecordKind.START:
                self.incarnation = layout.parse_number(body)
            case kind:
                raise DecodeError(f"unknown record of kind {kind}")

    def _check_committed(self) -> None:
        last = self._entries[-1][1] if self._entries else 1
        if self._commit > last:
            raise DecodeError(f"entries up to {self._commit} were committed, it ends at {last}")

    # What pysyncobj calls

    def add(self, command: bytes, idx: int, term: int) -> None:
        check(
            not self._entries or idx == self._entries[-1][1] + 1,
            "an entry does not continue the log",
            index=idx,
        )
        self._append(layout.entry_body(idx, term, command))
        self._entries.append((command, idx, term))

    def deleteEntriesFrom(self, entryFrom: int) -> None:  # noqa: N802, N803
        """Drop the entries from that position of the list on; one at least."""
        self._append(layout.number_body(RecordKind.TRUNCATE, self._entries[entryFrom][1]))
        del self._entries[entryFrom:]

    def setRaftCommitIndex(self, raftCommitIndex: int) -> None:  # noqa: N802, N803
        """Entries are applied and acknowledged right after this: they are durable before it
        returns, which is what makes a quorum of one safe."""
        if raftCommitIndex > self._commit:
            self.sync()
        self._commit = raftCommitIndex

    def getRaftCommitIndex(self) -> int:  # noqa: N802
        return min(self._commit, self._entries[-1][1]) if self._entries else 1

    def setCurrentTerm(self, term: int, votedForNodeId: int | None) -> None:  # noqa: N802, N803
        self._term, self._vote = term, votedForNodeId
        self._append(layout.vote_body(term, votedForNodeId))
        self.sync()

    def getCurrentTerm(self) -> int:  # noqa: N802
        return self._term

    def getVotedForNodeId(self) -> int | None:  # noqa: N802
        return self._vote

    def onOneSecondTimer(self) -> None:  # noqa: N802
        """Note the commit index, so that a restart can apply up to it without a leader."""
        if self._commit != self._commit_noted:
            self._commit_noted = self._commit
            self._append(layout.number_body(RecordKind.COMMIT, self._commit))

    @overload
    def __getitem__(self, item: int) -> Entry: ...
    @overload
    def __getitem__(self, item: slice) -> list[Entry]: ...
    def __getitem__(self, item: int | slice) -> Entry | list[Entry]:
        return self._entries[item]

    def __len__(self) -> int:
        return len(self._entries)

    def _destroy(self) -> None:
        self.close()

    # Durability

    @property
    def bytes_used(self) -> int:
        """How far the file is filled."""
        return self._end + len(self._pending)

    @property
    def is_broken(self) -> bool:
        """Closed, or failed: nothing can be appended any more."""
        return self._broken

    @property
    def is_durable(self) -> bool:
        return not self._pending and self._durable == self._end

    def sync(self) -> None:
        """Make everything so far durable: one write, one sync, or nothing to do."""
        if self.is_durable:
            return
        self._guarded(self._write_and_sync)

    def close(self) -> None:
        """Sync and close; again is harmless, also after a failure."""
        if self._file is None:
            return
        try:
            if not self._broken:
                self.onOneSecondTimer()
                self.sync()
        finally:
            self._file.close()
            self._file = None
            self._broken = True

    def _append(self, body: bytes) -> None:
        check(not self._broken, "the journal is closed or failed")
        position = self._end + len(self._pending)
        self._pending += layout.encode_record(body, position, self._durable, self.header.seed)
        if self._compaction is not None:
            self._compaction.tail.append(body)

    def _write_and_sync(self) -> None:
        file = self._file
        check(file is not None, "the journal has no file")
        assert file is not None
        while self._end + len(self._pending) > self._size:
            # Rare: compaction comes long before. Zeros first, so that later syncs do not grow it.
            _write_at(file, bytes(self._preallocated_bytes), self._size)
            self._size += self._preallocated_bytes
        _write_at(file, self._pending, self._end)
        file.fsync()
        self.sync_count += 1
        self._end += len(self._pending)
        self._durable = self._end
        self._pending.clear()

    def _guarded(self, action: Callable[[], _T]) -> _T:
        check(not self._broken, "the journal is closed or failed")
        try:
            return action()
        except OSError:
            self._broken = True
            raise

    # Compaction

    def begin_compaction(self, first_index: int) -> Compaction:
        """Start a new file that begins with the entry `first_index`, which must be held."""
        first = self._entries[0][1]
        check(first <= first_index, "compaction to an entry that is gone", index=first_index)
        self._compaction = self._new_file(self._entries[first_index - first :])
        return self._compaction

    def finish_compaction(self, compaction: Compaction) -> None:
        """Make a written file the journal. An OSError leaves the old one in use and in order,
        unless it comes from the rename itself."""
        check(compaction is self._compaction, "an abandoned compaction is finished")
        self._compaction = None
        self.sync()
        self._append_tail(compaction)
        self._adopt(compaction)
        first = next(
            layout.parse_entry(body)[1] for body in compaction.bodies if body[0] == RecordKind.ENTRY
        )
        del self._entries[: first - self._entries[0][1]]

    def abandon_compaction(self) -> None:
        self._compaction = None

    def replace_entries(self, entries: list[Entry]) -> None:
        """Let the log consist of `entries`, those of a snapshot from the leader, at once."""
        self._compaction = None
        self._pending.clear()  # all of it is superseded
        self._commit = min(self._commit, entries[-1][1])
        self._replace(entries)

    def _replace(self, entries: list[Entry]) -> None:
        compaction = self._new_file(entries)
        self._guarded(compaction.write)
        self._adopt(compaction)
        self._entries = list(entries)

    def _new_file(self, entries: list[Entry]) -> Compaction:
        bodies = [
            layout.number_body(RecordKind.START, self.incarnation),
            layout.vote_body(self._term, self._vote),
            layout.number_body(RecordKind.COMMIT, self._commit),
            *(layout.entry_body(index, term, command) for command, index, term in entries),
        ]
        header = Header(self.header.node_id, self.header.directory_id, self.header.generation + 1)
        path = f"{self._folder}/{NEW_FILE_NAME}"
        return Compaction(self._vfs, path, header, bodies, self._preallocated_bytes)

    def _append_tail(self, compaction: Compaction) -> None:
        content = bytearray()
        for body in compaction.tail:
            position = compaction.end + len(content)
            content += layout.encode_record(body, position, compaction.end, compaction.header.seed)
        if not content:
            return
        check(compaction.file is not None, "a compaction is finished before it is written")
        assert compaction.file is not None
        _write_at(compaction.file, content, compaction.end)
        compaction.file.fsync()
        compaction.end += len(content)
        compaction.size = max(compaction.size, compaction.end)

    def _adopt(self, compaction: Compaction) -> None:
        new = compaction.file
        check(new is not None, "a compaction is finished before it is written")
        self._guarded(self._rename_into_place)
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
        self._file = new
        self.header = compaction.header
        self._end = self._durable = compaction.end
        self._size = compaction.size

    def _rename_into_place(self) -> None:
        self._vfs.rename(f"{self._folder}/{NEW_FILE_NAME}", f"{self._folder}/{FILE_NAME}")
        self._vfs.fsync_dir(self._folder)


def _write_at(file: VfsFile, data: bytes | bytearray, position: int) -> None:
    """Write all of `data`, looping on short writes."""
    view = memoryview(data)
    taken = 0
    while taken < len(data):
        count = file.pwrite(view[taken:], position + taken)
        if count <= 0:
            raise OSError(5, "a write took no bytes", file.path)
        taken += count
    view.release()
