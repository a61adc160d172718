from dataclasses import replace
from pathlib import Path

import pytest

from broker.addresses import Address, is_loopback
from broker.settings import NodeSettings, load_node_settings
from broker.settings_check import validate
from ottla.core.broker_configs import TOPIC_DEFAULTS
from ottla.core.errors import ConfigError
from ottla.core.settings import environment_name, specs
from ottla.core.topic_configs import TOPIC_CONFIGS, topic_defaults
from storage.config import LogConfig

BASE = NodeSettings(
    node_id=1,
    cluster_id="AAAAAAAAAAAAAAAAAAAAAQ",
    controller_quorum_voters=("1@127.0.0.1:29092",),
    controller_quorum_bootstrap_servers=("127.0.0.1:19092",),
)


def test_the_defaults_of_a_node_alone_are_valid_and_silent() -> None:
    assert validate(BASE) == []


def test_every_setting_has_one_name_and_a_documentation() -> None:
    names = [spec.name for spec in specs(NodeSettings)]
    assert len(set(names)) == len(names)
    assert all(spec.documentation for spec in specs(NodeSettings))


def test_a_quoted_key_serves_where_one_name_begins_another(tmp_path: Path) -> None:
    file = tmp_path / "node.toml"
    file.write_text(
        'node.id = 3\ncluster.id = "x"\nmax.connections = 5\n"max.connections.per.ip" = 2\n'
    )
    settings = load_node_settings(str(file), {}).settings
    assert (settings.max_connections, settings.max_connections_per_ip) == (5, 2)


def test_every_default_of_topics_can_be_set_in_the_file_and_by_the_environment(
    tmp_path: Path,
) -> None:
    file = tmp_path / "node.toml"
    file.write_text(
        """node.id = 3
cluster.id = "x"
log.retention.ms = -1
log.cleanup.policy = ["compact", "delete"]
log.preallocate = true
[log.cleaner]
min.cleanable.ratio = 0.25
"""
    )
    loaded = load_node_settings(
        str(file), {"OTTLA_COMPRESSION_TYPE": "zstd", "OTTLA_LOG_RETENTION_MS": "5"}
    )
    assert topic_defaults(loaded.settings.topic_defaults) == {
        "cleanup.policy": "compact,delete",
        "compression.type": "zstd",
        "min.cleanable.dirty.ratio": "0.25",
        "preallocate": "true",
        "retention.ms": "5",
    }
    assert "log.retention.ms = 5  (OTTLA_LOG_RETENTION_MS)" in loaded.describe()
    assert LogConfig.from_topic_configs(topic_defaults(loaded.settings.topic_defaults)).preallocate
    values = {name: config.default for name, config in TOPIC_DEFAULTS.items()}
    environment = {environment_name(name): value for name, value in values.items()}
    loaded = load_node_settings(str(file), environment)
    assert loaded.settings.topic_defaults == values
    assert values.keys() == {c.broker_setting for c in TOPIC_CONFIGS.values()} - {None}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("log.retention.ms = -2", "line 3: log.retention.ms: -2 is out of range"),
        ('log.cleanup.policy = "shred"', "'shred' is not known; allowed is a list of compact and"),
        (
            "log.retention.mss = 1",
            "unknown setting 'log.retention.mss'; did you mean log.retention",
        ),
        ('unclean.leader.election.enable = "maybe"', "neither true nor false"),
    ],
)
def test_a_wrong_default_of_topics_is_named(tmp_path: Path, line: str, message: str) -> None:
    file = tmp_path / "node.toml"
    file.write_text(f'node.id = 3\ncluster.id = "x"\n{line}\n')
    with pytest.raises(ConfigError, match=message):
        load_node_settings(str(file), {})
    with pytest.raises(
        ConfigError, match=r"OTTLA_LOG_RETENTION_MS: log.retention.ms: 'x' is not a num"
    ):
        load_node_settings("", {"OTTLA_LOG_RETENTION_MS": "x"})


def test_defaults_of_topics_must_fit_each_other() -> None:
    defaults = {
        "log.cleaner.min.compaction.lag.ms": "5",
        "log.cleaner.max.compaction.lag.ms": "4",
    }
    with pytest.raises(ConfigError, match=r"min.compaction.lag.ms \(5\) is above"):
        validate(replace(BASE, topic_defaults=defaults))


