"""The plan of a local cluster: which nodes, which ports, which settings. Pure.

A cluster of one or two brokers has a quorum of one controller, a larger one of three; the other
nodes are brokers alone. Its defaults make the promise of durability true as far as the number of
brokers allows: replication factor min(3, brokers), two in-sync replicas from three brokers on.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ottla.core.errors import ConfigError

PLAN_VERSION = 1
BROKERS_MAX = 99
INTERNAL_PORT_DISTANCE = 10_000
RAFT_PORT_DISTANCE = 20_000
HTTP_PORT_DISTANCE = 1_000
PORTS_PER_NODE = 4

SettingValue = str | int | bool


@dataclass(frozen=True, slots=True)
class NodePlan:
    """One process: its id and its loopback ports; without an HTTP port it has no such listener."""

    node_id: int
    client_port: int
    internal_port: int
    raft_port: int
    http_port: int | None = None

    @property
    def ports(self) -> tuple[int, ...]:
        always = (self.client_port, self.internal_port, self.raft_port)
        return always if self.http_port is None else (*always, self.http_port)


@dataclass(frozen=True, slots=True)
class ClusterPlan:
    """All nodes of a local cluster and the settings that they share.

    In a setting's text `{node.id}` stands for the id of the node.
    """

    cluster_id: str
    nodes: tuple[NodePlan, ...]
    settings: Mapping[str, SettingValue] = field(default_factory=dict)

    @property
    def voters(self) -> tuple[NodePlan, ...]:
        return self.nodes[: voter_count(len(self.nodes))]

    @property
    def bootstrap(self) -> str:
        return ",".join(f"127.0.0.1:{node.client_port}" for node in self.nodes)

    def node(self, node_id: int) -> NodePlan:
        for node in self.nodes:
            if node.node_id == node_id:
                return node
        known = ", ".join(str(node.node_id) for node in self.nodes)
        raise ConfigError(f"there is no node {node_id}; the cluster has {known}")

    def node_settings(self, node: NodePlan, folder: Path) -> dict[str, Any]:
        """The settings file of one node, as names and values."""
        voter = node in self.voters
        values: dict[str, Any] = {
            "node.id": node.node_id,
            "cluster.id": self.cluster_id,
            "process.roles": ["broker", "controller"] if voter else ["broker"],
            "log.dirs": [str(folder / "log")],
            "metadata.log.dir": str(folder / "metadata"),
            "listeners": [f"PLAINTEXT://127.0.0.1:{node.client_port}"],
            "internal.listener": f"127.0.0.1:{node.internal_port}",
            "raft.listener": f"127.0.0.1:{node.raft_port}",
            "controller.quorum.voters": [
                f"{voter.node_id}@127.0.0.1:{voter.raft_port}" for voter in self.voters
            ],
            "controller.quorum.bootstrap.servers": [
                f"127.0.0.1:{voter.internal_port}" for voter in self.voters
            ],
            "log.file": str(folder / "server.log"),
            **default_settings(len(self.nodes)),
        }
        if node.http_port is not None:
            values["http.listener"] = f"127.0.0.1:{node.http_port}"
        for name, value in self.settings.items():
            text = isinstance(value, str)
            values[name] = str(value).replace("{node.id}", str(node.node_id)) if text else value
        return values

    def to_json(self) -> dict[str, Any]:
        return {
            "version": PLAN_VERSION,
            "cluster_id": self.cluster_id,
            "bootstrap": self.bootstrap,
            "nodes": [
                {
                    "id": node.node_id,
                    "port": node.client_port,
                    "internal_port": node.internal_port,
                    "raft_port": node.raft_port,
                    "http_port": node.http_port,
                }
                for node in self.nodes
            ],
            "settings": dict(self.settings),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> ClusterPlan:
        """The inverse of `to_json`; ConfigError for a newer or damaged description."""
        version = value.get("version")
        if version != PLAN_VERSION:
            raise ConfigError(
                f"the cluster's description has version {version}, this Ottla knows "
                f"{PLAN_VERSION}; use the Ottla that made it"
            )
        try:
            nodes = tuple(
                NodePlan(
                    node["id"],
                    node["port"],
                    node["internal_port"],
                    node["raft_port"],
                    node.get("http_port"),
                )
                for node in value["nodes"]
            )
            return cls(value["cluster_id"], nodes, dict(value["settings"]))
        except (KeyError, TypeError) as error:
            raise ConfigError(f"the cluster's description is damaged: {error!r}") from None


def voter_count(brokers: int) -> int:
    """The size of the controller quorum of a cluster of `brokers`."""
    return 1 if brokers < 3 else 3


def default_settings(brokers: int) -> dict[str, SettingValue]:
    """What a cluster of `brokers` sets where a node alone has Kafka's default."""
    replication_factor = min(3, brokers)
    return {
        "default.replication.factor": replication_factor,
        "min.insync.replicas": 2 if brokers >= 3 else 1,
        "offsets.topic.replication.factor": replication_factor,
        "transaction.state.log.replication.factor": replication_factor,
        "group.initial.rebalance.delay.ms": 0,
        # When all nodes stop at once, the last ones find nobody to hand over to.
        "controlled.shutdown.timeout.ms": 2_000,
    }


