from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

import pytest

from broker.control.feature_admin import FeatureAdmin
from broker.handlers import update_features
from ottla.core.errors import ErrorCode
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.update_features_request import (
    FeatureUpdateKey,
    UpdateFeaturesRequest,
)
from ottla.protocol.messages.update_features_response import UpdateFeaturesResponse
from tests.support.deciding_controller import DecidingController

if TYPE_CHECKING:
    from tests.unit.broker.handlers.conftest import World

FEATURE = "transaction.version"


@pytest.fixture
def controller(world: World) -> DecidingController:
    controller = DecidingController()
    world.services.controller.features = FeatureAdmin(cast(Any, controller), controller.cache)
    return controller


def call(
    world: World, version: int, level: int, *, downgrade: bool = False, upgrade_type: int = 1
) -> UpdateFeaturesResponse:
    request = UpdateFeaturesRequest(
        1_000, [FeatureUpdateKey(FEATURE, level, downgrade, upgrade_type)]
    )
    context = world.context(ApiKey.UPDATE_FEATURES, version)
    answer = asyncio.run(cast(Any, update_features.handle(world.services, context, request)))
    return UpdateFeaturesResponse.decode(answer.encode(version), version)


@pytest.mark.parametrize("version", [0, 1, 2])
@pytest.mark.parametrize("upgrade_type", [2, 3])
def test_a_downgrade_is_asked_for(
    world: World, controller: DecidingController, version: int, upgrade_type: int
) -> None:
    refused = call(world, version, 1)
    assert refused.error_code == ErrorCode.INVALID_UPDATE_VERSION
    assert refused.error_message
    assert [r.error_code for r in refused.results] == [refused.error_code] * (version < 2)
    assert controller.cluster.state.features == {}
    done = call(world, version, 1, downgrade=True, upgrade_type=upgrade_type)
    assert done.error_code == 0
    assert [(r.feature, r.error_code) for r in done.results] == [(FEATURE, 0)] * (version < 2)
    assert controller.cluster.state.features == {FEATURE: 1}


def test_an_unknown_type_of_upgrade(world: World, controller: DecidingController) -> None:
    assert call(world, 2, 1, upgrade_type=4).error_code == ErrorCode.INVALID_UPDATE_VERSION
    assert controller.commands == []
