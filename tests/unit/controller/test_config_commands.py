from __future__ import annotations

import pytest

from controller import config_commands
from controller.generated import metadata_pb2 as pb
from ottla.core.errors import ErrorCode
from tests.support.cluster_states import Cluster

APPEND, SUBTRACT = pb.CONFIG_OPERATION_APPEND, pb.CONFIG_OPERATION_SUBTRACT


def set_(cluster: Cluster, kind: str, name: str, values: dict[str, str | None]) -> pb.Result:
    return cluster.do(
        alter_configs=pb.AlterConfigs(
            resource_type=kind,
            resource_name=name,
            changes=[pb.ConfigChange(key=key, value=value) for key, value in values.items()],
        )
    )


def change_list(
    cluster: Cluster,
    operation: pb.ConfigOperation.ValueType,
    value: str,
    key: str = "cleanup.policy",
    default: str = "delete",
) -> pb.Result:
    change = pb.ConfigChange(key=key, value=value, operation=operation, list_default=default)
    return cluster.do(
        alter_configs=pb.AlterConfigs(resource_type="topic", resource_name="t", changes=[change])
    )


def configure(cluster: Cluster, key: str, value: str | None, **options: object) -> pb.Result:
    return cluster.do(
        alter_configs=pb.AlterConfigs(
            resource_type="topic",
            resource_name="t",
            changes=[pb.ConfigChange(key=key, value=value)],
            **options,  # type: ignore[arg-type]
        )
    )


def test_settings_are_set_and_removed() -> None:
    cluster = Cluster(1)
    cluster.topic("t", [1], configs={"retention.ms": "5"})
    assert configure(cluster, "segment.bytes", "1000", validate_only=True).error_code == 0
    assert cluster.state.configs["topic", "t"] == {"retention.ms": "5"}
    assert configure(cluster, "segment.bytes", "1000").error_code == 0
    assert cluster.state.configs["topic", "t"] == {"retention.ms": "5", "segment.bytes": "1000"}
    configure(cluster, "retention.ms", None)
    configure(cluster, "segment.bytes", None)
    assert ("topic", "t") not in cluster.state.configs
    assert configure(cluster, "segment.bytes", "x").error_code == ErrorCode.INVALID_CONFIG


def test_other_resources_are_refused() -> None:
    cluster = Cluster(1)
    for kind, name, code in (
        ("logger", "1", ErrorCode.INVALID_REQUEST),
        ("topic", "t", ErrorCode.UNKNOWN_TOPIC_OR_PARTITION),
    ):
        result = cluster.do(alter_configs=pb.AlterConfigs(resource_type=kind, resource_name=name))
        assert result.error_code == code
        assert result.message


def test_a_lower_minimum_ends_eligibility_in_the_same_step() -> None:
    cluster = Cluster(2)
    cluster.topic("t", [1, 2])
    cluster.fence(2)
    assert cluster.partition().elr == (2,)
    configure(cluster, "min.insync.replicas", "1")
    assert cluster.partition().elr == ()


def test_allowing_unclean_elections_elects_at_once() -> None:
    cluster = Cluster(2)
    cluster.topic("t", [1, 2])
    cluster.set_isr(1)
    configure(cluster, "min.insync.replicas", "1")
    cluster.fence(1)
    assert cluster.partition().leader_id is None
    configure(cluster, "unclean.leader.election.enable", "true")
    assert cluster.partition().leader_id == 2
    assert cluster.partition().isr == (2,)


def test_lists_grow_and_shrink_from_what_holds() -> None:
    cluster = Cluster(1)
    cluster.topic("t", [1])
    assert change_list(cluster, APPEND, "compact").error_code == 0
    assert cluster.state.configs["topic", "t"]["cleanup.policy"] == "delete,compact"
    change_list(cluster, APPEND, "compact, delete")
    assert cluster.state.configs["topic", "t"]["cleanup.policy"] == "delete,compact"
    change_list(cluster, SUBTRACT, "delete")
    assert cluster.state.configs["topic", "t"]["cleanup.policy"] == "compact"
    refused = change_list(cluster, SUBTRACT, "compact")
    assert refused.error_code == ErrorCode.INVALID_CONFIG
    refused = change_list(cluster, APPEND, "1", "retention.ms")
    assert refused.error_code == ErrorCode.INVALID_CONFIG
    assert "no list" in refused.message


