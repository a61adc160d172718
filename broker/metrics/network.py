"""The client ports: requests by API, their errors and durations, connections, what waits."""

from __future__ import annotations

from collections.abc import Iterator

from broker.metrics.exposition import Family, counter, gauge, histogram, labels
from broker.network.listener import Server
from broker.quotas.client_quotas import ClientQuotas
from ottla.core.errors import ErrorCode
from ottla.protocol.api import ApiKey


def network_families(server: Server, quotas: ClientQuotas) -> Iterator[Family]:
    dispatcher, account = server.dispatcher, server.account
    yield counter(
        "ottla_requests",
        "Requests of clients, by API and version.",
        (
            (labels(api=shown(api), version=version), count)
            for api, version, count in dispatcher.requests()
        ),
    )
    yield histogram(
        "ottla_request_duration_seconds",
        "From the dispatch of a request until its answer was encoded, waits included.",
        ((labels(api=shown(api)), durations) for api, durations in dispatcher.durations()),
    )
    yield counter(
        "ottla_request_errors",
        "Error codes in answers, by API; of several partitions in a request each counts.",
        (
            (labels(api=shown(api), error=_error(code)), count)
            for (api, code), count in [*dispatcher.errors.counts.items()]
        ),
    )
    yield counter(
        "ottla_request_unexpected_errors",
        "Requests that met a fault of the broker itself.",
        dispatcher.unexpected_errors,
    )
    yield gauge("ottla_requests_waiting", "Requests whose answer has to wait.", account.requests)
    yield gauge(
        "ottla_requests_waiting_bytes", "Of waiting requests and large frames.", account.bytes
    )
    yield counter(
        "ottla_backpressure_waits",
        "How often a connection was not read since the node had too much in hand.",
        account.waits,
    )
    yield counter(
        "ottla_client_throttles",
        "How often a client had to pause, by the quota that it was above.",
        [(labels(quota=kind.value), count) for kind, count in quotas.throttles.items()],
    )
    yield counter(
        "ottla_client_throttle_seconds",
        "How long clients had to pause.",
        [(labels(quota=kind.value), ms / 1000) for kind, ms in quotas.throttled_ms.items()],
    )
    yield gauge("ottla_connections", "Open connections of clients.", server.connection_count)
    yield counter("ottla_connections_accepted", "Connections of clients.", server.accepted)
    yield counter("ottla_connections_refused", "Connections above a limit.", server.refused)


def shown(api: ApiKey) -> str:
    """As Kafka writes it: OffsetCommit."""
    return "".join(word.capitalize() for word in api.name.split("_"))


def _error(code: int) -> str:
    try:
        return ErrorCode(code).name
    except ValueError:
        return str(code)
