from __future__ import annotations

from typing import Any, cast

import pytest

from ottla.client.quotas import QuotaEntity, alter_quotas, describe_quotas
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.protocol.api import ApiKey
from ottla.protocol.messages import (
    alter_client_quotas_response,
    describe_client_quotas_response,
)


class FakeCluster:
    """Answers one request as prepared, and remembers it."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.asked: list[Any] = []

    def ask(self, key: ApiKey, request: Any, answer: type[Any]) -> Any:
        self.asked.append(request)
        return self.answer

    def retry(self, what: str, attempt: Any) -> Any:
        return attempt()


def test_quotas_are_described() -> None:
    m = describe_client_quotas_response
    entries = [
        m.EntryData([m.EntityData("user", "u")], [m.ValueData("producer_byte_rate", 5)]),
        m.EntryData([m.EntityData("client-id", None)], [m.ValueData("request_percentage", 7)]),
    ]
    cluster = FakeCluster(m.DescribeClientQuotasResponse(entries=entries))
    found = describe_quotas(cast(Any, cluster), QuotaEntity({"user": "u", "client-id": None}))
    assert found == [
        (QuotaEntity({"client-id": None}), {"request_percentage": 7}),
        (QuotaEntity({"user": "u"}), {"producer_byte_rate": 5}),
    ]
    assert [(c.entity_type, c.match_type, c.match) for c in cluster.asked[0].components] == [
        ("user", 0, "u"),
        ("client-id", 1, None),
    ]


def test_quotas_are_changed_and_a_refusal_is_raised() -> None:
    m = alter_client_quotas_response
    cluster = FakeCluster(m.AlterClientQuotasResponse(entries=[m.EntryData(0, None)]))
    entity = QuotaEntity({"user": "u"})
    alter_quotas(cast(Any, cluster), entity, {"a": 5, "b": None})
    (entry,) = cluster.asked[0].entries
    assert [(op.key, op.value, op.remove) for op in entry.ops] == [("a", 5, False), ("b", 0, True)]
    refusal = m.EntryData(int(ErrorCode.INVALID_REQUEST), "no such quota")
    cluster = FakeCluster(m.AlterClientQuotasResponse(entries=[refusal]))
    with pytest.raises(ProtocolError, match="user 'u': no such quota"):
        alter_quotas(cast(Any, cluster), entity, {"a": 5})
