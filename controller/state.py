"""The state of the cluster: brokers, topics, partitions, configurations, producer ids.

Controllers keep it as the outcome of the metadata log; brokers keep it as their image of the
cluster. In both `replay` is the only mutator, and what it takes, a *record*, is the new value of
one thing as a whole. Records are never changed once made, so images may share them.

Invariants of every partition (tests/property/test_cluster_state.py checks them):
    leader_id is None or in isr; isr, elr and last_known_elr are disjoint parts of replicas
    isr members are registered, unfenced and not shutting down
    elr is empty when |isr| >= required_in_sync(min.insync.replicas)  (KIP-966)
    adding_replicas and removing_replicas are disjoint parts of replicas, not all of it; while there
    are any, not all other replicas are in the isr
    offline_replicas are in neither isr nor elr; full_replicas are in isr only if all of it is full
    leader_epoch never falls; partition_epoch rises with every change
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias, assert_never

from ottla.core.checks import check
from ottla.core.identifiers import Uuid

TOPIC: Final = "topic"
BROKER: Final = "broker"
"""Named by the broker's id in decimal; ALL_BROKERS is the default of all of them."""
GROUP: Final = "group"
CLIENT_METRICS: Final = "client-metrics"
"""Named by the subscription (KIP-714)."""
ALL_BROKERS: Final = ""
MIN_INSYNC_REPLICAS: Final = "min.insync.replicas"
UNCLEAN_LEADER_ELECTION: Final = "unclean.leader.election.enable"
PARTITIONS_PER_RECORD: Final = 1000
"""Of a larger topic several records tell; one fits into a gRPC message with room to spare."""
INTERNAL_TOPICS: Final = frozenset({"__consumer_offsets", "__transaction_state"})


QuotaEntity: TypeAlias = tuple[tuple[str, str | None], ...]
"""Whom a quota concerns: (type, name) in the order of the types, `USER` and `CLIENT_ID`; the name
None stands for all that have no quota of their own."""
USER: Final = "user"
CLIENT_ID: Final = "client-id"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where clients of one listener connect; `security_protocol` is PLAINTEXT or SSL."""

    name: str
    host: str
    port: int
    security_protocol: str


@dataclass(frozen=True, slots=True)
class BrokerRegistration:
    """One incarnation of a broker; also the record of it."""

    broker_id: int
    broker_epoch: int
    """Index in the metadata log of the registration: rises with every incarnation."""
    incarnation_id: Uuid
    endpoints: tuple[Endpoint, ...]
    internal_host: str
    internal_port: int
    rack: str | None
    fenced: bool
    in_controlled_shutdown: bool
    directory_ids: tuple[Uuid, ...]

    @property
    def active(self) -> bool:
        """May lead and be in sync."""
        return not (self.fenced or self.in_controlled_shutdown)


@dataclass(frozen=True, slots=True)
class LogEnd:
    """What one incarnation of a broker told of its log of a partition."""

    broker_id: int
    broker_epoch: int
    last_epoch: int
    """Leader epoch of the last batch, -1 for an empty log."""
    log_end_offset: int


@dataclass(frozen=True, slots=True)
class PartitionMetadata:
    """One partition; broker ids throughout."""

    topic_id: Uuid
    index: int
    replicas: tuple[int, ...]
    isr: tuple[int, ...]
    leader_id: int | None
    leader_epoch: int
    partition_epoch: int
    elr: tuple[int, ...] = ()
    """Not in sync, yet holding everything below the high watermark (KIP-966)."""
    last_known_elr: tuple[int, ...] = ()
    """Were in sync or eligible when the high watermark stood still, and may have lost data."""
    log_ends: tuple[LogEnd, ...] = ()
    """Reports of last-known members; only while isr and elr are empty."""
    offline_replicas: tuple[int, ...] = ()
    """Their brokers said that they cannot serve them: they may neither lead nor be in sync."""
    full_replicas: tuple[int, ...] = ()
    """Their brokers said that they take no appends: they lead only where all others are full."""
    adding_replicas: tuple[int, ...] = ()
    """While it is reassigned: the part of replicas that was not there before (KIP-455)."""
    removing_replicas: tuple[int, ...] = ()
    """While it is reassigned: the part of replicas that goes once all others are in sync."""

    @property
    def is_reassigning(self) -> bool:
        return bool(self.adding_replicas or self.removing_replicas)

    @property
    def original_replicas(self) -> tuple[int, ...]:
        """Those it had before it was reassigned."""
        return tuple(r for r in self.replicas if r not in self.adding_replicas)

    @property
    def target_replicas(self) -> tuple[int, ...]:
        """Those it will have."""
        return tuple(r for r in self.replicas if r not in self.removing_replicas)

    def required_in_sync(self, min_insync_replicas: int) -> int:
        """min(min.insync.replicas, replication factor), of which rule 6 speaks; until the end of a
        reassignment the factor is the one before it, so that a topic of one replica stays writable
        while it gets more."""
        return min(min_insync_replicas, len(self.replicas) - len(self.adding_replicas))


@dataclass(frozen=True, slots=True)
class BrokerUnregistered:
    """Record: the broker is not expected to come back."""

    broker_id: int


@dataclass(frozen=True, slots=True)
class TopicMetadata:
    """One topic; the partition at position i has index i."""

    name: str
    topic_id: Uuid
    partitions: tuple[PartitionMetadata, ...]
    internal: bool


@dataclass(frozen=True, slots=True)
class ClusterCreated:
    """Record: the identity of the cluster, once and for ever."""

    cluster_id: str


@dataclass(frozen=True, slots=True)
class ControllerInOffice:
    """Record: who acts from here on. The defaults are of the controller's own file and hold for
    topics that set none; they are part of the log, since elections depend on them."""

    controller_id: int
    controller_epoch: int
    default_min_insync_replicas: int
    default_unclean_election: bool = False

    def election_defaults(self) -> dict[str, str]:
        """By the settings' names for them."""
        return {
            MIN_INSYNC_REPLICAS: str(self.default_min_insync_replicas),
            UNCLEAN_LEADER_ELECTION: "true" if self.default_unclean_election else "false",
        }


