"""Which leader epoch wrote which offsets of a log (KIP-101, KIP-279). Pure.

A list of (leader epoch, start offset), both growing strictly: the epoch's records begin at the
start offset and end where the next entry begins, or at the log end. The newest entry may start at
the log end: a leader notes its epoch before it appends (SAFETY.md, rule 5).

The cache is made from the log's batch headers; LMDB holds a copy for a quick start.
"""

from __future__ import annotations

from collections.abc import Iterable

from ottla.core.checks import check


class LeaderEpochCache:
    """The leader epochs of one log."""

    __slots__ = ("_entries",)

    def __init__(self, entries: Iterable[tuple[int, int]] = ()) -> None:
        self._entries: list[tuple[int, int]] = []
        for leader_epoch, start_offset in entries:
            self.assign(leader_epoch, start_offset)

    @property
    def entries(self) -> tuple[tuple[int, int], ...]:
        """(leader epoch, start offset), oldest first."""
        return tuple(self._entries)

    def assign(self, leader_epoch: int, start_offset: int) -> None:
        """Note that records from `start_offset` (the log end) on are of `leader_epoch`.

        The newest epoch again changes nothing. An epoch that got no records is replaced.
        """
        if self._entries:
            newest_epoch, newest_start = self._entries[-1]
            if leader_epoch == newest_epoch:
                return
            check(
                leader_epoch > newest_epoch and start_offset >= newest_start,
                "leader epochs of a log must grow",
                leader_epoch=leader_epoch,
                start_offset=start_offset,
                newest=self._entries[-1],
            )
            if start_offset == newest_start:
                self._entries.pop()
        self._entries.append((leader_epoch, start_offset))

    def latest(self) -> int | None:
        """The newest epoch, whether it has records or not."""
        return self._entries[-1][0] if self._entries else None

    def epoch_at(self, offset: int) -> int | None:
        """The epoch that `offset` belongs to; None before the first entry."""
        for leader_epoch, start_offset in reversed(self._entries):
            if start_offset <= offset:
                return leader_epoch
        return None

    def end_offset_for(self, leader_epoch: int, log_end_offset: int) -> tuple[int, int] | None:
        """(epoch, end offset, exclusive) of the largest epoch at or below `leader_epoch`.

        Below the first known epoch it is (leader_epoch, start of the first). None when the newest
        epoch here is lower than what is asked for: nothing is known of it.
        """
        if not self._entries or leader_epoch < 0 or leader_epoch > self._entries[-1][0]:
            return None
        if leader_epoch == self._entries[-1][0]:
            return leader_epoch, log_end_offset
        floor: int | None = None
        for entry_epoch, start_offset in self._entries:
            if entry_epoch > leader_epoch:
                return (leader_epoch if floor is None else floor), start_offset
            floor = entry_epoch
        return None

    def truncate_to(self, offset: int) -> None:
        """Drop what starts at `offset` or beyond: the log now ends there."""
        while self._entries and self._entries[-1][1] >= offset:
            self._entries.pop()

    def forget_below(self, log_start_offset: int) -> None:
        """Drop epochs that end at or below `log_start_offset`; the newest one always stays."""
        entries = self._entries
        while len(entries) > 1 and entries[1][1] <= log_start_offset:
            del entries[0]

    def clear(self) -> None:
        self._entries.clear()
