"""Calls handlers of group APIs as dispatch does, through the bytes of the version asked for."""

from __future__ import annotations

import inspect
from types import ModuleType, SimpleNamespace
from typing import Any, cast

from broker.handlers.services import BrokerServices
from broker.handlers.spec import RequestContext
from ottla.protocol.api import api_spec
from tests.support.group_cluster import GroupCluster

TOPIC_ID = bytes([1] * 16)


def services_of(cluster: GroupCluster) -> BrokerServices:
    services = SimpleNamespace(groups=cluster.groups, metadata=cluster.metadata)
    return cast(BrokerServices, services)


async def call(
    cluster: GroupCluster, handler: ModuleType, version: int, request: Any, *, listener: str = ""
) -> Any:
    """The answer, encoded and decoded; waits for it."""
    spec = api_spec(handler.HANDLER.api_key)
    sent = cast(Any, spec.request_type).decode(request.encode(version), version)
    context = RequestContext(
        handler.HANDLER.api_key,
        version,
        1,
        "client",
        "",
        "c-1",
        listener or "CLIENTS",
        "127.0.0.1",
        "User:ANONYMOUS",
    )
    answer = handler.handle(services_of(cluster), context, sent)
    if inspect.isawaitable(answer):
        answer = await answer
    return cast(Any, spec.response_type).decode(answer.encode(version), version)


async def ready_cluster() -> GroupCluster:
    """A cluster with __consumer_offsets and topic ``t``; enter it and then `lead()`."""
    cluster = GroupCluster()
    cluster.create_offsets_topic()
    cluster.create_topic("t", TOPIC_ID)
    return cluster


def versions(handler: ModuleType) -> range:
    return range(handler.HANDLER.min_version, handler.HANDLER.max_version + 1)
