"""The defaults are ones that the library accepts and that elections survive."""

from __future__ import annotations

from controller.quorum.timings import Timings


def test_several_heartbeats_fit_into_an_election_time() -> None:
    timings = Timings()
    assert timings.election_min_ms > 3 * timings.heartbeat_ms
    assert timings.election_max_ms >= 2 * timings.election_min_ms
    assert timings.leader_fallback_ms >= timings.election_min_ms
