"""Which log is worth a compaction pass, and which part of it (KIP-58, KIP-354). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from storage.compaction.job import Source
from storage.config import LogConfig


@dataclass(frozen=True, slots=True)
class SegmentFacts:
    """A segment, oldest first. Timestamps in ms by the wall clock, None: unknown.

    `settled`: sealed and synced, so that it may be replaced. `first_timestamp_ms` is the first
    batch's largest, or the segment's creation; `last_timestamp_ms` the newest record's.
    """

    source: Source
    settled: bool
    first_timestamp_ms: int | None
    last_timestamp_ms: int | None


@dataclass(frozen=True, slots=True)
class CompactionPlan:
    """`dirty_ratio`: bytes that no pass has seen, of all that this one would see."""

    sources: tuple[Source, ...]
    dirty_offset: int
    dirty_ratio: float
    overdue: bool


def plan_compaction(
    segments: Sequence[SegmentFacts],
    config: LogConfig,
    *,
    clean_offset: int,
    last_stable_offset: int,
    timestamp_ms: int,
) -> CompactionPlan | None:
    """What a pass would see; None when that holds nothing new, or is not dirty enough yet.

    Never the active segment, nothing at or above the last stable offset, nothing younger than
    `min.compaction.lag.ms`. A record older than `max.compaction.lag.ms` makes the log due whatever
    its ratio.
    """
    sources: list[Source] = []
    clean_bytes = dirty_bytes = 0
    overdue = False
    for segment in segments[:-1]:
        source = segment.source
        if not segment.settled or source.next_offset > last_stable_offset:
            break
        newest = segment.last_timestamp_ms
        lag_ms = config.min_compaction_lag_ms
        if lag_ms and newest is not None and timestamp_ms - newest < lag_ms:
            break
        sources.append(source)
        if source.next_offset <= clean_offset:
            clean_bytes += source.size
            continue
        dirty_bytes += source.size
        oldest = segment.first_timestamp_ms
        if oldest is not None and timestamp_ms - oldest > config.max_compaction_lag_ms:
            overdue = True
    if not dirty_bytes:
        return None
    dirty_ratio = dirty_bytes / (clean_bytes + dirty_bytes)
    if dirty_ratio < config.min_cleanable_dirty_ratio and not overdue:
        return None
    return CompactionPlan(
        tuple(sources), max(clean_offset, sources[0].base_offset), dirty_ratio, overdue
    )
