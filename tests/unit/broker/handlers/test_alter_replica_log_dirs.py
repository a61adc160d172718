from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from broker.handlers import alter_replica_log_dirs
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.alter_replica_log_dirs_request import (
    AlterReplicaLogDir,
    AlterReplicaLogDirsRequest,
    AlterReplicaLogDirTopic,
)
from ottla.protocol.messages.alter_replica_log_dirs_response import AlterReplicaLogDirsResponse

if TYPE_CHECKING:
    from tests.unit.broker.handlers.conftest import World


class Moves:
    def __init__(self) -> None:
        self.asked: list[tuple[str, int, bool, str]] = []

    def request(self, topic: str, index: int, key: Any, path: str) -> None:
        self.asked.append((topic, index, key is not None, path))
        if key is None:
            raise ProtocolError(ErrorCode.REPLICA_NOT_AVAILABLE, "not here")


@pytest.mark.parametrize("version", [1, 2])
def test_each_replica_is_asked_for_and_answered(world: World, version: int) -> None:
    (found,) = world.add_topic("t")
    moves = Moves()
    world.log_moves = moves  # type: ignore[attr-defined]
    world.maybe_partition = (  # type: ignore[attr-defined]
        lambda topic, index: found if (topic, index) == ("t", 0) else None
    )
    request = AlterReplicaLogDirsRequest(
        [
            AlterReplicaLogDir("/a", [AlterReplicaLogDirTopic("t", [0])]),
            AlterReplicaLogDir("/b", [AlterReplicaLogDirTopic("t", [1])]),
        ]
    )
    context = world.context(ApiKey.ALTER_REPLICA_LOG_DIRS, version)
    answer = cast(Any, alter_replica_log_dirs.handle(world.services, context, request))
    answer = AlterReplicaLogDirsResponse.decode(answer.encode(version), version)
    told = {
        (topic.topic_name, one.partition_index): one.error_code
        for topic in answer.results
        for one in topic.partitions
    }
    assert told == {("t", 0): 0, ("t", 1): ErrorCode.REPLICA_NOT_AVAILABLE}
    assert moves.asked == [("t", 0, True, "/a"), ("t", 1, False, "/b")]
    failed = alter_replica_log_dirs.fail(request, version, ErrorCode.UNKNOWN_SERVER_ERROR, None)
    assert [one.error_code for topic in failed.results for one in topic.partitions] == [-1, -1]
    failed.encode(version)