@dataclass(frozen=True, slots=True)
class TopicCreated:
    """Record: a topic, still without partitions."""

    name: str
    topic_id: Uuid
    internal: bool


@dataclass(frozen=True, slots=True)
class TopicRemoved:
    """Record: the topic, its partitions and its configuration are gone."""

    topic_id: Uuid


@dataclass(frozen=True, slots=True)
class PartitionsChanged:
    """Record: partitions of one topic as they are from now on; new ones follow the last index."""

    topic_id: Uuid
    partitions: tuple[PartitionMetadata, ...]


@dataclass(frozen=True, slots=True)
class ConfigsChanged:
    """Record: the whole configuration of one resource; without values it is forgotten."""

    resource_type: str
    resource_name: str
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class FeatureChanged:
    """Record: the finalized level of a feature (controller/features.py)."""

    name: str
    level: int


@dataclass(frozen=True, slots=True)
class QuotasChanged:
    """Record: all quotas of one entity; without values it has none."""

    entity: QuotaEntity
    values: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class ProducerIdsAllocated:
    """Record: every producer id below is taken."""

    next_producer_id: int


Record: TypeAlias = (
    ClusterCreated
    | ControllerInOffice
    | BrokerRegistration
    | BrokerUnregistered
    | TopicCreated
    | TopicRemoved
    | PartitionsChanged
    | ConfigsChanged
    | ProducerIdsAllocated
    | QuotasChanged
    | FeatureChanged
)


