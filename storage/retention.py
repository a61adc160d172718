"""Which segments retention lets go (`retention.ms`, `retention.bytes`, the log's start). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from storage.config import LogConfig


@dataclass(frozen=True, slots=True)
class SegmentAge:
    """What retention looks at. `next_offset` is exclusive; `timestamp_ms` is the newest record's,
    or the segment's creation for records without one; None: unknown, never too old."""

    size: int
    next_offset: int
    timestamp_ms: int | None


def decide_deletable(
    segments: Sequence[SegmentAge],
    config: LogConfig,
    *,
    timestamp_ms: int,
    log_start_offset: int,
    high_watermark: int,
) -> int:
    """How many segments, counted from the oldest, may be deleted.

    A segment goes when it is wholly below the log's start; or, under cleanup.policy=delete, when
    its newest record is older than retention.ms, or when the others hold retention.bytes without
    it. All this only below the high watermark. The last segment goes only if it holds records.
    """
    excess = None
    if config.deletes and config.retention_bytes is not None:
        excess = sum(segment.size for segment in segments) - config.retention_bytes
    count = 0
    for number, segment in enumerate(segments):
        if segment.next_offset > high_watermark:
            break
        if number == len(segments) - 1 and not segment.size:
            break
        too_old = (
            config.deletes
            and config.retention_ms is not None
            and segment.timestamp_ms is not None
            and timestamp_ms - segment.timestamp_ms > config.retention_ms
        )
        too_much = excess is not None and excess >= segment.size
        if not (too_old or too_much or segment.next_offset <= log_start_offset):
            break
        if excess is not None:
            excess -= segment.size
        count += 1
    return count
