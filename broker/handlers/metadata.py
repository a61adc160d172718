"""Metadata (key 3), versions 0–13.

    0   an empty list of topics means all; from 1 on null does, and an empty list none
    1   controller id, racks, internal topics
    2   cluster id
    4   whether unknown topics may be created (implied before)
    5   offline replicas: of brokers that are gone, or on a log directory that failed
    7   leader epochs
    10  topic ids in the answer; 12: requests by topic id
    13  an error for the whole answer

Brokers are told with the endpoint of the listener that was asked. Everything is from committed
metadata, but for brokers that have just gone (departures.py). Where no topic has to be created the
encoded answer is shared among clients.
"""

from __future__ import annotations

from collections.abc import Coroutine, Iterable, Set
from typing import TYPE_CHECKING

from broker.handlers.endpoints import controller_for_clients, last_endpoint, live_endpoint
from broker.handlers.spec import Answer, EncodedAnswer, HandlerSpec, RequestContext
from ottla.core.errors import ErrorCode
from ottla.core.identifiers import NIL_UUID, Uuid, topic_name_fault
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.metadata_request import MetadataRequest
from ottla.protocol.messages.metadata_response import (
    MetadataResponse,
    MetadataResponseBroker,
    MetadataResponsePartition,
    MetadataResponseTopic,
)

if TYPE_CHECKING:
    from broker.handlers.services import BrokerServices
    from controller.state import ClusterState, PartitionMetadata, TopicMetadata

_INTERNAL_NAMES = frozenset({"__consumer_offsets", "__transaction_state"})
"""Their coordinators create them, with settings of their own."""


def handle(services: BrokerServices, context: RequestContext, request: MetadataRequest) -> Answer:
    asked = _asked(request, context.api_version)
    if asked is not None:
        missing = _to_create(services, request, context.api_version, asked)
        if missing:
            return _create_and_answer(services, context, asked, missing)
    if services.peers is not None:
        check = services.peers.check(_leaders(services.metadata.state, asked))
        if check is not None:
            return _check_and_answer(services, context, asked, check)
    return _shared_answer(services, context, asked)


def _shared_answer(
    services: BrokerServices, context: RequestContext, asked: tuple[str | Uuid, ...] | None
) -> EncodedAnswer:
    metadata = services.metadata
    gone = _gone(services)
    key = (context.api_version, context.listener_name, context.principal, asked, gone)
    answer = services.metadata_answers.get(metadata.offset, key)
    if answer is None:
        response = _response(services, context, asked, {})
        answer = services.metadata_answers.put(
            metadata.offset, key, response.encode(context.api_version)
        )
    return answer


def fail(
    request: MetadataRequest, version: int, code: ErrorCode, message: str | None
) -> MetadataResponse:
    """The error for every topic that was asked for, and for the answer from version 13."""
    return MetadataResponse(
        topics=[
            MetadataResponseTopic(error_code=int(code), name=t.name, topic_id=t.topic_id)
            for t in request.topics or ()
            if t.name is not None or version >= 12
        ],
        error_code=int(code),
    )


async def _check_and_answer(
    services: BrokerServices,
    context: RequestContext,
    asked: tuple[str | Uuid, ...] | None,
    check: Coroutine[object, object, None],
) -> EncodedAnswer:
    await check
    return _shared_answer(services, context, asked)


def _leaders(state: ClusterState, asked: tuple[str | Uuid, ...] | None) -> Iterable[int]:
    """Brokers that the answer may name as leaders."""
    if asked is None:
        return tuple(state.brokers)
    found = [topic for wanted in asked if (topic := _find(state, wanted)) is not None]
    return {p.leader_id for topic in found for p in topic.partitions if p.leader_id is not None}


async def _create_and_answer(
    services: BrokerServices,
    context: RequestContext,
    asked: tuple[str | Uuid, ...],
    missing: list[str],
) -> MetadataResponse:
    codes = await services.topic_creation.create(services.controller, missing)
    for name in missing:
        # Created, but not seen here yet: the client asks again.
        codes.setdefault(name, ErrorCode.LEADER_NOT_AVAILABLE)
    return _response(services, context, asked, codes)


def _asked(request: MetadataRequest, version: int) -> tuple[str | Uuid, ...] | None:
    """Names and topic ids in the order of the request; None for all topics."""
    topics = request.topics
    if topics is None or (version == 0 and not topics):
        return None
    return tuple(t.name if t.name is not None else t.topic_id for t in topics)


def _to_create(
    services: BrokerServices, request: MetadataRequest, version: int, asked: tuple[str | Uuid, ...]
) -> list[str]:
    if not services.settings.auto_create_topics_enable:
        return []
    if version >= 4 and not request.allow_auto_topic_creation:
        return []
    known = services.metadata.state.topic_ids
    return [
        name
        for name in dict.fromkeys(asked)
        if isinstance(name, str)
        and name not in known
        and name not in _INTERNAL_NAMES
        and topic_name_fault(name) is None
    ]


