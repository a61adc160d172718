# ruff: noqa: N802 - two names are the library's
"""The snapshot of one voter: recovery at the start, compaction, sending and installing.

Stands where pysyncobj keeps its Serializer, which forks a threaded process, pickles, and starts
empty, yet voting, when its file is unreadable. Compaction takes the state on the quorum's thread
and does the slow rest (writing and syncing new files) in `worker`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from controller.quorum.applied import AppliedState
from controller.quorum.journal import Compaction, Journal, damaged
from controller.quorum.snapshot import (
    FILE_NAME,
    IncomingSnapshot,
    OutgoingSnapshot,
    Snapshot,
    load_snapshot,
    write_snapshot,
)
from controller.quorum.timings import Timings
from ottla.core.errors import DecodeError
from storage.vfs import Vfs

_log = logging.getLogger(__name__)


def run_inline(task: Callable[[], None]) -> Future[None]:
    """A worker that does the task at once."""
    future: Future[None] = Future()
    try:
        task()
    except Exception as error:
        future.set_exception(error)
    else:
        future.set_result(None)
    return future


class SnapshotStore:
    """See the module. `has_credit(voter)`: whether more may be queued for that voter."""

    def __init__(
        self,
        vfs: Vfs,
        folder: str,
        timings: Timings,
        *,
        worker: Callable[[Callable[[], None]], Future[None]] = run_inline,
        has_credit: Callable[[int], bool] = lambda _: True,
    ) -> None:
        self._vfs = vfs
        self._folder = folder
        self._timings = timings
        self._worker = worker
        self._has_credit = has_credit
        self._index = 1
        self._bytes_after_compaction = 0
        self._retry_at = float("-inf")
        self._running: tuple[Future[None], Compaction, int] | None = None
        self._outgoing: dict[Any, OutgoingSnapshot] = {}
        self._incoming = IncomingSnapshot()
        self.was_restored = False

    # Start

    def recover(self, journal: Journal, state: AppliedState) -> int:
        """Restore the state from the snapshot, make the journal fit it; the index applied last.

        A crash between the two steps of installing a snapshot leaves a journal that does not reach
        it: everything in it is superseded. A journal that begins after the snapshot has a gap.
        ConfigError: damaged, or something is missing.
        """
        loaded = load_snapshot(self._vfs, self._folder)
        path = f"{self._folder}/{FILE_NAME}"
        first = journal[0][1] if len(journal) else 0
        if loaded is None:
            if first > 1:
                raise damaged(path, f"it is missing, but the journal begins at {first}")
            return 1
        snapshot, _ = loaded
        if first > snapshot.index:
            raise damaged(path, f"it ends at {snapshot.index}, the journal begins at {first}")
        if not _holds(journal, snapshot):
            journal.replace_entries(snapshot.entries)
        try:
            state.restore(snapshot)
        except Exception as error:
            raise damaged(path, f"the controller cannot read its state: {error}") from error
        self._note(snapshot.index, journal)
        return snapshot.index

    # Compaction

    @property
    def is_compacting(self) -> bool:
        return self._running is not None

    def step(self, journal: Journal, state: AppliedState, applied: int, now: float) -> None:
        """Begin a compaction that is due, or finish one whose files are written."""
        if self._running is not None:
            if self._running[0].done():
                self._finish(journal, now)
            return
        grown = journal.bytes_used - self._bytes_after_compaction
        due = (
            applied - self._index >= self._timings.snapshot_entries
            or grown >= self._timings.snapshot_bytes
        )
        position = applied - journal[0][1]
        if not due or applied <= self._index or position < 1 or now < self._retry_at:
            return
        try:
            snapshot = state.snapshot(journal[position - 1], journal[position])
            content = snapshot.encode()
        except Exception:
            _log.critical("the state machine gave no snapshot; the journal grows", exc_info=True)
            self._retry_at = now + self._timings.snapshot_retry_ms / 1000
            return
        compaction = journal.begin_compaction(snapshot.previous[1])

        def write() -> None:
            write_snapshot(self._vfs, self._folder, content)
            compaction.write()

        self._running = (self._worker(write), compaction, snapshot.index)

    def _finish(self, journal: Journal, now: float) -> None:
        assert self._running is not None
        future, compaction, index = self._running
        self._running = None
        try:
            future.result()
            journal.finish_compaction(compaction)
        except OSError as error:
            if journal.is_broken:
                raise
            # The old journal is whole and stays in use; disk full is the usual reason.
            _log.error("the metadata log could not be compacted, trying again later: %s", error)
            journal.abandon_compaction()
            self._retry_at = now + self._timings.snapshot_retry_ms / 1000
            return
        self._note(index, journal)
        self._outgoing.clear()

    def settle(self) -> None:
        """Wait until the worker has let go of the files."""
        if self._running is not None:
            self._running[0].exception()

    def _note(self, index: int, journal: Journal) -> None:
        self._index = index
        self._bytes_after_compaction = journal.bytes_used

    # Sending; called by the library

    def getTransmissionData(self, node: Any) -> tuple[bytes, bool, bool] | None:
        """The next piece for that voter, None while it has no credit."""
        if not self._has_credit(node.id):
            return None
        outgoing = self._outgoing.get(node)
        if outgoing is None:
            loaded = load_snapshot(self._vfs, self._folder)
            if loaded is None:
                return None
            snapshot, content = loaded
            outgoing = self._outgoing[node] = OutgoingSnapshot(
                snapshot.index, snapshot.term, content
            )
        piece = outgoing.next_piece()
        if piece[2]:
            del self._outgoing[node]
        return piece

    def cancelTransmisstion(self, node: Any) -> None:
        self._outgoing.pop(node, None)

    # Installing

    def install(
        self, piece: bytes, journal: Journal, state: AppliedState, applied: int
    ) -> int | None:
        """Take a piece; with the last one the index up to which this voter now equals the leader.

        `was_restored` then says whether the state was replaced. It never goes backwards: a
        snapshot of what is already applied, or is in the log, only proves that much committed.
        """
        self.was_restored = False
        if not piece:
            return None
        try:
            content = self._incoming.feed(piece)
            if content is None:
                return None
            snapshot = Snapshot.decode(content)
        except DecodeError as error:
            _log.error("a snapshot from the leader is refused: %s", error)
            self._incoming.reset()
            return None
        if snapshot.index <= applied or _holds(journal, snapshot):
            return snapshot.index
        self.settle()
        self._running = None
        write_snapshot(self._vfs, self._folder, content)
        journal.replace_entries(snapshot.entries)
        state.restore(snapshot)
        self._note(snapshot.index, journal)
        self._outgoing.clear()
        self.was_restored = True
        return snapshot.index


def _holds(journal: Journal, snapshot: Snapshot) -> bool:
    """Whether the entry at which the snapshot was taken is in the log."""
    if not len(journal):
        return False
    position = snapshot.index - journal[0][1]
    return 0 <= position < len(journal) and journal[position][2] == snapshot.term
