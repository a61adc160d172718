from __future__ import annotations

from collections.abc import Sequence

import pytest

from controller.generated import metadata_pb2 as pb
from controller.topic_commands import PARTITIONS_MAX
from ottla.core.errors import ErrorCode
from tests.support.cluster_states import Cluster


def create(
    cluster: Cluster, *topics: pb.NewTopic, partitions: int = 2, factor: int = 1
) -> list[pb.TopicResult]:
    for number, topic in enumerate(topics):
        if not topic.topic_id:
            topic.topic_id = bytes([cluster.index, number]) + b"t" * 14
    result = cluster.do(
        create_topics=pb.CreateTopics(
            topics=topics, default_partition_count=partitions, default_replication_factor=factor
        )
    )
    return list(result.topics)


def new(
    name: str, count: int = -1, factor: int = -1, assignments: Sequence[Sequence[int]] = ()
) -> pb.NewTopic:
    return pb.NewTopic(
        name=name,
        partition_count=count,
        replication_factor=factor,
        assignments=[pb.ReplicaAssignment(replicas=replicas) for replicas in assignments],
    )


def test_defaults_hold_where_nothing_is_asked_for() -> None:
    cluster = Cluster(3)
    (answer,) = create(cluster, new("t"), partitions=4, factor=2)
    assert (answer.error_code, answer.partition_count, answer.replication_factor) == (0, 4, 2)
    topic = cluster.state.topic_named("t")
    assert topic is not None
    assert [p.index for p in topic.partitions] == [0, 1, 2, 3]
    for partition in topic.partitions:
        assert partition.leader_id == partition.replicas[0]
        assert set(partition.isr) == set(partition.replicas)
        assert (partition.leader_epoch, partition.partition_epoch) == (0, 0)
    assert not topic.internal


def test_internal_topics_are_known_by_name() -> None:
    cluster = Cluster(1)
    create(cluster, new("__consumer_offsets", 50, 1))
    topic = cluster.state.topic_named("__consumer_offsets")
    assert topic is not None
    assert topic.internal


@pytest.mark.parametrize(
    ("topic", "code", "words"),
    [
        (new(""), ErrorCode.INVALID_TOPIC_EXCEPTION, "empty"),
        (new("a b"), ErrorCode.INVALID_TOPIC_EXCEPTION, "a b"),
        (new("x" * 250), ErrorCode.INVALID_TOPIC_EXCEPTION, "249"),
        (new("old.topic"), ErrorCode.TOPIC_ALREADY_EXISTS, "exists"),
        (new("old_topic"), ErrorCode.INVALID_TOPIC_EXCEPTION, "collides with 'old.topic'"),
        (new("n", 0), ErrorCode.INVALID_PARTITIONS, "at least 1"),
        (new("n", -2), ErrorCode.INVALID_PARTITIONS, "at least 1"),
        (new("n", PARTITIONS_MAX + 1), ErrorCode.POLICY_VIOLATION, str(PARTITIONS_MAX)),
        (new("n", 1, 0), ErrorCode.INVALID_REPLICATION_FACTOR, "at least 1"),
        (new("n", 1, 3), ErrorCode.INVALID_REPLICATION_FACTOR, "number of brokers, 2"),
        (new("n", 1, -1, [[1]]), ErrorCode.INVALID_REQUEST, "either"),
        (new("n", -1, -1, [[]]), ErrorCode.INVALID_REPLICA_ASSIGNMENT, "no replicas"),
        (new("n", -1, -1, [[1, 1]]), ErrorCode.INVALID_REPLICA_ASSIGNMENT, "twice"),
        (new("n", -1, -1, [[1], [1, 2]]), ErrorCode.INVALID_REPLICA_ASSIGNMENT, "others have 1"),
        (new("n", -1, -1, [[7]]), ErrorCode.INVALID_REPLICA_ASSIGNMENT, "7 is not registered"),
        (new("n", -1, -1, [[3]]), ErrorCode.INVALID_REPLICA_ASSIGNMENT, "none of the brokers [3]"),
    ],
)
def test_what_cannot_be_created(topic: pb.NewTopic, code: ErrorCode, words: str) -> None:
    cluster = Cluster(2)
    create(cluster, new("old.topic"))
    count = len(cluster.state.topics)
    if any(3 in assignment.replicas for assignment in topic.assignments):
        cluster.register(3)  # known, yet fenced
    (answer,) = create(cluster, topic)
    assert answer.error_code == code
    assert words in answer.message
    assert len(cluster.state.topics) == count


def test_topics_of_one_request_collide_too_and_are_answered_one_by_one() -> None:
    cluster = Cluster(1)
    answers = create(cluster, new("a.b"), new("a_b"), new("c"), new("c"))
    assert [answer.error_code for answer in answers] == [
        0,
        ErrorCode.INVALID_TOPIC_EXCEPTION,
        0,
        ErrorCode.TOPIC_ALREADY_EXISTS,
    ]
    assert set(cluster.state.topic_ids) == {"a.b", "c"}


def test_the_same_request_again_is_the_same_topic() -> None:
    cluster = Cluster(1)
    topic = new("t", 3)
    topic.topic_id = b"i" * 16
    assert create(cluster, topic)[0].error_code == 0
    (again,) = create(cluster, topic)
    assert (again.error_code, again.partition_count, again.replication_factor) == (0, 3, 1)
    other = new("u")
    other.topic_id = b"i" * 16
    assert create(cluster, other)[0].error_code == ErrorCode.INVALID_REQUEST


