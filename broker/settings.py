"""The settings of one node, with Kafka's names where Kafka has the setting.

A node speaks on up to four ports: client listeners (Kafka's protocol), the *internal listener*
(gRPC between nodes: control and replication), on a controller the *Raft listener* of the quorum,
and, where one is set, the *HTTP listener* (health and metrics: nothing can be changed through it).
Each is loopback unless it is configured otherwise and, HTTP apart, then needs certificates or
``allow.plaintext=true``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from broker.addresses import Address, ListenerAddress, parse_address, parse_listener
from broker.replication.replica_selector import RACK_AWARE
from ottla.core.broker_configs import (
    ALTER_LOG_DIRS_RATE,
    FOLLOWER_THROTTLED_RATE,
    LEADER_THROTTLED_RATE,
    LOG_CLEANER_BACKOFF_MS,
    LOG_CLEANER_DEDUPE_BUFFER_SIZE,
    MAX_CONNECTIONS,
    MAX_CONNECTIONS_PER_IP,
    PRODUCER_ID_EXPIRATION_MS,
    TOPIC_DEFAULTS,
    TRANSACTION_PARTITION_VERIFICATION,
)
from ottla.core.errors import ConfigError
from ottla.core.settings import Loaded, load, setting, setting_of, settings_table

ROLES = ("broker", "controller")
_MS_MAX = 2**31 - 1


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
    http_listener: str | None = setting(
        "http.listener", None, "HTTP for health and metrics: host:port; default: none"
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
    log_cleaner_backoff_ms: int = setting_of(LOG_CLEANER_BACKOFF_MS)
    log_cleaner_dedupe_buffer_size: int = setting_of(LOG_CLEANER_DEDUPE_BUFFER_SIZE)
    log_min_free_bytes: int = setting(
        "ottla.log.min.free.bytes",
        67_108_864,
        "free space that appends leave on the disk of a log directory; 0: none",
        minimum=0,
    )
    replica_selector_class: str | None = setting(
        "replica.selector.class",
        None,
        "lets consumers that tell their rack read from a replica in it; default: from leaders",
        choices=(RACK_AWARE,),
    )
    replica_lag_time_max_ms: int = setting(
        "replica.lag.time.max.ms", 30_000, "after which a follower leaves the ISR", minimum=1
    )
    leader_replication_throttled_rate: int = setting_of(LEADER_THROTTLED_RATE)
    follower_replication_throttled_rate: int = setting_of(FOLLOWER_THROTTLED_RATE)
    replica_alter_log_dirs_io_max_bytes_per_second: int = setting_of(ALTER_LOG_DIRS_RATE)
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
    group_consumer_session_timeout_ms: int = setting(
        "group.consumer.session.timeout.ms",
        45_000,
        "silence after which a member of the consumer protocol is out (KIP-848)",
        minimum=1,
        maximum=_MS_MAX,
    )
    group_consumer_min_session_timeout_ms: int = setting(
        "group.consumer.min.session.timeout.ms", 45_000, "least of a group's own", minimum=1
    )
    group_consumer_max_session_timeout_ms: int = setting(
        "group.consumer.max.session.timeout.ms", 60_000, "largest of a group's own", minimum=1
    )
    group_consumer_heartbeat_interval_ms: int = setting(
        "group.consumer.heartbeat.interval.ms",
        5_000,
        "how often members of the consumer protocol send a heartbeat",
        minimum=1,
        maximum=_MS_MAX,
    )
    group_consumer_min_heartbeat_interval_ms: int = setting(
        "group.consumer.min.heartbeat.interval.ms", 5_000, "least of a group's own", minimum=1
    )
    group_consumer_max_heartbeat_interval_ms: int = setting(
        "group.consumer.max.heartbeat.interval.ms", 15_000, "largest of a group's own", minimum=1
    )
    group_consumer_max_size: int = setting(
        "group.consumer.max.size", 2**31 - 1, "members of one consumer group", minimum=1
    )
    group_consumer_assignors: tuple[str, ...] = setting(
        "group.consumer.assignors",
        ("uniform", "range"),
        "assignors that members may ask for, the default first",
        choices=("uniform", "range"),
    )
    group_consumer_migration_policy: str = setting(
        "group.consumer.migration.policy",
        "bidirectional",
        "which groups with members may change between the classic and the consumer protocol",
        choices=("bidirectional", "upgrade", "downgrade", "disabled"),
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
    transaction_partition_verification_enable: bool = setting_of(TRANSACTION_PARTITION_VERIFICATION)
    producer_id_expiration_ms: int = setting_of(PRODUCER_ID_EXPIRATION_MS)

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
    max_connections: int = setting_of(MAX_CONNECTIONS)
    max_connections_per_ip: int = setting_of(MAX_CONNECTIONS_PER_IP)
    max_incremental_fetch_session_cache_slots: int = setting(
        "max.incremental.fetch.session.cache.slots", 1_000, "fetch sessions kept", minimum=0
    )
    quota_window_num: int = setting(
        "quota.window.num",
        11,
        "windows over which clients' rates are taken",
        minimum=1,
        maximum=1000,
    )
    quota_window_size_seconds: int = setting(
        "quota.window.size.seconds", 1, "length of each", minimum=1, maximum=3600
    )
    controller_quota_window_num: int = setting(
        "controller.quota.window.num",
        11,
        "windows of controller_mutation_rate that may be used up at once",
        minimum=1,
        maximum=3600,
    )
    controller_quota_window_size_seconds: int = setting(
        "controller.quota.window.size.seconds", 1, "length of each", minimum=1, maximum=3600
    )
    telemetry_max_bytes: int = setting(
        "telemetry.max.bytes", 1_048_576, "of the metrics that a client sends at once", minimum=1
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
        return [
            parse_listener(text, "listeners", self.listener_security_protocol_map)
            for text in self.listeners
        ]

    def advertised(self) -> list[ListenerAddress]:
        """What clients are told; by name the same listeners as `client_listeners`."""
        texts = self.advertised_listeners or self.listeners
        return [
            parse_listener(text, "advertised.listeners", self.listener_security_protocol_map)
            for text in texts
        ]

    def internal_address(self) -> Address:
        return parse_address(self.internal_listener, "internal.listener")

    def advertised_internal_address(self) -> Address:
        text = self.advertised_internal_listener or self.internal_listener
        return parse_address(text, "advertised.internal.listener")

    def http_address(self) -> Address | None:
        if not self.http_listener:
            return None
        return parse_address(self.http_listener, "http.listener")

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

    def _parsed(self, texts: Iterable[str], setting_name: str) -> list[ListenerAddress]:
        protocols = self.listener_security_protocol_map
        return [parse_listener(text, setting_name, protocols) for text in texts]


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
