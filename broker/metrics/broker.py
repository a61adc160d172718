"""All metrics of a broker, room by room."""

from __future__ import annotations

from collections.abc import Iterator

from broker.broker_rooms import BrokerRooms
from broker.metrics.caps import LeftOut
from broker.metrics.coordinators import group_families, runtime_families, transaction_families
from broker.metrics.exposition import Family, gauge
from broker.metrics.network import network_families
from broker.metrics.replicas import replica_families, topic_families
from broker.metrics.storage import storage_families
from broker.metrics.telemetry import telemetry_families
from broker.network.listener import Server
from ottla.core.clock import Clock
from storage.manager import LogManager
from storage.work_counts import WorkCounts


def broker_families(
    rooms: BrokerRooms, logs: LogManager, server: Server, compaction: WorkCounts, clock: Clock
) -> Iterator[Family | None]:
    left_out = LeftOut()
    metadata = rooms.services.metadata
    yield gauge(
        "ottla_broker_unfenced",
        "1 while the broker is a member that the controller counts on.",
        int(rooms.client.unfenced.is_set()),
    )
    yield gauge(
        "ottla_metadata_applied_offset",
        "Offset in the metadata log up to which this broker knows it.",
        metadata.offset,
    )
    yield from network_families(server, rooms.quotas)
    yield from topic_families(rooms.replicas, lambda: metadata.state, left_out)
    yield from replica_families(rooms.replicas, left_out)
    yield from storage_families(logs, compaction)
    yield from runtime_families([rooms.groups.runtime, rooms.transactions.runtime])
    yield from group_families(rooms.groups, rooms.replicas, rooms.remote_ends, left_out)
    yield from transaction_families(rooms.transactions, clock)
    if rooms.telemetry is not None:
        yield from telemetry_families(rooms.telemetry, clock)
    yield from left_out.families()