def plan_ports(brokers: int, first_port: int) -> tuple[NodePlan, ...]:
    """Nodes 1… on consecutive client ports, HTTP 1,000 above, the ports between nodes 10,000 and
    20,000 above."""
    if not 1 <= brokers <= BROKERS_MAX:
        raise ConfigError(f"the number of brokers must be between 1 and {BROKERS_MAX}")
    last = first_port + brokers - 1 + RAFT_PORT_DISTANCE
    if first_port < 1 or last > 65535:
        highest = 65535 - RAFT_PORT_DISTANCE - brokers + 1
        raise ConfigError(f"the first port must be between 1 and {highest}, not {first_port}")
    return tuple(
        NodePlan(
            node_id=index + 1,
            client_port=first_port + index,
            internal_port=first_port + index + INTERNAL_PORT_DISTANCE,
            raft_port=first_port + index + RAFT_PORT_DISTANCE,
            http_port=first_port + index + HTTP_PORT_DISTANCE,
        )
        for index in range(brokers)
    )


def plan_on_ports(ports: Sequence[int]) -> tuple[NodePlan, ...]:
    """Nodes 1… on the given ports, `PORTS_PER_NODE` a node."""
    return tuple(
        NodePlan(index // PORTS_PER_NODE + 1, *ports[index : index + PORTS_PER_NODE])
        for index in range(0, len(ports), PORTS_PER_NODE)
    )


def grown(plan: ClusterPlan, brokers: int, first_port: int) -> ClusterPlan:
    """`plan` with more brokers; ConfigError where that would change the quorum or lose data."""
    have = len(plan.nodes)
    if brokers == have:
        return plan
    if brokers < have or voter_count(brokers) != voter_count(have):
        raise ConfigError(
            f"this folder holds a cluster of {have} brokers, which cannot become one of {brokers}; "
            "leave --brokers out, choose another folder with --data, or delete the cluster with "
            "'ottla down --delete'"
        )
    added = plan_ports(brokers, first_port)[have:]
    return ClusterPlan(plan.cluster_id, plan.nodes + added, plan.settings)


def moved(plan: ClusterPlan, first_port: int) -> ClusterPlan:
    """`plan` on other ports; the nodes and their data stay."""
    return ClusterPlan(plan.cluster_id, plan_ports(len(plan.nodes), first_port), plan.settings)


def to_toml(values: Mapping[str, Any]) -> str:
    """Flat TOML: quoted keys, since one of Kafka's names may be the beginning of another."""
    return "".join(f'"{name}" = {_toml(value)}\n' for name, value in values.items())


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    if isinstance(value, int):
        return str(value)
    # JSON's escapes are a subset of TOML's, except for a lone DEL.
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
