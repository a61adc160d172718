"""All partitions of this broker: metadata in, leaders and followers out.

The replica manager opens a log for every partition that metadata gives this broker, tells each
partition what metadata says of it, keeps the follower streams, carries ISR changes to the
controller, and takes a failed log directory out of service. Deltas are applied in the call that
brings them, on the event loop; only logs that must be recovered first are opened in a thread
(replica_logs.py), and then take over the metadata of that moment.
"""

from __future__ import annotations

import asyncio
import logging
import random
import ssl
from collections.abc import Callable, Coroutine, Mapping
from itertools import count
from typing import TYPE_CHECKING

from broker.control.metadata_cache import MetadataCache, MetadataDelta
from broker.control.requests import ReplicaState
from broker.internal.server import GrpcServer
from broker.replication.follower_stream import FollowerStream
from broker.replication.follower_streams import FollowerStreams
from broker.replication.group_commit import GroupCommit
from broker.replication.isr import IsrChange
from broker.replication.isr_proposals import settle
from broker.replication.log_moves import LogMoves
from broker.replication.log_start_commit import LogStartCommit
from broker.replication.partition import Partition
from broker.replication.partition_machine import PartitionMachine, Role
from broker.replication.progress import BrokerView
from broker.replication.replica_health import ReplicaHealth
from broker.replication.replica_logs import PartitionKey, ReplicaLogs
from broker.replication.seams import (
    IsrController,
    LeadershipChange,
    view_of,
)
from broker.replication.service import ReplicationService
from broker.replication.settings import ReplicationSettings
from broker.replication.tail import TailBudget
from broker.replication.throttle import Throttle
from broker.replication.throttled_replicas import throttled_replicas
from broker.replication.traffic import TopicTraffic
from broker.replication.transport import Dial, call_dial
from controller.state import ALL_BROKERS, BROKER, TOPIC, PartitionMetadata, TopicMetadata
from ottla.core.clock import Clock
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.core.identifiers import Uuid
from ottla.core.tasks import start_in
from ottla.core.topic_configs import topic_defaults
from storage.config import LogConfig

if TYPE_CHECKING:
    from storage.log import Log
    from storage.manager import LogManager

logger = logging.getLogger(__name__)

TICK_MS_MAX = 1_000
REOPEN_MS = 5_000
"""How often a log is tried again for which the disk had no room."""


