"""The settings of one node, with Kafka's names where Kafka has the setting.

A node speaks on up to three ports: client listeners (Kafka's protocol), the *internal listener*
(gRPC between nodes: control and replication) and, on a controller, the *Raft listener* of the
quorum. Each is loopback unless it is configured otherwise and then needs certificates or
``allow.plaintext=true``.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ottla.core.errors import ConfigError
from ottla.core.identifiers import uuid_from_text
from ottla.core.settings import Loaded, load, setting, settings_table
from ottla.core.topic_configs import (
    TOPIC_CONFIGS,
    TopicConfig,
    topic_configs_fault,
    topic_defaults,
)

ROLES = ("broker", "controller")
_LISTENER = re.compile(
    r"(?P<name>[A-Za-z0-9_]+)://(?P<host>\[[^\]]*\]|[^:\[\]]*):(?P<port>\d{1,5})"
)
_MS_MAX = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Address:
    """Where to bind or dial; an empty host binds every interface. Printed with [] around IPv6."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class ListenerAddress:
    """One ``NAME://host:port``; `security_protocol` is PLAINTEXT or SSL."""

    name: str
    address: Address
    security_protocol: str


_NOT_SETTABLE = ("unclean.leader.election.enable",)
"""Settings of topics without a default of the node's: elections go by the topic alone."""


