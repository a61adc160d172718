from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from broker.handlers import metadata
from broker.handlers.departures import LINGER_MS
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.metadata_request import MetadataRequest, MetadataRequestTopic
from ottla.protocol.messages.metadata_response import MetadataResponse

if TYPE_CHECKING:
    from tests.unit.broker.handlers.conftest import World


def request(*topics: str | bytes, **fields: Any) -> MetadataRequest:
    return MetadataRequest(
        topics=[
            MetadataRequestTopic(name=topic)
            if isinstance(topic, str)
            else MetadataRequestTopic(topic_id=topic, name=None)
            for topic in topics
        ],
        **fields,
    )


def call(
    world: World, asked: MetadataRequest, version: int = 12, listener: str = "CLIENTS"
) -> MetadataResponse:
    answer = metadata.handle(
        world.services, world.context(ApiKey.METADATA, version, listener), asked
    )
    if asyncio.iscoroutine(answer):
        answer = asyncio.run(answer)
    out = bytearray()
    answer.encode_into(out, version)
    return MetadataResponse.decode(out, version)


def test_brokers_the_cluster_and_its_controller(world: World) -> None:
    response = call(world, request())
    assert [(b.node_id, b.host, b.port, b.rack) for b in response.brokers] == [
        (number, f"host{number}", 9000 + number, f"rack{number}") for number in (1, 2, 3)
    ]
    assert response.cluster_id == world.services.cluster_id
    assert response.controller_id == 1
    assert response.topics == []


def test_only_live_brokers_of_the_listener_are_told(world: World) -> None:
    world.state.add_broker(4, ("CLIENTS", "OTHER"))
    world.state.brokers[2].fenced = True
    assert [b.node_id for b in call(world, request()).brokers] == [1, 3, 4]
    assert [b.node_id for b in call(world, request(), listener="OTHER").brokers] == [4]


@pytest.mark.parametrize(
    ("controller", "fenced", "told"),
    [(2, (), 1), (2, (1,), 2), (9, (1,), 2), (None, (1,), 2), (1, (1, 2, 3), -1)],
)
def test_who_answers_takes_admin_requests_while_it_is_alive(
    world: World, controller: int | None, fenced: tuple[int, ...], told: int
) -> None:
    world.state.controller_id = controller
    for broker_id in fenced:
        world.state.brokers[broker_id].fenced = True
    assert call(world, request()).controller_id == told


def test_null_and_in_version_0_an_empty_list_mean_all_topics(world: World) -> None:
    world.add_topic("b")
    world.add_topic("a")
    assert [t.name for t in call(world, MetadataRequest(topics=None)).topics] == ["a", "b"]
    assert [t.name for t in call(world, request(), version=0).topics] == ["a", "b"]
    assert call(world, request(), version=1).topics == []


def test_a_topic_and_its_partitions(world: World) -> None:
    world.add_topic("t", 2, internal=True)
    world.state.brokers[3].fenced = True
    world.state.topic_named("t").partitions[1].offline_replicas = (1,)
    (topic,) = call(world, request("t")).topics
    assert (topic.name, topic.topic_id, topic.is_internal, topic.error_code) == (
        "t",
        b"t".ljust(16, b"."),
        True,
        0,
    )
    first, second = topic.partitions
    assert second.offline_replicas == [1, 3]
    assert (first.partition_index, second.partition_index) == (0, 1)
    assert (first.leader_id, first.leader_epoch, first.error_code) == (1, 5, 0)
    assert (first.replica_nodes, first.isr_nodes, first.offline_replicas) == (
        [1, 2, 3],
        [1, 2],
        [3],
    )


@pytest.mark.parametrize(
    ("leader", "fenced", "version", "code"),
    [(None, False, 12, 5), (2, True, 12, 72), (2, True, 5, 5)],
)
def test_a_partition_without_a_leader_for_this_listener(
    world: World, leader: int | None, fenced: bool, version: int, code: int
) -> None:
    world.add_topic("t", leader_id=leader)
    world.state.brokers[2].fenced = fenced
    (partition,) = call(world, request("t"), version).topics[0].partitions
    assert (partition.error_code, partition.leader_id) == (code, -1)


def test_topics_by_id(world: World) -> None:
    (partition,) = world.add_topic("t")
    found, missing = call(world, request(partition.topic_id, b"?" * 16)).topics
    assert (found.name, found.topic_id) == ("t", partition.topic_id)
    assert (missing.name, missing.topic_id, missing.error_code) == (None, b"?" * 16, 100)


@pytest.mark.parametrize(("name", "code"), [("nothing", 3), ("a/b", 17), ("", 17)])
def test_unknown_and_illegal_names(world: World, name: str, code: int) -> None:
    (topic,) = call(world, request(name, allow_auto_topic_creation=False)).topics
    assert (topic.name, topic.error_code) == (name, code)
    assert world.controller.calls == []


def creates(world: World) -> None:
    """The controller creates what it is asked for, and this broker sees it."""

    def answer(topics: Any) -> Any:
        results = []
        for topic in topics:
            code = ErrorCode.NONE
            if topic.name.startswith("bad"):
                code = ErrorCode.INVALID_REPLICATION_FACTOR
            elif topic.name.startswith("race"):
                code = ErrorCode.TOPIC_ALREADY_EXISTS
            elif not topic.name.startswith("slow"):
                world.add_topic(topic.name)
            results.append(SimpleNamespace(name=topic.name, code=code, message=None))
        world.metadata.offset += 1
        return results

    world.controller.answer = answer


