"""The levels of features, as a broker has them changed."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from broker.control.admin import OWN_METADATA_MS
from broker.control.commands import Commands
from broker.control.metadata_cache import MetadataCache
from controller.generated import metadata_pb2 as pb
from ottla.core.errors import ProtocolError


class FeatureAdmin:
    """Answers once every live broker tells the new levels, or the time is up."""

    def __init__(self, commands: Commands, cache: MetadataCache) -> None:
        self._commands = commands
        self._cache = cache

    async def update(
        self, wanted: Sequence[tuple[str, int, bool]], *, validate_only: bool, timeout_ms: int
    ) -> None:
        """(name, level, whether it is a downgrade) of each; all change, or none does.

        ProtocolError INVALID_UPDATE_VERSION, INVALID_REQUEST, REQUEST_TIMED_OUT.
        """
        command = pb.Command(
            update_features=pb.UpdateFeatures(
                updates=[
                    pb.FeatureUpdate(name=name, level=level, downgrade=downgrade)
                    for name, level, downgrade in wanted
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
