from __future__ import annotations

import pytest

from controller import quota_commands
from controller.codec import decode_snapshot, encode_snapshot, quota_entity_message
from controller.generated import metadata_pb2 as pb
from controller.state import QuotaEntity
from ottla.core.errors import ErrorCode
from tests.support.cluster_states import Cluster

Wanted = tuple[QuotaEntity, dict[str, float | None]]
USER: QuotaEntity = (("user", "u"),)


def alter(cluster: Cluster, *wanted: Wanted, validate_only: bool = False) -> list[int]:
    command = pb.AlterQuotas(
        entities=[
            pb.QuotaAlteration(
                entity=quota_entity_message(entity),
                changes=[pb.QuotaChange(key=key, value=value) for key, value in changes.items()],
            )
            for entity, changes in wanted
        ],
        validate_only=validate_only,
    )
    result = cluster.do(alter_quotas=command)
    assert result.error_code == 0
    assert all(bool(one.message) == bool(one.error_code) for one in result.quotas)
    return [one.error_code for one in result.quotas]


def test_quotas_are_set_changed_and_removed() -> None:
    cluster = Cluster()
    both: QuotaEntity = (("client-id", None), ("user", "u"))
    assert alter(cluster, (USER, {"producer_byte_rate": 5, "request_percentage": 0.5}),
                 (both, {"consumer_byte_rate": 7})) == [0, 0]  # fmt: skip
    in_order: QuotaEntity = (("user", "u"), ("client-id", None))
    assert cluster.state.quotas == {
        USER: {"producer_byte_rate": 5, "request_percentage": 0.5},
        in_order: {"consumer_byte_rate": 7},
    }
    state, _ = decode_snapshot(encode_snapshot(cluster.state, 1))
    assert state == cluster.state
    alter(cluster, (USER, {"producer_byte_rate": 6, "request_percentage": None}))
    assert cluster.state.quotas[USER] == {"producer_byte_rate": 6}
    alter(cluster, (USER, {"producer_byte_rate": None}), validate_only=True)
    assert USER in cluster.state.quotas
    alter(cluster, (USER, {"producer_byte_rate": None}))
    assert USER not in cluster.state.quotas


@pytest.mark.parametrize(
    ("entity", "changes"),
    [
        ((), {"producer_byte_rate": 5}),
        ((("ip", "1.2.3.4"),), {"producer_byte_rate": 5}),
        ((("user", ""),), {"producer_byte_rate": 5}),
        ((("user", "u" * 256),), {"producer_byte_rate": 5}),
        ((("user", "u"), ("user", "v")), {"producer_byte_rate": 5}),
        (USER, {"bytes": 5}),
        (USER, {"producer_byte_rate": 0}),
        (USER, {"producer_byte_rate": -1}),
        (USER, {"producer_byte_rate": 1.5}),
        (USER, {"request_percentage": float("nan")}),
        (USER, {"request_percentage": float("inf")}),
    ],
)
def test_what_is_refused_changes_nothing_and_holds_nobody_up(
    entity: QuotaEntity, changes: dict[str, float | None]
) -> None:
    cluster = Cluster()
    other: Wanted = ((("user", "other"),), {"producer_byte_rate": 5})
    assert alter(cluster, (entity, changes), other) == [ErrorCode.INVALID_REQUEST, 0]
    assert list(cluster.state.quotas) == [(("user", "other"),)]


def test_an_entity_twice_is_refused_the_second_time() -> None:
    cluster = Cluster()
    wanted: Wanted = (USER, {"producer_byte_rate": 5})
    assert alter(cluster, wanted, wanted) == [0, ErrorCode.INVALID_REQUEST]


def test_entities_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quota_commands, "ENTITIES_MAX", 2)
    cluster = Cluster()
    wanted: list[Wanted] = [
        ((("user", name),), {"producer_byte_rate": 5}) for name in ("a", "b", "c")
    ]
    assert alter(cluster, *wanted) == [0, 0, ErrorCode.POLICY_VIOLATION]
    gone: Wanted = ((("user", "a"),), {"producer_byte_rate": None})
    assert alter(cluster, gone, wanted[2]) == [0, 0]
