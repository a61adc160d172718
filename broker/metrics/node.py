"""The node as a whole: its version, whether it is ready, how late its event loop runs."""

from __future__ import annotations

import platform
from collections.abc import Iterator

from broker.http.readiness import Readiness
from broker.loop_lag import LoopLag
from broker.metrics.exposition import Family, counter, gauge, histogram, labels
from ottla import __version__


def node_families(node_id: int, readiness: Readiness, lag: LoopLag) -> Iterator[Family]:
    yield gauge(
        "ottla_build_info",
        "Always 1; the labels tell the version.",
        [(labels(version=__version__, python=platform.python_version(), node_id=node_id), 1)],
    )
    yield gauge(
        "ottla_node_ready",
        "1 when /health/ready answers 200.",
        int(not readiness.reasons()),
    )
    yield histogram(
        "ottla_event_loop_lag_seconds",
        "How late a timer of the event loop was, measured ten times a second.",
        [("", lag.durations)],
    )
    yield gauge(
        "ottla_event_loop_lag_max_seconds",
        "The longest lag since the start.",
        lag.worst_ms / 1000,
    )
    yield counter("ottla_event_loop_stalls", "Lags of half a second and more.", lag.stalls)
