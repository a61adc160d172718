from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

from broker.handlers import describe_configs
from broker.settings import NodeSettings
from ottla.core.broker_configs import DYNAMIC_BROKER_CONFIGS
from ottla.core.errors import ErrorCode
from ottla.core.topic_configs import TOPIC_CONFIGS
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.describe_configs_request import (
    DescribeConfigsRequest,
    DescribeConfigsResource,
)
from ottla.protocol.messages.describe_configs_response import (
    DescribeConfigsResourceResult,
    DescribeConfigsResponse,
    DescribeConfigsResult,
)

if TYPE_CHECKING:
    from tests.unit.broker.handlers.conftest import World

TOPIC, BROKER, CLIENT_METRICS, GROUP = 2, 4, 16, 32


@pytest.fixture(autouse=True)
def settings(world: World) -> NodeSettings:
    settings = NodeSettings(node_id=1, cluster_id="x" * 22, ssl_key_password="secret")
    world.services.settings = settings
    return settings


def call(
    world: World,
    resource_type: int,
    name: str,
    keys: list[str] | None = None,
    version: int = 4,
    **fields: Any,
) -> DescribeConfigsResult:
    fields = {"include_synonyms": True, "include_documentation": version >= 3} | fields
    answer = describe_configs.handle(
        world.services,
        world.context(ApiKey.DESCRIBE_CONFIGS, version),
        DescribeConfigsRequest([DescribeConfigsResource(resource_type, name, keys)], **fields),
    )
    (result,) = DescribeConfigsResponse.decode(answer.encode(version), version).results
    assert (result.resource_type, result.resource_name) == (resource_type, name)
    return result


def synonyms(config: DescribeConfigsResourceResult) -> list[tuple[str, str | None, int]]:
    return [(s.name, s.value, s.source) for s in config.synonyms]


@pytest.mark.parametrize("version", [1, 2, 3, 4])
def test_a_topic_has_all_settings_with_their_defaults(world: World, version: int) -> None:
    world.add_topic("t")
    result = call(world, TOPIC, "t", version=version)
    assert [c.name for c in result.configs] == sorted(TOPIC_CONFIGS)
    retention = next(c for c in result.configs if c.name == "retention.ms")
    assert (retention.value, retention.config_source, retention.read_only) == (
        "604800000",
        5,
        False,
    )
    assert synonyms(retention) == [("log.retention.ms", "604800000", 5)]
    if version >= 3:
        assert retention.config_type == 5
        assert retention.documentation == TOPIC_CONFIGS["retention.ms"].documentation


def test_a_topics_own_setting_comes_before_the_brokers_and_the_default(
    world: World, settings: NodeSettings
) -> None:
    world.add_topic("t")
    world.state.default_min_insync_replicas = 2
    world.services.settings = dataclasses.replace(
        settings,
        topic_defaults={
            "min.insync.replicas": "4",
            "log.cleanup.policy": "compact",
        },  # 4: of no account
    )
    (config,) = call(world, TOPIC, "t", ["cleanup.policy"]).configs
    assert synonyms(config) == [
        ("log.cleanup.policy", "compact", 4), ("log.cleanup.policy", "delete", 5)
    ]  # fmt: skip
    (config,) = call(world, TOPIC, "t", ["min.insync.replicas"]).configs
    assert (config.value, config.config_source) == ("2", 4)
    world.state.configs["topic", "t"] = {"min.insync.replicas": "3"}
    (config,) = call(world, TOPIC, "t", ["min.insync.replicas", "no.such"]).configs
    assert (config.value, config.config_source) == ("3", 1)
    assert synonyms(config) == [
        ("min.insync.replicas", "3", 1),
        ("min.insync.replicas", "2", 4),
        ("min.insync.replicas", "1", 5),
    ]


def test_synonyms_and_documentation_only_on_demand(world: World) -> None:
    world.add_topic("t")
    result = call(world, TOPIC, "t", include_synonyms=False, include_documentation=False)
    assert all(c.synonyms == [] and c.documentation is None for c in result.configs)


@pytest.mark.parametrize(("name", "code"), [("nothing", 3), ("a/b", 17)])
def test_a_topic_that_is_not_there(world: World, name: str, code: int) -> None:
    result = call(world, TOPIC, name)
    assert (result.error_code, result.configs) == (code, [])
    assert result.error_message


def test_a_broker_tells_its_settings_and_no_secret(world: World) -> None:
    configs = {c.name: c for c in call(world, BROKER, "1").configs}
    assert configs["node.id"].value == "1"
    assert configs["node.id"].config_source == 4
    assert configs["message.max.bytes"].value == "1048588"
    assert configs["message.max.bytes"].config_source == 5
    assert configs["auto.create.topics.enable"].value == "true"
    assert configs["auto.create.topics.enable"].config_type == 1
    assert configs["listeners"].config_type == 7
    assert configs["log.cleanup.policy"].config_type == 7
    assert configs["log.retention.ms"].value == "604800000"
    secret = configs["ssl.key.password"]
    assert (secret.value, secret.is_sensitive) == (None, True)
    assert all(s.value is None for s in secret.synonyms)
    assert {c.name for c in configs.values() if not c.read_only} == set(DYNAMIC_BROKER_CONFIGS)
    assert "secret" not in repr(configs)
    assert [c.name for c in call(world, BROKER, "1", ["node.id"]).configs] == ["node.id"]


