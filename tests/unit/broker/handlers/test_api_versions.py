from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from broker.handlers import HANDLERS
from broker.handlers.api_versions import refuse
from ottla.core.errors import ErrorCode
from ottla.protocol.api import ApiKey, api_spec
from ottla.protocol.messages.api_versions_request import ApiVersionsRequest
from ottla.protocol.messages.api_versions_response import ApiVersionsResponse

if TYPE_CHECKING:
    from tests.unit.broker.handlers.conftest import World

HANDLER = next(spec for spec in HANDLERS if spec.api_key == ApiKey.API_VERSIONS)


def call(
    world: World, version: int, name: str = "lib", software: str = "1.0"
) -> ApiVersionsResponse:
    answer: Any = HANDLER.handle(
        world.services,
        world.context(ApiKey.API_VERSIONS, version),
        ApiVersionsRequest(name, software),
    )
    return ApiVersionsResponse.decode(answer.encode(version), version)


def test_every_handler_is_told_once_and_within_what_the_codec_knows(world: World) -> None:
    told = {k.api_key: (k.min_version, k.max_version) for k in call(world, 4).api_keys}
    assert told == {int(s.api_key): (s.min_version, s.max_version) for s in HANDLERS}
    assert len(told) == len(HANDLERS)
    for spec in HANDLERS:
        codec = api_spec(spec.api_key)
        assert codec.min_version <= spec.min_version <= spec.max_version <= codec.max_version


def test_produce_is_told_from_version_0() -> None:
    assert next(s for s in HANDLERS if s.api_key == ApiKey.PRODUCE).min_version == 0


@pytest.mark.parametrize("version", range(5))
def test_features_are_told_where_the_version_has_them(world: World, version: int) -> None:
    response = call(world, version)
    assert response.error_code == 0
    supported = {f.name: (f.min_version, f.max_version) for f in response.supported_features}
    finalized = {f.name: f.max_version_level for f in response.finalized_features}
    if version < 3:
        assert (supported, finalized) == ({}, {})
        return
    assert finalized.keys() == {"metadata.version", "group.version", "transaction.version"}
    # Below version 4 a minimum of 0 makes old clients fail.
    assert version >= 4 or all(low >= 1 for low, _ in supported.values())
    assert version < 4 or supported["transaction.version"] == (0, 2)
    assert all(low <= finalized[name] <= high for name, (low, high) in supported.items())
    assert response.finalized_features_epoch == world.metadata.offset


def test_a_feature_has_the_level_that_was_chosen_and_none_when_it_is_off(world: World) -> None:
    world.state.features["transaction.version"] = 1
    assert {f.name: f.max_version_level for f in call(world, 4).finalized_features}[
        "transaction.version"
    ] == 1
    world.state.features["transaction.version"] = 0
    assert "transaction.version" not in {f.name for f in call(world, 4).finalized_features}


@pytest.mark.parametrize(("name", "software"), [("", "1"), ("a b", "1"), ("-a", "1"), ("a", "")])
def test_a_client_with_an_illegal_name_is_refused(world: World, name: str, software: str) -> None:
    assert call(world, 3, name, software).error_code == ErrorCode.INVALID_REQUEST
    assert call(world, 2, name, software).error_code == 0


def test_an_unsupported_version_is_answered_in_version_0_with_the_range() -> None:
    response = ApiVersionsResponse.decode(refuse(memoryview(b""), 99), 0)
    assert response.error_code == 35
    assert [(k.api_key, k.min_version, k.max_version) for k in response.api_keys] == [(18, 0, 4)]