def test_validation_alone_creates_nothing() -> None:
    cluster = Cluster(1)
    answer = cluster.topic("t", [1], validate_only=True)
    assert (answer.error_code, answer.partition_count) == (0, 1)
    assert not cluster.state.topics


def test_configurations_are_validated_and_kept() -> None:
    cluster = Cluster(1)
    assert cluster.topic("t", [1], configs={"retention.ms": "5"}).error_code == 0
    assert cluster.state.configs["topic", "t"] == {"retention.ms": "5"}
    refused = cluster.topic("u", [1], configs={"retention.ms": "much"})
    assert refused.error_code == ErrorCode.INVALID_CONFIG
    assert "retention.ms" in refused.message


def test_fenced_replicas_begin_out_of_sync() -> None:
    cluster = Cluster(3)
    cluster.fence(1)
    cluster.topic("t", [1, 2, 3])
    assert cluster.partition().leader_id == 2
    assert cluster.partition().isr == (2, 3)
    assert cluster.partition().elr == ()


def test_large_topics_take_several_records() -> None:
    cluster = Cluster(1)
    create(cluster, new("t", 2_500))
    topic = cluster.state.topic_named("t")
    assert topic is not None
    assert len(topic.partitions) == 2_500
    cluster.fence(1)
    assert all(p.leader_id is None for p in cluster.state.topics[topic.topic_id].partitions)


def delete(cluster: Cluster, *topics: pb.TopicName) -> list[pb.TopicResult]:
    return list(cluster.do(delete_topics=pb.DeleteTopics(topics=topics)).topics)


def test_deletion_by_name_and_by_id() -> None:
    cluster = Cluster(1)
    cluster.topic("t", [1], configs={"retention.ms": "5"})
    cluster.topic("u", [1])
    topic_id = cluster.state.topic_ids["u"]
    answers = delete(
        cluster,
        pb.TopicName(name="t"),
        pb.TopicName(topic_id=topic_id),
        pb.TopicName(name="u"),
        pb.TopicName(name="v"),
        pb.TopicName(topic_id=b"x" * 16),
    )
    assert [answer.error_code for answer in answers] == [
        0,
        0,
        0,
        ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
        ErrorCode.UNKNOWN_TOPIC_ID,
    ]
    assert [answer.name for answer in answers] == ["t", "u", "u", "v", ""]
    assert not cluster.state.topics
    assert not cluster.state.topic_ids
    assert not cluster.state.configs


def grow(cluster: Cluster, *topics: pb.NewPartitions, **options: bool) -> pb.Result:
    return cluster.do(create_partitions=pb.CreatePartitions(topics=topics, **options))


def test_partitions_are_added_with_the_same_number_of_replicas() -> None:
    cluster = Cluster(3)
    cluster.topic("t", [1, 2])
    result = grow(cluster, pb.NewPartitions(name="t", count=4))
    assert (result.topics[0].error_code, result.topics[0].partition_count) == (0, 4)
    assert [len(cluster.partition(index=i).replicas) for i in range(4)] == [2] * 4
    assigned = pb.NewPartitions(
        name="t", count=5, assigned=True, assignments=[pb.ReplicaAssignment(replicas=[3, 1])]
    )
    grow(cluster, assigned)
    assert cluster.partition(index=4).replicas == (3, 1)


@pytest.mark.parametrize(
    ("wanted", "code", "words"),
    [
        (pb.NewPartitions(name="v", count=2), ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, "'v'"),
        (pb.NewPartitions(name="t", count=1), ErrorCode.INVALID_PARTITIONS, "already has 1"),
        (pb.NewPartitions(name="t", count=0), ErrorCode.INVALID_PARTITIONS, "cannot shrink"),
        (
            pb.NewPartitions(name="t", count=PARTITIONS_MAX + 2),
            ErrorCode.POLICY_VIOLATION,
            "at most",
        ),
        (
            pb.NewPartitions(name="t", count=3, assigned=True),
            ErrorCode.INVALID_REPLICA_ASSIGNMENT,
            "2 partitions are new, 0 are assigned",
        ),
        (
            pb.NewPartitions(name="__consumer_offsets", count=51),
            ErrorCode.INVALID_PARTITIONS,
            "fixed",
        ),
    ],
)
def test_growth_that_cannot_be(wanted: pb.NewPartitions, code: ErrorCode, words: str) -> None:
    cluster = Cluster(1)
    cluster.topic("t", [1])
    cluster.topic("__consumer_offsets", *[[1]] * 50)
    (answer,) = grow(cluster, wanted).topics
    assert answer.error_code == code
    assert words in answer.message
    assert len(cluster.state.topics[cluster.state.topic_ids["t"]].partitions) == 1


def test_growth_may_be_validated_alone_and_names_each_topic_once() -> None:
    cluster = Cluster(1)
    cluster.topic("t", [1])
    wanted = pb.NewPartitions(name="t", count=2)
    assert grow(cluster, wanted, validate_only=True).topics[0].error_code == 0
    assert grow(cluster, wanted, wanted).error_code == ErrorCode.INVALID_REQUEST
    assert len(cluster.state.topics[cluster.state.topic_ids["t"]].partitions) == 1