TOPIC_DEFAULTS: Final[Mapping[str, TopicConfig]] = {
    name: config
    for config in TOPIC_CONFIGS.values()
    if (name := config.broker_setting) is not None and name not in _NOT_SETTABLE
}
"""The settings of topics for which a node has a default, by the broker's name for it."""


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """Everything a node can be told; see the `documentation` of each."""

    node_id: int = setting("node.id", documentation="id of this node", minimum=0, maximum=2**31 - 1)
    cluster_id: str = setting("cluster.id", documentation="22 characters, the same on every node")
    process_roles: tuple[str, ...] = setting(
        "process.roles", ("broker", "controller"), "what this node does", choices=ROLES
    )
    broker_rack: str | None = setting("broker.rack", None, "rack or zone, for placement")

    log_dirs: tuple[str, ...] = setting("log.dirs", ("data/log",), "folders of the record logs")
    metadata_log_dir: str = setting("metadata.log.dir", "data/metadata", "folder of the Raft log")

    listeners: tuple[str, ...] = setting(
        "listeners", ("PLAINTEXT://127.0.0.1:9092",), "where clients connect: NAME://host:port"
    )
    advertised_listeners: tuple[str, ...] = setting(
        "advertised.listeners", (), "what clients are told to connect to; default: listeners"
    )
    listener_security_protocol_map: tuple[str, ...] = setting(
        "listener.security.protocol.map", (), "NAME:PLAINTEXT or NAME:SSL for other listener names"
    )
    internal_listener: str = setting(
        "internal.listener", "127.0.0.1:19092", "gRPC between nodes: control and replication"
    )
    advertised_internal_listener: str | None = setting(
        "advertised.internal.listener", None, "where other nodes dial; default: internal.listener"
    )
    raft_listener: str = setting(
        "raft.listener", "127.0.0.1:29092", "gRPC of the controller quorum"
    )
    controller_quorum_voters: tuple[str, ...] = setting(
        "controller.quorum.voters", (), "id@host:port of every voter's Raft listener"
    )
    controller_quorum_bootstrap_servers: tuple[str, ...] = setting(
        "controller.quorum.bootstrap.servers", (), "internal listeners of the controllers"
    )
    allow_plaintext: bool = setting(
        "allow.plaintext", False, "allow listeners beyond loopback without TLS"
    )
    ssl_certificate: str | None = setting("ssl.certificate.location", None, "PEM chain, clients")
    ssl_key: str | None = setting("ssl.key.location", None, "PEM key, clients")
    ssl_key_password: str | None = setting("ssl.key.password", None, "of that key", secret=True)
    ssl_ca: str | None = setting("ssl.ca.location", None, "PEM roots that sign client certificates")
    ssl_client_auth: str = setting(
        "ssl.client.auth", "none", "client certificates", choices=("none", "requested", "required")
    )
    internal_ssl_certificate: str | None = setting(
        "internal.ssl.certificate.location", None, "PEM chain of this node, between nodes"
    )
    internal_ssl_key: str | None = setting(
        "internal.ssl.key.location", None, "PEM key of this node, between nodes"
    )
    internal_ssl_ca: str | None = setting(
        "internal.ssl.ca.location", None, "PEM roots that sign the nodes' certificates"
    )

    num_partitions: int = setting("num.partitions", 1, "of a topic made by default", minimum=1)
    default_replication_factor: int = setting(
        "default.replication.factor", 1, "of a topic made by default", minimum=1, maximum=32767
    )
    auto_create_topics_enable: bool = setting(
        "auto.create.topics.enable", True, "make a topic when a client first asks for it"
    )
    topic_defaults: Mapping[str, str] = settings_table(
        {name: config.fault for name, config in TOPIC_DEFAULTS.items()}
    )
    """What topics that set nothing of their own go by, under the broker's names for it."""

    log_retention_check_interval_ms: int = setting(
        "log.retention.check.interval.ms",
        300_000,
        "how often segments are looked at for deletion",
        minimum=1,
    )
    log_cleaner_enable: bool = setting(
        "log.cleaner.enable", True, "compact topics whose cleanup.policy says so"
    )
    log_cleaner_backoff_ms: int = setting(
        "log.cleaner.backoff.ms", 15_000, "pause when no log is due for compaction", minimum=1
    )
    log_cleaner_dedupe_buffer_size: int = setting(
        "log.cleaner.dedupe.buffer.size",
        134_217_728,
        "memory for the keys of a compaction",
        minimum=1_048_576,
    )
    log_min_free_bytes: int = setting(
        "ottla.log.min.free.bytes",
        67_108_864,
        "free space that appends leave on the disk of a log directory; 0: none",
        minimum=0,
    )
    replica_lag_time_max_ms: int = setting(
        "replica.lag.time.max.ms", 30_000, "after which a follower leaves the ISR", minimum=1
    )
    leader_replication_throttled_rate: int = setting(
        "leader.replication.throttled.rate",
        2**63 - 1,
        "bytes a second sent to followers that are far behind, all of them together",
        minimum=1,
    )
    follower_replication_throttled_rate: int = setting(
        "follower.replication.throttled.rate",
        2**63 - 1,
        "bytes a second taken while being far behind, from all leaders together",
        minimum=1,
    )
    broker_session_timeout_ms: int = setting(
        "broker.session.timeout.ms", 3_000, "lease of a broker at the controller", minimum=100
    )
    broker_heartbeat_interval_ms: int = setting(
        "broker.heartbeat.interval.ms", 500, "how often the lease is renewed", minimum=10
    )
    controlled_shutdown_timeout_ms: int = setting(
        "controlled.shutdown.timeout.ms", 5_000, "bound of the drain on SIGTERM", minimum=0
    )

    offsets_topic_num_partitions: int = setting(
        "offsets.topic.num.partitions", 50, "of __consumer_offsets; fixed once made", minimum=1
    )
    offsets_topic_replication_factor: int = setting(
        "offsets.topic.replication.factor", 3, "of __consumer_offsets", minimum=1, maximum=32767
    )
    offsets_retention_minutes: int = setting(
        "offsets.retention.minutes", 10_080, "how long an empty group's offsets stay", minimum=1
    )
    offsets_retention_check_interval_ms: int = setting(
        "offsets.retention.check.interval.ms",
        600_000,
        "how often committed offsets are looked at for deletion",
        minimum=1,
    )
    offset_metadata_max_bytes: int = setting(
        "offset.metadata.max.bytes", 4_096, "largest note with an offset", minimum=0
    )
    group_initial_rebalance_delay_ms: int = setting(
        "group.initial.rebalance.delay.ms", 3_000, "wait for more first members", minimum=0
    )
    group_min_session_timeout_ms: int = setting(
        "group.min.session.timeout.ms", 6_000, "shortest that a member may ask", minimum=1
    )
    group_max_session_timeout_ms: int = setting(
        "group.max.session.timeout.ms", 1_800_000, "longest that a member may ask", minimum=1
    )
    group_max_size: int = setting(
        "group.max.size", 2**31 - 1, "members of one group", minimum=1, maximum=_MS_MAX
    )
    transaction_state_log_num_partitions: int = setting(
        "transaction.state.log.num.partitions",
        50,
        "of __transaction_state; fixed once made",
        minimum=1,
    )
    transaction_state_log_replication_factor: int = setting(
        "transaction.state.log.replication.factor",
        3,
        "of __transaction_state",
        minimum=1,
        maximum=32767,
    )
    transaction_max_timeout_ms: int = setting(
        "transaction.max.timeout.ms",
        900_000,
        "the longest time-out that a transactional producer may ask for",
        minimum=1,
        maximum=_MS_MAX,
    )
    transactional_id_expiration_ms: int = setting(
        "transactional.id.expiration.ms",
        604_800_000,
        "how long a transactional id that nobody uses is kept",
        minimum=1,
        maximum=_MS_MAX,
    )
    transaction_partition_verification_enable: bool = setting(
        "transaction.partition.verification.enable",
        True,
        "ask the coordinator before a transaction's first batch is appended (KIP-890)",
    )
    producer_id_expiration_ms: int = setting(
        "producer.id.expiration.ms",
        86_400_000,
        "after which an idle producer is forgotten",
        minimum=1,
    )

    socket_request_max_bytes: int = setting(
        "socket.request.max.bytes", 104_857_600, "largest request", minimum=1
    )
    queued_max_request_bytes: int = setting(
        "queued.max.request.bytes",
        268_435_456,
        "requests held in memory; above it reads pause",
        minimum=1,
    )
    connections_max_idle_ms: int = setting(
        "connections.max.idle.ms", 600_000, "after which an idle connection is closed", minimum=1
    )
    max_connections: int = setting("max.connections", 10_000, "of this node", minimum=1)
    max_connections_per_ip: int = setting(
        "max.connections.per.ip", 10_000, "of one address", minimum=0
    )
    max_incremental_fetch_session_cache_slots: int = setting(
        "max.incremental.fetch.session.cache.slots", 1_000, "fetch sessions kept", minimum=0
    )
    fetch_max_bytes: int = setting(
        "fetch.max.bytes", 57_671_680, "largest answer to one fetch", minimum=1024
    )

    log_level: str = setting(
        "log.level", "info", "of this process", choices=("debug", "info", "warning", "error")
    )
    log_format: str = setting("log.format", "text", "of log lines", choices=("text", "json"))
    log_file: str | None = setting("log.file", None, "log file; default: standard error")
    log_file_max_bytes: int = setting(
        "log.file.max.bytes", 10_485_760, "size at which the log file is rotated", minimum=4096
    )
    log_file_backups: int = setting(
        "log.file.backups", 3, "older log files kept", minimum=1, maximum=1000
    )

    @property
    def is_broker(self) -> bool:
        return "broker" in self.process_roles

    @property
    def is_controller(self) -> bool:
        return "controller" in self.process_roles

    def client_listeners(self) -> list[ListenerAddress]:
        """Where clients may connect."""
        return [self._listener(text, "listeners") for text in self.listeners]

    def advertised(self) -> list[ListenerAddress]:
        """What clients are told; by name the same listeners as `client_listeners`."""
        texts = self.advertised_listeners or self.listeners
        return [self._listener(text, "advertised.listeners") for text in texts]

    def internal_address(self) -> Address:
        return parse_address(self.internal_listener, "internal.listener")

    def advertised_internal_address(self) -> Address:
        text = self.advertised_internal_listener or self.internal_listener
        return parse_address(text, "advertised.internal.listener")

    def raft_address(self) -> Address:
        return parse_address(self.raft_listener, "raft.listener")

    def voters(self) -> dict[int, Address]:
        """Raft listeners of the quorum by node id."""
        voters: dict[int, Address] = {}
        for text in self.controller_quorum_voters:
            identity, _, where = text.partition("@")
            if not identity.isdigit() or not where:
                raise ConfigError(f"controller.quorum.voters: expected id@host:port, not '{text}'")
            voters[int(identity)] = parse_address(where, "controller.quorum.voters")
        return voters

    def controllers(self) -> list[Address]:
        """Internal listeners of the controllers."""
        name = "controller.quorum.bootstrap.servers"
        return [parse_address(text, name) for text in self.controller_quorum_bootstrap_servers]

    def _listener(self, text: str, setting_name: str) -> ListenerAddress:
        match = _LISTENER.fullmatch(text)
        if match is None:
            raise ConfigError(f"{setting_name}: expected NAME://host:port, not '{text}'")
        name = match["name"].upper()
        protocols = dict(
            entry.upper().split(":", 1)
            for entry in self.listener_security_protocol_map
            if ":" in entry
        )
        protocol = protocols.get(name, name)
        if protocol not in ("PLAINTEXT", "SSL"):
            raise ConfigError(
                f"{setting_name}: listener '{name}' has no security protocol; name it PLAINTEXT or "
                f"SSL, or add '{name}:PLAINTEXT' or '{name}:SSL' to listener.security.protocol.map"
            )
        where = Address(match["host"].strip("[]"), _port(match["port"], setting_name))
        return ListenerAddress(name, where, protocol)


