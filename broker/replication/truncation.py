"""Where two logs part: the leader's verdict on a follower's log, and what the follower cuts (pure).

KIP-101 and KIP-279. A log is described by its leader-epoch entries, (epoch, offset of the epoch's
first record), ascending. Two logs that both end epoch E at offset N agree below N, because only one
leader writes in an epoch (SAFETY rule 1). High watermarks never decide anything here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from broker.replication.frames import Subscribe

EpochEntry: TypeAlias = tuple[int, int]
"""(leader epoch, start offset)."""


@dataclass(frozen=True, slots=True)
class Matched:
    """The follower's log is a prefix of the leader's."""


@dataclass(frozen=True, slots=True)
class Diverging:
    """The leader's largest epoch at or below the follower's last, and where it ends (exclusive)."""

    leader_epoch: int
    end_offset: int


@dataclass(frozen=True, slots=True)
class ResetTo:
    """Nothing of the follower's log is of use: it starts anew at the leader's log start offset."""

    log_start_offset: int


Verdict: TypeAlias = Matched | Diverging | ResetTo


def end_offset_for(
    entries: Sequence[EpochEntry], leader_epoch: int, log_end_offset: int
) -> EpochEntry | None:
    """(largest epoch <= `leader_epoch`, its exclusive end); None when all entries are above it."""
    end = log_end_offset
    for epoch, start in reversed(entries):
        if epoch <= leader_epoch:
            return epoch, end
        end = min(end, start)
    return None


def last_record_epoch(entries: Sequence[EpochEntry], log_start: int, log_end: int) -> int | None:
    """The epoch of the last record; an epoch in which nothing was appended does not count."""
    if log_start >= log_end:
        return None
    for epoch, start in reversed(entries):
        if start < log_end:
            return epoch
    return None


def decide_verdict(
    ask: Subscribe, entries: Sequence[EpochEntry], log_start_offset: int, log_end_offset: int
) -> Verdict:
    """What the leader answers a follower whose log ends as `ask` says."""
    if ask.last_epoch is None:
        if log_start_offset <= ask.log_end_offset <= log_end_offset:
            return Matched()
        return ResetTo(log_start_offset)
    if ask.log_end_offset < log_start_offset:
        return ResetTo(log_start_offset)
    found = end_offset_for(entries, ask.last_epoch, log_end_offset)
    if found is None:
        return ResetTo(log_start_offset)
    leader_epoch, end_offset = found
    if leader_epoch == ask.last_epoch and ask.log_end_offset <= end_offset:
        return Matched()
    return Diverging(leader_epoch, end_offset)


def decide_truncation(
    diverging: Diverging, entries: Sequence[EpochEntry], log_start_offset: int, log_end_offset: int
) -> int:
    """The offset from which the follower drops its records before it asks again.

    Each round drops at least one record or empties the log, so the rounds end. Below the own
    `log_start_offset` means that nothing is left and the log starts anew there.
    """
    own = end_offset_for(entries, diverging.leader_epoch, log_end_offset)
    if own is None:
        # All records are of later epochs than any that the leader shares.
        return min(diverging.end_offset, log_start_offset)
    own_epoch, own_end = own
    if own_epoch == diverging.leader_epoch:
        return min(own_end, diverging.end_offset)
    return own_end
