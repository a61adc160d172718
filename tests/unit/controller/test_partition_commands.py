from __future__ import annotations

import pytest

from controller.generated import metadata_pb2 as pb
from ottla.core.errors import ErrorCode
from tests.support.cluster_states import Cluster


def cluster_with_topic() -> Cluster:
    cluster = Cluster(3)
    cluster.topic("t", [1, 2, 3])
    return cluster


def test_the_leader_changes_its_isr() -> None:
    cluster = cluster_with_topic()
    answer = cluster.set_isr(1, 3)
    assert answer.error_code == 0
    assert cluster.partition().isr == (1, 3)
    assert cluster.partition().partition_epoch == 1
    assert list(answer.partition.isr) == [1, 3]
    assert answer.partition.topic_id == cluster.partition().topic_id


@pytest.mark.parametrize(
    ("members", "epochs", "code"),
    [
        ((1, 2), {"leader_epoch": -1}, ErrorCode.FENCED_LEADER_EPOCH),
        ((1, 2), {"leader_epoch": 1}, ErrorCode.INVALID_REQUEST),
        ((1, 2), {"partition_epoch": -1}, ErrorCode.INVALID_UPDATE_VERSION),
        ((1, 2), {"partition_epoch": 1}, ErrorCode.INVALID_UPDATE_VERSION),
        ((2, 3), {}, ErrorCode.INVALID_REQUEST),
        ((1, 1), {}, ErrorCode.INVALID_REQUEST),
        ((1, 4), {}, ErrorCode.INVALID_REQUEST),
        ((), {}, ErrorCode.INVALID_REQUEST),
    ],
)
def test_wrong_proposals_change_nothing(
    members: tuple[int, ...], epochs: dict[str, int], code: ErrorCode
) -> None:
    cluster = cluster_with_topic()
    before = cluster.partition()
    answer = cluster.set_isr(*members, **epochs)  # type: ignore[arg-type]
    assert answer.error_code == code
    assert answer.message
    assert cluster.partition() is before


def test_members_that_may_not_join() -> None:
    cluster = cluster_with_topic()
    cluster.set_isr(1, 2)
    cluster.fence(3)
    assert "is fenced" in cluster.set_isr(1, 2, 3).message
    cluster.unfence(3)
    old = cluster.epoch(3)
    cluster.start(3)
    partition = cluster.partition()
    stale = pb.AlterPartitions(
        broker_id=1,
        broker_epoch=cluster.epoch(1),
        partitions=[
            pb.AlterPartition(
                topic_id=partition.topic_id,
                leader_epoch=partition.leader_epoch,
                partition_epoch=partition.partition_epoch,
                isr=[
                    pb.IsrMember(broker_id=1, broker_epoch=cluster.epoch(1)),
                    pb.IsrMember(broker_id=3, broker_epoch=old),
                ],
            )
        ],
    )
    answer = cluster.do(alter_partitions=stale).partitions[0]
    assert answer.error_code == ErrorCode.INELIGIBLE_REPLICA
    cluster.do(shut_down_broker=pb.ShutDownBroker(broker_id=3, broker_epoch=cluster.epoch(3)))
    assert "shutting down" in cluster.set_isr(1, 2, 3).message
    assert cluster.partition().isr == (1, 2)


def test_partitions_are_answered_one_by_one() -> None:
    cluster = Cluster(2)
    cluster.topic("t", [1, 2], [1, 2])
    topic_id = cluster.partition().topic_id
    member = pb.IsrMember(broker_id=1, broker_epoch=cluster.epoch(1))
    wanted = [
        pb.AlterPartition(topic_id=topic_id, index=0, isr=[member]),
        pb.AlterPartition(topic_id=topic_id, index=0, isr=[member]),
        pb.AlterPartition(topic_id=topic_id, index=7, isr=[member]),
        pb.AlterPartition(topic_id=b"x" * 16, index=0, isr=[member]),
        pb.AlterPartition(topic_id=topic_id, index=1, isr=[member]),
    ]
    result = cluster.do(
        alter_partitions=pb.AlterPartitions(
            broker_id=1, broker_epoch=cluster.epoch(1), partitions=wanted
        )
    )
    assert [answer.error_code for answer in result.partitions] == [
        0,
        ErrorCode.INVALID_REQUEST,
        ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
        ErrorCode.UNKNOWN_TOPIC_ID,
        0,
    ]
    assert cluster.partition(index=0).isr == cluster.partition(index=1).isr == (1,)


def test_a_leader_of_an_earlier_incarnation_is_refused_as_a_whole() -> None:
    cluster = cluster_with_topic()
    result = cluster.do(alter_partitions=pb.AlterPartitions(broker_id=1, broker_epoch=0))
    assert result.error_code == ErrorCode.STALE_BROKER_EPOCH


def test_log_ends_are_taken_from_replicas_of_partitions_that_wait() -> None:
    cluster = cluster_with_topic()
    for broker_id in (1, 2, 3):
        cluster.start(broker_id, stop=pb.STOP_STATE_UNCLEAN)
    partition = cluster.partition()
    assert (partition.leader_id, partition.last_known_elr) == (None, (2, 3))

    def report(broker_id: int, end: int, index: int = 0) -> pb.Result:
        return cluster.do(
            report_log_ends=pb.ReportLogEnds(
                broker_id=broker_id,
                broker_epoch=cluster.epoch(broker_id),
                partitions=[
                    pb.PartitionLogEnd(
                        topic_id=partition.topic_id, index=index, last_epoch=0, log_end_offset=end
                    )
                ],
            )
        )

    assert report(1, 9).error_code == 0
    assert report(1, 9, index=5).error_code == 0
    assert report(2, 4).error_code == 0
    assert cluster.partition().leader_id is None
    assert report(3, 6).error_code == 0
    assert cluster.partition().leader_id == 1
    before = cluster.partition()
    assert report(3, 7).error_code == 0
    assert cluster.partition() is before
    stale = cluster.do(report_log_ends=pb.ReportLogEnds(broker_id=1))
    assert stale.error_code == ErrorCode.STALE_BROKER_EPOCH