class ClusterState:
    """See the module. Read by everyone, changed by `replay` alone."""

    __slots__ = (
        "brokers",
        "cluster_id",
        "configs",
        "controller_epoch",
        "controller_id",
        "default_min_insync_replicas",
        "default_unclean_election",
        "features",
        "next_producer_id",
        "quotas",
        "topic_ids",
        "topics",
    )

    def __init__(self) -> None:
        self.cluster_id = ""
        """Empty until the first controller took office."""
        self.controller_epoch = 0
        self.controller_id: int | None = None
        self.default_min_insync_replicas = 1
        self.default_unclean_election = False
        self.brokers: dict[int, BrokerRegistration] = {}
        self.topics: dict[Uuid, TopicMetadata] = {}
        self.topic_ids: dict[str, Uuid] = {}
        self.configs: dict[tuple[str, str], Mapping[str, str]] = {}
        """By (resource type, resource name): what was set, without defaults."""
        self.features: dict[str, int] = {}
        """Finalized levels that somebody chose, by name."""
        self.quotas: dict[QuotaEntity, Mapping[str, float]] = {}
        self.next_producer_id = 0

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ClusterState):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.__slots__)

    __hash__ = None  # type: ignore[assignment]  # it changes

    # ---- reading

    def topic_named(self, name: str) -> TopicMetadata | None:
        topic_id = self.topic_ids.get(name)
        return None if topic_id is None else self.topics[topic_id]

    def partition(self, topic_id: Uuid, index: int) -> PartitionMetadata | None:
        topic = self.topics.get(topic_id)
        if topic is None or not 0 <= index < len(topic.partitions):
            return None
        return topic.partitions[index]

    def is_active(self, broker_id: int) -> bool:
        """Registered, not fenced, not shutting down."""
        broker = self.brokers.get(broker_id)
        return broker is not None and broker.active

    def min_insync_replicas(self, topic_name: str) -> int:
        """Of the topic, else of all brokers, else of the controller in office."""
        value = self._own_or_of_all(topic_name, MIN_INSYNC_REPLICAS)
        return self.default_min_insync_replicas if value is None else int(value)

    def unclean_election_allowed(self, topic_name: str) -> bool:
        value = self._own_or_of_all(topic_name, UNCLEAN_LEADER_ELECTION)
        if value is None:
            return self.default_unclean_election
        return value.strip().lower() == "true"

    def _own_or_of_all(self, topic_name: str, name: str) -> str | None:
        own = self.configs.get((TOPIC, topic_name), {})
        return own.get(name, self.configs.get((BROKER, ALL_BROKERS), {}).get(name))

    def dynamic_broker_configs(self, broker_id: int) -> dict[str, str]:
        """What was set at run time for one broker, over what was set for all."""
        return {
            **self.configs.get((BROKER, ALL_BROKERS), {}),
            **self.configs.get((BROKER, str(broker_id)), {}),
        }

    def election_defaults(self) -> dict[str, str]:
        """What the controller's own file says, by the settings' names for it."""
        office = ControllerInOffice(
            0, 0, self.default_min_insync_replicas, self.default_unclean_election
        )
        return office.election_defaults()

    # ---- changing

    def replay(self, record: Record) -> None:
        """Apply one record. InvariantError for one that does not fit the state: our bug."""
        match record:
            case PartitionsChanged():
                self._replay_partitions(record)
            case BrokerRegistration():
                self.brokers[record.broker_id] = record
            case BrokerUnregistered():
                del self.brokers[record.broker_id]
            case TopicCreated():
                check(record.name not in self.topic_ids, "the topic exists", name=record.name)
                self.topics[record.topic_id] = TopicMetadata(
                    record.name, record.topic_id, (), record.internal
                )
                self.topic_ids[record.name] = record.topic_id
            case TopicRemoved():
                topic = self.topics.pop(record.topic_id)
                del self.topic_ids[topic.name]
                self.configs.pop((TOPIC, topic.name), None)
            case ConfigsChanged():
                key = (record.resource_type, record.resource_name)
                if record.values:
                    self.configs[key] = record.values
                else:
                    self.configs.pop(key, None)
            case FeatureChanged():
                self.features[record.name] = record.level
            case QuotasChanged():
                if record.values:
                    self.quotas[record.entity] = record.values
                else:
                    self.quotas.pop(record.entity, None)
            case ProducerIdsAllocated():
                self.next_producer_id = record.next_producer_id
            case ControllerInOffice():
                self.controller_id = record.controller_id
                self.controller_epoch = record.controller_epoch
                self.default_min_insync_replicas = record.default_min_insync_replicas
                self.default_unclean_election = record.default_unclean_election
            case ClusterCreated():
                self.cluster_id = record.cluster_id
            case _:
                assert_never(record)

    def _replay_partitions(self, record: PartitionsChanged) -> None:
        topic = self.topics[record.topic_id]
        partitions = list(topic.partitions)
        for partition in record.partitions:
            if partition.index < len(partitions):
                partitions[partition.index] = partition
            else:
                check(
                    partition.index == len(partitions),
                    "a new partition does not follow the last one",
                    topic=topic.name,
                    index=partition.index,
                )
                partitions.append(partition)
        self.topics[record.topic_id] = TopicMetadata(
            topic.name, topic.topic_id, tuple(partitions), topic.internal
        )

    def to_records(self) -> Iterator[Record]:
        """Records that make an equal state out of an empty one."""
        if self.cluster_id:
            yield ClusterCreated(self.cluster_id)
        if self.controller_id is not None:
            yield ControllerInOffice(
                self.controller_id,
                self.controller_epoch,
                self.default_min_insync_replicas,
                self.default_unclean_election,
            )
        yield from self.brokers.values()
        for topic in self.topics.values():
            yield TopicCreated(topic.name, topic.topic_id, topic.internal)
            for start in range(0, len(topic.partitions), PARTITIONS_PER_RECORD):
                some = topic.partitions[start : start + PARTITIONS_PER_RECORD]
                yield PartitionsChanged(topic.topic_id, some)
        for (resource_type, resource_name), values in self.configs.items():
            yield ConfigsChanged(resource_type, resource_name, values)
        for name, level in self.features.items():
            yield FeatureChanged(name, level)
        for entity, quotas in self.quotas.items():
            yield QuotasChanged(entity, quotas)
        if self.next_producer_id:
            yield ProducerIdsAllocated(self.next_producer_id)
