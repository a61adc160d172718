"""Partitions and brokers, as a broker has them changed for its clients: reassignments, elections,
brokers that are not to come back.

Each call answers partition by partition, once every live broker has applied the change or the time
is up; this broker has then applied it too, unless it is cut off.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Final

from broker.control.commands import Answer, Commands
from broker.control.metadata_cache import MetadataCache
from broker.control.requests import PartitionResult
from controller.generated import metadata_pb2 as pb
from ottla.core.errors import ErrorCode, ProtocolError

OWN_METADATA_MS: Final = 2_000
PartitionNames = Sequence[tuple[str, int]]
"""(topic, partition index) of each."""


class PartitionAdmin:
    """See the module."""

    def __init__(self, commands: Commands, cache: MetadataCache) -> None:
        self._commands = commands
        self._cache = cache

    async def reassign(
        self,
        targets: Mapping[tuple[str, int], Sequence[int] | None],
        *,
        replication_factor_may_change: bool,
        timeout_ms: int,
    ) -> list[PartitionResult]:
        """By (topic, partition index) the replicas wanted, the preferred leader first; None calls
        off what is under way. Results in the order of `targets`."""
        command = pb.Command(
            reassign_partitions=pb.ReassignPartitions(
                partitions=[
                    pb.Reassignment(
                        partition=pb.PartitionName(topic=topic, index=index),
                        target=None
                        if replicas is None
                        else pb.ReplicaAssignment(replicas=replicas),
                    )
                    for (topic, index), replicas in targets.items()
                ],
                replication_factor_may_change=replication_factor_may_change,
            )
        )
        answer = await self._execute(command, timeout_ms)
        if answer.repeated:
            for result in answer.result.partitions:
                if result.error_code == ErrorCode.NO_REASSIGNMENT_IN_PROGRESS:
                    result.error_code = 0  # an earlier attempt called it off
        return _results(answer)

    async def elect_leaders(
        self, names: PartitionNames | None, *, unclean: bool, timeout_ms: int
    ) -> list[PartitionResult]:
        """Of `names`, or, None, of all partitions; then only those are answered that needed it."""
        command = pb.Command(
            elect_leaders=pb.ElectLeaders(
                unclean=unclean,
                all=names is None,
                partitions=[pb.PartitionName(topic=topic, index=i) for topic, i in names or ()],
            )
        )
        answer = await self._execute(command, timeout_ms)
        if answer.repeated:
            for result in answer.result.partitions:
                if result.error_code == ErrorCode.ELECTION_NOT_NEEDED:
                    result.error_code = 0  # an earlier attempt did it
        return _results(answer)

    async def unregister_broker(self, broker_id: int, timeout_ms: int) -> None:
        """BROKER_ID_NOT_REGISTERED, INVALID_REQUEST, REQUEST_TIMED_OUT."""
        command = pb.Command(unregister_broker=pb.UnregisterBroker(broker_id=broker_id))
        await self._execute(command, timeout_ms)

    async def _execute(self, command: pb.Command, timeout_ms: int) -> Answer:
        answer = await self._commands.execute(command, timeout_ms, wait_for_brokers=True)
        with contextlib.suppress(ProtocolError):
            await self._cache.wait_offset(answer.offset, OWN_METADATA_MS)
        return answer


def _results(answer: Answer) -> list[PartitionResult]:
    return [
        PartitionResult(
            result.topic,
            result.index,
            ErrorCode(result.error_code),
            result.message if result.error_code else None,
        )
        for result in answer.result.partitions
    ]
