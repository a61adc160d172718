from __future__ import annotations

import pytest

from controller.codec import decode_snapshot, encode_snapshot
from controller.features import finalized_levels
from controller.generated import metadata_pb2 as pb
from ottla.core.errors import ErrorCode
from tests.support.cluster_states import Cluster

TRANSACTIONS = "transaction.version"


def update(
    cluster: Cluster, *wanted: tuple[str, int], downgrade: bool = False, validate_only: bool = False
) -> pb.Result:
    return cluster.do(
        update_features=pb.UpdateFeatures(
            updates=[
                pb.FeatureUpdate(name=name, level=level, downgrade=downgrade)
                for name, level in wanted
            ],
            validate_only=validate_only,
        )
    )


def test_levels_go_down_and_up() -> None:
    cluster = Cluster()
    assert finalized_levels(cluster.state.features)[TRANSACTIONS] == 2
    assert update(cluster, (TRANSACTIONS, 1), downgrade=True, validate_only=True).error_code == 0
    assert cluster.state.features == {}
    for _ in range(2):  # a lost answer
        assert update(cluster, (TRANSACTIONS, 0), downgrade=True).error_code == 0
        assert cluster.state.features == {TRANSACTIONS: 0}
    state, _ = decode_snapshot(encode_snapshot(cluster.state, 1))
    assert state == cluster.state
    assert update(cluster, (TRANSACTIONS, 2)).error_code == 0
    assert finalized_levels(cluster.state.features)[TRANSACTIONS] == 2


def test_a_fixed_feature_can_be_set_to_what_it_is() -> None:
    assert update(Cluster(), ("metadata.version", 25)).error_code == 0


@pytest.mark.parametrize(
    ("wanted", "downgrade", "code"),
    [
        ([(TRANSACTIONS, 1)], False, ErrorCode.INVALID_UPDATE_VERSION),
        ([(TRANSACTIONS, 3)], False, ErrorCode.INVALID_UPDATE_VERSION),
        ([(TRANSACTIONS, -1)], True, ErrorCode.INVALID_UPDATE_VERSION),
        ([("metadata.version", 24)], True, ErrorCode.INVALID_UPDATE_VERSION),
        ([("kraft.version", 1)], False, ErrorCode.INVALID_UPDATE_VERSION),
        ([(TRANSACTIONS, 2), (TRANSACTIONS, 2)], False, ErrorCode.INVALID_REQUEST),
        ([(TRANSACTIONS, 1), ("metadata.version", 24)], True, ErrorCode.INVALID_UPDATE_VERSION),
    ],
)
def test_what_is_refused_changes_nothing(
    wanted: list[tuple[str, int]], downgrade: bool, code: ErrorCode
) -> None:
    cluster = Cluster()
    result = update(cluster, *wanted, downgrade=downgrade)
    assert result.error_code == code
    assert result.message
    assert cluster.state.features == {}


def test_a_higher_level_is_no_downgrade() -> None:
    cluster = Cluster()
    update(cluster, (TRANSACTIONS, 0), downgrade=True)
    assert update(cluster, (TRANSACTIONS, 1), downgrade=True).error_code == (
        ErrorCode.INVALID_UPDATE_VERSION
    )
