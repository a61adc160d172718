from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

import pytest

from broker.control.config_admin import ConfigAdmin
from broker.handlers import alter_configs, incremental_alter_configs, list_config_resources
from broker.settings import NodeSettings
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.protocol.api import ApiKey
from ottla.protocol.messages import alter_configs_request, incremental_alter_configs_request
from ottla.protocol.messages.alter_configs_response import AlterConfigsResponse
from ottla.protocol.messages.incremental_alter_configs_response import (
    IncrementalAlterConfigsResponse,
)
from ottla.protocol.messages.list_config_resources_request import ListConfigResourcesRequest
from ottla.protocol.messages.list_config_resources_response import ListConfigResourcesResponse
from tests.support.deciding_controller import DecidingController

if TYPE_CHECKING:
    from tests.unit.broker.handlers.conftest import World

TOPIC, BROKER, CLIENT_METRICS, GROUP = 2, 4, 16, 32
SET, DELETE, APPEND = 0, 1, 2
Change = tuple[str, int, str | None]


@pytest.fixture
def controller(world: World) -> DecidingController:
    """A controller with a topic "t" that sets retention.ms, called as by broker 1."""
    controller = DecidingController()
    controller.cluster.topic("t", [1], configs={"retention.ms": "9"})
    world.services.settings = NodeSettings(node_id=1, cluster_id="x" * 22)
    world.services.controller.configs = ConfigAdmin(cast(Any, controller), controller.cache, {})
    return controller


def incremental(
    world: World, *resources: tuple[int, str, list[Change]], version: int = 1, dry: bool = False
) -> list[tuple[str, int]]:
    request = incremental_alter_configs_request.IncrementalAlterConfigsRequest(
        [
            incremental_alter_configs_request.AlterConfigsResource(
                kind,
                name,
                [incremental_alter_configs_request.AlterableConfig(*one) for one in changes],
            )
            for kind, name, changes in resources
        ],
        validate_only=dry,
    )
    context = world.context(ApiKey.INCREMENTAL_ALTER_CONFIGS, version)
    answer = asyncio.run(
        cast(Any, incremental_alter_configs.handle(world.services, context, request))
    )
    answer = IncrementalAlterConfigsResponse.decode(answer.encode(version), version)
    assert [(r.resource_type, r.resource_name) for r in answer.responses] == [
        (kind, name) for kind, name, _ in resources
    ]
    assert all(bool(r.error_message) == bool(r.error_code) for r in answer.responses)
    return [(r.resource_name, r.error_code) for r in answer.responses]


@pytest.mark.parametrize("version", [0, 1])
def test_each_resource_is_changed_for_itself(
    world: World, controller: DecidingController, version: int
) -> None:
    outcomes = incremental(
        world,
        (TOPIC, "t", [("retention.ms", DELETE, None), ("cleanup.policy", APPEND, "compact")]),
        (TOPIC, "none", [("retention.ms", SET, "1")]),
        (GROUP, "g", [("consumer.session.timeout.ms", SET, "50000")]),
        (BROKER, "1", [("max.connections", SET, "5")]),
        version=version,
    )
    assert [code for _, code in outcomes] == [0, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, 0, 0]
    assert controller.cluster.state.configs == {
        ("topic", "t"): {"cleanup.policy": "delete,compact"},
        ("group", "g"): {"consumer.session.timeout.ms": "50000"},
        ("broker", "1"): {"max.connections": "5"},
    }


