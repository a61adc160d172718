from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from broker.control.metadata_cache import MetadataDelta
from broker.handlers import get_telemetry_subscriptions, handlers, push_telemetry
from broker.handlers.spec import RequestContext
from broker.telemetry.receiver import TelemetryReceiver
from ottla.core.clock import ManualClock
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.core.identifiers import NIL_UUID, Uuid
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.get_telemetry_subscriptions_request import (
    GetTelemetrySubscriptionsRequest,
)
from ottla.protocol.messages.get_telemetry_subscriptions_response import (
    GetTelemetrySubscriptionsResponse,
)
from ottla.protocol.messages.push_telemetry_request import PushTelemetryRequest
from ottla.record.compression import Compression, compress
from tests.unit.broker.telemetry.payloads import gauge, payload

if TYPE_CHECKING:
    from broker.handlers.services import BrokerServices

BYTES_MAX = 4_096
NAME = "org.apache.kafka.a"


class World:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.configs: dict[tuple[str, str], dict[str, str]] = {}
        self.listeners: list[Any] = []
        cache = SimpleNamespace(
            state=SimpleNamespace(configs=self.configs), subscribe=self.listeners.append
        )
        self.receiver = TelemetryReceiver(cast(Any, cache), self.clock, bytes_max=BYTES_MAX)
        self.services = cast("BrokerServices", SimpleNamespace(telemetry=self.receiver))
        self.subscribe(metrics="org.apache.kafka.", **{"interval.ms": "1000"})

    def subscribe(self, **values: str) -> None:
        self.configs["client-metrics", "s"] = values
        for listener in self.listeners:
            listener(MetadataDelta(configs={("client-metrics", "s")}))

    def context(self, key: ApiKey) -> RequestContext:
        return RequestContext(
            key, 0, 1, "app", "lib/1.2", "c-1", "L", "10.0.0.1", "User:ANONYMOUS", 4_711
        )

    def get(self, instance_id: Uuid = NIL_UUID) -> GetTelemetrySubscriptionsResponse:
        answer = get_telemetry_subscriptions.handle(
            self.services,
            self.context(ApiKey.GET_TELEMETRY_SUBSCRIPTIONS),
            GetTelemetrySubscriptionsRequest(instance_id),
        )
        assert isinstance(answer, GetTelemetrySubscriptionsResponse)
        return GetTelemetrySubscriptionsResponse.decode(answer.encode(0), 0)

    def push(self, **fields: Any) -> ErrorCode:
        request = PushTelemetryRequest(**fields)
        context = self.context(ApiKey.PUSH_TELEMETRY)
        try:
            asyncio.run(cast(Any, push_telemetry.handle(self.services, context, request)))
        except ProtocolError as error:
            return error.code
        return ErrorCode.NONE


def test_a_client_is_told_what_to_send_and_is_shown() -> None:
    world = World()
    told = world.get()
    assert told.client_instance_id != NIL_UUID
    assert told.requested_metrics == ["org.apache.kafka."]
    assert (told.push_interval_ms, told.telemetry_max_bytes) == (1_000, BYTES_MAX)
    assert told.accepted_compression_types == [4, 3, 1, 2]
    assert told.delta_temporality is False
    sent = {
        "client_instance_id": told.client_instance_id,
        "subscription_id": told.subscription_id,
        "compression_type": 4,
        "metrics": compress(payload([gauge(NAME, 3), gauge("x", 1)]), Compression.ZSTD),
    }
    assert world.push(**sent) is ErrorCode.NONE
    assert (len(world.receiver.series), world.receiver.points_left_out) == (1, 1)
    assert world.push(**sent) is ErrorCode.THROTTLING_QUOTA_EXCEEDED
    world.clock.advance(1_000)
    assert world.push(**sent | {"terminating": True}) is ErrorCode.NONE
    assert world.push(**sent) is ErrorCode.INVALID_REQUEST
    assert world.receiver.pushes == {
        ErrorCode.NONE: 2,
        ErrorCode.THROTTLING_QUOTA_EXCEEDED: 1,
        ErrorCode.INVALID_REQUEST: 1,
    }


def test_without_a_subscription_a_client_asks_again_after_a_long_time() -> None:
    world = World()
    world.subscribe()
    told = world.get()
    assert (told.requested_metrics, told.push_interval_ms) == ([], 300_000)


@pytest.mark.parametrize(
    ("match", "is_asked"),
    [
        ("client_id=app,client_software_name=lib,client_software_version=1\\.2", True),
        ("client_source_address=10\\..*,client_source_port=4711", True),
        ("client_software_name=li", False),
        ("client_source_port=4712", False),
    ],
)
def test_clients_are_told_apart(match: str, is_asked: bool) -> None:
    world = World()
    world.subscribe(metrics="*", match=match)
    assert world.get().requested_metrics == (["*"] if is_asked else [])


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"client_instance_id": NIL_UUID}, ErrorCode.INVALID_REQUEST),
        ({"client_instance_id": bytes(15) + b"\x01"}, ErrorCode.INVALID_REQUEST),
        ({"subscription_id": 1}, ErrorCode.UNKNOWN_SUBSCRIPTION_ID),
        ({"compression_type": 5}, ErrorCode.UNSUPPORTED_COMPRESSION_TYPE),
        ({"metrics": bytes(BYTES_MAX + 1)}, ErrorCode.TELEMETRY_TOO_LARGE),
        (
            {"metrics": compress(bytes(BYTES_MAX + 1), Compression.ZSTD), "compression_type": 4},
            ErrorCode.TELEMETRY_TOO_LARGE,
        ),
        ({"metrics": b"\xff" * 9}, ErrorCode.INVALID_RECORD),
        ({"metrics": b"\xff" * 9, "compression_type": 3}, ErrorCode.INVALID_RECORD),
        ({"metrics": b""}, ErrorCode.NONE),
    ],
)
def test_what_is_wrong_is_told(fields: dict[str, Any], code: ErrorCode) -> None:
    world = World()
    told = world.get()
    sent = {
        "client_instance_id": told.client_instance_id,
        "subscription_id": told.subscription_id,
        "metrics": payload([gauge(NAME, 3)]),
    }
    assert world.push(**sent | fields) is code
    assert len(world.receiver.series) == 0
    assert world.receiver.pushes == {code: 1}


def test_after_a_change_a_client_asks_again_and_goes_on() -> None:
    world = World()
    told = world.get()
    sent = {"client_instance_id": told.client_instance_id, "metrics": payload([gauge(NAME, 3)])}
    world.subscribe(metrics="*", **{"interval.ms": "1000"})
    assert (
        world.push(subscription_id=told.subscription_id, **sent)
        is ErrorCode.UNKNOWN_SUBSCRIPTION_ID
    )
    again = world.get(told.client_instance_id)
    assert again.requested_metrics == ["*"]
    assert world.push(subscription_id=again.subscription_id, **sent) is ErrorCode.NONE


def test_it_is_offered_only_by_a_node_that_shows_metrics() -> None:
    keys = {ApiKey.GET_TELEMETRY_SUBSCRIPTIONS, ApiKey.PUSH_TELEMETRY}
    offered = {spec.api_key for spec in handlers(telemetry=True)}
    assert keys <= offered
    assert {spec.api_key for spec in handlers(telemetry=False)} == offered - keys
