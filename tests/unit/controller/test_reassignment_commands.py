from __future__ import annotations

import pytest

from controller.generated import metadata_pb2 as pb
from controller.state import PartitionMetadata
from ottla.core.errors import ErrorCode
from tests.support.cluster_states import Cluster


def cluster_of(brokers: int, *replicas: int, min_insync: int = 2) -> Cluster:
    cluster = Cluster(brokers, min_insync=min_insync)
    cluster.topic("t", replicas)
    return cluster


def reassign(
    cluster: Cluster, *target: int, name: tuple[str, int] = ("t", 0), factor_may_change: bool = True
) -> pb.PartitionResult:
    return _ask(
        cluster,
        pb.Reassignment(
            partition=pb.PartitionName(topic=name[0], index=name[1]),
            target=pb.ReplicaAssignment(replicas=target),
        ),
        factor_may_change,
    )


def cancel(cluster: Cluster) -> pb.PartitionResult:
    return _ask(cluster, pb.Reassignment(partition=pb.PartitionName(topic="t", index=0)), True)


def _ask(cluster: Cluster, one: pb.Reassignment, factor_may_change: bool) -> pb.PartitionResult:
    result = cluster.do(
        reassign_partitions=pb.ReassignPartitions(
            partitions=[one], replication_factor_may_change=factor_may_change
        )
    )
    (answer,) = result.partitions
    assert bool(answer.message) == bool(answer.error_code)
    return answer


def shape(partition: PartitionMetadata) -> tuple[tuple[int, ...], ...]:
    return partition.replicas, partition.adding_replicas, partition.removing_replicas


def test_the_last_replica_that_comes_into_the_isr_ends_it() -> None:
    cluster = cluster_of(6, 1, 2, 3)
    assert reassign(cluster, 4, 5, 6).error_code == 0
    begun = cluster.partition()
    assert shape(begun) == ((4, 5, 6, 1, 2, 3), (4, 5, 6), (1, 2, 3))
    assert (begun.leader_id, begun.leader_epoch, begun.partition_epoch) == (1, 0, 1)
    cluster.set_isr(1, 2, 3, 4, 5)
    assert cluster.partition().is_reassigning
    answer = cluster.set_isr(1, 2, 3, 4, 5, 6)
    ended = cluster.partition()
    assert shape(ended) == ((4, 5, 6), (), ())
    assert set(ended.isr) == {4, 5, 6}
    assert (ended.leader_id, ended.leader_epoch, ended.partition_epoch) == (4, 1, 3)
    assert answer.partition.leader_id == 4


def test_a_leader_that_stays_gets_a_new_epoch_when_a_replica_goes() -> None:
    cluster = cluster_of(4, 1, 2, 3)
    reassign(cluster, 1, 2, 4)
    cluster.set_isr(1, 2, 3, 4)
    partition = cluster.partition()
    assert shape(partition) == ((1, 2, 4), (), ())
    assert (partition.leader_id, partition.leader_epoch) == (1, 1)


def test_less_replicas_or_another_order_need_no_catching_up() -> None:
    cluster = cluster_of(3, 1, 2, 3)
    reassign(cluster, 3, 1)
    partition = cluster.partition()
    assert shape(partition) == ((3, 1), (), ())
    assert (partition.leader_id, partition.leader_epoch, partition.partition_epoch) == (1, 1, 1)
    reassign(cluster, 1, 3)
    partition = cluster.partition()
    assert (partition.replicas, partition.leader_epoch, partition.partition_epoch) == ((1, 3), 1, 2)


def test_it_waits_for_a_replica_of_the_target_that_is_not_in_sync() -> None:
    cluster = cluster_of(4, 1, 2, 3)
    cluster.fence(2)
    reassign(cluster, 1, 2)
    assert shape(cluster.partition()) == ((1, 2, 3), (), (3,))
    cluster.unfence(2)
    cluster.set_isr(1, 2, 3)
    assert shape(cluster.partition()) == ((1, 2), (), ())


def test_what_is_so_already_changes_nothing() -> None:
    cluster = cluster_of(4, 1, 2, 3)
    before = cluster.partition()
    assert reassign(cluster, 1, 2, 3).error_code == 0
    assert cluster.partition() is before
    reassign(cluster, 1, 2, 4)
    begun = cluster.partition()
    assert reassign(cluster, 1, 2, 4).error_code == 0
    assert cluster.partition() is begun


def test_it_goes_on_when_the_leader_and_an_adding_replica_die() -> None:
    cluster = cluster_of(6, 1, 2, 3)
    reassign(cluster, 4, 5, 6)
    cluster.set_isr(1, 2, 3, 4)
    cluster.fence(1)
    cluster.fence(5)
    partition = cluster.partition()
    assert (partition.leader_id, set(partition.isr)) == (4, {2, 3, 4})
    assert shape(partition) == ((4, 5, 6, 1, 2, 3), (4, 5, 6), (1, 2, 3))
    cluster.unfence(5)
    cluster.set_isr(2, 3, 4, 5, 6)
    assert shape(cluster.partition()) == ((4, 5, 6), (), ())


