from __future__ import annotations

from controller.decide import apply, decide
from controller.generated import metadata_pb2 as pb
from controller.state import ClusterState
from ottla.core.errors import ErrorCode
from tests.support.cluster_states import Cluster


def test_deciding_changes_nothing_and_applying_does() -> None:
    cluster = Cluster(1)
    before = list(cluster.state.to_records())
    command = pb.Command(
        controller_epoch=1,
        allocate_producer_ids=pb.AllocateProducerIds(broker_id=1, broker_epoch=cluster.epoch(1)),
    )
    decision = decide(cluster.state, 100, command)
    assert decision.records
    assert list(cluster.state.to_records()) == before
    assert apply(cluster.state, 100, command) == decision
    assert cluster.state.next_producer_id == 1000


def test_unknown_commands_are_answered() -> None:
    decision = decide(ClusterState(), 1, pb.Command())
    assert decision.result.error_code == ErrorCode.UNSUPPORTED_VERSION
    assert not decision.records


def test_every_kind_of_command_is_decided_whatever_the_state() -> None:
    for field in pb.Command.DESCRIPTOR.oneofs_by_name["kind"].fields:
        command = pb.Command()
        getattr(command, field.name).SetInParent()
        for state in (ClusterState(), Cluster(2).state):
            command.controller_epoch = state.controller_epoch
            result = decide(state, 50, command).result
            assert result.error_code != ErrorCode.UNSUPPORTED_VERSION, field.name
            assert not result.error_code or result.message, field.name
