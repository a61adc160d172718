"""Times and sizes of the quorum."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timings:
    """The defaults suit voters within one region.

    Election times were chosen well above the p99 of a journal sync beside brokers that write
    150 MB/s to the same disk. A leader that hears from no majority for `leader_fallback_ms` gives
    up; it can therefore outlive its successor's election by that much, which is why every call of
    a controller carries the term.
    """

    election_min_ms: int = 300
    election_max_ms: int = 600
    gone_election_min_ms: int = 30  # when the leader's process is seen to be gone: time for the
    gone_election_max_ms: int = 130  # others to see it too, and apart, so that one is first
    heartbeat_ms: int = 75  # election_min_ms must be above three of these
    leader_fallback_ms: int = 600
    dial_retry_ms: int = 200
    dial_timeout_ms: int = 1000
    snapshot_entries: int = 4096  # a snapshot is due after that many entries, or
    snapshot_bytes: int = 2 << 20  # after that many bytes of journal
    snapshot_retry_ms: int = 10_000
