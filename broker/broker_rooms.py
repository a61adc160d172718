"""The rooms of a broker, put together: which room knows which."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

from broker.control.client import ControllerClient
from broker.control.metadata_cache import MetadataCache
from broker.control.requests import BrokerIdentity, DirectoryReport, LogPosition
from broker.control.settings import ControlSettings
from broker.groups.group_coordinator import GroupCoordinator
from broker.groups.settings import GroupSettings
from broker.handlers.departures import Departures
from broker.handlers.fetch_sessions import FetchSessionCache
from broker.handlers.peer_check import DIAL_MS_MAX, PeerCheck
from broker.handlers.producer_ids import ProducerIds
from broker.handlers.services import BrokerServices
from broker.internal.channels import InternalChannels
from broker.internal.tls import channel_credentials, dialling_context
from broker.live_settings import LiveSettings
from broker.metrics.high_watermark_service import HighWatermarkService
from broker.metrics.remote_ends import RemoteEnds
from broker.quotas.client_quotas import ClientQuotas
from broker.replication.manager import ReplicaManager
from broker.replication.settings import ReplicationSettings
from broker.settings import NodeSettings
from broker.telemetry.receiver import TelemetryReceiver
from broker.transactions.admission import Admissions
from broker.transactions.channel import TransactionChannel
from broker.transactions.marker_writer import MarkerWriter
from broker.transactions.service import TransactionService
from broker.transactions.settings import TransactionSettings
from broker.transactions.transaction_coordinator import TransactionCoordinator
from controller.fencing import refuses
from controller.state import Endpoint
from ottla.core.clock import SystemClock
from ottla.core.errors import ProtocolError
from ottla.core.identifiers import Uuid, random_uuid
from ottla.core.topic_configs import topic_defaults
from storage.compaction.compactor import Compactor
from storage.manager import LogManager
from storage.vfs import OsVfs


class BrokerRooms:
    """Everything of a broker but its logs, metadata and clock, which it is given."""

    def __init__(
        self, settings: NodeSettings, logs: LogManager, cache: MetadataCache, clock: SystemClock
    ) -> None:
        defaults = topic_defaults(settings.topic_defaults)
        credentials = channel_credentials(settings)
        departures = Departures()
        self.live_settings = LiveSettings(settings, cache)
        self.quotas = ClientQuotas(
            cache,
            clock,
            windows=settings.quota_window_num,
            window_ms=settings.quota_window_size_seconds * 1_000,
            mutation_burst_seconds=settings.controller_quota_window_num
            * settings.controller_quota_window_size_seconds,
        )
        self.telemetry = (
            None
            if settings.http_address() is None
            else TelemetryReceiver(cache, clock, bytes_max=settings.telemetry_max_bytes)
        )
        self.ready = asyncio.Event()
        self._logs = logs
        replicas_changed = asyncio.Event()
        cache.subscribe(
            lambda delta: departures.note_metadata(cache.state, delta.brokers, clock.now_ms())
        )
        self.client = ControllerClient(
            _identity(settings, logs),
            cache,
            ControlSettings(
                tuple(str(address) for address in settings.controllers()),
                heartbeat_ms=settings.broker_heartbeat_interval_ms,
                topic_defaults=defaults,
            ),
            clock,
            credentials=credentials,
            ready=self.ready,
            log_positions=self._log_positions,
            replica_states=lambda: self.replicas.replica_states(),
            replicas_changed=replicas_changed,
        )
        self.replicas = ReplicaManager(
            logs,
            cache,
            self.client,
            ReplicationSettings(
                settings.node_id,
                settings.cluster_id,
                replica_lag_ms_max=settings.replica_lag_time_max_ms,
                topic_defaults=defaults,
                throttled_rate_out=settings.leader_replication_throttled_rate,
                throttled_rate_in=settings.follower_replication_throttled_rate,
                log_dirs_rate=settings.replica_alter_log_dirs_io_max_bytes_per_second,
            ),
            clock,
            tls=dialling_context(settings),
            replicas_changed=replicas_changed,
        )
        self.groups = GroupCoordinator(
            self.replicas, cache, self.client, _group_settings(settings), clock
        )
        markers = MarkerWriter(self.replicas, self.groups)
        self.channels = InternalChannels(cache, credentials)
        self.channel = TransactionChannel(
            settings.node_id, settings.cluster_id, markers, self.channels
        )
        self.remote_ends = RemoteEnds(settings.node_id, settings.cluster_id, cache, self.channels)
        self.high_watermarks = HighWatermarkService(
            settings.node_id, settings.cluster_id, self.replicas
        )
        producer_ids = ProducerIds()
        self.transactions = TransactionCoordinator(
            self.replicas,
            cache,
            self.client,
            lambda: producer_ids.take(self.client.allocate_producer_ids),
            self.channel,
            _transaction_settings(settings),
            clock,
        )
        self.channel.coordinator = self.transactions
        self.transaction_service = TransactionService(
            settings.node_id, settings.cluster_id, markers, self.transactions
        )
        self.services = BrokerServices(
            node_id=settings.node_id,
            cluster_id=settings.cluster_id,
            settings=settings,
            clock=clock,
            metadata=cache,
            controller=self.client,
            replicas=self.replicas,
            groups=self.groups,
            transactions=self.transactions,
            transaction_gate=self.channel,
            markers=markers,
            admissions=Admissions(
                self.channel, verifies=settings.transaction_partition_verification_enable
            ),
            producer_ids=producer_ids,
            quotas=self.quotas,
            telemetry=self.telemetry,
            departures=departures,
            peers=PeerCheck(settings.node_id, cache, departures, refuses(DIAL_MS_MAX), clock),
            fetch_sessions=FetchSessionCache(
                random.SystemRandom(),
                sessions_max=settings.max_incremental_fetch_session_cache_slots,
            ),
        )

        self.live_settings.subscribe(self._apply_settings)

    def _apply_settings(self, settings: NodeSettings) -> None:
        """What was changed at run time and is not a default of topics."""
        self.replicas.set_throttled_rates(
            rate_out=settings.leader_replication_throttled_rate,
            rate_in=settings.follower_replication_throttled_rate,
        )
        self.replicas.set_log_dirs_rate(settings.replica_alter_log_dirs_io_max_bytes_per_second)
        self.services.admissions.verifies = settings.transaction_partition_verification_enable
        self._logs.producer_expiration_ms = settings.producer_id_expiration_ms

    def _log_positions(self, partitions: Sequence[tuple[Uuid, int]]) -> list[LogPosition]:
        """Where the named logs end, of those that are open and on a working disk."""
        positions = []
        for topic_id, index in partitions:
            try:
                log = self.replicas.partition_by_id(topic_id, index).usable_log
            except ProtocolError:
                continue
            epoch = -1 if log.last_epoch is None else log.last_epoch
            positions.append(LogPosition(topic_id, index, epoch, log.log_end_offset))
        return positions


def compactor(
    settings: NodeSettings, logs: LogManager, vfs: OsVfs, clock: SystemClock
) -> Compactor:
    """The background compaction of this broker's logs."""
    return Compactor(
        logs,
        vfs,
        clock,
        backoff_ms=settings.log_cleaner_backoff_ms,
        dedupe_buffer_bytes=settings.log_cleaner_dedupe_buffer_size,
    )


