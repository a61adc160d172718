from __future__ import annotations

from dataclasses import replace

import pytest

from controller.state import (
    PARTITIONS_PER_RECORD,
    ClusterState,
    ConfigsChanged,
    PartitionMetadata,
    PartitionsChanged,
    TopicCreated,
    TopicRemoved,
)
from ottla.core.errors import InvariantError
from tests.support.cluster_states import Cluster

TOPIC = b"t" * 16


def partition(index: int) -> PartitionMetadata:
    return PartitionMetadata(TOPIC, index, (1,), (1,), 1, 0, 0)


def state_with_topic(partitions: int = 2) -> ClusterState:
    state = ClusterState()
    state.replay(TopicCreated("t", TOPIC, False))
    state.replay(PartitionsChanged(TOPIC, tuple(map(partition, range(partitions)))))
    return state


def test_topics_are_found_by_name_and_id() -> None:
    state = state_with_topic()
    topic = state.topic_named("t")
    assert topic is state.topics[TOPIC]
    assert state.partition(TOPIC, 1) == partition(1)
    assert state.partition(TOPIC, 2) is None
    assert state.partition(TOPIC, -1) is None
    assert state.partition(b"u" * 16, 0) is None
    assert state.topic_named("u") is None


def test_one_changed_partition_leaves_the_others() -> None:
    state = state_with_topic()
    changed = replace(partition(1), leader_epoch=4)
    state.replay(PartitionsChanged(TOPIC, (changed,)))
    assert state.topics[TOPIC].partitions == (partition(0), changed)


def test_records_that_do_not_fit_are_our_bug() -> None:
    state = state_with_topic()
    with pytest.raises(InvariantError, match="does not follow"):
        state.replay(PartitionsChanged(TOPIC, (partition(3),)))
    with pytest.raises(InvariantError, match="the topic exists"):
        state.replay(TopicCreated("t", b"u" * 16, False))


def test_a_removed_topic_takes_its_settings_along() -> None:
    state = state_with_topic()
    state.replay(ConfigsChanged("topic", "t", {"retention.ms": "1"}))
    state.replay(TopicRemoved(TOPIC))
    assert (state.topics, state.topic_ids, state.configs) == ({}, {}, {})


def test_settings_that_decisions_need() -> None:
    state = state_with_topic()
    assert state.min_insync_replicas("t") == 1
    assert not state.unclean_election_allowed("t")
    state.replay(
        ConfigsChanged(
            "topic", "t", {"min.insync.replicas": "3", "unclean.leader.election.enable": "TRUE"}
        )
    )
    assert state.min_insync_replicas("t") == 3
    assert state.unclean_election_allowed("t")
    state.replay(ConfigsChanged("topic", "t", {}))
    assert state.configs == {}


def test_records_make_an_equal_state() -> None:
    cluster = Cluster(3)
    cluster.topic("t", *[[1, 2]] * (PARTITIONS_PER_RECORD + 1), configs={"retention.ms": "1"})
    cluster.fence(2)
    copy = ClusterState()
    for record in cluster.state.to_records():
        copy.replay(record)
    assert copy == cluster.state
    cluster.fence(1)
    assert copy != cluster.state
    assert copy != "a state"
    assert list(ClusterState().to_records()) == []


def test_only_active_brokers_may_lead() -> None:
    cluster = Cluster(1)
    assert cluster.state.is_active(1)
    assert not cluster.state.is_active(2)
    broker = cluster.state.brokers[1]
    assert not replace(broker, fenced=True).active
    assert not replace(broker, in_controlled_shutdown=True).active
