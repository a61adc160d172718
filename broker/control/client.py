"""The broker's way to the active controller: registration, session, commands.

    find the active controller → register (once a process) → session → it ends → find …

A process registers once: when its session ends it goes on with the broker epoch that it has. When
another process has taken its id, it must not serve on, and `run` ends with an error.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Sequence
from typing import Final

import grpc

from broker.control.admin import TopicAdmin
from broker.control.commands import Commands
from broker.control.config_admin import ConfigAdmin
from broker.control.feature_admin import FeatureAdmin
from broker.control.isr_batches import IsrBatches
from broker.control.locator import ActiveController, Locator, OpenChannel, open_channel
from broker.control.log_end_reports import LogEndReports, LogPositions
from broker.control.metadata_cache import MetadataCache, MetadataDelta
from broker.control.partition_admin import PartitionAdmin
from broker.control.quota_admin import QuotaAdmin
from broker.control.replica_reports import ReplicaReports, ReplicaStates
from broker.control.requests import (
    BrokerIdentity,
    DirectoryReport,
    IsrProposal,
    LogPosition,
    NewPartitions,
    NewTopic,
    TopicResult,
)
from broker.control.session import ControlSession
from broker.control.settings import ControlSettings
from broker.control.voters import VoterAdmin
from controller.codec import endpoint_messages
from controller.generated import control_pb2
from controller.generated import metadata_pb2 as pb
from controller.state import PartitionMetadata
from controller.tasks import single_error
from ottla.core.clock import Clock
from ottla.core.errors import ConfigError, ErrorCode, ProtocolError
from ottla.core.identifiers import Uuid
from storage.directory import StopState

__all__ = [
    "BrokerIdentity",
    "ControllerClient",
    "DirectoryReport",
    "IsrProposal",
    "LogPosition",
    "NewPartitions",
    "NewTopic",
    "TopicResult",
]

logger = logging.getLogger(__name__)

REGISTER_MS: Final = 5_000
PRODUCER_IDS_MS: Final = 5_000
_STOP_STATES: Final = {
    StopState.CLEAN: pb.STOP_STATE_CLEAN,
    StopState.PROCESS_CRASH: pb.STOP_STATE_PROCESS_CRASH,
    StopState.UNCLEAN: pb.STOP_STATE_UNCLEAN,
}
_FATAL: Final = frozenset(
    {
        ErrorCode.STALE_BROKER_EPOCH,
        ErrorCode.INCONSISTENT_CLUSTER_ID,
        ErrorCode.INVALID_REGISTRATION,
    }
)


class ControllerClient:
    """See the module.

    `ready` is set when this broker can serve clients; until then it stays fenced. `log_positions`
    tells where logs end, when the controller asks. `replica_states` tells which replicas cannot
    serve; `replicas_changed` is set when that has changed. `channels` replaces gRPC in tests.
    """

    def __init__(
        self,
        identity: BrokerIdentity,
        cache: MetadataCache,
        settings: ControlSettings,
        clock: Clock,
        *,
        credentials: grpc.ChannelCredentials | None = None,
        ready: asyncio.Event | None = None,
        log_positions: LogPositions | None = None,
        replica_states: ReplicaStates | None = None,
        replicas_changed: asyncio.Event | None = None,
        rng: random.Random | None = None,
        channels: OpenChannel | None = None,
    ) -> None:
        rng = rng or random.SystemRandom()
        self.broker_epoch: int | None = None
        self.registered = asyncio.Event()
        self.unfenced = asyncio.Event()
        """Set while this incarnation is unfenced in the metadata that is applied here."""
        self._identity = identity
        self._cache = cache
        self._settings = settings
        self._ready = ready
        self._session: ControlSession | None = None
        self._locator = Locator(
            identity.cluster_id, settings, channels or open_channel(credentials), rng
        )
        self._commands = Commands(identity.cluster_id, settings, clock, rng)
        self._admin = TopicAdmin(
            identity.broker_id, self._commands, cache, settings.topic_defaults, rng
        )
        self.configs = ConfigAdmin(self._commands, cache, settings.topic_defaults)
        self.quotas = QuotaAdmin(self._commands, cache)
        self.features = FeatureAdmin(self._commands, cache)
        self.partitions = PartitionAdmin(self._commands, cache)
        self.voters = VoterAdmin(self._commands, identity.cluster_id, clock)
        self._isr = IsrBatches(cache, self._send_isr)
        self._log_ends = LogEndReports(
            identity.broker_id, cache, log_positions or _no_positions, self._send_log_ends
        )
        self._replicas = ReplicaReports(
            identity.broker_id,
            cache,
            replica_states or dict,
            replicas_changed or asyncio.Event(),
            self._send_replica_states,
        )
        cache.subscribe(self._on_delta)

    @property
    def caught_up(self) -> bool:
        """Whether a session with the active controller keeps the metadata up to date."""
        return self._session is not None and self._session.caught_up

    # ---- running

    async def run(self) -> None:
        """Until cancelled. ConfigError when this node cannot belong to the cluster, or another
        process has taken its id."""
        try:
            with single_error():
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._connect())
                    group.create_task(self._isr.run())
                    group.create_task(self._log_ends.run())
                    group.create_task(self._replicas.run())
                    group.create_task(self._announce_ready())
        finally:
            self._commands.set_controller(None)
            await self._locator.close()

    async def _connect(self) -> None:
        while True:
            controller = await self._locator.find(self._cache.controller_epoch)
            self._commands.set_controller(controller)
            try:
                if self.broker_epoch is None:
                    await self._register()
                why = await self._run_session(controller)
            except ProtocolError as error:
                why = error
            finally:
                self._commands.set_controller(None)
            if why.code in _FATAL:
                raise ConfigError(why.message or str(why))
            logger.info(
                "session with controller %d at %s ended: %s",
                controller.node_id,
                controller.address,
                why,
            )
            await asyncio.sleep(self._locator.pause_s())

    async def _register(self) -> None:
        identity = self._identity
        command = pb.Command(
            register_broker=pb.RegisterBroker(
                broker_id=identity.broker_id,
                incarnation_id=identity.incarnation_id,
                cluster_id=identity.cluster_id,
                endpoints=endpoint_messages(identity.endpoints),
                internal_host=identity.internal_host,
                internal_port=identity.internal_port,
                rack=identity.rack,
                directories=[
                    pb.DirectoryReport(
                        directory_id=directory.directory_id,
                        stop_state=_STOP_STATES[directory.stop_state],
                        broker_epoch=directory.last_broker_epoch,
                    )
                    for directory in identity.directories
                ],
            )
        )
        answer = await self._commands.execute(command, REGISTER_MS, wait_for_brokers=False)
        self.broker_epoch = answer.result.broker_epoch
        logger.info("registered as broker %d, epoch %d", identity.broker_id, self.broker_epoch)
        self.registered.set()

    async def _run_session(self, controller: ActiveController) -> ProtocolError:
        logger.info("session with controller %d at %s", controller.node_id, controller.address)
        self._session = ControlSession(
            controller,
            self._cache,
            cluster_id=self._identity.cluster_id,
            broker_id=self._identity.broker_id,
            broker_epoch=self._epoch(),
            heartbeat_ms=self._settings.heartbeat_ms,
            silence_ms=self._settings.silence_ms,
            is_ready=lambda: self._ready is None or self._ready.is_set(),
        )
        try:
            return await self._session.run()
        finally:
            self._session = None

    async def _announce_ready(self) -> None:
        if self._ready is not None:
            await self._ready.wait()
            if self._session is not None:
                self._session.beat()

    def _on_delta(self, delta: MetadataDelta) -> None:
        if self._identity.broker_id not in delta.brokers:
            return
        us = self._cache.state.brokers.get(self._identity.broker_id)
        if us is not None and us.broker_epoch == self.broker_epoch and not us.fenced:
            self.unfenced.set()
        else:
            self.unfenced.clear()

    def _epoch(self) -> int:
        """Our broker epoch; REQUEST_TIMED_OUT before there is one."""
        if self.broker_epoch is None:
            raise ProtocolError(
                ErrorCode.REQUEST_TIMED_OUT, "this broker is not registered yet; try again"
            )
        return self.broker_epoch

    # ---- replication

    async def alter_partition(self, proposal: IsrProposal) -> PartitionMetadata:
        """The partition with its new ISR. ProtocolError: INVALID_UPDATE_VERSION,
        INELIGIBLE_REPLICA, FENCED_LEADER_EPOCH, STALE_BROKER_EPOCH, UNKNOWN_TOPIC_ID, … changed
        nothing; after REQUEST_TIMED_OUT it is open what became of it."""
        return await self._isr.alter(proposal)

    async def _send_isr(self, batch: pb.AlterPartitions) -> control_pb2.ExecuteResponse:
        batch.broker_id = self._identity.broker_id
        batch.broker_epoch = self._epoch()
        answer = await self._commands.execute(
            pb.Command(alter_partitions=batch),
            self._settings.alter_partitions_ms,
            wait_for_brokers=False,
        )
        return answer.response

    async def _send_log_ends(self, report: pb.ReportLogEnds) -> None:
        report.broker_id = self._identity.broker_id
        report.broker_epoch = self._epoch()
        await self._commands.execute(
            pb.Command(report_log_ends=report),
            self._settings.alter_partitions_ms,
            wait_for_brokers=False,
        )

    async def _send_replica_states(self, report: pb.ReportReplicas) -> control_pb2.ExecuteResponse:
        report.broker_id = self._identity.broker_id
        report.broker_epoch = self._epoch()
        answer = await self._commands.execute(
            pb.Command(report_replicas=report),
            self._settings.alter_partitions_ms,
            wait_for_brokers=False,
        )
        return answer.response

    # ---- administration

    async def create_topics(
        self, topics: Sequence[NewTopic], *, validate_only: bool = False, timeout_ms: int
    ) -> list[TopicResult]:
        """One result per topic, each with a code of its own; ProtocolError REQUEST_TIMED_OUT when
        no controller answered."""
        return await self._admin.create_topics(
            topics, validate_only=validate_only, timeout_ms=timeout_ms
        )

    async def delete_topics(
        self, names: Sequence[str | Uuid], timeout_ms: int
    ) -> list[TopicResult]:
        """By name or topic id; results in the order of `names`."""
        return await self._admin.delete_topics(names, timeout_ms)

    async def create_partitions(
        self, topics: Sequence[NewPartitions], *, validate_only: bool = False, timeout_ms: int
    ) -> list[TopicResult]:
        return await self._admin.create_partitions(
            topics, validate_only=validate_only, timeout_ms=timeout_ms
        )

    async def allocate_producer_ids(self) -> tuple[int, int]:
        """(first, count) of a block that is this broker's alone."""
        command = pb.Command(
            allocate_producer_ids=pb.AllocateProducerIds(
                broker_id=self._identity.broker_id, broker_epoch=self._epoch()
            )
        )
        answer = await self._commands.execute(command, PRODUCER_IDS_MS, wait_for_brokers=False)
        return answer.result.first_producer_id, answer.result.producer_id_count

    async def controlled_shutdown(self, timeout_ms: int) -> bool:
        """Others lead what this broker led, and know it. Never raises: without a controller the
        broker stops all the same (SAFETY.md, rule 14); False then, after `timeout_ms` at most."""
        if self.broker_epoch is None:
            return True  # it never led anything
        command = pb.Command(
            shut_down_broker=pb.ShutDownBroker(
                broker_id=self._identity.broker_id, broker_epoch=self.broker_epoch
            )
        )
        try:
            async with asyncio.timeout(timeout_ms / 1000):
                answer = await self._commands.execute(command, timeout_ms, wait_for_brokers=True)
                await self._cache.wait_offset(answer.offset, timeout_ms)
        except (ProtocolError, TimeoutError) as error:
            logger.warning("leaderships were not handed over before the stop: %s", error)
            return False
        return True


def _no_positions(wanted: Sequence[tuple[Uuid, int]]) -> Sequence[LogPosition]:
    return ()
