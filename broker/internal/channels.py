"""gRPC channels to the internal listeners of other brokers, for calls that are answered at once.

One a broker, made when it is first needed and again when the broker has another address.
"""

from __future__ import annotations

from typing import Final, Protocol

import grpc
import grpc.aio

from broker.addresses import Address
from controller.state import ClusterState

MESSAGE_BYTES_MAX: Final = 4 * 1024 * 1024


class StateSource(Protocol):
    """broker.control.metadata_cache.MetadataCache."""

    @property
    def state(self) -> ClusterState: ...


class InternalChannels:
    """See the module. `credentials` None: plaintext."""

    def __init__(self, metadata: StateSource, credentials: grpc.ChannelCredentials | None) -> None:
        self._metadata = metadata
        self._credentials = credentials
        self._channels: dict[int, tuple[str, grpc.aio.Channel]] = {}

    async def close(self) -> None:
        channels, self._channels = self._channels, {}
        for _, channel in channels.values():
            await channel.close()

    async def maybe_to(self, broker_id: int) -> grpc.aio.Channel | None:
        """None when that broker is not alive."""
        broker = self._metadata.state.brokers.get(broker_id)
        if broker is None or broker.fenced:
            return None
        target = str(Address(broker.internal_host, broker.internal_port))
        known = self._channels.get(broker_id)
        if known is not None and known[0] == target:
            return known[1]
        options = [
            ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
            ("grpc.use_local_subchannel_pool", 1),
            ("grpc.enable_retries", 0),
            ("grpc.enable_http_proxy", 0),
            # A broker that was restarted is back within milliseconds.
            ("grpc.initial_reconnect_backoff_ms", 50),
            ("grpc.min_reconnect_backoff_ms", 50),
            ("grpc.max_reconnect_backoff_ms", 500),
        ]
        if self._credentials is None:
            channel = grpc.aio.insecure_channel(target, options=options)
        else:
            channel = grpc.aio.secure_channel(target, self._credentials, options=options)
        self._channels[broker_id] = (target, channel)
        if known is not None:
            await known[1].close()
        return channel
