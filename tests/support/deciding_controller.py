"""A controller in one call, for what brokers have decided: no network, no log."""

from __future__ import annotations

from broker.control.commands import Answer
from broker.control.metadata_cache import MetadataCache
from controller.decide import apply
from controller.generated import control_pb2
from controller.generated import metadata_pb2 as pb
from ottla.core.errors import ErrorCode, ProtocolError
from tests.support.cluster_states import Cluster


class DecidingController:
    """Decides commands on a cluster of one broker, and tells the cache. With `repeat` each command
    is decided twice, as when the first answer was lost."""

    def __init__(self) -> None:
        self.cluster = Cluster(1)
        self.cache = MetadataCache()
        self.commands: list[pb.Command] = []
        self.repeat = False
        self.tell()

    def tell(self) -> None:
        self.cache.install(self.cluster.state, self.cluster.index, 1)

    async def execute(
        self, command: pb.Command, timeout_ms: int, *, wait_for_brokers: bool
    ) -> Answer:
        self.commands.append(pb.Command.FromString(command.SerializeToString()))
        command.controller_epoch = 1
        attempts = 2 if self.repeat else 1
        for _ in range(attempts):
            self.cluster.index += 1
            result = apply(self.cluster.state, self.cluster.index, command).result
        self.tell()
        if result.error_code:
            raise ProtocolError(ErrorCode(result.error_code), result.message)
        response = control_pb2.ExecuteResponse(offset=self.cluster.index, result=result)
        return Answer(response, self.repeat)
