from __future__ import annotations

from controller.generated import metadata_pb2 as pb
from ottla.core.errors import ErrorCode
from tests.support.cluster_states import CLUSTER, Cluster


def take_office(cluster: Cluster, epoch: int, controller: int = 1, **options: object) -> pb.Result:
    fields = {"cluster_id": CLUSTER, "default_min_insync_replicas": 2, **options}
    return cluster.do(epoch, take_office=pb.TakeOffice(controller_id=controller, **fields))  # type: ignore[arg-type]


def test_offices_follow_each_other_by_epoch() -> None:
    cluster = Cluster()
    assert cluster.state.cluster_id == CLUSTER
    assert take_office(cluster, 1).error_code == 0  # said twice
    assert take_office(cluster, 1, controller=2).error_code == ErrorCode.STALE_CONTROLLER_EPOCH
    assert take_office(cluster, 4, controller=2).error_code == 0
    assert (cluster.state.controller_id, cluster.state.controller_epoch) == (2, 4)
    assert take_office(cluster, 3).error_code == ErrorCode.STALE_CONTROLLER_EPOCH
    refused = take_office(cluster, 5, cluster_id="b" * 22)
    assert refused.error_code == ErrorCode.INCONSISTENT_CLUSTER_ID
    assert "cluster.id" in refused.message


def test_commands_of_a_controller_that_was_overtaken_are_refused() -> None:
    cluster = Cluster(1)
    take_office(cluster, 2)
    result = cluster.do(1, fence_broker=pb.FenceBroker(broker_id=1, broker_epoch=cluster.epoch(1)))
    assert result.error_code == ErrorCode.STALE_CONTROLLER_EPOCH
    assert not cluster.state.brokers[1].fenced


def test_a_lower_default_minimum_ends_eligibility() -> None:
    cluster = Cluster(2)
    cluster.topic("t", [1, 2])
    cluster.topic("own", [1, 2], configs={"min.insync.replicas": "2"})
    cluster.fence(2)
    assert cluster.partition("t").elr == (2,)
    take_office(cluster, 2, default_min_insync_replicas=1)
    assert cluster.partition("t").elr == ()
    assert cluster.partition("own").elr == (2,)
    assert cluster.state.default_min_insync_replicas == 1


def test_registration_gives_the_index_as_epoch_and_fences() -> None:
    cluster = Cluster()
    result = cluster.register(5, rack="r", incarnation=1)
    broker = cluster.state.brokers[5]
    assert result.broker_epoch == broker.broker_epoch == cluster.index
    assert broker.fenced
    assert broker.rack == "r"
    assert broker.endpoints[0].port == 9092
    assert cluster.unfence(5).error_code == 0
    assert not broker.in_controlled_shutdown


def test_registering_twice_changes_nothing() -> None:
    cluster = Cluster()
    first = cluster.register(5, incarnation=1)
    cluster.unfence(5)
    again = cluster.register(5, incarnation=1)
    assert again.broker_epoch == first.broker_epoch
    assert not cluster.state.brokers[5].fenced


def test_a_restart_raises_the_leader_epoch_even_if_the_same_broker_leads_again() -> None:
    cluster = Cluster(1)
    cluster.topic("t", [1])
    before = cluster.partition()
    cluster.register(1)
    between = cluster.partition()
    assert (between.leader_id, between.isr, between.elr) == (None, (), (1,))
    assert between.leader_epoch == before.leader_epoch + 1
    cluster.unfence(1)
    after = cluster.partition()
    assert (after.leader_id, after.isr, after.elr) == (1, (1,), ())
    assert after.leader_epoch == before.leader_epoch + 2


def test_a_restart_passes_leaderships_on() -> None:
    cluster = Cluster(3)
    cluster.topic("t", [1, 2, 3])
    cluster.register(1, stop=pb.STOP_STATE_PROCESS_CRASH)
    assert cluster.partition().leader_id == 2
    assert cluster.partition().isr == (2, 3)
    assert cluster.partition().leader_epoch == 1
    cluster.unfence(1)
    assert cluster.partition().isr == (2, 3)  # it has to catch up first


