"""Quotas of users and clients: what there are, and changing them (KIP-546)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ottla.client.cluster import Cluster
from ottla.client.errors import check_code
from ottla.protocol.api import ApiKey
from ottla.protocol.messages import alter_client_quotas_request as altered
from ottla.protocol.messages.alter_client_quotas_response import AlterClientQuotasResponse
from ottla.protocol.messages.describe_client_quotas_request import (
    ComponentData,
    DescribeClientQuotasRequest,
)
from ottla.protocol.messages.describe_client_quotas_response import DescribeClientQuotasResponse

USER: Final = "user"
CLIENT_ID: Final = "client-id"
_EXACT: Final = 0
_DEFAULT: Final = 1


@dataclass(frozen=True, slots=True)
class QuotaEntity:
    """Whom a quota concerns: names by type; None: all that have no quota of their own."""

    names: Mapping[str, str | None]

    def __str__(self) -> str:
        return ", ".join(
            f"{'client' if kind == CLIENT_ID else kind} '{name}'"
            if name is not None
            else f"any {'client' if kind == CLIENT_ID else kind}"
            for kind, name in self.names.items()
        )


def describe_quotas(
    cluster: Cluster, of: QuotaEntity
) -> list[tuple[QuotaEntity, dict[str, float]]]:
    """The quotas that concern the names of `of`, also together with others; all for no names."""
    request = DescribeClientQuotasRequest(
        [
            ComponentData(kind, _DEFAULT if name is None else _EXACT, name)
            for kind, name in of.names.items()
        ]
    )

    def attempt() -> list[tuple[QuotaEntity, dict[str, float]]]:
        response = cluster.ask(ApiKey.DESCRIBE_CLIENT_QUOTAS, request, DescribeClientQuotasResponse)
        check_code(response.error_code, "the quotas", response.error_message)
        found = [
            (
                QuotaEntity({part.entity_type: part.entity_name for part in entry.entity}),
                {value.key: value.value for value in entry.values},
            )
            for entry in response.entries or ()
        ]
        return sorted(found, key=lambda one: str(one[0]))

    return cluster.retry("describing the quotas", attempt)


def alter_quotas(
    cluster: Cluster,
    entity: QuotaEntity,
    changes: Mapping[str, float | None],
) -> None:
    """Set what has a value, remove what has None; ProtocolError INVALID_REQUEST."""
    request = altered.AlterClientQuotasRequest(
        [
            altered.EntryData(
                [altered.EntityData(kind, name) for kind, name in entity.names.items()],
                [
                    altered.OpData(key, 0.0 if value is None else value, value is None)
                    for key, value in changes.items()
                ],
            )
        ]
    )

    def attempt() -> None:
        response = cluster.ask(ApiKey.ALTER_CLIENT_QUOTAS, request, AlterClientQuotasResponse)
        for entry in response.entries:
            check_code(entry.error_code, str(entity), entry.error_message)

    cluster.retry(f"changing the quotas of {entity}", attempt)
