from __future__ import annotations

import pytest

from controller.generated import metadata_pb2 as pb
from ottla.core.errors import ErrorCode
from tests.support.cluster_states import Cluster


def cluster_with_topic() -> Cluster:
    cluster = Cluster(3)
    cluster.topic("t", [1, 2, 3])
    return cluster


def elect(cluster: Cluster, *names: tuple[str, int], unclean: bool = False) -> list[int]:
    """The codes, partition by partition; without names of all partitions."""
    result = cluster.do(
        elect_leaders=pb.ElectLeaders(
            unclean=unclean,
            all=not names,
            partitions=[pb.PartitionName(topic=topic, index=index) for topic, index in names],
        )
    )
    assert all(bool(answer.message) == bool(answer.error_code) for answer in result.partitions)
    return [answer.error_code for answer in result.partitions]


def test_preferred_leaders_are_restored_when_they_are_in_sync() -> None:
    cluster = cluster_with_topic()
    cluster.start(1)
    assert cluster.partition().leader_id == 2
    cluster.do(elect_preferred_leaders=pb.ElectPreferredLeaders())
    assert cluster.partition().leader_id == 2
    cluster.set_isr(2, 3, 1)
    epoch = cluster.partition().leader_epoch
    cluster.do(elect_preferred_leaders=pb.ElectPreferredLeaders())
    assert cluster.partition().leader_id == 1
    assert cluster.partition().leader_epoch == epoch + 1


def test_a_preferred_leader_is_elected_on_request() -> None:
    cluster = cluster_with_topic()
    cluster.start(1)
    assert elect(cluster, ("t", 0)) == [ErrorCode.PREFERRED_LEADER_NOT_AVAILABLE]
    cluster.set_isr(2, 3, 1)
    # Twice in one request: the second time it is as it should be.
    assert elect(cluster, ("t", 0), ("t", 0)) == [0, ErrorCode.ELECTION_NOT_NEEDED]
    assert cluster.partition().leader_id == 1


@pytest.mark.parametrize("name", [("nope", 0), ("t", 1), ("t", -1)])
def test_a_partition_that_does_not_exist(name: tuple[str, int]) -> None:
    assert elect(cluster_with_topic(), name) == [ErrorCode.UNKNOWN_TOPIC_OR_PARTITION]


def test_of_all_partitions_only_those_are_answered_that_need_an_election() -> None:
    cluster = cluster_with_topic()
    cluster.topic("u", [2, 3, 1], [1, 2, 3])
    cluster.start(1)
    cluster.set_isr(2, 3, 1)
    result = cluster.do(elect_leaders=pb.ElectLeaders(all=True))
    assert [(a.topic, a.index, a.error_code) for a in result.partitions] == [
        ("t", 0, 0),
        ("u", 1, ErrorCode.PREFERRED_LEADER_NOT_AVAILABLE),
    ]


def test_an_unclean_election_takes_whoever_is_alive_where_nobody_leads() -> None:
    cluster = cluster_with_topic()
    assert elect(cluster, ("t", 0), unclean=True) == [ErrorCode.ELECTION_NOT_NEEDED]
    cluster.set_isr(1)
    cluster.set_isr(1)
    cluster.topic("u", [1])
    cluster.fence(1)
    assert cluster.partition().leader_id == 2, "an eligible replica"
    assert elect(cluster, ("u", 0), unclean=True) == [ErrorCode.ELIGIBLE_LEADERS_NOT_AVAILABLE]
    for broker_id in (2, 3, 1):
        cluster.start(broker_id, stop=pb.STOP_STATE_UNCLEAN)
    before = cluster.partition()
    assert before.leader_id is None
    assert elect(cluster, ("t", 0), unclean=True) == [0]
    after = cluster.partition()
    assert (after.leader_id, after.isr) == (1, (1,))
    assert after.leader_epoch == before.leader_epoch + 1