def _identity(settings: NodeSettings, logs: LogManager) -> BrokerIdentity:
    internal = settings.advertised_internal_address()
    return BrokerIdentity(
        cluster_id=settings.cluster_id,
        broker_id=settings.node_id,
        incarnation_id=random_uuid(random.SystemRandom()),
        endpoints=tuple(
            Endpoint(
                listener.name,
                listener.address.host,
                listener.address.port,
                listener.security_protocol,
            )
            for listener in settings.advertised()
        ),
        internal_host=internal.host,
        internal_port=internal.port,
        rack=settings.broker_rack,
        directories=tuple(
            DirectoryReport(
                directory.directory_id, directory.stop_state, directory.last_broker_epoch
            )
            for directory in logs.directories
            if not directory.offline
        ),
    )


def _group_settings(settings: NodeSettings) -> GroupSettings:
    return GroupSettings(
        initial_rebalance_delay_ms=settings.group_initial_rebalance_delay_ms,
        min_session_timeout_ms=settings.group_min_session_timeout_ms,
        max_session_timeout_ms=settings.group_max_session_timeout_ms,
        max_size=settings.group_max_size,
        consumer_session_timeout_ms=settings.group_consumer_session_timeout_ms,
        consumer_heartbeat_interval_ms=settings.group_consumer_heartbeat_interval_ms,
        consumer_max_size=settings.group_consumer_max_size,
        consumer_assignors=settings.group_consumer_assignors,
        consumer_migration_policy=settings.group_consumer_migration_policy,
        offsets_retention_ms=settings.offsets_retention_minutes * 60_000,
        offsets_retention_check_interval_ms=settings.offsets_retention_check_interval_ms,
        offset_metadata_max_bytes=settings.offset_metadata_max_bytes,
        offsets_topic_num_partitions=settings.offsets_topic_num_partitions,
        offsets_topic_replication_factor=settings.offsets_topic_replication_factor,
    )


def _transaction_settings(settings: NodeSettings) -> TransactionSettings:
    return TransactionSettings(
        timeout_ms_max=settings.transaction_max_timeout_ms,
        id_expiration_ms=settings.transactional_id_expiration_ms,
        topic_num_partitions=settings.transaction_state_log_num_partitions,
        topic_replication_factor=settings.transaction_state_log_replication_factor,
    )
