from __future__ import annotations

from storage.config import LogConfig
from storage.retention import SegmentAge, decide_deletable

DAY = 24 * 3600 * 1000
FOREVER = LogConfig(retention_ms=None)
AGES = [SegmentAge(100, 10 * (n + 1), 1_000 + n) for n in range(5)]


def deletable(
    config: LogConfig, *, now: int = 1_000, start: int = 0, watermark: int = 1_000
) -> int:
    return decide_deletable(
        AGES, config, timestamp_ms=now, log_start_offset=start, high_watermark=watermark
    )


def test_nothing_goes_without_a_reason() -> None:
    assert deletable(LogConfig()) == 0
    assert deletable(FOREVER, now=10**15) == 0


def test_by_time_strictly_older() -> None:
    config = LogConfig(retention_ms=DAY)
    assert deletable(config, now=1_002 + DAY) == 2
    assert deletable(config, now=10**15) == 5


def test_unknown_age_is_never_too_old() -> None:
    ages = [SegmentAge(100, 10, None), *AGES[1:]]
    assert not decide_deletable(
        ages, LogConfig(), timestamp_ms=10**15, log_start_offset=0, high_watermark=99
    )


def test_by_size_what_the_others_hold_without_it() -> None:
    for size, count in ((500, 0), (499, 0), (401, 0), (400, 1), (399, 1), (300, 2), (0, 5)):
        assert deletable(LogConfig(retention_ms=None, retention_bytes=size)) == count


def test_by_the_logs_start_whatever_the_policy() -> None:
    compacted = LogConfig(retention_ms=0, retention_bytes=0, cleanup_policy=frozenset({"compact"}))
    assert deletable(compacted, now=10**15) == 0
    assert deletable(compacted, start=19) == 1
    assert deletable(compacted, start=20) == 2


def test_nothing_at_or_above_the_high_watermark() -> None:
    assert deletable(LogConfig(retention_ms=0), now=10**15, watermark=29) == 2
    assert deletable(LogConfig(retention_ms=0), now=10**15, watermark=30) == 3


def test_an_empty_last_segment_stays() -> None:
    ages = [*AGES, SegmentAge(0, 50, 1)]
    assert (
        decide_deletable(
            ages, LogConfig(), timestamp_ms=10**15, log_start_offset=50, high_watermark=50
        )
        == 5
    )