def test_a_broker_answers_for_itself_alone(world: World) -> None:
    assert call(world, BROKER, "2").error_code == ErrorCode.INVALID_REQUEST
    result = call(world, BROKER, "")
    assert (result.error_code, result.configs) == (0, [])


def test_what_was_changed_at_run_time_goes_before_the_file(
    world: World, settings: NodeSettings
) -> None:
    world.add_topic("t")
    world.services.settings = dataclasses.replace(
        settings, max_connections=50, topic_defaults={"log.retention.ms": "4"}
    )
    world.state.configs["broker", ""] = {"max.connections": "60", "log.retention.ms": "3"}
    (config,) = call(world, BROKER, "1", ["max.connections"]).configs
    assert (config.value, config.config_source, config.read_only) == ("60", 3, False)
    world.state.configs["broker", "1"] = {"max.connections": "70", "log.retention.ms": "2"}
    world.state.configs["broker", "2"] = {"max.connections": "80"}
    (config,) = call(world, BROKER, "1", ["max.connections"]).configs
    assert synonyms(config) == [
        ("max.connections", "70", 2),
        ("max.connections", "60", 3),
        ("max.connections", "50", 4),
        ("max.connections", "10000", 5),
    ]
    world.state.configs["topic", "t"] = {"retention.ms": "1"}
    (config,) = call(world, TOPIC, "t", ["retention.ms"]).configs
    assert synonyms(config) == [
        ("retention.ms", "1", 1),
        ("log.retention.ms", "2", 2),
        ("log.retention.ms", "3", 3),
        ("log.retention.ms", "4", 4),
        ("log.retention.ms", "604800000", 5),
    ]


def test_the_default_of_all_brokers_is_what_was_set_and_no_more(world: World) -> None:
    world.state.configs["broker", ""] = {"max.connections": "60", "log.retention.ms": "3"}
    configs = call(world, BROKER, "").configs
    assert [(c.name, c.value, c.config_source) for c in configs] == [
        ("log.retention.ms", "3", 3),
        ("max.connections", "60", 3),
    ]
    assert [c.name for c in call(world, BROKER, "", ["max.connections", "x"]).configs] == [
        "max.connections"
    ]


def test_elections_go_by_the_controllers_file(world: World) -> None:
    world.state.default_unclean_election = True
    (config,) = call(world, BROKER, "1", ["unclean.leader.election.enable"]).configs
    assert synonyms(config) == [
        ("unclean.leader.election.enable", "true", 4),
        ("unclean.leader.election.enable", "false", 5),
    ]


def test_a_group_has_settings_before_it_has_members(world: World, settings: NodeSettings) -> None:
    world.services.settings = dataclasses.replace(
        settings, group_consumer_session_timeout_ms=50_000
    )
    world.state.configs["group", "g"] = {"consumer.heartbeat.interval.ms": "6000"}
    heartbeat, session = call(world, GROUP, "g").configs
    assert synonyms(heartbeat) == [
        ("consumer.heartbeat.interval.ms", "6000", 8),
        ("group.consumer.heartbeat.interval.ms", "5000", 5),
    ]
    assert (session.value, session.config_source) == ("50000", 4)
    assert call(world, GROUP, "").error_code == ErrorCode.INVALID_REQUEST


def test_a_subscription_to_client_metrics(world: World) -> None:
    world.state.configs["client-metrics", "s"] = {"metrics": "org.apache.kafka.producer."}
    interval, match, metrics = call(world, CLIENT_METRICS, "s").configs
    assert synonyms(metrics) == [("metrics", "org.apache.kafka.producer.", 7), ("metrics", "", 5)]
    assert (interval.name, interval.value, interval.config_source) == ("interval.ms", "300000", 5)
    assert (match.name, match.config_type) == ("match", 7)
    assert call(world, CLIENT_METRICS, "").error_code == ErrorCode.INVALID_REQUEST


@pytest.mark.parametrize("resource_type", [0, 8, 99])
def test_other_resources_have_no_settings(world: World, resource_type: int) -> None:
    result = call(world, resource_type, "x")
    assert result.error_code == ErrorCode.INVALID_REQUEST
    assert result.error_message


def test_a_failure_as_a_whole() -> None:
    asked = DescribeConfigsRequest([DescribeConfigsResource(TOPIC, "t", None)])
    response = describe_configs.fail(asked, 4, ErrorCode.UNKNOWN_SERVER_ERROR, "why")
    assert [r.error_code for r in response.results] == [-1]
    response.encode(4)
