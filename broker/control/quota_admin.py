"""Quotas of clients, as a broker has them changed."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from broker.control.admin import OWN_METADATA_MS
from broker.control.commands import Commands
from broker.control.metadata_cache import MetadataCache
from controller.codec import quota_entity_message
from controller.generated import metadata_pb2 as pb
from controller.state import QuotaEntity
from ottla.core.errors import ErrorCode, ProtocolError

QuotaChanges: TypeAlias = Mapping[str, float | None]
"""By Kafka's name; None: the quota is removed."""


class QuotaAdmin:
    """Answers once every live broker goes by the change, or the time is up."""

    def __init__(self, commands: Commands, cache: MetadataCache) -> None:
        self._commands = commands
        self._cache = cache

    async def alter(
        self,
        wanted: Sequence[tuple[QuotaEntity, QuotaChanges]],
        *,
        validate_only: bool,
        timeout_ms: int,
    ) -> list[tuple[ErrorCode, str | None]]:
        """(code, message) by entity, in their order; ProtocolError REQUEST_TIMED_OUT."""
        command = pb.Command(
            alter_quotas=pb.AlterQuotas(
                entities=[
                    pb.QuotaAlteration(
                        entity=quota_entity_message(entity),
                        changes=[
                            pb.QuotaChange(key=key, value=value) for key, value in changes.items()
                        ],
                    )
                    for entity, changes in wanted
                ],
                validate_only=validate_only,
            )
        )
        answer = await self._commands.execute(
            command, timeout_ms, wait_for_brokers=not validate_only
        )
        if not validate_only:
            with contextlib.suppress(ProtocolError):
                await self._cache.wait_offset(answer.offset, OWN_METADATA_MS)
        return [(ErrorCode(one.error_code), one.message or None) for one in answer.result.quotas]
