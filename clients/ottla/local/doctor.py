"""What is wrong with a cluster, in one sentence each, and how to mend it. Pure.

`diagnose` is given what was observed, from the files of a local cluster and from asking every
broker at every address that it advertises.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ottla.local.reachability import DialFailure, explain_advertised, explain_given

FREE_BYTES_LOW = 1 << 30


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """One node of a local cluster."""

    node_id: int
    address: str
    process_alive: bool
    why_ended: str = ""


@dataclass(frozen=True, slots=True)
class AddressFacts:
    """One address where clients are sent, and what came of dialling it."""

    address: str
    broker_id: int | None
    """The broker that advertises it; None for an address given by the user."""
    error: str | None = None
    failure: DialFailure = DialFailure.OTHER
    """What kind of error it is."""
    brokers_seen: frozenset[int] = frozenset()
    cluster_id: str | None = None
    controller_id: int | None = None


@dataclass(frozen=True, slots=True)
class PartitionFacts:
    """One partition as the cluster describes it."""

    topic: str
    index: int
    leader_id: int | None
    replicas: tuple[int, ...]
    isr: tuple[int, ...]
    min_insync_replicas: int = 1


@dataclass(frozen=True, slots=True)
class ClusterFacts:
    """Everything observed."""

    nodes: Sequence[NodeFacts] = ()
    addresses: Sequence[AddressFacts] = ()
    partitions: Sequence[PartitionFacts] = ()
    data_folder: str | None = None
    free_bytes: int | None = None
    asked: Sequence[str] = ()
    """The addresses that the user gave."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, and the remedy."""

    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.problem}; {self.remedy}"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Findings, the worst first; empty when all is well."""

    findings: list[Finding] = field(default_factory=list)

    @property
    def healthy(self) -> bool:
        return not self.findings


def diagnose(facts: ClusterFacts) -> Diagnosis:
    """All findings, causes before their consequences."""
    findings = [*_nodes(facts), *_addresses(facts)]
    if any(address.error is None for address in facts.addresses):
        findings += [*_views(facts), *_partitions(facts)]
    findings += _disk(facts)
    return Diagnosis(findings)


def _nodes(facts: ClusterFacts) -> Iterator[Finding]:
    if facts.nodes and not any(node.process_alive for node in facts.nodes):
        yield Finding("the cluster is stopped", "start it with 'ottla up'")
        return
    for node in facts.nodes:
        if not node.process_alive:
            yield Finding(
                node.why_ended or f"node {node.node_id} does not run",
                "start it again with 'ottla up --detach'; its data is kept",
            )


def _addresses(facts: ClusterFacts) -> Iterator[Finding]:
    alive = {node.address for node in facts.nodes if node.process_alive}
    stopped = {node.address for node in facts.nodes} - alive
    for address in facts.addresses:
        if address.error is None or address.address in stopped:
            continue
        explained = None
        if address.address not in alive:
            explained = (
                explain_given(address.address, address.failure)
                if address.broker_id is None
                else explain_advertised(
                    address.broker_id, address.address, address.failure, facts.asked
                )
            )
        if explained is not None:
            yield Finding(*explained)
        else:
            who = (
                f"broker {address.broker_id} advertises {address.address}, which"
                if address.broker_id is not None
                else address.address
            )
            remedy = (
                "the process lives but does not serve: 'ottla logs' says why"
                if address.address in alive
                else "start the broker, or correct its advertised.listeners"
            )
            yield Finding(f"{who} does not answer ({address.error})", remedy)


def _views(facts: ClusterFacts) -> Iterator[Finding]:
    answering = [address for address in facts.addresses if address.error is None]
    clusters = {address.cluster_id for address in answering if address.cluster_id}
    if len(clusters) > 1:
        yield Finding(
            f"the addresses belong to {len(clusters)} clusters ({', '.join(sorted(clusters))})",
            "name the brokers of one cluster with --bootstrap",
        )
        return
    if all(address.controller_id is None for address in answering):
        yield Finding(
            "no broker knows an active controller, so nothing can be created or elected",
            "start the controllers again: a majority of them must run",
        )
    everyone = frozenset().union(*(address.brokers_seen for address in answering))
    for address in answering:
        unseen = everyone - address.brokers_seen
        if unseen:
            yield Finding(
                f"{address.address} does not see broker {', '.join(map(str, sorted(unseen)))}",
                "its metadata lags: wait a few seconds; if it stays so, restart that broker",
            )
    alive = {node.node_id for node in facts.nodes if node.process_alive}
    for node_id in sorted(alive - everyone):
        yield Finding(
            f"node {node_id} runs but is not part of the cluster yet",
            f"wait a few seconds; if it stays so, 'ottla logs {node_id}' says why",
        )


def _partitions(facts: ClusterFacts) -> Iterator[Finding]:
    offline = [p for p in facts.partitions if p.leader_id is None]
    if offline:
        members = sorted({replica for p in offline for replica in (p.isr or p.replicas)})
        yield Finding(
            f"{_named(offline)} without a leader",
            f"start broker {' or '.join(map(str, members))}, which has the data",
        )
    under_min = [
        p for p in facts.partitions if p.leader_id is not None and len(p.isr) < _minimum(p)
    ]
    if under_min:
        yield Finding(
            f"{_named(under_min)} with fewer in-sync replicas than min.insync.replicas, so "
            "acks=all is refused",
            f"start {_missing(under_min)}",
        )
    behind = [
        p
        for p in facts.partitions
        if p.leader_id is not None and _minimum(p) <= len(p.isr) < len(p.replicas)
    ]
    if behind:
        yield Finding(
            f"{_named(behind)} with a replica that is not in sync",
            f"if it does not catch up by itself, look at {_missing(behind)}",
        )


def _minimum(partition: PartitionFacts) -> int:
    return min(partition.min_insync_replicas, len(partition.replicas))


def _missing(partitions: Sequence[PartitionFacts]) -> str:
    members = sorted({r for p in partitions for r in p.replicas if r not in p.isr})
    return f"broker {', '.join(map(str, members))}"


def _named(partitions: Sequence[PartitionFacts]) -> str:
    first = ", ".join(f"{p.topic}-{p.index}" for p in partitions[:3])
    count = len(partitions)
    noun = "partition is" if count == 1 else "partitions are"
    return f"{count} {noun} ({first}{', …' if count > 3 else ''})"


def _disk(facts: ClusterFacts) -> Iterator[Finding]:
    if facts.free_bytes is not None and facts.free_bytes < FREE_BYTES_LOW:
        yield Finding(
            f"only {facts.free_bytes >> 20} MiB are free where {facts.data_folder} lies",
            "free space, or delete topics and shorten retention.ms",
        )
