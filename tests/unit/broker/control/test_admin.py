from __future__ import annotations

import asyncio
import random

import pytest

from broker.control.admin import TopicAdmin
from broker.control.requests import NewPartitions, NewTopic
from ottla.core.errors import ErrorCode
from ottla.core.identifiers import NIL_UUID
from tests.support.cluster_states import Cluster
from tests.support.deciding_controller import DecidingController


def admin(controller: DecidingController) -> TopicAdmin:
    return TopicAdmin(
        1,
        controller,  # type: ignore[arg-type]
        controller.cache,
        {"retention.ms": "5", "min.insync.replicas": "9"},
        random.Random(1),
    )


@pytest.mark.parametrize("repeat", [False, True])
def test_creating_growing_and_deleting_bear_a_lost_answer(repeat: bool) -> None:
    async def test() -> None:
        controller = DecidingController()
        controller.repeat = repeat
        topics = admin(controller)
        (made,) = await topics.create_topics(
            [NewTopic("t", 2, 1, configs={"segment.ms": "7", "retention.ms": None})],
            validate_only=False,
            timeout_ms=100,
        )
        assert (made.name, made.code, made.partition_count, made.replication_factor) == (
            "t",
            ErrorCode.NONE,
            2,
            1,
        )
        assert made.topic_id == controller.cache.state.topic_ids["t"]
        assert (made.configs["segment.ms"], made.configs["retention.ms"]) == ("7", "5")
        default = controller.cache.state.default_min_insync_replicas  # what leaders go by
        assert made.configs["min.insync.replicas"] == str(default)
        (grown,) = await topics.create_partitions(
            [NewPartitions("t", 4, [[1], [1]])], validate_only=False, timeout_ms=100
        )
        assert grown.code == ErrorCode.NONE
        assert len(controller.cache.state.topics[made.topic_id].partitions) == 4
        (gone,) = await topics.delete_topics(["t"], 100)
        assert (gone.name, gone.code) == ("t", ErrorCode.NONE)
        assert controller.commands[-1].delete_topics.topics[0].topic_id == made.topic_id

    asyncio.run(test())


def test_assignments_are_numbered_from_zero() -> None:
    async def test() -> None:
        controller = DecidingController()
        results = await admin(controller).create_topics(
            [NewTopic("gap", assignments={1: [1]}), NewTopic("t", assignments={0: [1], 1: [1]})],
            validate_only=False,
            timeout_ms=100,
        )
        assert [(r.name, r.code) for r in results] == [
            ("gap", ErrorCode.INVALID_REPLICA_ASSIGNMENT),
            ("t", ErrorCode.NONE),
        ]
        (only,) = await admin(controller).create_topics(
            [NewTopic("gap", assignments={1: [1]})], validate_only=False, timeout_ms=100
        )
        assert only.message
        assert len(controller.commands) == 1

    asyncio.run(test())


def test_a_name_that_stands_for_another_topic_by_now() -> None:
    async def test() -> None:
        controller = DecidingController()
        controller.cluster.topic("t", [1])
        controller.tell()
        stale = Cluster(1)
        stale.index = 77
        stale.topic("t", [1])
        stale.topic("u", [1])
        controller.cache.state = stale.state
        results = await admin(controller).delete_topics(["t", "u", "v", b"x" * 16], 100)
        assert [(r.name, r.code) for r in results] == [
            ("t", ErrorCode.NONE),
            ("u", ErrorCode.UNKNOWN_TOPIC_OR_PARTITION),
            ("v", ErrorCode.UNKNOWN_TOPIC_OR_PARTITION),
            ("", ErrorCode.UNKNOWN_TOPIC_ID),
        ]
        assert results[2].topic_id == NIL_UUID
        assert results[2].message
        assert not controller.cluster.state.topics

    asyncio.run(test())