def _gone(services: BrokerServices) -> tuple[frozenset[int], frozenset[int]]:
    """Brokers that are listed though they left, and those that are dead though they are listed."""
    now_ms = services.clock.now_ms()
    departures = services.departures
    return departures.lingering(now_ms), departures.dead(services.metadata.state, now_ms)


def _response(
    services: BrokerServices,
    context: RequestContext,
    asked: tuple[str | Uuid, ...] | None,
    codes: dict[str, ErrorCode],
) -> MetadataResponse:
    """`codes`: what to say of a topic that does not exist."""
    state = services.metadata.state
    listener = context.listener_name
    lingering, dead = _gone(services)
    brokers = []
    live = set()
    for broker_id in sorted(state.brokers):
        endpoint = live_endpoint(state, broker_id, listener)
        if endpoint is not None:
            live.add(broker_id)
        elif broker_id in lingering:
            endpoint = last_endpoint(state, broker_id, listener)
        if endpoint is not None:
            rack = state.brokers[broker_id].rack
            brokers.append(MetadataResponseBroker(broker_id, endpoint.host, endpoint.port, rack))
    live -= dead
    topics = []
    if asked is None:
        for name in sorted(state.topic_ids):
            topic = state.topics[state.topic_ids[name]]
            topics.append(_topic(topic, live, dead, context.api_version))
    else:
        for wanted in asked:
            found = _find(state, wanted)
            if found is not None:
                topics.append(_topic(found, live, dead, context.api_version))
            else:
                topics.append(_unknown(wanted, codes))
    return MetadataResponse(
        brokers=brokers,
        cluster_id=services.cluster_id,
        controller_id=_administrator(services, listener),
        topics=topics,
    )


def _administrator(services: BrokerServices, listener: str) -> int:
    """To whom clients send admin requests: us, since every broker forwards them.

    Who answers is alive, while the active controller may have died a moment ago: librdkafka would
    wait for it, and ask for no other metadata for seconds. Kafka names any live broker (KIP-590).
    """
    if live_endpoint(services.metadata.state, services.node_id, listener) is not None:
        return services.node_id
    return controller_for_clients(services.metadata.state, listener)


def _find(state: ClusterState, wanted: str | Uuid) -> TopicMetadata | None:
    return state.topic_named(wanted) if isinstance(wanted, str) else state.topics.get(wanted)


def _unknown(wanted: str | Uuid, codes: dict[str, ErrorCode]) -> MetadataResponseTopic:
    if not isinstance(wanted, str):
        return MetadataResponseTopic(
            error_code=int(ErrorCode.UNKNOWN_TOPIC_ID), name=None, topic_id=wanted
        )
    if topic_name_fault(wanted) is not None:
        code = ErrorCode.INVALID_TOPIC_EXCEPTION
    else:
        code = codes.get(wanted, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    return MetadataResponseTopic(error_code=int(code), name=wanted, topic_id=NIL_UUID)


def _topic(
    topic: TopicMetadata, live: Set[int], dead: Set[int], version: int
) -> MetadataResponseTopic:
    return MetadataResponseTopic(
        name=topic.name,
        topic_id=topic.topic_id,
        is_internal=topic.internal,
        partitions=[partition_entry(p, live, dead, version) for p in topic.partitions],
    )


def reachable_brokers(
    services: BrokerServices, listener_name: str
) -> tuple[set[int], frozenset[int]]:
    """Brokers to which clients of a listener can connect, and those that are dead though they are
    listed."""
    state = services.metadata.state
    _, dead = _gone(services)
    live = {
        broker_id
        for broker_id in state.brokers
        if live_endpoint(state, broker_id, listener_name) is not None
    }
    return live - dead, dead


def partition_entry(
    partition: PartitionMetadata, live: Set[int], dead: Set[int], version: int
) -> MetadataResponsePartition:
    """A partition as a client is told of it; `live` and `dead` as `reachable_brokers` has them."""
    leader_id = partition.leader_id
    code = ErrorCode.NONE
    if leader_id is None or leader_id in dead:
        leader_id, code = -1, ErrorCode.LEADER_NOT_AVAILABLE
    elif leader_id not in live:
        # It lives, but not for the clients of this listener (KIP-302), or is being replaced.
        leader_id = -1
        code = ErrorCode.LISTENER_NOT_FOUND if version >= 6 else ErrorCode.LEADER_NOT_AVAILABLE
    return MetadataResponsePartition(
        int(code),
        partition.index,
        leader_id,
        partition.leader_epoch,
        list(partition.replicas),
        list(partition.isr),
        [r for r in partition.replicas if r not in live or r in partition.offline_replicas],
    )


HANDLER = HandlerSpec(ApiKey.METADATA, 0, 13, handle, fail)