def parse_address(text: str, setting_name: str) -> Address:
    """``host:port`` or ``[ipv6]:port``."""
    match = re.fullmatch(r"(\[[^\]]*\]|[^:\[\]]*):(\d{1,5})", text)
    if match is None:
        raise ConfigError(f"{setting_name}: expected host:port, not '{text}'")
    return Address(match[1].strip("[]"), _port(match[2], setting_name))


def _port(text: str, setting_name: str) -> int:
    port = int(text)
    if not 1 <= port <= 65535:
        raise ConfigError(f"{setting_name}: port {port} is not between 1 and 65535")
    return port


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host`; names other than localhost count as beyond."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def validate(settings: NodeSettings) -> list[str]:
    """Refuse what cannot work (ConfigError) and return warnings of what is dangerous."""
    try:
        uuid_from_text(settings.cluster_id)
    except ValueError:
        raise ConfigError(
            f"cluster.id must be 22 characters of URL-safe base64, not '{settings.cluster_id}'; "
            "make one with 'ottla-server --new-cluster-id'"
        ) from None
    fault = topic_configs_fault(topic_defaults(settings.topic_defaults))
    if fault is not None:
        raise ConfigError(f"defaults of topics: {fault}")
    warnings: list[str] = []
    if settings.is_controller and settings.node_id not in settings.voters():
        raise ConfigError(
            f"node {settings.node_id} has the role controller but is not among "
            "controller.quorum.voters; add it as id@host:port of its raft.listener"
        )
    if settings.is_broker:
        if not settings.controllers():
            raise ConfigError(
                "controller.quorum.bootstrap.servers is empty; name the internal listeners of the "
                "controllers"
            )
        warnings += _validate_client_listeners(settings)
        if settings.group_min_session_timeout_ms > settings.group_max_session_timeout_ms:
            raise ConfigError(
                "group.min.session.timeout.ms must not exceed group.max.session.timeout.ms"
            )
    if settings.broker_heartbeat_interval_ms * 2 > settings.broker_session_timeout_ms:
        raise ConfigError(
            "broker.heartbeat.interval.ms must be at most half of broker.session.timeout.ms"
        )
    warnings += _validate_internal_listeners(settings)
    return warnings


def _validate_client_listeners(settings: NodeSettings) -> list[str]:
    bound = {listener.name: listener for listener in settings.client_listeners()}
    if len(bound) != len(settings.listeners):
        raise ConfigError("listeners: each name may be used once")
    advertised = {listener.name: listener for listener in settings.advertised()}
    if advertised.keys() != bound.keys():
        raise ConfigError(
            f"advertised.listeners names {', '.join(advertised)} but listeners names "
            f"{', '.join(bound)}; the names must be the same"
        )
    for listener in advertised.values():
        if listener.address.host in ("", "0.0.0.0", "::"):
            raise ConfigError(
                f"advertised.listeners: clients cannot connect to '{listener.address}'; set a host "
                "name or address of this machine that they can reach"
            )
    warnings = []
    for listener in bound.values():
        if listener.security_protocol == "SSL":
            if not settings.ssl_certificate or not settings.ssl_key:
                raise ConfigError(
                    f"listener {listener.name} uses SSL: set ssl.certificate.location and "
                    "ssl.key.location"
                )
        elif not is_loopback(listener.address.host):
            _require_plaintext(settings, f"listeners: {listener.name} on {listener.address}")
            warnings.append(
                f"listener {listener.name} on {listener.address} is plaintext: anyone who reaches "
                "it can read, write and delete every topic"
            )
    return warnings


def _validate_internal_listeners(settings: NodeSettings) -> list[str]:
    parts = (
        settings.internal_ssl_certificate,
        settings.internal_ssl_key,
        settings.internal_ssl_ca,
    )
    if all(parts):
        return []
    if any(parts):
        raise ConfigError(
            "TLS between nodes needs all of internal.ssl.certificate.location, "
            "internal.ssl.key.location and internal.ssl.ca.location"
        )
    warnings = []
    bound = {"internal.listener": settings.internal_address()}
    if settings.is_controller:
        bound["raft.listener"] = settings.raft_address()
    for name, address in bound.items():
        if not is_loopback(address.host):
            _require_plaintext(settings, f"{name} on {address}")
            warnings.append(
                f"{name} on {address} is plaintext: anyone who reaches it can pose as a node and "
                "change or destroy the cluster's data"
            )
    return warnings


def _require_plaintext(settings: NodeSettings, what: str) -> None:
    if not settings.allow_plaintext:
        raise ConfigError(
            f"{what} is beyond loopback and without TLS; configure certificates, bind 127.0.0.1, "
            "or set allow.plaintext=true if every machine on that network may be trusted"
        )


def load_node_settings(path: str, environment: dict[str, str]) -> Loaded[NodeSettings]:
    """Read a node's file and environment; an empty path reads the environment alone."""
    text = ""
    if path:
        try:
            text = Path(path).read_text(encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"cannot read {path}: {error.strerror}") from None
        except UnicodeDecodeError:
            raise ConfigError(f"{path} is not UTF-8 text") from None
    return load(NodeSettings, text=text, file_name=path or "(environment)", environment=environment)