@pytest.mark.parametrize(
    ("enabled", "version", "allowed", "created"),
    [
        (True, 12, True, True),
        (True, 12, False, False),
        (False, 12, True, False),
        (True, 3, True, True),  # the request has no flag yet: it is implied
    ],
)
def test_unknown_topics_are_created_where_both_sides_allow_it(
    world: World, enabled: bool, version: int, allowed: bool, created: bool
) -> None:
    creates(world)
    world.settings.auto_create_topics_enable = enabled
    asked = request("new", allow_auto_topic_creation=allowed)
    (topic,) = call(world, asked, version).topics
    assert topic.error_code == (0 if created else 3)
    assert len(world.controller.calls) == created


def test_each_topic_that_could_not_be_created_says_why(world: World) -> None:
    creates(world)
    world.add_topic("old")
    names = ("old", "new", "bad", "slow", "race", "a/b", "__consumer_offsets")
    topics = call(world, request(*names)).topics
    assert {t.name: ErrorCode(t.error_code).name for t in topics} == {
        "old": "NONE",
        "new": "NONE",
        "bad": "INVALID_REPLICATION_FACTOR",
        "slow": "LEADER_NOT_AVAILABLE",
        "race": "LEADER_NOT_AVAILABLE",
        "a/b": "INVALID_TOPIC_EXCEPTION",
        "__consumer_offsets": "UNKNOWN_TOPIC_OR_PARTITION",
    }


def test_answers_are_shared_until_the_metadata_changes(world: World) -> None:
    def ask(topic: str, version: int = 12, listener: str = "CLIENTS") -> Any:
        context = world.context(ApiKey.METADATA, version, listener)
        return metadata.handle(world.services, context, request(topic))

    world.add_topic("t")
    world.add_topic("u")
    first = ask("t")
    assert ask("t") is first
    assert ask("u") is not first
    assert ask("t", version=11) is not first
    assert ask("t", listener="OTHER") is not first
    world.metadata.offset += 1
    assert ask("t") is not first


def test_a_failure_as_a_whole() -> None:
    for version in range(14):
        asked = request("t", b"?" * 16) if version >= 12 else request("t")
        response = metadata.fail(asked, version, ErrorCode.UNKNOWN_SERVER_ERROR, None)
        assert {t.error_code for t in response.topics} == {-1}
        response.encode(version)


def test_a_controller_that_cannot_be_asked_leaves_topics_for_later(world: World) -> None:
    world.controller.error = ProtocolError(ErrorCode.NOT_CONTROLLER)
    (topic,) = call(world, request("new")).topics
    assert topic.error_code == ErrorCode.LEADER_NOT_AVAILABLE


def fence(world: World, broker_id: int) -> None:
    world.state.brokers[broker_id].broker_epoch = 7
    world.services.departures.note_metadata(world.services.metadata.state, [broker_id], 0)
    world.state.brokers[broker_id].fenced = True
    world.services.departures.note_metadata(
        world.services.metadata.state, [broker_id], world.clock.now_ms()
    )


def test_a_broker_that_has_just_left_is_listed_but_offline(world: World) -> None:
    world.add_topic("t")
    fence(world, 3)
    response = call(world, request("t"))
    assert [b.node_id for b in response.brokers] == [1, 2, 3]
    assert response.brokers[2].port == 9003
    assert response.topics[0].partitions[0].offline_replicas == [3]
    world.clock.advance(LINGER_MS)
    assert [b.node_id for b in call(world, request("t")).brokers] == [1, 2]


def test_what_a_dead_broker_leads_has_no_leader(world: World) -> None:
    world.add_topic("t", leader_id=2)
    world.state.brokers[2].broker_epoch = 7
    assert call(world, request("t")).topics[0].partitions[0].leader_id == 2
    world.services.departures.note_dead(2, 7, world.clock.now_ms())
    response = call(world, request("t"))
    (partition,) = response.topics[0].partitions
    assert (partition.leader_id, partition.error_code) == (-1, ErrorCode.LEADER_NOT_AVAILABLE)
    assert partition.leader_epoch == 5
    assert partition.offline_replicas == [2]
    assert [b.node_id for b in response.brokers] == [1, 2, 3]


@pytest.mark.parametrize(
    ("asked", "checked"),
    [
        (request("t"), [2]),
        (request("u"), [3]),
        (request(), []),
        (MetadataRequest(topics=None), [1, 2, 3]),
    ],
)
def test_leaders_are_checked_before_they_are_named(
    world: World, asked: MetadataRequest, checked: list[int]
) -> None:
    world.add_topic("t", leader_id=2)
    world.add_topic("u", leader_id=3)
    world.state.brokers[2].broker_epoch = 7
    seen: list[int] = []

    async def dial() -> None:
        world.services.departures.note_dead(2, 7, world.clock.now_ms())

    def check(broker_ids: Any) -> Any:
        seen.extend(sorted(broker_ids))
        return dial() if 2 in seen else None

    world.services.peers = cast(Any, SimpleNamespace(check=check))
    response = call(world, asked)
    assert seen == checked
    leaders = {t.name: t.partitions[0].leader_id for t in response.topics}
    assert leaders.get("t", -1) == -1
    assert leaders.get("u", 3) == 3
