"""How well a cluster is, as its clients see it: what `ottla status` and `ottla doctor` observe."""

from __future__ import annotations

import shutil
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ottla.client.admin import Admin
from ottla.client.configs import ConfigResource, ResourceKind
from ottla.client.model import OffsetSpec, TopicDescription
from ottla.core.errors import OttlaError
from ottla.local.cluster import LocalCluster
from ottla.local.doctor import AddressFacts, ClusterFacts, NodeFacts, PartitionFacts
from ottla.local.reachability import DialFailure

DIAL_SECONDS_MAX = 3.0
_EVERYWHERE = ("", "0.0.0.0", "::", "[::]")


def brokers_seen(address: str, timeout_seconds: float = 1.0) -> set[int]:
    """The brokers that the one at `address` tells its clients; empty when it does not answer."""
    try:
        with Admin(address, timeout_seconds=timeout_seconds) as admin:
            return {broker.broker_id for broker in admin.describe_cluster().brokers}
    except OttlaError:
        return set()


@dataclass(frozen=True, slots=True)
class BrokerRow:
    """One broker of the status: what it leads, and what is on it but not in sync."""

    broker_id: int
    address: str
    state: str
    """`up`, `stopped`, or `fenced` (runs, but is no member at the moment)."""
    controller: bool
    leads: int
    replicas: int
    out_of_sync: int
    http: str | None = None
    """``host:port`` of its health and metrics; None: it has none, or nobody can tell."""


@dataclass(frozen=True, slots=True)
class ClusterStatus:
    """A cluster at one moment. `records` counts what consumers may read, by topic."""

    cluster_id: str
    bootstrap: str
    controller_id: int | None
    brokers: tuple[BrokerRow, ...]
    topics: tuple[TopicDescription, ...]
    records: Mapping[str, int]
    taken_at: float

    def rates(self, earlier: ClusterStatus | None) -> dict[str, float]:
        """Records per second by topic since `earlier`."""
        if earlier is None or self.taken_at <= earlier.taken_at:
            return {}
        seconds = self.taken_at - earlier.taken_at
        return {
            topic: max(0.0, (count - earlier.records[topic]) / seconds)
            for topic, count in self.records.items()
            if topic in earlier.records
        }


def observe(
    admin: Admin, bootstrap: str, local: LocalCluster | None, *, internal: bool = False
) -> ClusterStatus:
    """Ask the cluster for everything that the status shows; OttlaError when it does not answer."""
    cluster = admin.describe_cluster()
    everything = admin.list_topics(internal=True)
    topics = [topic for topic in everything if internal or not topic.internal]
    addresses = {broker.broker_id: f"{broker.host}:{broker.port}" for broker in cluster.brokers}
    if local is not None:
        for node in local.plan.nodes:
            addresses.setdefault(node.node_id, f"127.0.0.1:{node.client_port}")
    running = None if local is None else set(local.running())
    members = {broker.broker_id for broker in cluster.brokers if not broker.fenced}
    partitions = [partition for topic in everything for partition in topic.partitions]
    if local is None:
        http = {b: _http_address(admin, b, addresses[b]) for b in members}
    else:
        http = {
            node.node_id: f"127.0.0.1:{node.http_port}" if node.http_port else None
            for node in local.plan.nodes
        }
    rows = []
    for broker_id in sorted(addresses):
        hosted = [p for p in partitions if broker_id in p.replicas]
        stopped = running is not None and broker_id not in running
        rows.append(
            BrokerRow(
                broker_id=broker_id,
                address=addresses[broker_id],
                state="stopped" if stopped else "up" if broker_id in members else "fenced",
                controller=broker_id == cluster.controller_id,
                leads=sum(p.leader_id == broker_id for p in partitions),
                replicas=len(hosted),
                out_of_sync=sum(broker_id not in p.isr for p in hosted),
                http=http.get(broker_id),
            )
        )
    return ClusterStatus(
        cluster_id=cluster.cluster_id,
        bootstrap=bootstrap,
        controller_id=cluster.controller_id,
        brokers=tuple(rows),
        topics=tuple(topics),
        records=_record_counts(admin, topics),
        taken_at=time.monotonic(),
    )


def _http_address(admin: Admin, broker_id: int, address: str) -> str | None:
    """From the settings of a broker that clients reach at `address`."""
    try:
        entries = admin.describe_configs(ConfigResource(ResourceKind.BROKER, str(broker_id)))
    except OttlaError:
        return None
    listener = next((entry.value for entry in entries if entry.name == "http.listener"), None)
    if not listener:
        return None
    host, _, port = listener.rpartition(":")
    # Bound to all addresses of its machine: the one that clients know is one of them.
    return f"{address.rpartition(':')[0]}:{port}" if host in _EVERYWHERE else listener


