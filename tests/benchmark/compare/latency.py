"""End-to-end latency: under an even load by the open loop, and unloaded by EndToEndLatency."""

from __future__ import annotations

import subprocess

from tests.benchmark.compare import open_loop
from tests.benchmark.compare.perf_tools import end_to_end_latency
from tests.benchmark.compare.samples import Measure
from tests.benchmark.compare.session import Session
from tests.benchmark.compare.system import PARTITIONS

SIZE = 1_000
DEFAULT_LINGER_MS = 5.0
POINTS = ((1_000, DEFAULT_LINGER_MS), (5_000, DEFAULT_LINGER_MS), (20_000, DEFAULT_LINGER_MS),
          (1_000, 0.0))  # fmt: skip
AIM = (5_000, DEFAULT_LINGER_MS)
_SECONDS, _WARM_UP_SECONDS = 8.0, 5.0
_ROUND_TRIPS = 1_500


def run(session: Session, *, aims_only: bool = False) -> None:
    for rate, linger_ms in POINTS:
        if not aims_only or (rate, linger_ms) == AIM:
            try:
                _loaded(session, rate, linger_ms)
            except (subprocess.SubprocessError, RuntimeError) as error:
                # A rate that is too high for one of the two; the others can be measured.
                where = f"{session.system.name}, round {session.round}"
                session.results.failures.append(
                    f"latency: {where}, {rate} messages/s, linger.ms={linger_ms:g}: {error!r:.200}"
                )
    if aims_only:
        return
    topic = session.new_topic(partitions=1)
    count = session.scaled(_ROUND_TRIPS)
    found = end_to_end_latency(session.bootstrap, topic, count, SIZE)
    for name, value in (("p50", found.p50_ms), ("p99", found.p99_ms), ("p99.9", found.p999_ms)):
        title = f"EndToEndLatency, unloaded, {name} (whole ms)"
        session.note(Measure(f"latency/end-to-end/{name}", title, "ms", True), value)


def _loaded(session: Session, rate: int, linger_ms: float) -> None:
    topic = session.new_topic()
    seconds = 2.0 if session.is_short else _SECONDS
    found = open_loop.measure(
        session.bootstrap,
        topic,
        PARTITIONS,
        rate=rate,
        size=SIZE,
        seconds=seconds,
        warm_up_seconds=_WARM_UP_SECONDS,
        linger_ms=linger_ms,
    )
    if found.lost:
        raise RuntimeError(f"{found.lost} messages of the open loop did not arrive")
    values = {"p50": found.p50, "p99": found.p99, "p99.9": found.p999}
    for name, value in values.items():
        aim = 0.7 if name == "p99" and (rate, linger_ms) == AIM else None
        title = f"latency at {rate:,} messages/s, linger.ms={linger_ms:g}, {name}"
        key = f"latency/{rate}/{linger_ms:g}/{name}"
        session.note(Measure(key, title, "ms", True, aim), value)
    late = Measure(
        f"latency/{rate}/{linger_ms:g}/late", f"of it the sender's own delay, p99, {rate:,}/s, "
        f"linger.ms={linger_ms:g}", "ms", True,
    )  # fmt: skip
    session.note(late, found.sent_late_p99)
