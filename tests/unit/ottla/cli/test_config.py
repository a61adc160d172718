from __future__ import annotations

from typing import Any

import pytest

from ottla.client.admin import Admin
from ottla.client.configs import ConfigChange, ConfigOperation, ConfigResource, ResourceKind
from ottla.client.model import ConfigEntry
from tests.support.command_line import CommandLine

SET, DELETE, APPEND, SUBTRACT = ConfigOperation
FOUND = [
    ConfigEntry("listeners", "PLAINTEXT://:1", "broker", False, True, False, "where"),
    ConfigEntry(
        "max.connections",
        "5",
        "cluster (dynamic)",
        False,
        False,
        False,
        None,
        (("max.connections", "5", "cluster (dynamic)"), ("max.connections", "9", "default")),
    ),
    ConfigEntry("num.partitions", "1", "default", True, True, False, None),
    ConfigEntry("ssl.key.password", None, "broker", False, True, True, None),
]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    made: list[Any] = []

    def describe(_: Admin, resource: ConfigResource) -> list[ConfigEntry]:
        made.append(resource)
        return FOUND

    def alter(
        _: Admin,
        resource: ConfigResource,
        changes: list[ConfigChange],
        *,
        validate_only: bool = False,
    ) -> None:
        made.append((resource, changes, validate_only))

    monkeypatch.setattr(Admin, "describe_configs", describe)
    monkeypatch.setattr(Admin, "alter_configs", alter)
    return made


def test_describe_shows_what_was_set_and_on_demand_everything(
    ottla: CommandLine, calls: list[Any]
) -> None:
    done = ottla("config", "describe", "--broker", "1")
    assert calls == [ConfigResource(ResourceKind.BROKER, "1")]
    rows = [line.split() for line in done.lines[2:]]
    assert rows == [
        ["listeners", "PLAINTEXT://:1", "broker", "at", "a", "restart"],
        ["max.connections", "5", "cluster", "(dynamic)", "yes"],
        ["ssl.key.password", "[hidden]", "broker", "at", "a", "restart"],
    ]
    assert "num.partitions" in ottla("config", "describe", "--broker", "1", "--all").text
    as_json = ottla("config", "describe", "--all-brokers", "--json").json
    assert [entry["name"] for entry in as_json] == [rows[0][0], rows[1][0], rows[2][0]]
    assert as_json[1]["synonyms"][1] == {
        "name": "max.connections",
        "value": "9",
        "source": "default",
    }


def test_describe_says_when_nothing_is_set(ottla: CommandLine) -> None:
    ottla.kafka.create("t")
    done = ottla("config", "describe", "--topic", "t")
    assert done.lines == ["Everything has its default for topic 't'; --all shows it."]


def test_set_and_unset(ottla: CommandLine, calls: list[Any]) -> None:
    done = ottla("config", "set", "retention.ms=5", "a+=x,y", "b-=z", "c=k=v", "--topic", "orders")
    topic = ConfigResource(ResourceKind.TOPIC, "orders")
    changes = [
        ConfigChange("retention.ms", SET, "5"),
        ConfigChange("a", APPEND, "x,y"),
        ConfigChange("b", SUBTRACT, "z"),
        ConfigChange("c", SET, "k=v"),
    ]
    assert calls.pop() == (topic, changes, False)
    assert done.lines == ["Changed retention.ms, a, b, c for topic 'orders'."]
    done = ottla("config", "unset", "retention.ms", "--group", "g", "--dry-run")
    group = ConfigResource(ResourceKind.GROUP, "g")
    assert calls.pop() == (group, [ConfigChange("retention.ms", DELETE)], True)
    assert done.lines == ["retention.ms could be changed for group 'g'."]
    as_json = ottla("config", "set", "x=1", "--all-brokers", "--json").json
    assert as_json == {"type": "broker", "name": "", "changed": ["x"], "valid": ["x"]}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("describe",), "say of what"),
        (("describe", "--topic", "t", "--broker", "1"), "say of what"),
        (("set", "retention.ms", "--topic", "t"), "expected KEY=VALUE"),
        (("set", "=5", "--topic", "t"), "expected KEY=VALUE"),
    ],
)
def test_wrong_usage(
    ottla: CommandLine, calls: list[Any], arguments: tuple[str, ...], words: str
) -> None:
    done = ottla("config", *arguments)
    assert (done.code, calls) == (2, [])
    assert words in done.errors


def test_a_refusal_is_a_sentence(ottla: CommandLine) -> None:
    done = ottla("config", "set", "retention.ms=5", "--topic", "nothing")
    assert done.code == 1
    assert "topic 'nothing' does not exist" in done.errors
