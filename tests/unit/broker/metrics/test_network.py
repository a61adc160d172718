from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from broker.handlers.error_counts import ErrorCounts
from broker.metrics.durations import Durations
from broker.metrics.network import network_families
from broker.quotas.table import QuotaKind
from ottla.core.errors import ErrorCode
from ottla.protocol.api import ApiKey
from tests.support.metrics_page import values


def test_each_count_of_the_client_ports_has_its_series() -> None:
    errors = ErrorCounts()
    for _ in range(3):
        errors.note(ApiKey.PRODUCE, int(ErrorCode.NOT_ENOUGH_REPLICAS))
    errors.note(ApiKey.FETCH, 999)  # a code that nobody knows
    took = Durations()
    took.note(2_000_000)
    dispatcher = SimpleNamespace(
        requests=lambda: [(ApiKey.OFFSET_COMMIT, 8, 5), (ApiKey.OFFSET_COMMIT, 9, 6)],
        durations=lambda: [(ApiKey.LIST_OFFSETS, took)],
        errors=errors,
        unexpected_errors=7,
    )
    server = SimpleNamespace(
        dispatcher=dispatcher,
        account=SimpleNamespace(requests=11, bytes=12, waits=13),
        connection_count=14,
        accepted=15,
        refused=16,
    )
    quotas = SimpleNamespace(
        throttles={QuotaKind.PRODUCE: 17, QuotaKind.FETCH: 0},
        throttled_ms={QuotaKind.PRODUCE: 1_500, QuotaKind.FETCH: 0},
    )
    found = values(network_families(cast(Any, server), cast(Any, quotas)))
    assert found["ottla_requests_total", "OffsetCommit", "8"] == 5
    assert found["ottla_requests_total", "OffsetCommit", "9"] == 6
    assert found["ottla_request_duration_seconds_count", "ListOffsets"] == 1
    assert found["ottla_request_duration_seconds_sum", "ListOffsets"] == 0.002
    assert found["ottla_request_errors_total", "Produce", "NOT_ENOUGH_REPLICAS"] == 3
    assert found["ottla_request_errors_total", "Fetch", "999"] == 1
    assert found["ottla_request_unexpected_errors_total",] == 7
    assert found["ottla_requests_waiting",] == 11
    assert found["ottla_requests_waiting_bytes",] == 12
    assert found["ottla_backpressure_waits_total",] == 13
    assert found["ottla_connections",] == 14
    assert found["ottla_connections_accepted_total",] == 15
    assert found["ottla_connections_refused_total",] == 16
    assert found["ottla_client_throttles_total", "producer_byte_rate"] == 17
    assert found["ottla_client_throttle_seconds_total", "producer_byte_rate"] == 1.5
    assert found["ottla_client_throttles_total", "consumer_byte_rate"] == 0