def _record_counts(admin: Admin, topics: Sequence[TopicDescription]) -> dict[str, int]:
    led = [
        (topic.name, partition.index)
        for topic in topics
        for partition in topic.partitions
        if partition.leader_id is not None
    ]
    if not led:
        return {topic.name: 0 for topic in topics}
    latest = admin.list_offsets(dict.fromkeys(led, OffsetSpec.LATEST))
    earliest = admin.list_offsets(dict.fromkeys(led, OffsetSpec.EARLIEST))
    counts = {topic.name: 0 for topic in topics}
    for name, index in led:
        end, start = latest[name, index].offset, earliest[name, index].offset
        counts[name] += (end or 0) - (start or 0)
    return counts


def observe_for_doctor(
    bootstrap: str, local: LocalCluster | None, ssl_context: ssl.SSLContext | None = None
) -> ClusterFacts:
    """Dial every address that is known or advertised, and note what came of it."""
    nodes: list[NodeFacts] = []
    known: dict[str, int | None] = dict.fromkeys(bootstrap.split(","))
    if local is not None:
        for node in local.plan.nodes:
            address = f"127.0.0.1:{node.client_port}"
            known[address] = node.node_id
            alive = local.process(node.node_id) is not None
            why = "" if alive else local.why_ended(node.node_id)
            nodes.append(NodeFacts(node.node_id, address, alive, why))
    advertised: dict[str, int] = {}
    dialled: dict[str, AddressFacts] = {}
    partitions: list[PartitionFacts] = []
    waiting = list(known)
    while waiting:
        address = waiting.pop(0)
        facts, found, described = _dial(address, ssl_context, with_topics=not partitions)
        dialled[address] = facts
        partitions = partitions or described
        for broker_id, where in found.items():
            advertised[where] = broker_id
            if where not in dialled and where not in waiting:
                waiting.append(where)
    by_id = {**known, **advertised}
    addresses = [
        AddressFacts(
            address=address,
            broker_id=by_id.get(address),
            error=facts.error,
            failure=facts.failure,
            brokers_seen=facts.brokers_seen,
            cluster_id=facts.cluster_id,
            controller_id=facts.controller_id,
        )
        for address, facts in dialled.items()
    ]
    folder = None if local is None else local.directory
    return ClusterFacts(
        nodes=nodes,
        addresses=addresses,
        partitions=partitions,
        data_folder=None if folder is None else str(folder),
        free_bytes=None if folder is None else _free_bytes(folder),
        asked=bootstrap.split(","),
    )


def _dial(
    address: str, ssl_context: ssl.SSLContext | None, *, with_topics: bool
) -> tuple[AddressFacts, dict[int, str], list[PartitionFacts]]:
    """What the broker at one address answers: itself, the addresses it knows, the partitions."""
    try:
        with Admin(address, timeout_seconds=DIAL_SECONDS_MAX, ssl_context=ssl_context) as admin:
            cluster = admin.describe_cluster()
            partitions = _partitions(admin) if with_topics else []
    except OttlaError as error:
        reason = _reason(str(error))
        return AddressFacts(address, None, error=reason, failure=failure_of(reason)), {}, []
    advertised = {broker.broker_id: f"{broker.host}:{broker.port}" for broker in cluster.brokers}
    facts = AddressFacts(
        address,
        None,
        brokers_seen=frozenset(b.broker_id for b in cluster.brokers if not b.fenced),
        cluster_id=cluster.cluster_id,
        controller_id=cluster.controller_id,
    )
    return facts, advertised, partitions


def _partitions(admin: Admin) -> list[PartitionFacts]:
    return [
        PartitionFacts(
            topic=topic.name,
            index=partition.index,
            leader_id=partition.leader_id,
            replicas=partition.replicas,
            isr=partition.isr,
            min_insync_replicas=minimum,
        )
        for topic in admin.list_topics(internal=True)
        for minimum in [_min_insync_replicas(admin, topic)]
        for partition in topic.partitions
    ]


def _min_insync_replicas(admin: Admin, topic: TopicDescription) -> int:
    if not any(partition.under_replicated for partition in topic.partitions):
        return 1  # met in any case; no need to ask
    for entry in admin.describe_configs(ConfigResource(ResourceKind.TOPIC, topic.name)):
        if entry.name == "min.insync.replicas" and entry.value:
            return int(entry.value)
    return 1


def _reason(text: str) -> str:
    """The part in parentheses of "no cluster answers at X (connection refused): …"."""
    opened, closed = text.find("("), text.find(")")
    return text[opened + 1 : closed] if 0 <= opened < closed else text


def failure_of(reason: str) -> DialFailure:
    """The kind of a failed dial, by the words that the client has for it."""
    match reason:
        case "the name does not resolve":
            return DialFailure.UNRESOLVED
        case "connection refused":
            return DialFailure.REFUSED
        case "the connection was closed" | "connection reset by peer":
            return DialFailure.CLOSED
        case "no route to host" | "network is unreachable":
            return DialFailure.SILENT
    return DialFailure.SILENT if reason.startswith("no answer within") else DialFailure.OTHER


def _free_bytes(folder: Path) -> int | None:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None