def test_a_list_that_all_brokers_have_goes_before_the_default_of_the_one_that_asks() -> None:
    cluster = Cluster(1)
    cluster.topic("t", [1])
    set_(cluster, "broker", "", {"log.cleanup.policy": "compact"})
    change_list(cluster, APPEND, "delete", default="delete")
    assert cluster.state.configs["topic", "t"]["cleanup.policy"] == "compact,delete"


def test_all_are_replaced_on_demand() -> None:
    cluster = Cluster(1)
    cluster.topic("t", [1], configs={"retention.ms": "5", "segment.ms": "6"})
    command = pb.AlterConfigs(
        resource_type="topic",
        resource_name="t",
        changes=[pb.ConfigChange(key="flush.ms", value="1")],
        replace_all=True,
    )
    assert cluster.do(alter_configs=command).error_code == 0
    assert cluster.state.configs["topic", "t"] == {"flush.ms": "1"}


@pytest.mark.parametrize(
    ("name", "values", "code"),
    [
        ("1", {"max.connections": "5", "log.retention.ms": "7"}, 0),
        ("", {"min.insync.replicas": "1", "max.connections": "5"}, 0),
        ("1", {"min.insync.replicas": "1"}, ErrorCode.INVALID_REQUEST),
        ("1", {"max.connections": "none"}, ErrorCode.INVALID_REQUEST),
        ("1", {"max.connections": "0"}, ErrorCode.INVALID_REQUEST),
        ("1", {"num.partitions": "5"}, ErrorCode.INVALID_REQUEST),
        ("1", {"retention.ms": "5"}, ErrorCode.INVALID_REQUEST),
        ("", {"log.cleaner.min.compaction.lag.ms": "5", "log.cleaner.max.compaction.lag.ms": "4"},
         ErrorCode.INVALID_REQUEST),
        ("9", {"max.connections": "5"}, ErrorCode.BROKER_ID_NOT_REGISTERED),
        ("01", {"max.connections": "5"}, ErrorCode.BROKER_ID_NOT_REGISTERED),
        ("x", {"max.connections": "5"}, ErrorCode.INVALID_REQUEST),
    ],
)  # fmt: skip
def test_a_brokers_settings(name: str, values: dict[str, str | None], code: int) -> None:
    cluster = Cluster(1)
    result = set_(cluster, "broker", name, values)
    assert result.error_code == code
    assert bool(result.message) == bool(code)
    assert cluster.state.configs.get(("broker", name), {}) == ({} if code else values)


def test_a_brokers_own_goes_before_that_of_all() -> None:
    cluster = Cluster(2)
    set_(cluster, "broker", "", {"max.connections": "5", "log.retention.ms": "7"})
    set_(cluster, "broker", "1", {"max.connections": "6"})
    state = cluster.state
    assert state.dynamic_broker_configs(1) == {"max.connections": "6", "log.retention.ms": "7"}
    assert state.dynamic_broker_configs(2) == {"max.connections": "5", "log.retention.ms": "7"}
    set_(cluster, "broker", "1", {"max.connections": None})
    assert ("broker", "1") not in state.configs


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"consumer.session.timeout.ms": "50000"}, 0),
        ({"consumer.session.timeout.ms": "x"}, ErrorCode.INVALID_CONFIG),
        ({"session.timeout.ms": "50000"}, ErrorCode.INVALID_CONFIG),
        ({"consumer.session.timeout.ms": "5000", "consumer.heartbeat.interval.ms": "5000"},
         ErrorCode.INVALID_CONFIG),
    ],
)  # fmt: skip
def test_a_groups_settings(values: dict[str, str | None], code: int) -> None:
    cluster = Cluster()
    assert set_(cluster, "group", "g", values).error_code == code
    assert ("group", "g") in cluster.state.configs or code
    assert set_(cluster, "group", "", values).error_code == ErrorCode.INVALID_REQUEST


def test_groups_with_settings_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config_commands, "GROUPS_MAX", 1)
    cluster = Cluster()
    values: dict[str, str | None] = {"consumer.session.timeout.ms": "50000"}
    assert set_(cluster, "group", "a", values).error_code == 0
    assert set_(cluster, "group", "b", values).error_code == ErrorCode.POLICY_VIOLATION
    assert set_(cluster, "group", "a", {"consumer.session.timeout.ms": "60000"}).error_code == 0


