from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from ottla.client.admin import Admin
from ottla.client.quotas import QuotaEntity
from tests.support.command_line import CommandLine

FOUND: list[tuple[QuotaEntity, dict[str, float]]] = [
    (QuotaEntity({"user": None, "client-id": "c"}), {"producer_byte_rate": 1e6}),
    (QuotaEntity({"user": "u"}), {"request_percentage": 12.5, "consumer_byte_rate": 5}),
]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    made: list[Any] = []

    def describe(_: Admin, of: QuotaEntity) -> list[tuple[QuotaEntity, dict[str, float]]]:
        made.append(of)
        return FOUND if not of.names else []

    def alter(_: Admin, entity: QuotaEntity, changes: Mapping[str, float | None]) -> None:
        made.append((entity, dict(changes)))

    monkeypatch.setattr(Admin, "describe_quotas", describe)
    monkeypatch.setattr(Admin, "alter_quotas", alter)
    return made


def test_describe(ottla: CommandLine, calls: list[Any]) -> None:
    done = ottla("quota", "describe")
    assert [line.split() for line in done.lines[2:]] == [
        ["(any)", "c", "producer_byte_rate", "1000000"],
        ["u", "request_percentage", "12.5"],
        ["u", "consumer_byte_rate", "5"],
    ]
    assert ottla("quota", "describe", "--json").json[0] == {
        "entity": {"user": None, "client-id": "c"},
        "quotas": {"producer_byte_rate": 1e6},
    }
    done = ottla("quota", "describe", "--user", "x", "--any-client")
    assert done.lines == ["No quota is set; 'ottla quota set' sets one."]
    assert calls[-1] == QuotaEntity({"user": "x", "client-id": None})


def test_set_and_unset(ottla: CommandLine, calls: list[Any]) -> None:
    done = ottla("quota", "set", "producer_byte_rate=5", "request_percentage=2.5", "--client", "c")
    assert calls.pop() == (
        QuotaEntity({"client-id": "c"}),
        {"producer_byte_rate": 5, "request_percentage": 2.5},
    )
    assert done.lines == ["Changed producer_byte_rate, request_percentage for client 'c'."]
    done = ottla("quota", "unset", "producer_byte_rate", "--any-user", "--json")
    assert calls.pop() == (QuotaEntity({"user": None}), {"producer_byte_rate": None})
    assert done.json == {"entity": {"user": None}, "changed": ["producer_byte_rate"]}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("set", "producer_byte_rate=5"), "say whose"),
        (("unset", "producer_byte_rate"), "say whose"),
        (("set", "producer_byte_rate", "--user", "u"), "expected QUOTA=NUMBER"),
        (("set", "producer_byte_rate=much", "--user", "u"), "expected QUOTA=NUMBER"),
        (("describe", "--user", "u", "--any-user"), "not both"),
    ],
)
def test_wrong_usage(
    ottla: CommandLine, calls: list[Any], arguments: tuple[str, ...], words: str
) -> None:
    done = ottla("quota", *arguments)
    assert (done.code, calls) == (2, [])
    assert words in done.errors
