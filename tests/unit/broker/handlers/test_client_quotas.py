from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

import pytest

from broker.control.quota_admin import QuotaAdmin
from broker.handlers import alter_client_quotas, describe_client_quotas
from controller.state import QuotaEntity
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.protocol.api import ApiKey
from ottla.protocol.messages import alter_client_quotas_request as altered
from ottla.protocol.messages.alter_client_quotas_response import AlterClientQuotasResponse
from ottla.protocol.messages.describe_client_quotas_request import (
    ComponentData,
    DescribeClientQuotasRequest,
)
from ottla.protocol.messages.describe_client_quotas_response import DescribeClientQuotasResponse
from tests.support.deciding_controller import DecidingController

if TYPE_CHECKING:
    from tests.unit.broker.handlers.conftest import World

EXACT, DEFAULT, ANY = 0, 1, 2
U: QuotaEntity = (("user", "u"),)
U_C: QuotaEntity = (("user", "u"), ("client-id", "c"))
ANY_USER: QuotaEntity = (("user", None),)
C: QuotaEntity = (("client-id", "c"),)


def describe(
    world: World, *components: ComponentData, strict: bool = False, version: int = 1
) -> set[QuotaEntity]:
    for number, entity in enumerate((U, U_C, ANY_USER, C)):
        world.state.quotas[entity] = {"producer_byte_rate": float(number)}
    context = world.context(ApiKey.DESCRIBE_CLIENT_QUOTAS, version)
    asked = DescribeClientQuotasRequest(list(components), strict)
    answer = cast(Any, describe_client_quotas.handle(world.services, context, asked))
    answer = DescribeClientQuotasResponse.decode(answer.encode(version), version)
    found = {
        tuple((part.entity_type, part.entity_name) for part in entry.entity): {
            value.key: value.value for value in entry.values
        }
        for entry in answer.entries or ()
    }
    assert all(found[entity] == world.state.quotas[entity] for entity in found)
    return set(found)


@pytest.mark.parametrize("version", [0, 1])
def test_quotas_are_found_by_whom_they_concern(world: World, version: int) -> None:
    def found(*components: tuple[str, int, str | None], strict: bool = False) -> set[QuotaEntity]:
        wanted = [ComponentData(*component) for component in components]
        return describe(world, *wanted, strict=strict, version=version)

    assert found() == {U, U_C, ANY_USER, C}
    assert found(strict=True) == set()
    assert found(("user", EXACT, "u")) == {U, U_C}
    assert found(("user", EXACT, "u"), strict=True) == {U}
    assert found(("user", DEFAULT, None)) == {ANY_USER}
    assert found(("user", ANY, None)) == {U, U_C, ANY_USER}
    assert found(("user", EXACT, "u"), ("client-id", ANY, None)) == {U_C}
    assert found(("ip", ANY, None)) == set()


@pytest.mark.parametrize(
    ("component", "code"),
    [
        (("group", ANY, None), ErrorCode.UNSUPPORTED_VERSION),
        (("user", 3, None), ErrorCode.INVALID_REQUEST),
        (("user", EXACT, None), ErrorCode.INVALID_REQUEST),
        (("user", ANY, "u"), ErrorCode.INVALID_REQUEST),
    ],
)
def test_wrong_questions(
    world: World, component: tuple[str, int, str | None], code: ErrorCode
) -> None:
    with pytest.raises(ProtocolError) as raised:
        describe(world, ComponentData(*component))
    assert raised.value.code == code
    failed = describe_client_quotas.fail(DescribeClientQuotasRequest(), 1, code, "why")
    assert (failed.error_code, failed.entries) == (code, None)


@pytest.mark.parametrize("version", [0, 1])
def test_quotas_are_changed_entity_by_entity(world: World, version: int) -> None:
    controller = DecidingController()
    world.services.controller.quotas = QuotaAdmin(cast(Any, controller), controller.cache)
    controller.cluster.state.quotas[U] = {"producer_byte_rate": 5, "request_percentage": 3}
    request = altered.AlterClientQuotasRequest(
        [
            altered.EntryData(
                [altered.EntityData("user", "u")],
                [
                    altered.OpData("producer_byte_rate", 6),
                    altered.OpData("request_percentage", 0, True),
                ],
            ),
            altered.EntryData([altered.EntityData("user", None)], [altered.OpData("bytes", 6)]),
        ]
    )
    context = world.context(ApiKey.ALTER_CLIENT_QUOTAS, version)
    answer = asyncio.run(cast(Any, alter_client_quotas.handle(world.services, context, request)))
    answer = AlterClientQuotasResponse.decode(answer.encode(version), version)
    assert [entry.error_code for entry in answer.entries] == [0, ErrorCode.INVALID_REQUEST]
    assert [entry.entity[0].entity_name for entry in answer.entries] == ["u", None]
    assert controller.cluster.state.quotas == {U: {"producer_byte_rate": 6}}
