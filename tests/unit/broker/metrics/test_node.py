from __future__ import annotations

from broker.http.readiness import Readiness
from broker.loop_lag import LoopLag
from broker.metrics.node import node_families
from ottla import __version__
from tests.support.metrics_page import values


def test_a_node_tells_its_version_readiness_and_lag() -> None:
    readiness, lag = Readiness(), LoopLag()
    for ms in (1.0, 700.0, 20.0):
        lag.note(ms)
    found = values(node_families(3, readiness, lag))
    assert next(key[1] for key in found if key[0] == "ottla_build_info") == "3"
    assert any(__version__ in key for key in found)
    assert found["ottla_node_ready",] == 0  # it starts
    assert found["ottla_event_loop_lag_seconds_count",] == 3
    assert found["ottla_event_loop_lag_max_seconds",] == 0.7
    assert found["ottla_event_loop_stalls_total",] == 1
    readiness.stage = None
    assert values(node_families(3, readiness, lag))["ottla_node_ready",] == 1
    readiness.add(lambda: iter(["one replica is behind"]))
    assert values(node_families(3, readiness, lag))["ottla_node_ready",] == 0