def test_a_full_leader_gives_way_to_a_member_with_room() -> None:
    cluster = cluster_with_topic()
    before = cluster.partition()
    assert cluster.tell(1, pb.REPLICA_STATE_FULL).error_code == 0
    after = cluster.partition()
    assert (after.leader_id, after.isr, after.full_replicas) == (2, (2, 3), (1,))
    assert after.leader_epoch == before.leader_epoch + 1
    cluster.tell(1, pb.REPLICA_STATE_FULL)
    assert cluster.partition() is after


def test_where_nobody_has_room_the_leader_stays() -> None:
    cluster = cluster_with_topic()
    for broker_id in (3, 2, 1):
        cluster.tell(broker_id, pb.REPLICA_STATE_FULL)
    partition = cluster.partition()
    assert (partition.leader_id, partition.isr) == (1, (1,))
    assert (partition.elr, partition.full_replicas) == ((2,), (1, 2, 3))


def test_who_is_full_comes_in_once_it_has_room_and_takes_over_from_a_full_leader() -> None:
    cluster = cluster_with_topic()
    for broker_id in (3, 2, 1):
        cluster.tell(broker_id, pb.REPLICA_STATE_FULL)
    assert "no room" in cluster.set_isr(1, 3).message
    cluster.tell(3, pb.REPLICA_STATE_ABLE)
    epochs = (cluster.partition().leader_epoch, cluster.partition().partition_epoch)
    assert cluster.set_isr(1, 3).error_code == 0
    partition = cluster.partition()
    assert (partition.leader_id, partition.isr, partition.elr) == (3, (3,), (1,))
    assert (partition.leader_epoch, partition.partition_epoch) == (epochs[0] + 1, epochs[1] + 1)


@pytest.mark.parametrize("state", [pb.REPLICA_STATE_OFFLINE, pb.REPLICA_STATE_DAMAGED])
def test_a_replica_that_cannot_be_read_has_lost_its_data(state: pb.ReplicaState.ValueType) -> None:
    cluster = cluster_with_topic()
    cluster.set_isr(1, 2)
    cluster.tell(1, state)
    partition = cluster.partition()
    assert (partition.leader_id, partition.isr, partition.elr) == (2, (2,), ())
    assert (partition.last_known_elr, partition.offline_replicas) == ((1,), (1,))
    assert "cannot serve" in cluster.set_isr(2, 1).message
    cluster.tell(1, pb.REPLICA_STATE_ABLE)
    assert cluster.set_isr(2, 1).error_code == 0
    assert cluster.partition().offline_replicas == ()


def test_nobody_takes_over_from_the_only_copy() -> None:
    cluster = cluster_with_topic()
    cluster.set_isr(1)
    cluster.tell(2, pb.REPLICA_STATE_DAMAGED)
    cluster.tell(3, pb.REPLICA_STATE_DAMAGED)
    cluster.tell(1, pb.REPLICA_STATE_DAMAGED)
    partition = cluster.partition()
    assert (partition.leader_id, partition.isr, partition.elr) == (None, (), ())
    assert partition.last_known_elr == (1, 2, 3)
    assert partition.offline_replicas == (1, 2, 3)


def test_an_offline_replica_is_never_elected() -> None:
    cluster = Cluster(2)
    cluster.topic("t", [1, 2], configs={"unclean.leader.election.enable": "true"})
    cluster.tell(2, pb.REPLICA_STATE_OFFLINE)
    cluster.tell(1, pb.REPLICA_STATE_OFFLINE)
    assert cluster.partition().leader_id is None
    cluster.tell(2, pb.REPLICA_STATE_FULL)
    partition = cluster.partition()
    assert (partition.leader_id, partition.offline_replicas) == (2, (1,))
    assert partition.full_replicas == (2,)


def test_a_report_of_a_replaced_process_or_about_others_replicas_changes_nothing() -> None:
    cluster = cluster_with_topic()
    cluster.start(4)
    before = cluster.partition()
    stale = cluster.do(report_replicas=pb.ReportReplicas(broker_id=1, broker_epoch=0))
    assert stale.error_code == ErrorCode.STALE_BROKER_EPOCH
    assert cluster.tell(4, pb.REPLICA_STATE_OFFLINE).error_code == 0
    assert cluster.tell(1, pb.REPLICA_STATE_OFFLINE, index=5).error_code == 0
    assert cluster.partition() is before


def test_the_end_of_a_log_that_went_offline_does_not_count() -> None:
    cluster = cluster_with_topic()
    for broker_id in (1, 2, 3):
        cluster.start(broker_id, stop=pb.STOP_STATE_UNCLEAN)
    partition = cluster.partition()
    assert partition.last_known_elr == (2, 3)
    for broker_id in (1, 2):
        cluster.do(
            report_log_ends=pb.ReportLogEnds(
                broker_id=broker_id,
                broker_epoch=cluster.epoch(broker_id),
                partitions=[
                    pb.PartitionLogEnd(
                        topic_id=partition.topic_id, last_epoch=0, log_end_offset=9 - broker_id
                    )
                ],
            )
        )
    cluster.tell(1, pb.REPLICA_STATE_OFFLINE)
    assert [end.broker_id for end in cluster.partition().log_ends] == [2]
