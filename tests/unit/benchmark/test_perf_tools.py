"""What Kafka's tools print, as version 4.3 prints it."""

from __future__ import annotations

import pytest

from tests.benchmark.compare.perf_tools import (
    RoundTrip,
    consumed_mb_per_second,
    produced_mb_per_second,
    round_trip,
)

PRODUCED = """\
23233 records sent, 4629.9 records/sec (4.42 MB/sec), 3329.2 ms avg latency, 3951.0 ms max latency.
60000 records sent, 8441.193022 records/sec (8.05 MB/sec), 2710.55 ms avg latency, 3951.00 ms max
40000 steady state records sent, 6578.5 records/sec (6.27 MB/sec), 3099.01 ms avg latency, 39 ms max
"""
CONSUMED = """\
2026-11-26 22:00:00:000, 2026-11-26 22:00:10:000, 381.4, 38.1, 400000, 40000.0, 3000, 7000, 54.5, 50000.0
"""  # noqa: E501


def test_produce_is_the_steady_rate_in_millions_of_bytes() -> None:
    assert produced_mb_per_second(PRODUCED, 1_000, 60_000) == pytest.approx(6.5785)


@pytest.mark.parametrize(
    "said", [PRODUCED.replace("60000 ", "59999 "), PRODUCED.replace("steady state ", ""), ""]
)
def test_a_run_that_did_not_send_everything_has_no_rate(said: str) -> None:
    with pytest.raises(RuntimeError, match="did not send 60000"):
        produced_mb_per_second(said, 1_000, 60_000)


def test_consume_leaves_out_the_forming_of_the_group() -> None:
    assert consumed_mb_per_second(CONSUMED, 1_000, 400_000) == 50.0
    with pytest.raises(RuntimeError, match="did not read 400001"):
        consumed_mb_per_second(CONSUMED, 1_000, 400_001)


def test_round_trip() -> None:
    said = "Avg latency: 2.1 ms\n\nPercentiles: 50th = 2, 99th = 7, 99.9th = 31\n"
    assert round_trip(said) == RoundTrip(2.0, 7.0, 31.0)
    with pytest.raises(RuntimeError, match="no percentiles"):
        round_trip("")