@pytest.mark.parametrize(
    ("kind", "name", "changes", "code"),
    [
        (TOPIC, "t", [("retention.ms", SET, None)], ErrorCode.INVALID_REQUEST),
        (TOPIC, "t", [("retention.ms", 4, "1")], ErrorCode.INVALID_REQUEST),
        (TOPIC, "t", [("flush.ms", SET, "1"), ("flush.ms", DELETE, None)],
         ErrorCode.INVALID_REQUEST),
        (TOPIC, "t", [("retention.ms", SET, "x")], ErrorCode.INVALID_CONFIG),
        (TOPIC, "a/b", [("retention.ms", SET, "1")], ErrorCode.INVALID_TOPIC_EXCEPTION),
        (8, "x", [("metrics", SET, "*")], ErrorCode.INVALID_REQUEST),
        (GROUP, "g", [("consumer.session.timeout.ms", SET, "44999")], ErrorCode.INVALID_CONFIG),
        (GROUP, "g", [("consumer.session.timeout.ms", SET, "60001")], ErrorCode.INVALID_CONFIG),
        (GROUP, "g", [("consumer.heartbeat.interval.ms", SET, "x")], ErrorCode.INVALID_CONFIG),
        (BROKER, "1", [("num.partitions", SET, "3")], ErrorCode.INVALID_REQUEST),
    ],
)  # fmt: skip
def test_what_is_refused_changes_nothing(
    world: World,
    controller: DecidingController,
    kind: int,
    name: str,
    changes: list[Change],
    code: ErrorCode,
) -> None:
    before = dict(controller.cluster.state.configs)
    assert incremental(world, (kind, name, changes)) == [(name, code)]
    assert controller.cluster.state.configs == before


def test_a_resource_twice_is_refused_twice(world: World, controller: DecidingController) -> None:
    changes: list[Change] = [("flush.ms", SET, "1")]
    outcomes = incremental(world, (TOPIC, "t", changes), (TOPIC, "t", changes))
    assert [code for _, code in outcomes] == [ErrorCode.INVALID_REQUEST] * 2
    assert controller.commands == []


def test_validating_alone_changes_nothing(world: World, controller: DecidingController) -> None:
    changes: list[Change] = [("flush.ms", SET, "1")]
    assert incremental(world, (TOPIC, "t", changes), dry=True) == [("t", 0)]
    assert controller.cluster.state.configs["topic", "t"] == {"retention.ms": "9"}


def test_altering_as_a_whole_removes_what_is_not_named(
    world: World, controller: DecidingController
) -> None:
    request = alter_configs_request.AlterConfigsRequest(
        [
            alter_configs_request.AlterConfigsResource(
                TOPIC, "t", [alter_configs_request.AlterableConfig("flush.ms", "1")]
            ),
            alter_configs_request.AlterConfigsResource(
                TOPIC, "u", [alter_configs_request.AlterableConfig("flush.ms", None)]
            ),
        ]
    )
    for version in range(3):
        context = world.context(ApiKey.ALTER_CONFIGS, version)
        answer = asyncio.run(cast(Any, alter_configs.handle(world.services, context, request)))
        answer = AlterConfigsResponse.decode(answer.encode(version), version)
        assert [r.error_code for r in answer.responses] == [0, ErrorCode.INVALID_REQUEST]
    assert controller.cluster.state.configs["topic", "t"] == {"flush.ms": "1"}
    failed = alter_configs.fail(request, 2, ErrorCode.UNKNOWN_SERVER_ERROR, "why")
    assert [r.error_code for r in failed.responses] == [-1, -1]


def listed(world: World, types: list[int], version: int = 1) -> list[tuple[int, str]]:
    context = world.context(ApiKey.LIST_CONFIG_RESOURCES, version)
    answer = cast(
        Any,
        list_config_resources.handle(world.services, context, ListConfigResourcesRequest(types)),
    )
    answer = ListConfigResourcesResponse.decode(answer.encode(version), version)
    return [(r.resource_type, r.resource_name) for r in answer.config_resources]


def test_resources_are_listed_by_type(world: World) -> None:
    world.add_topic("b")
    world.add_topic("a")
    world.state.configs["group", "g"] = {"consumer.session.timeout.ms": "50000"}
    world.state.configs["topic", "a"] = {"retention.ms": "1"}
    assert listed(world, [TOPIC, TOPIC]) == [(TOPIC, "a"), (TOPIC, "b")]
    world.state.configs["client-metrics", "s"] = {"metrics": "*"}
    assert listed(world, [GROUP, CLIENT_METRICS]) == [(GROUP, "g"), (CLIENT_METRICS, "s")]
    assert {kind for kind, _ in listed(world, [])} == {TOPIC, BROKER, CLIENT_METRICS, GROUP}
    assert listed(world, [], version=0) == [(CLIENT_METRICS, "s")]
    with pytest.raises(ProtocolError) as raised:
        listed(world, [99])
    assert raised.value.code == ErrorCode.UNSUPPORTED_VERSION