def test_an_election_may_end_it() -> None:
    cluster = cluster_of(2, 1, min_insync=1)
    reassign(cluster, 2)
    cluster.tell(2, pb.REPLICA_STATE_OFFLINE)
    assert cluster.partition().leader_id == 1
    cluster.do(
        alter_configs=pb.AlterConfigs(
            resource_type="topic",
            resource_name="t",
            changes=[pb.ConfigChange(key="unclean.leader.election.enable", value="true")],
        )
    )
    cluster.tell(2, pb.REPLICA_STATE_ABLE)
    cluster.fence(1)
    partition = cluster.partition()
    assert (shape(partition), partition.leader_id) == (((2,), (), ()), 2)
    assert partition.leader_epoch == 1


def test_calling_it_off_keeps_what_was_there_before() -> None:
    cluster = cluster_of(6, 1, 2, 3)
    assert cancel(cluster).error_code == ErrorCode.NO_REASSIGNMENT_IN_PROGRESS
    reassign(cluster, 4, 5, 1)
    cluster.set_isr(1, 2, 3, 4)
    cluster.do(elect_preferred_leaders=pb.ElectPreferredLeaders())
    assert cluster.partition().leader_id == 4
    epoch = cluster.partition().leader_epoch
    assert cancel(cluster).error_code == 0
    partition = cluster.partition()
    assert shape(partition) == ((1, 2, 3), (), ())
    assert (partition.leader_id, partition.leader_epoch) == (1, epoch + 1)


def test_a_second_one_replaces_the_first() -> None:
    cluster = cluster_of(6, 1, 2, 3)
    reassign(cluster, 4, 5, 1)
    cluster.set_isr(1, 2, 3, 4)
    reassign(cluster, 6, 4, 3)
    partition = cluster.partition()
    assert shape(partition) == ((6, 4, 3, 1, 2), (6, 4), (1, 2))
    assert partition.leader_epoch == 1, "5 has gone"
    assert set(partition.isr) == {1, 2, 3, 4}
    cancel(cluster)
    assert shape(cluster.partition()) == ((3, 1, 2), (), ())


def test_it_is_not_called_off_when_only_added_replicas_have_the_data() -> None:
    cluster = cluster_of(4, 1, 2, min_insync=1)
    reassign(cluster, 3, 4)
    cluster.set_isr(1, 3)
    cluster.fence(1)
    before = cluster.partition()
    assert before.isr == (3,)
    answer = cancel(cluster)
    assert answer.error_code == ErrorCode.INVALID_REPLICA_ASSIGNMENT
    assert "[3]" in answer.message
    assert cluster.partition() is before
    cluster.start(3, stop=pb.STOP_STATE_UNCLEAN)
    assert cluster.partition().last_known_elr == (3,)
    assert cancel(cluster).error_code == ErrorCode.INVALID_REPLICA_ASSIGNMENT


def test_min_insync_replicas_is_measured_against_the_factor_before() -> None:
    cluster = cluster_of(3, 1, min_insync=2)
    reassign(cluster, 1, 2, 3)
    cluster.set_isr(1, 2)
    cluster.fence(2)
    # One replica is all that the topic had: it goes on, and 2 need not be waited for.
    assert (cluster.partition().isr, cluster.partition().elr) == ((1,), ())
    cluster.unfence(2)
    cluster.set_isr(1, 2, 3)
    assert not cluster.partition().is_reassigning
    cluster.set_isr(1)
    assert cluster.partition().elr == (2, 3)


@pytest.mark.parametrize(
    ("target", "options", "code"),
    [
        ((), {}, ErrorCode.INVALID_REPLICA_ASSIGNMENT),
        ((1, 1, 2), {}, ErrorCode.INVALID_REPLICA_ASSIGNMENT),
        ((1, 2, 9), {}, ErrorCode.INVALID_REPLICA_ASSIGNMENT),
        ((1, 2, -1), {}, ErrorCode.INVALID_REPLICA_ASSIGNMENT),
        ((1, 2), {"factor_may_change": False}, ErrorCode.INVALID_REPLICATION_FACTOR),
        ((1, 2, 3), {"name": ("t", 1)}, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION),
        ((1, 2, 3), {"name": ("u", 0)}, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION),
    ],
)
def test_wrong_targets_change_nothing(
    target: tuple[int, ...], options: dict[str, object], code: ErrorCode
) -> None:
    cluster = cluster_of(4, 1, 2, 3)
    before = cluster.partition()
    assert reassign(cluster, *target, **options).error_code == code  # type: ignore[arg-type]
    assert cluster.partition() is before


def test_a_partition_is_named_once() -> None:
    cluster = cluster_of(4, 1, 2, 3)
    one = pb.Reassignment(
        partition=pb.PartitionName(topic="t", index=0),
        target=pb.ReplicaAssignment(replicas=[1, 2, 4]),
    )
    result = cluster.do(
        reassign_partitions=pb.ReassignPartitions(
            partitions=[one, one], replication_factor_may_change=True
        )
    )
    assert [a.error_code for a in result.partitions] == [0, ErrorCode.INVALID_REQUEST]


def test_the_factor_is_that_of_the_target_while_it_goes_on() -> None:
    cluster = cluster_of(4, 1, 2, 3)
    reassign(cluster, 1, 4)
    assert reassign(cluster, 1, 2, factor_may_change=False).error_code == 0
    assert shape(cluster.partition()) == ((1, 2), (), ())
