"""Takes what clients send of their metrics (KIP-714): who may send what when, and what came of it.

Payloads are decompressed and read on a thread, one at a time, so that strangers' bytes neither hold
the event loop nor take more memory than one of them at its largest. What else is kept has bounds of
its own (instances.py, series.py).
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from broker.control.metadata_cache import MetadataCache, MetadataDelta
from broker.telemetry.instances import ClientInstance, ClientInstances
from broker.telemetry.otlp import Reading, read
from broker.telemetry.series import CLIENT_SERIES_MAX, ClientSeries
from broker.telemetry.subscriptions import Subscriptions
from controller.state import CLIENT_METRICS
from ottla.core.clock import Clock
from ottla.core.errors import DecodeError, ErrorCode, ProtocolError
from ottla.core.identifiers import NIL_UUID, Uuid, uuid_text
from ottla.record.compression import Compression, TooLarge

logger = logging.getLogger(__name__)

ACCEPTED: Final = (Compression.ZSTD, Compression.LZ4, Compression.GZIP, Compression.SNAPPY)
"""What clients are told, the one liked best first; none at all is taken too, as in Kafka."""
_LOG_MS: Final = 60_000
_RESERVED: Final = frozenset({NIL_UUID, bytes(15) + b"\x01"})  # Kafka's Uuid.RESERVED
_SHOWN_OF_RESOURCES: Final = (
    "client_rack",
    "group_id",
    "group_instance_id",
    "group_member_id",
    "transactional_id",
)
"""The resource attributes that KIP-714 names."""


@dataclass(frozen=True, slots=True)
class TelemetryClient:
    """Who sends, as the connection tells it; `software` is ``name/version``."""

    client_id: str
    software: str
    address: str
    port: int

    def selectors(self, instance_id: Uuid) -> dict[str, str]:
        """By KIP-714's names; what a subscription's `match` is compared with."""
        name, _, version = self.software.partition("/")
        return {
            "client_instance_id": uuid_text(instance_id),
            "client_id": self.client_id,
            "client_software_name": name,
            "client_software_version": version,
            "client_source_address": self.address,
            "client_source_port": str(self.port),
        }


class TelemetryReceiver:
    """See the module. Only touched on the event loop."""

    def __init__(self, cache: MetadataCache, clock: Clock, *, bytes_max: int) -> None:
        self.bytes_max = bytes_max
        """Of a payload, compressed and decompressed (telemetry.max.bytes)."""
        self.series = ClientSeries()
        self.instances = ClientInstances(self.series.remove)
        self.pushes: Counter[ErrorCode] = Counter()
        """By outcome."""
        self.points_left_out = 0
        """That nobody asked for, or that were too many or of another kind."""
        self._cache = cache
        self._clock = clock
        self._one_at_a_time = asyncio.Lock()
        self._logged_ms: int | None = None
        cache.subscribe(self._on_delta)

    def get(self, instance_id: Uuid, client: TelemetryClient) -> ClientInstance:
        """The instance with what it is to send; THROTTLING_QUOTA_EXCEEDED."""
        now_ms = self._clock.now_ms()
        instance = self.instances.find(instance_id, client.selectors(instance_id), now_ms)
        instance.check_get(now_ms)
        return instance

    async def push(
        self,
        instance_id: Uuid,
        client: TelemetryClient,
        subscription_id: int,
        compression: int,
        payload: bytes,
        *,
        terminating: bool,
    ) -> None:
        """Take a push. INVALID_REQUEST, THROTTLING_QUOTA_EXCEEDED, UNKNOWN_SUBSCRIPTION_ID,
        UNSUPPORTED_COMPRESSION_TYPE, TELEMETRY_TOO_LARGE, INVALID_RECORD."""
        instance: ClientInstance | None = None
        try:
            if instance_id in _RESERVED:
                raise ProtocolError(ErrorCode.INVALID_REQUEST, "a client has an instance id")
            now_ms = self._clock.now_ms()
            selectors = client.selectors(instance_id)
            instance = self.instances.find(instance_id, selectors, now_ms)
            instance.check_push(now_ms, terminating=terminating)
            codec = self._check(instance, subscription_id, compression, len(payload))
            if payload:
                async with self._one_at_a_time:
                    reading = await self._read(instance, payload, codec)
                self._put(instance, selectors, reading)
        except ProtocolError as error:
            self.pushes[error.code] += 1
            if instance is not None:
                instance.last_error = error.code
            self._maybe_log(client, error)
            raise
        self.pushes[ErrorCode.NONE] += 1
        instance.last_error = ErrorCode.NONE

    def _check(
        self, instance: ClientInstance, subscription_id: int, compression: int, size: int
    ) -> Compression:
        if subscription_id != instance.subscription_id:
            raise ProtocolError(
                ErrorCode.UNKNOWN_SUBSCRIPTION_ID, "the subscription has changed: ask again"
            )
        try:
            codec = Compression(compression)
        except ValueError:
            raise ProtocolError(
                ErrorCode.UNSUPPORTED_COMPRESSION_TYPE, f"{compression} is no compression type"
            ) from None
        if size > self.bytes_max:
            raise ProtocolError(
                ErrorCode.TELEMETRY_TOO_LARGE,
                f"{size} bytes; telemetry.max.bytes is {self.bytes_max}",
            )
        return codec

    async def _read(self, instance: ClientInstance, payload: bytes, codec: Compression) -> Reading:
        wants = instance.wanted.wants
        try:
            return await asyncio.to_thread(
                read, payload, codec, self.bytes_max, wants, CLIENT_SERIES_MAX
            )
        except TooLarge:
            raise ProtocolError(
                ErrorCode.TELEMETRY_TOO_LARGE,
                f"decompressed it is larger than telemetry.max.bytes, {self.bytes_max}",
            ) from None
        except DecodeError as error:
            raise ProtocolError(ErrorCode.INVALID_RECORD, str(error)) from None

    def _put(
        self, instance: ClientInstance, selectors: Mapping[str, str], reading: Reading
    ) -> None:
        self.points_left_out += reading.left_out
        own = {name: selectors[name] for name in ("client_id", "client_instance_id")}
        info = {
            name: selectors[name]
            for name in ("client_software_name", "client_software_version", "client_source_address")
        }
        for name in _SHOWN_OF_RESOURCES:
            if name in reading.resource:
                info[name] = reading.resource[name]
        self.series.put(instance.instance_id, own, info, reading.points)

    def _maybe_log(self, client: TelemetryClient, error: ProtocolError) -> None:
        """Damaged payloads, one line a minute: anybody may send as many as he likes."""
        now_ms = self._clock.now_ms()
        if error.code is not ErrorCode.INVALID_RECORD or (
            self._logged_ms is not None and now_ms - self._logged_ms < _LOG_MS
        ):
            return
        self._logged_ms = now_ms
        logger.warning(
            "metrics of client %r at %s are not taken: %s",
            client.client_id,
            client.address,
            error.message,
        )

    def _on_delta(self, delta: MetadataDelta) -> None:
        if delta.snapshot or any(kind == CLIENT_METRICS for kind, _ in delta.configs):
            configs = self._cache.state.configs
            self.instances.set_subscriptions(
                Subscriptions(
                    {
                        name: values
                        for (kind, name), values in configs.items()
                        if kind == CLIENT_METRICS
                    }
                )
            )
