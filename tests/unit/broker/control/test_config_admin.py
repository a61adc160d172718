from __future__ import annotations

import asyncio

import pytest

from broker.control.config_admin import ConfigAdmin, ConfigChange, ConfigOperation
from ottla.core.errors import ErrorCode, ProtocolError
from tests.support.deciding_controller import DecidingController

SET, DELETE, APPEND, SUBTRACT = ConfigOperation


def alter(
    controller: DecidingController, kind: str, name: str, *changes: ConfigChange, **options: bool
) -> None:
    defaults = {"cleanup.policy": "compact"}
    configs = ConfigAdmin(controller, controller.cache, defaults)  # type: ignore[arg-type]
    asyncio.run(configs.alter(kind, name, changes, timeout_ms=100, **options))


@pytest.mark.parametrize("repeat", [False, True])
def test_every_operation_bears_a_lost_answer(repeat: bool) -> None:
    controller = DecidingController()
    controller.cluster.topic("t", [1], configs={"retention.ms": "9"})
    controller.repeat = repeat
    alter(
        controller,
        "topic",
        "t",
        ConfigChange("segment.ms", SET, "4"),
        ConfigChange("retention.ms", DELETE),
        # What the list holds by this node's file, since nothing was ever set.
        ConfigChange("cleanup.policy", APPEND, "delete"),
    )
    assert controller.cache.state.configs["topic", "t"] == {
        "segment.ms": "4",
        "cleanup.policy": "compact,delete",
    }
    alter(controller, "topic", "t", ConfigChange("cleanup.policy", SUBTRACT, "compact"))
    assert controller.cache.state.configs["topic", "t"]["cleanup.policy"] == "delete"
    alter(controller, "topic", "t", ConfigChange("flush.ms", SET, "1"), replace_all=True)
    assert controller.cache.state.configs["topic", "t"] == {"flush.ms": "1"}


def test_a_brokers_list_is_known_by_its_own_name() -> None:
    controller = DecidingController()
    alter(controller, "broker", "", ConfigChange("log.cleanup.policy", APPEND, "delete"))
    assert controller.cache.state.configs["broker", ""] == {"log.cleanup.policy": "compact,delete"}


def test_validating_changes_nothing_and_a_fault_is_raised() -> None:
    controller = DecidingController()
    alter(controller, "group", "g", ConfigChange("consumer.session.timeout.ms", SET, "50000"),
          validate_only=True)  # fmt: skip
    assert not controller.cache.state.configs
    with pytest.raises(ProtocolError) as raised:
        alter(controller, "topic", "nothing", ConfigChange("segment.ms", SET, "4"))
    assert raised.value.code == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
