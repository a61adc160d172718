"""Which log is due, and which part of it."""

from __future__ import annotations

from dataclasses import replace

from storage.compaction.job import Source
from storage.compaction.plan import CompactionPlan, SegmentFacts, plan_compaction
from storage.config import LogConfig

NOW = 100_000


def segments(count: int, size: int = 100) -> list[SegmentFacts]:
    """Ten offsets a segment, a second apart; the last one is active."""
    return [
        SegmentFacts(Source(10 * n, 10 * n + 10, size), n < count - 1, 1_000 * n, 1_000 * n + 999)
        for n in range(count)
    ]


def plan(
    found: list[SegmentFacts], *, clean: int = 0, stable: int = 1_000, **settings: float
) -> CompactionPlan | None:
    config = replace(LogConfig(cleanup_policy=frozenset({"compact"})), **settings)  # type: ignore[arg-type]
    return plan_compaction(
        found, config, clean_offset=clean, last_stable_offset=stable, timestamp_ms=NOW
    )


def bases(found: CompactionPlan | None) -> list[int]:
    return [] if found is None else [source.base_offset for source in found.sources]


def test_everything_but_the_active_segment() -> None:
    found = plan(segments(4))
    assert bases(found) == [0, 10, 20]
    assert found is not None
    assert (found.dirty_offset, found.dirty_ratio, found.overdue) == (0, 1.0, False)
    assert plan(segments(1)) is None


def test_not_beyond_what_is_decided_synced_or_old_enough() -> None:
    assert bases(plan(segments(5), stable=29)) == [0, 10]
    assert bases(plan(segments(5), stable=30)) == [0, 10, 20]
    loose = segments(5)
    loose[1] = replace(loose[1], settled=False)
    assert bases(plan(loose)) == [0]
    assert bases(plan(segments(5), min_compaction_lag_ms=NOW - 1_999)) == [0, 10]
    assert bases(plan(segments(5), min_compaction_lag_ms=NOW - 1_998)) == [0]


def test_only_when_dirty_enough_or_overdue() -> None:
    found = segments(11)
    assert plan(found, clean=60) is None
    assert bases(plan(found, clean=50)) == [10 * n for n in range(10)]
    assert plan(found, clean=60, min_cleanable_dirty_ratio=0.4) is not None
    late = plan(found, clean=90, max_compaction_lag_ms=NOW - 9_001)
    assert late is not None
    assert late.overdue
    assert plan(found, clean=90, max_compaction_lag_ms=NOW - 9_000) is None
    assert plan(found, clean=100, min_cleanable_dirty_ratio=0.0) is None


def test_what_retention_has_taken_is_not_asked_for() -> None:
    found = plan(segments(6)[2:], clean=0)
    assert found is not None
    assert (bases(found), found.dirty_offset) == ([20, 30, 40], 20)