class ReplicaManager:
    """See the module. `tls` is for dialling internal listeners; None: plaintext. `dial` replaces
    it in tests. `replicas_changed` is set when `replica_states` may be others."""

    def __init__(
        self,
        log_manager: LogManager,
        metadata: MetadataCache,
        controller: IsrController,
        settings: ReplicationSettings,
        clock: Clock,
        *,
        tls: ssl.SSLContext | None = None,
        dial: Dial | None = None,
        rng: random.Random | None = None,
        replicas_changed: asyncio.Event | None = None,
    ) -> None:
        self.clock = clock
        self.tail_budget = TailBudget(settings.tail_bytes)
        self._logs = log_manager
        self._metadata = metadata
        self._controller = controller
        self._settings = settings
        self._dial = dial or call_dial(tls, settings)
        self._rng = rng or random.Random()
        self._partitions: dict[PartitionKey, Partition] = {}
        self._by_name: dict[tuple[str, int], Partition] = {}
        self._traffic: dict[Uuid, TopicTraffic] = {}
        self._brokers: dict[int, BrokerView] = {}
        self._streams = FollowerStreams(self._stream_to)
        self._requests = count(1)
        # Whose settings are the defaults of all topics here.
        self._default_resources = {(BROKER, ALL_BROKERS), (BROKER, str(settings.node_id))}
        self.throttle_in = Throttle(settings.throttled_rate_in)
        """What throttled replicas of this broker take, on all streams together."""
        self._replica_logs = ReplicaLogs(settings.node_id, log_manager, self, self._note_opened)
        self._replicas_changed = replicas_changed or asyncio.Event()
        self._health = ReplicaHealth(
            log_manager,
            self._replica_logs,
            self._partitions,
            self._streams,
            self._replicas_changed,
            self._note_all_failed,
        )
        self._listeners: list[Callable[[LeadershipChange], None]] = []
        self._group_commit = GroupCommit(self._flushed, log_manager.counts)
        self._throttle_moves = Throttle(settings.log_dirs_rate)
        self.log_moves = LogMoves(log_manager, self._partitions.get, self._throttle_moves, clock)
        self._log_starts = LogStartCommit(log_manager, self._log_start_saved)
        self._service = ReplicationService(self.partition_by_id, settings, clock)
        self._group: asyncio.TaskGroup | None = None
        self._all_failed: asyncio.Future[None] | None = None
        self.opened = asyncio.Event()
        """Set once the logs of all partitions are open that were this broker's when it registered:
        before that it could not serve what it is elected for."""

    # ---- what others ask

    @property
    def partitions(self) -> tuple[Partition, ...]:
        return tuple(self._partitions.values())

    @property
    def log_manager(self) -> LogManager:
        return self._logs

    @property
    def traffic(self) -> Mapping[Uuid, TopicTraffic]:
        """Of each topic that has, or had, partitions here."""
        return self._traffic

    def partition(self, topic: str, index: int) -> Partition:
        """UNKNOWN_TOPIC_OR_PARTITION, or NOT_LEADER_OR_FOLLOWER when other brokers have it."""
        found = self._by_name.get((topic, index))
        if found is not None:
            return found
        known = self._metadata.state.topic_named(topic)
        if known is None:
            raise ProtocolError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
        raise self._absent(known, index)

    def maybe_partition(self, topic: str, index: int) -> Partition | None:
        """None when it is not on this broker."""
        return self._by_name.get((topic, index))

    def partition_by_id(self, topic_id: Uuid, index: int) -> Partition:
        """UNKNOWN_TOPIC_ID, UNKNOWN_TOPIC_OR_PARTITION, NOT_LEADER_OR_FOLLOWER."""
        found = self._partitions.get((topic_id, index))
        if found is not None:
            return found
        known = self._metadata.state.topics.get(topic_id)
        if known is None:
            raise ProtocolError(ErrorCode.UNKNOWN_TOPIC_ID)
        raise self._absent(known, index)

    def replica_states(self) -> Mapping[PartitionKey, ReplicaState]:
        """The replicas of this broker that cannot serve, and why."""
        return self._health.states()

    def add_leadership_listener(self, listener: Callable[[LeadershipChange], None]) -> None:
        """Called on the loop for every change from now on, and at once for what is led already."""
        self._listeners.append(listener)
        for partition in self._partitions.values():
            if partition.is_leader:
                listener(partition.leadership(True))

    def set_throttled_rates(self, *, rate_out: int, rate_in: int) -> None:
        """Bytes a second that throttled replicas are sent, and take, from now on (KIP-73)."""
        self._service.throttle.set_rate(rate_out)
        self.throttle_in.set_rate(rate_in)

    def set_log_dirs_rate(self, rate: int) -> None:
        """Bytes a second that are copied from one log directory to another, from now on."""
        self._throttle_moves.set_rate(rate)

    def add_to_server(self, server: GrpcServer) -> None:
        """Register the leader's end of the streams on the internal listener's server."""
        self._service.add_to_server(server)

    @property
    def service(self) -> ReplicationService:
        return self._service

    async def run(self) -> None:
        """Serve until cancelled; OSError when the last log directory has failed."""
        self._all_failed = asyncio.get_running_loop().create_future()
        unsubscribe = self._metadata.subscribe(self._on_delta)
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                group.create_task(self._group_commit.run())
                group.create_task(self._replica_logs.run())
                group.create_task(self._log_starts.run())
                group.create_task(self.log_moves.run())
                group.create_task(self._tick())
                group.create_task(self._rename_strays())
                self._apply_all()
                self._note_opened()
                await self._all_failed
        finally:
            unsubscribe()
            self._group = None
            self._service.close()

    # ---- metadata

    def _on_delta(self, delta: MetadataDelta) -> None:
        if delta.snapshot:
            self._apply_all()
        else:
            self._apply_delta(delta)
        self._note_opened()

    def _apply_delta(self, delta: MetadataDelta) -> None:
        state = self._metadata.state
        if delta.brokers:
            self._apply_brokers()
        for topic_id in delta.deleted:
            self._remove_topic(topic_id)
        opened = 0
        for topic_id in delta.topics:
            topic = state.topics.get(topic_id)
            if topic is not None:
                opened += self._apply_topic(topic, self._settings.opens_on_loop_max - opened)
        if delta.configs.isdisjoint(self._default_resources):
            changed = [state.topic_named(name) for kind, name in delta.configs if kind == TOPIC]
        else:
            changed = [*state.topics.values()]
        for topic in changed:
            if topic is not None:
                self._apply_configs(topic)

    def _apply_all(self) -> None:
        """A snapshot: whatever it does not know is gone."""
        state = self._metadata.state
        self._apply_brokers()
        for topic_id in {key[0] for key in self._partitions}:
            if topic_id not in state.topics:
                self._remove_topic(topic_id)
        for topic in state.topics.values():
            self._apply_topic(topic, 0)
            self._apply_configs(topic)

    def _apply_brokers(self) -> None:
        before = self._brokers
        self._brokers = {
            broker_id: BrokerView(
                broker.broker_epoch, not (broker.fenced or broker.in_controlled_shutdown)
            )
            for broker_id, broker in self._metadata.state.brokers.items()
        }
        if self._brokers == before:
            return
        for partition in self._partitions.values():
            partition.brokers_changed(self._brokers)
        for broker_id, view in self._brokers.items():
            if view != before.get(broker_id):
                self._streams.redial(broker_id)

    def _apply_topic(self, topic: TopicMetadata, opens_max: int) -> int:
        """How many logs were opened, at most `opens_max`; further ones are queued."""
        opened = 0
        for info in topic.partitions:
            key = (topic.topic_id, info.index)
            partition = self._partitions.get(key)
            if self._settings.node_id not in info.replicas:
                if partition is not None:
                    self._remove(key, is_moved=True)
                continue
            if partition is None:
                if opened >= opens_max or self._replica_logs.is_queued(key):
                    self._replica_logs.queue(key)
                    continue
                opened += 1
                partition = self._add(topic, info.index, self._replica_logs.open(topic, info.index))
            self._apply_partition(partition, info)
        return opened

    def _apply_partition(self, partition: Partition, info: PartitionMetadata) -> None:
        partition.apply(view_of(info))
        self._route(partition)
        self._replica_logs.on_metadata(partition.topic, info)

    def _apply_configs(self, topic: TopicMetadata) -> None:
        log_config = self.log_config(topic)
        min_insync = self._metadata.state.min_insync_replicas(topic.name)
        own = self._metadata.state.configs.get((TOPIC, topic.name), {})
        for info in topic.partitions:
            partition = self._partitions.get((topic.topic_id, info.index))
            if partition is None:
                continue
            partition.throttled = throttled_replicas(own, info.index)
            if partition.log is not None and partition.log.config != log_config:
                partition.log.config = log_config
                if partition.flush_due:
                    partition.request_flush()
            if partition.machine.min_insync_replicas != min_insync:
                partition.set_min_insync_replicas(min_insync)

    # ---- logs (ReplicaHost)

    def log_config(self, topic: TopicMetadata) -> LogConfig:
        """What the topic sets, over what was set for brokers, over this node's own defaults."""
        state = self._metadata.state
        dynamic = topic_defaults(state.dynamic_broker_configs(self._settings.node_id))
        own = state.configs.get((TOPIC, topic.name), {})
        return LogConfig.from_topic_configs({**self._settings.topic_defaults, **dynamic, **own})

    def wanted(self, key: PartitionKey) -> TopicMetadata | None:
        info = self._metadata.state.partition(*key)
        if info is None or self._settings.node_id not in info.replicas:
            return None
        return self._metadata.state.topics.get(key[0])

    def take_up(self, topic: TopicMetadata, index: int, log: Log | None) -> None:
        self._apply_partition(self._add(topic, index, log), topic.partitions[index])
        self._replicas_changed.set()

    def let_go(self, key: PartitionKey) -> None:
        partition = self._partitions.pop(key, None)
        if partition is not None:
            if self._by_name.get((partition.topic, partition.index)) is partition:
                del self._by_name[partition.topic, partition.index]
            self._streams.unfollow(key)
            partition.go_offline()

    def _add(self, topic: TopicMetadata, index: int, log: Log | None) -> Partition:
        machine = PartitionMachine(
            self._settings.node_id,
            high_watermark=0 if log is None else self._logs.high_watermark(log),
            log_end_offset=0 if log is None else log.log_end_offset,
            min_insync_replicas=self._metadata.state.min_insync_replicas(topic.name),
            replica_lag_ms_max=self._settings.replica_lag_ms_max,
            brokers=self._brokers,
        )
        partition = Partition(
            topic.name,
            topic.topic_id,
            index,
            log,
            machine,
            self,
            internal=topic.internal,
            traffic=self._traffic.setdefault(topic.topic_id, TopicTraffic()),
        )
        own = self._metadata.state.configs.get((TOPIC, topic.name), {})
        partition.throttled = throttled_replicas(own, index)
        self._partitions[topic.topic_id, index] = partition
        self._by_name[topic.name, index] = partition
        return partition

    def _note_opened(self) -> None:
        us = self._brokers.get(self._settings.node_id)
        registered = us is not None and us.broker_epoch == self._controller.broker_epoch
        if registered and not self._replica_logs.waiting:
            self.opened.set()

    def _remove_topic(self, topic_id: Uuid) -> None:
        self._traffic.pop(topic_id, None)
        for key in [key for key in self._partitions if key[0] == topic_id]:
            self._remove(key, is_moved=False)

    def _remove(self, key: PartitionKey, *, is_moved: bool) -> None:
        """The partition is no longer this broker's: its folder is renamed, then deleted."""
        partition = self._partitions.pop(key)
        if self._by_name.get((partition.topic, partition.index)) is partition:
            del self._by_name[partition.topic, partition.index]
        self._streams.unfollow(key)
        self._replica_logs.forget(key)
        partition.retire(is_moved=is_moved)
        if partition.log is not None:
            try:
                self._logs.delete_log(*key)
            except (OSError, ProtocolError) as error:
                logger.error("cannot delete the log of %s-%d: %s", partition.topic, key[1], error)

    async def _rename_strays(self) -> None:
        """Once metadata has caught up, folders that it does not know are strays (rule 4)."""
        await self._controller.unfenced.wait()
        for folder in self._logs.stray_unknown(
            lambda topic_id, index: self.wanted((topic_id, index)) is not None
        ):
            logger.warning("%s belongs to no partition of this broker and was renamed", folder)

    # ---- streams

    def _route(self, partition: Partition) -> None:
        """Follow the partition's leader in its current epoch, or nobody."""
        if partition.machine.role is Role.FOLLOWER:
            self._streams.follow(partition)
        else:
            self._streams.unfollow((partition.topic_id, partition.index))

    def _stream_to(self, leader_id: int, catch_up: bool) -> FollowerStream:
        stream = FollowerStream(
            leader_id,
            address=lambda: self._address_of(leader_id),
            broker_epoch=lambda: self._controller.broker_epoch,
            dial=self._dial,
            settings=self._settings,
            clock=self.clock,
            rng=self._rng,
            requests=self._requests,
            elsewhere=self._streams.switch,
            catch_up=catch_up,
            throttle=self.throttle_in,
        )
        self._spawn(stream.run())
        return stream

    def _address_of(self, broker_id: int) -> tuple[str, int] | None:
        broker = self._metadata.state.brokers.get(broker_id)
        return None if broker is None else (broker.internal_host, broker.internal_port)

    # ---- what partitions ask (PartitionHost)

    def propose(self, partition: Partition, change: IsrChange) -> None:
        self._spawn(settle(partition, change, self._controller, self._rng))

    def leadership_changed(self, change: LeadershipChange) -> None:
        for listener in self._listeners:
            listener(change)

    def high_watermark_moved(self, partition: Partition) -> None:
        self._logs.note_high_watermark(
            partition.topic_id, partition.index, partition.machine.high_watermark
        )

    def request_flush(self, partition: Partition) -> None:
        self._group_commit.request(partition)

    def save_log_start(self, partition: Partition) -> None:
        self._log_starts.request(partition)

    def log_failed(self, partition: Partition) -> None:
        self._health.log_failed(partition)

    # ---- inside

    def _note_all_failed(self) -> None:
        failed = self._all_failed
        if failed is not None and not failed.done():
            failed.set_exception(OSError("every log directory is offline"))

    def _flushed(self, partition: Partition) -> None:
        partition.flushed()
        self._streams.note_flushed(partition)

    def _log_start_saved(self, partition: Partition, log_start: int) -> None:
        partition.run(partition.machine.on_log_start_saved(log_start))
        self._streams.note_log_start(partition)

    async def _tick(self) -> None:
        """The ISR shrink timer; also finds directories that failed or filled in the background."""
        interval_ms = min(self._settings.replica_lag_ms_max / 2, TICK_MS_MAX)
        reopen_at_ms = 0
        while True:
            await asyncio.sleep(interval_ms / 1000)
            self._health.look()
            if self.clock.now_ms() >= reopen_at_ms:
                reopen_at_ms = self.clock.now_ms() + REOPEN_MS
                self._replica_logs.try_full_again()
            for partition in [*self._partitions.values()]:
                if partition.is_leader:
                    partition.tick()

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        start_in(self._group, work)

    def _absent(self, topic: TopicMetadata, index: int) -> ProtocolError:
        if any(info.index == index for info in topic.partitions):
            return ProtocolError(ErrorCode.NOT_LEADER_OR_FOLLOWER)
        return ProtocolError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
