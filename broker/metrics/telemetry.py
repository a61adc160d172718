"""What clients sent of their metrics (KIP-714), and how that went."""

from __future__ import annotations

from collections.abc import Iterator

from broker.metrics.exposition import Family, counter, gauge, labels
from broker.telemetry.receiver import TelemetryReceiver
from ottla.core.clock import Clock


def telemetry_families(receiver: TelemetryReceiver, clock: Clock) -> Iterator[Family | None]:
    receiver.instances.maybe_sweep(clock.now_ms())
    series = receiver.series
    yield gauge(
        "ottla_telemetry_instances",
        "Clients that asked lately which metrics to send.",
        len(receiver.instances),
    )
    yield counter(
        "ottla_telemetry_pushes",
        "Metrics sent by clients, by what came of it.",
        [(labels(error=code.name), count) for code, count in receiver.pushes.items()],
    )
    yield counter(
        "ottla_telemetry_left_out",
        "Series of clients that are not shown: beyond a bound, not asked for, of another kind.",
        receiver.points_left_out + series.left_out,
    )
    yield gauge("ottla_telemetry_series", "Series of clients that are shown.", len(series))
    yield None
    yield from series.families()
