from __future__ import annotations

import asyncio

import pytest

from broker.control.metadata_cache import MetadataCache, MetadataDelta
from controller.state import (
    ConfigsChanged,
    ControllerInOffice,
    ProducerIdsAllocated,
    TopicCreated,
    TopicRemoved,
)
from ottla.core.errors import ErrorCode, ProtocolError
from tests.support.cluster_states import Cluster

TOPIC = b"t" * 16


def recorded(cache: MetadataCache) -> list[MetadataDelta]:
    deltas: list[MetadataDelta] = []
    cache.subscribe(deltas.append)
    return deltas


def test_a_delta_names_what_changed() -> None:
    cluster = Cluster(2)
    cluster.topic("t", [1, 2], configs={"retention.ms": "1"})
    cache = MetadataCache()
    deltas = recorded(cache)
    cache.apply(cluster.state.to_records(), 9, 1)
    topic_id = cluster.state.topic_ids["t"]
    assert deltas == [MetadataDelta(topics={topic_id}, brokers={1, 2}, configs={("topic", "t")})]
    assert cache.state == cluster.state
    assert (cache.offset, cache.controller_epoch) == (9, 1)
    cache.apply([TopicRemoved(topic_id)], 10, 1)
    assert deltas[1] == MetadataDelta(deleted={topic_id: "t"}, configs={("topic", "t")})
    cache.apply([ControllerInOffice(1, 2, 1), ProducerIdsAllocated(5)], 11, 2)
    assert deltas[2] == MetadataDelta()


def test_another_default_changes_the_settings_of_topics() -> None:
    cache = MetadataCache()
    cache.apply([TopicCreated("t", TOPIC, False), ControllerInOffice(1, 1, 2)], 1, 1)
    deltas = recorded(cache)
    cache.apply([ControllerInOffice(1, 2, 2)], 2, 2)
    cache.apply([ControllerInOffice(1, 3, 1)], 3, 3)
    assert [delta.configs for delta in deltas] == [set(), {("topic", "t")}]
    assert cache.state.min_insync_replicas("t") == 1


def test_a_topic_that_comes_and_goes_in_one_change_is_deleted() -> None:
    cache = MetadataCache()
    deltas = recorded(cache)
    cache.apply([TopicCreated("t", TOPIC, False), TopicRemoved(TOPIC)], 1, 1)
    assert deltas[0].topics == set()
    assert deltas[0].deleted == {TOPIC: "t"}


def test_a_snapshot_names_what_is_and_what_is_no_more() -> None:
    cache = MetadataCache()
    cache.apply(
        [TopicCreated("old", TOPIC, False), ConfigsChanged("topic", "old", {"a": "1"})], 3, 1
    )
    deltas = recorded(cache)
    cluster = Cluster(1)
    cluster.topic("t", [1])
    cache.install(cluster.state, 9, 2)
    topic_id = cluster.state.topic_ids["t"]
    assert deltas == [
        MetadataDelta(
            topics={topic_id},
            deleted={TOPIC: "old"},
            brokers={1},
            configs={("topic", "old")},
            snapshot=True,
        )
    ]
    assert cache.state is cluster.state


@pytest.mark.parametrize(("controller_epoch", "offset"), [(1, 9), (2, 4), (1, 4)])
def test_older_metadata_is_refused(controller_epoch: int, offset: int) -> None:
    cache = MetadataCache()
    cache.apply([ProducerIdsAllocated(5)], 5, 2)
    deltas = recorded(cache)
    with pytest.raises(ProtocolError) as error:
        cache.apply([ProducerIdsAllocated(1)], offset, controller_epoch)
    assert error.value.code == ErrorCode.STALE_CONTROLLER_EPOCH
    with pytest.raises(ProtocolError) as error:
        cache.install(Cluster().state, offset, controller_epoch)
    assert error.value.code == ErrorCode.STALE_CONTROLLER_EPOCH
    assert (cache.offset, cache.state.next_producer_id, deltas) == (5, 5, [])


def test_listeners_are_called_in_order_until_they_leave() -> None:
    cache = MetadataCache()
    calls: list[str] = []
    leave = cache.subscribe(lambda delta: calls.append("first"))
    cache.subscribe(lambda delta: calls.append(f"second at {cache.offset}"))
    cache.apply([], 1, 1)
    leave()
    leave()
    cache.apply([], 2, 1)
    assert calls == ["first", "second at 1", "second at 2"]


def test_waiting_for_an_offset() -> None:
    async def test() -> None:
        cache = MetadataCache()
        cache.apply([], 3, 1)
        await cache.wait_offset(3, 0)
        waits = [asyncio.ensure_future(cache.wait_offset(n, 1_000)) for n in (5, 4, 6)]
        cancelled = asyncio.ensure_future(cache.wait_offset(4, 1_000))
        await asyncio.sleep(0)
        cancelled.cancel()
        cache.apply([], 5, 1)
        await waits[0]
        await waits[1]
        assert not waits[2].done()
        with pytest.raises(ProtocolError) as error:
            await cache.wait_offset(7, 1)
        assert error.value.code == ErrorCode.REQUEST_TIMED_OUT
        cache.apply([], 7, 1)
        await waits[2]

    asyncio.run(test())