def test_an_unclean_stop_ends_eligibility() -> None:
    cluster = Cluster(2)
    cluster.topic("t", [1, 2])
    cluster.fence(2)
    cluster.fence(1)
    assert cluster.partition().elr == (1, 2)
    cluster.register(1, stop=pb.STOP_STATE_UNCLEAN)
    assert cluster.partition().elr == (2,)
    assert cluster.partition().last_known_elr == (1,)
    cluster.unfence(1)
    assert cluster.partition().leader_id is None
    cluster.start(2, stop=pb.STOP_STATE_PROCESS_CRASH)
    assert cluster.partition().leader_id == 2
    assert cluster.partition().last_known_elr == (1,)


def test_a_missing_directory_is_an_unclean_stop_and_so_is_an_unknown_state() -> None:
    for directories, stop in (
        ([bytes([9] * 16)], pb.STOP_STATE_CLEAN),
        ([bytes([1] * 16)], pb.STOP_STATE_UNSPECIFIED),
    ):
        cluster = Cluster(1)
        cluster.topic("t", [1])
        cluster.register(1, directories=directories, stop=stop)
        assert cluster.partition().elr == ()
        assert cluster.partition().last_known_elr == (1,)


def test_a_disk_that_was_put_back_to_an_older_state_is_an_unclean_stop() -> None:
    cluster = Cluster(1)
    cluster.topic("t", [1])
    first = cluster.epoch(1)
    cluster.register(1, left_by=first)
    assert cluster.partition().elr == (1,)
    cluster.unfence(1)
    cluster.register(1, left_by=first)  # not by the incarnation that led since
    assert cluster.partition().elr == ()
    assert cluster.partition().last_known_elr == (1,)


def test_one_unclean_directory_counts_for_all() -> None:
    cluster = Cluster(1)
    cluster.topic("t", [1])
    cluster.do(
        register_broker=pb.RegisterBroker(
            broker_id=1,
            incarnation_id=bytes([7] * 16),
            cluster_id=CLUSTER,
            directories=[
                pb.DirectoryReport(directory_id=bytes([1] * 16), stop_state=pb.STOP_STATE_CLEAN),
                pb.DirectoryReport(directory_id=bytes([2] * 16), stop_state=pb.STOP_STATE_UNCLEAN),
            ],
        )
    )
    assert cluster.partition().last_known_elr == (1,)


def test_registrations_that_cannot_be() -> None:
    cluster = Cluster(1)
    for command, code in (
        (pb.RegisterBroker(cluster_id="other"), ErrorCode.INCONSISTENT_CLUSTER_ID),
        (pb.RegisterBroker(cluster_id=CLUSTER, broker_id=-1), ErrorCode.INVALID_REGISTRATION),
        (
            pb.RegisterBroker(
                cluster_id=CLUSTER,
                broker_id=2,
                incarnation_id=bytes(16),
                directories=[pb.DirectoryReport(directory_id=bytes([1] * 16))],
            ),
            ErrorCode.INVALID_REGISTRATION,
        ),
    ):
        result = cluster.do(register_broker=command)
        assert result.error_code == code
        assert result.message


def test_fencing_compares_the_broker_epoch() -> None:
    cluster = Cluster(2)
    cluster.topic("t", [1, 2])
    old = cluster.epoch(1)
    cluster.start(1)
    late = cluster.do(fence_broker=pb.FenceBroker(broker_id=1, broker_epoch=old))
    assert late.error_code == ErrorCode.STALE_BROKER_EPOCH
    assert not cluster.state.brokers[1].fenced
    unknown = cluster.do(fence_broker=pb.FenceBroker(broker_id=9))
    assert unknown.error_code == ErrorCode.BROKER_ID_NOT_REGISTERED