def test_listeners_and_addresses_are_parsed() -> None:
    settings = replace(
        BASE,
        listeners=("INSIDE://[::1]:9092", "SSL://0.0.0.0:9093"),
        listener_security_protocol_map=("INSIDE:PLAINTEXT",),
        controller_quorum_voters=("1@a:1", "2@[::1]:2"),
    )
    assert [str(listener.address) for listener in settings.client_listeners()] == [
        "[::1]:9092",
        "0.0.0.0:9093",
    ]
    assert settings.voters() == {1: Address("a", 1), 2: Address("::1", 2)}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cluster_id": "short"}, "cluster.id must be 22 characters"),
        ({"node_id": 9}, "node 9 has the role controller but is not among"),
        ({"controller_quorum_voters": ("x",)}, "expected id@host:port, not 'x'"),
        ({"controller_quorum_bootstrap_servers": ()}, "bootstrap.servers is empty"),
        ({"listeners": ("9092",)}, "expected NAME://host:port, not '9092'"),
        ({"listeners": ("FOO://127.0.0.1:1",)}, "listener 'FOO' has no security protocol"),
        ({"listeners": ("PLAINTEXT://127.0.0.1:99999",)}, "port 99999 is not between"),
        ({"listeners": ("PLAINTEXT://0.0.0.0:9092",)}, "clients cannot connect to '0.0.0.0:9092'"),
        ({"listeners": ("SSL://127.0.0.1:9092",)}, "set ssl.certificate.location"),
        ({"advertised_listeners": ("SSL://a:1",)}, "the names must be the same"),
        (
            {
                "listeners": ("PLAINTEXT://127.0.0.1:1", "X://127.0.0.1:2"),
                "advertised_listeners": ("PLAINTEXT://a:1", "X://a:1"),
                "listener_security_protocol_map": ("X:PLAINTEXT",),
            },
            "a:1 stands for 2 listeners",
        ),
        (
            {"internal_listener": "0.0.0.0:19092", "allow_plaintext": True},
            "other nodes cannot dial '0.0.0.0:19092'",
        ),
        ({"listeners": ("PLAINTEXT://10.0.0.1:9092",)}, "set allow.plaintext=true"),
        ({"internal_listener": "0.0.0.0:1"}, "internal.listener on 0.0.0.0:1 is beyond loopback"),
        ({"raft_listener": "10.0.0.1:1"}, "raft.listener on 10.0.0.1:1 is beyond loopback"),
        ({"internal_ssl_ca": "ca.pem"}, "TLS between nodes needs all of"),
        ({"broker_heartbeat_interval_ms": 2000}, "at most half"),
        ({"group_min_session_timeout_ms": 2_000_000}, "must not exceed"),
    ],
)
def test_what_cannot_work_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        validate(replace(BASE, **changes))  # type: ignore[arg-type]


def test_plaintext_beyond_loopback_is_allowed_loudly() -> None:
    settings = replace(
        BASE,
        allow_plaintext=True,
        listeners=("PLAINTEXT://10.0.0.1:9092",),
        internal_listener="10.0.0.1:19092",
    )
    warnings = validate(settings)
    assert len(warnings) == 2
    assert "anyone who reaches it can read, write and delete every topic" in warnings[0]


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("db", False)],
)
def test_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


def test_a_file_is_read_and_a_missing_one_named(tmp_path: Path) -> None:
    file = tmp_path / "node.toml"
    file.write_text('node.id = 3\ncluster.id = "x"\n')
    assert load_node_settings(str(file), {}).settings.node_id == 3
    with pytest.raises(ConfigError, match="cannot read .*missing.toml: No such file"):
        load_node_settings(str(tmp_path / "missing.toml"), {})


def test_http_beyond_loopback_warns_of_what_can_be_seen() -> None:
    assert validate(replace(BASE, http_listener="127.0.0.1:8080")) == []
    (warning,) = validate(replace(BASE, http_listener="0.0.0.0:8080"))
    assert "names of topics and groups" in warning
    with pytest.raises(ConfigError, match=r"http\.listener: expected host:port, not 'x'"):
        validate(replace(BASE, http_listener="x"))
