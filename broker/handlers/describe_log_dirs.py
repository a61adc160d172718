"""DescribeLogDirs (key 35), versions 1–5: this broker's log directories and the logs in them.

3   an error of the whole request
4   total and usable bytes of the disk (KIP-827)
5   cordoned directories (KIP-1066): none ever is here

The offset lag is that of a future log, which is about to take the place of another one
(AlterReplicaLogDirs); of all others it is 0, in Kafka too.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from broker.handlers.spec import Answer, HandlerSpec, RequestContext
from ottla.core.errors import ErrorCode
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.describe_log_dirs_request import DescribeLogDirsRequest
from ottla.protocol.messages.describe_log_dirs_response import (
    DescribeLogDirsPartition,
    DescribeLogDirsResponse,
    DescribeLogDirsResult,
    DescribeLogDirsTopic,
)

if TYPE_CHECKING:
    from broker.handlers.services import BrokerServices
    from storage.directory import LogDirectory


async def handle(
    services: BrokerServices, context: RequestContext, request: DescribeLogDirsRequest
) -> Answer:
    logs = services.replicas.log_manager
    results = [
        DescribeLogDirsResult(
            int(ErrorCode.KAFKA_STORAGE_ERROR if directory.offline else ErrorCode.NONE),
            directory.path,
            _topics(services, request, directory),
        )
        for directory in logs.directories
    ]
    if context.api_version >= 4:
        for result, directory in zip(results, logs.directories, strict=True):
            with contextlib.suppress(OSError):  # its size stays unknown
                result.total_bytes, result.usable_bytes = await asyncio.to_thread(
                    logs.disk_space, directory
                )
    return DescribeLogDirsResponse(results=results)


def _topics(
    services: BrokerServices, request: DescribeLogDirsRequest, directory: LogDirectory
) -> list[DescribeLogDirsTopic]:
    if directory.offline:
        return []
    wanted = (
        None
        if request.topics is None
        else {(topic.topic, index) for topic in request.topics for index in topic.partitions}
    )
    found: dict[str, list[DescribeLogDirsPartition]] = {}
    logs = services.replicas.log_manager
    for log in logs.logs():
        if log.directory is directory and (wanted is None or (log.topic, log.partition) in wanted):
            found.setdefault(log.topic, []).append(
                DescribeLogDirsPartition(log.partition, log.size_bytes)
            )
    for key, copy in [*logs.moving.copies.items()]:
        log_or_none = logs.get_log(*key)
        if (
            copy.directory is directory
            and log_or_none is not None
            and (wanted is None or (copy.topic, copy.partition) in wanted)
        ):
            lag = max(log_or_none.log_end_offset - copy.log_end_offset, 0)
            found.setdefault(copy.topic, []).append(
                DescribeLogDirsPartition(copy.partition, copy.size_bytes, lag, True)
            )
    return [DescribeLogDirsTopic(topic, partitions) for topic, partitions in found.items()]


HANDLER = HandlerSpec(ApiKey.DESCRIBE_LOG_DIRS, 1, 5, handle)
