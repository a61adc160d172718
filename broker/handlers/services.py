"""What handlers work with: the rooms of the broker, put together by main."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from broker.handlers.departures import Departures
from broker.handlers.error_counts import ErrorCounts
from broker.handlers.fetch_sessions import FetchSessionCache
from broker.handlers.metadata_answers import MetadataAnswers
from broker.handlers.producer_ids import ProducerIds
from broker.handlers.topic_creation import TopicCreation

if TYPE_CHECKING:
    from broker.control.client import ControllerClient
    from broker.control.metadata_cache import MetadataCache
    from broker.groups.group_coordinator import GroupCoordinator
    from broker.handlers.peer_check import PeerCheck
    from broker.quotas.client_quotas import ClientQuotas
    from broker.replication.manager import ReplicaManager
    from broker.settings import NodeSettings
    from broker.telemetry.receiver import TelemetryReceiver
    from broker.transactions.admission import Admissions
    from broker.transactions.marker_writer import MarkerWriter
    from broker.transactions.seams import TransactionGate
    from broker.transactions.transaction_coordinator import TransactionCoordinator
    from ottla.core.clock import Clock


@dataclass(slots=True)
class BrokerServices:
    """One object for all handlers of a node; what has a default is optional, or the
    handlers' own state."""

    node_id: int
    cluster_id: str
    settings: NodeSettings
    clock: Clock
    metadata: MetadataCache
    controller: ControllerClient
    replicas: ReplicaManager
    groups: GroupCoordinator
    transactions: TransactionCoordinator
    transaction_gate: TransactionGate
    markers: MarkerWriter
    admissions: Admissions
    fetch_sessions: FetchSessionCache = field(
        default_factory=lambda: FetchSessionCache(random.SystemRandom())
    )
    errors: ErrorCounts = field(default_factory=ErrorCounts)
    departures: Departures = field(default_factory=Departures)
    quotas: ClientQuotas | None = None
    """None: nobody has any."""
    peers: PeerCheck | None = None
    """None: nobody is dialed before an answer names its leaders."""
    telemetry: TelemetryReceiver | None = None
    """None: this node shows no metrics, and so it takes none of clients."""
    metadata_answers: MetadataAnswers = field(default_factory=MetadataAnswers)
    producer_ids: ProducerIds = field(default_factory=ProducerIds)
    topic_creation: TopicCreation = field(default_factory=TopicCreation)