def test_fencing_twice_changes_nothing() -> None:
    cluster = Cluster(2)
    cluster.topic("t", [1, 2])
    cluster.fence(1)
    before = cluster.partition()
    assert cluster.fence(1).error_code == 0
    assert cluster.partition() is before
    assert (before.leader_id, before.isr, before.elr) == (2, (2,), (1,))


def test_a_broker_that_shuts_down_is_not_unfenced_and_keeps_nothing() -> None:
    cluster = Cluster(2)
    cluster.topic("t", [1, 2])
    stop = pb.ShutDownBroker(broker_id=1, broker_epoch=cluster.epoch(1))
    assert cluster.do(shut_down_broker=stop).error_code == 0
    assert cluster.do(shut_down_broker=stop).error_code == 0
    assert cluster.partition().leader_id == 2
    assert not cluster.state.brokers[1].fenced
    cluster.fence(1)
    assert cluster.unfence(1).error_code == ErrorCode.INVALID_REQUEST
    cluster.start(1)
    assert cluster.state.brokers[1].active


def test_producer_ids_come_in_blocks_for_registered_brokers() -> None:
    cluster = Cluster(1)
    ask = pb.AllocateProducerIds(broker_id=1, broker_epoch=cluster.epoch(1))
    firsts = [cluster.do(allocate_producer_ids=ask).first_producer_id for _ in range(3)]
    assert firsts == [0, 1000, 2000]
    stale = pb.AllocateProducerIds(broker_id=1, broker_epoch=0)
    result = cluster.do(allocate_producer_ids=stale)
    assert result.error_code == ErrorCode.STALE_BROKER_EPOCH
    assert cluster.state.next_producer_id == 3000


def test_a_registration_forgets_what_the_process_before_could_not_do() -> None:
    cluster = Cluster(3)
    cluster.topic("t", [1, 2, 3], [2, 1, 3])
    cluster.tell(1, pb.REPLICA_STATE_OFFLINE)
    cluster.tell(1, pb.REPLICA_STATE_FULL, index=1)
    cluster.tell(2, pb.REPLICA_STATE_OFFLINE, index=1)
    cluster.register(1)
    assert cluster.partition(index=0).offline_replicas == ()
    assert cluster.partition(index=1).full_replicas == ()
    assert cluster.partition(index=1).offline_replicas == (2,)


def test_an_unregistered_broker_is_waited_for_only_by_its_log() -> None:
    cluster = Cluster(3)
    cluster.topic("t", [3, 1, 2])
    cluster.topic("own", [3])
    for broker_id in (1, 2, 3):
        cluster.fence(broker_id)
    assert cluster.partition().elr == (3, 2)
    assert cluster.do(unregister_broker=pb.UnregisterBroker(broker_id=3)).error_code == 0
    assert 3 not in cluster.state.brokers
    assert (cluster.partition().elr, cluster.partition().last_known_elr) == ((2,), (3,))
    assert cluster.partition("own").last_known_elr == (3,)
    assert cluster.partition().replicas == (3, 1, 2)


def test_a_live_or_unknown_broker_is_not_unregistered() -> None:
    cluster = Cluster(1)
    alive = cluster.do(unregister_broker=pb.UnregisterBroker(broker_id=1))
    assert alive.error_code == ErrorCode.INVALID_REQUEST
    assert "stop it first" in alive.message
    unknown = cluster.do(unregister_broker=pb.UnregisterBroker(broker_id=2))
    assert unknown.error_code == ErrorCode.BROKER_ID_NOT_REGISTERED


def test_a_broker_that_was_unregistered_registers_as_a_new_one() -> None:
    cluster = Cluster(2)
    cluster.fence(2)
    cluster.do(unregister_broker=pb.UnregisterBroker(broker_id=2))
    cluster.start(2)
    assert cluster.state.is_active(2)