def test_the_default_of_all_brokers_lets_an_unclean_leader_lead_at_once() -> None:
    cluster = Cluster(2, min_insync=1)
    cluster.topic("t", [1, 2])
    cluster.topic("careful", [1, 2], configs={"unclean.leader.election.enable": "false"})
    cluster.fence(1)
    cluster.fence(2)
    cluster.register(1, stop=pb.STOP_STATE_UNCLEAN)
    cluster.unfence(1)
    assert cluster.partition("t").leader_id is None
    assert set_(cluster, "broker", "", {"unclean.leader.election.enable": "true"}).error_code == 0
    assert cluster.partition("t").leader_id == 1
    assert cluster.partition("careful").leader_id is None
    assert cluster.state.unclean_election_allowed("t")
    assert not cluster.state.unclean_election_allowed("careful")


def test_the_default_of_all_brokers_changes_who_is_eligible() -> None:
    cluster = Cluster(2, min_insync=2)
    cluster.topic("t", [1, 2])
    cluster.topic("own", [1, 2], configs={"min.insync.replicas": "2"})
    cluster.fence(2)
    assert cluster.partition("t").elr == (2,)
    set_(cluster, "broker", "", {"min.insync.replicas": "1"})
    assert cluster.partition("t").elr == ()
    assert cluster.partition("own").elr == (2,)
    assert cluster.state.min_insync_replicas("t") == 1
    # Another controller's file says nothing where the metadata does.
    cluster.do(
        2,
        take_office=pb.TakeOffice(
            controller_id=2, cluster_id=cluster.state.cluster_id, default_min_insync_replicas=2
        ),
    )
    assert cluster.state.min_insync_replicas("t") == 1
    set_(cluster, "broker", "", {"min.insync.replicas": None})
    assert cluster.state.min_insync_replicas("t") == 2


def test_a_controller_that_allows_unclean_elections_brings_them() -> None:
    cluster = Cluster(2, min_insync=1)
    cluster.topic("t", [1, 2])
    cluster.fence(1)
    cluster.fence(2)
    cluster.register(1, stop=pb.STOP_STATE_UNCLEAN)
    cluster.unfence(1)
    assert cluster.partition("t").leader_id is None
    cluster.do(
        2,
        take_office=pb.TakeOffice(
            controller_id=2,
            cluster_id=cluster.state.cluster_id,
            default_min_insync_replicas=1,
            default_unclean_leader_election=True,
        ),
    )
    assert cluster.partition("t").leader_id == 1


@pytest.mark.parametrize(
    ("name", "values", "code"),
    [
        ("s", {"metrics": "*", "interval.ms": "100", "match": "client_id=a.*"}, 0),
        ("s", {"interval.ms": "99"}, ErrorCode.INVALID_REQUEST),
        ("s", {"retention.ms": "5"}, ErrorCode.INVALID_REQUEST),
        ("s", {"match": "client_id=("}, ErrorCode.INVALID_CONFIG),
        ("s", {"match": "colour=blue"}, ErrorCode.INVALID_CONFIG),
        ("", {"metrics": "*"}, ErrorCode.INVALID_REQUEST),
    ],
)
def test_a_subscription_to_client_metrics(
    name: str, values: dict[str, str | None], code: int
) -> None:
    cluster = Cluster(1)
    result = set_(cluster, "client-metrics", name, values)
    assert result.error_code == code
    assert cluster.state.configs.get(("client-metrics", name), {}) == ({} if code else values)


def test_subscriptions_to_client_metrics_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config_commands, "SUBSCRIPTIONS_MAX", 1)
    cluster = Cluster(1)
    assert set_(cluster, "client-metrics", "a", {"metrics": "*"}).error_code == 0
    refused = set_(cluster, "client-metrics", "b", {"metrics": "*"})
    assert refused.error_code == ErrorCode.POLICY_VIOLATION
    assert set_(cluster, "client-metrics", "a", {"metrics": None}).error_code == 0
    assert set_(cluster, "client-metrics", "b", {"metrics": "*"}).error_code == 0
