"""Random commands, in any order, against the invariants of the cluster's state.

Beside the state under test runs a second one that is given only the records, through their encoded
form, and now and then is made anew from a snapshot: all three must be equal.
"""

from __future__ import annotations

import itertools
import random

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from controller.codec import (
    decode_snapshot,
    encode_snapshot,
    record_from_message,
    record_message,
)
from controller.decide import apply
from controller.elections import awaits_log_ends
from controller.generated import metadata_pb2 as pb
from controller.state import ClusterState, PartitionMetadata
from ottla.core.errors import ErrorCode
from ottla.core.identifiers import Uuid, random_uuid
from tests.support.examples import examples

BROKERS = range(1, 6)
CLUSTER = "a" * 22
brokers = st.sampled_from(BROKERS)
REPLICA_STATES = (
    pb.REPLICA_STATE_ABLE,
    pb.REPLICA_STATE_FULL,
    pb.REPLICA_STATE_OFFLINE,
    pb.REPLICA_STATE_DAMAGED,
)
STOPS = (pb.STOP_STATE_CLEAN, pb.STOP_STATE_PROCESS_CRASH, pb.STOP_STATE_UNCLEAN)


class ClusterMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.state = ClusterState()
        self.image = ClusterState()
        self.index = 0
        self.rng = random.Random(7)
        self.before: dict[tuple[Uuid, int], PartitionMetadata] = {}
        self.leaders: dict[tuple[Uuid, int, int], tuple[int, int]] = {}
        """(topic id, index, leader epoch) → (leader, its broker epoch)."""
        self.names = 0

    def do(self, **kind: object) -> pb.Result:
        self.index += self.rng.randint(1, 3)
        command = pb.Command(
            controller_epoch=self.state.controller_epoch,
            **kind,  # type: ignore[arg-type]
        )
        self.remember()
        decision = apply(self.state, self.index, pb.Command.FromString(command.SerializeToString()))
        if decision.result.error_code:
            assert not decision.records
            assert decision.result.message
        for record in decision.records:
            encoded = record_message(record).SerializeToString()
            self.image.replay(record_from_message(pb.Record.FromString(encoded)))
        self.compare()
        return decision.result

    def remember(self) -> None:
        self.before = {(p.topic_id, p.index): p for p in self.partitions()}

    def partitions(self) -> list[PartitionMetadata]:
        return [p for topic in self.state.topics.values() for p in topic.partitions]

    def epoch_of(self, broker_id: int) -> int:
        broker = self.state.brokers.get(broker_id)
        return 0 if broker is None else broker.broker_epoch

    @initialize()
    def office(self) -> None:
        self.controller_epoch = 1
        self.index += 1
        command = pb.Command(
            controller_epoch=1,
            take_office=pb.TakeOffice(
                controller_id=1, cluster_id=CLUSTER, default_min_insync_replicas=2
            ),
        )
        for record in apply(self.state, self.index, command).records:
            self.image.replay(record)
        for broker in BROKERS:
            self.register(broker, pb.STOP_STATE_CLEAN, same=False)
            self.unfence(broker)
        self.create(2, 3, 0, {})
        self.create(1, 3, 1, {"min.insync.replicas": "3"})
        self.create(1, 1, 2, {})

    @rule(controller=st.integers(1, 3), default=st.integers(1, 3), rise=st.integers(-1, 3))
    def take_office(self, controller: int, default: int, rise: int) -> None:
        self.index += 1
        self.remember()
        epoch = self.state.controller_epoch + rise
        command = pb.Command(
            controller_epoch=epoch,
            take_office=pb.TakeOffice(
                controller_id=controller, cluster_id=CLUSTER, default_min_insync_replicas=default
            ),
        )
        decision = apply(self.state, self.index, command)
        if rise < 0:
            assert decision.result.error_code == ErrorCode.STALE_CONTROLLER_EPOCH
        for record in decision.records:
            self.image.replay(record)
        self.compare()

    @rule(broker=brokers, stop=st.sampled_from(STOPS), same=st.booleans())
    def register(self, broker: int, stop: pb.StopState.ValueType, same: bool) -> None:
        known = self.state.brokers.get(broker)
        led = [p for p in self.partitions() if p.leader_id == broker]
        repeat = same and known is not None
        result = self.do(
            register_broker=pb.RegisterBroker(
                broker_id=broker,
                incarnation_id=known.incarnation_id
                if repeat and known is not None
                else random_uuid(self.rng),
                cluster_id=CLUSTER,
                internal_host="127.0.0.1",
                internal_port=1,
                directories=[
                    pb.DirectoryReport(directory_id=bytes([broker] * 16), stop_state=stop)
                ],
            )
        )
        assert result.error_code == 0
        if repeat and known is not None:
            assert result.broker_epoch == known.broker_epoch
            return
        assert result.broker_epoch == self.index
        assert self.state.brokers[broker].fenced
        for partition in led:
            after = self.state.partition(partition.topic_id, partition.index)
            assert after is not None
            assert after.leader_epoch > partition.leader_epoch
        if stop == pb.STOP_STATE_UNCLEAN:
            for partition in self.partitions():
                assert broker not in (*partition.isr, *partition.elr)

    @rule(broker=brokers, stop=st.sampled_from(STOPS))
    def restart(self, broker: int, stop: pb.StopState.ValueType) -> None:
        self.register(broker, stop, same=False)
        self.unfence(broker)

    @rule(stop=st.sampled_from(STOPS))
    def restart_all(self, stop: pb.StopState.ValueType) -> None:
        for broker in BROKERS:
            self.register(broker, stop, same=False)
        for broker in BROKERS:
            self.unfence(broker)
            self.partitions_are_sound()

    @rule(ends=st.lists(st.tuples(st.integers(-1, 2), st.integers(0, 3)), min_size=5, max_size=5))
    def report_all(self, ends: list[tuple[int, int]]) -> None:
        """Once all brokers are live and have told of their logs, nothing is without a leader."""
        for broker in BROKERS:
            if not self.state.is_active(broker):
                self.restart(broker, pb.STOP_STATE_PROCESS_CRASH)
            self.replica_states(broker, [pb.REPLICA_STATE_ABLE])
        for broker, (epoch, end) in zip(BROKERS, ends, strict=True):
            self.report(broker, end, epoch)
        assert all(p.leader_id is not None for p in self.partitions())

    @rule(broker=brokers, stale=st.booleans())
    def fence(self, broker: int, stale: bool) -> None:
        epoch = self.epoch_of(broker) - stale
        result = self.do(fence_broker=pb.FenceBroker(broker_id=broker, broker_epoch=epoch))
        assert (result.error_code == 0) == (broker in self.state.brokers and not stale)
        if result.error_code == 0:
            assert self.state.brokers[broker].fenced

    @rule(broker=brokers)
    def unfence(self, broker: int) -> None:
        self.do(
            unfence_broker=pb.UnfenceBroker(broker_id=broker, broker_epoch=self.epoch_of(broker))
        )

    @rule(broker=brokers)
    def shut_down(self, broker: int) -> None:
        self.do(
            shut_down_broker=pb.ShutDownBroker(broker_id=broker, broker_epoch=self.epoch_of(broker))
        )
        assert all(p.leader_id != broker for p in self.partitions())

    @rule(
        partitions=st.integers(1, 4),
        factor=st.integers(1, 4),
        seed=st.integers(0, 2**63),
        configs=st.sampled_from(
            [
                {},
                {"min.insync.replicas": "1"},
                {"min.insync.replicas": "3"},
                {"unclean.leader.election.enable": "true"},
            ]
        ),
    )
    def create(self, partitions: int, factor: int, seed: int, configs: dict[str, str]) -> None:
        self.names += 1
        result = self.do(
            create_topics=pb.CreateTopics(
                topics=[
                    pb.NewTopic(
                        name=f"topic-{self.names}",
                        partition_count=partitions,
                        replication_factor=factor,
                        configs=configs,
                        topic_id=random_uuid(self.rng),
                    )
                ],
                placement_seed=seed,
            )
        )
        live = any(self.state.is_active(broker) for broker in self.state.brokers)
        assert (result.topics[0].error_code == 0) == (live and factor <= len(self.state.brokers))

    @precondition(lambda self: self.state.topics)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        topic_id = data.draw(st.sampled_from(sorted(self.state.topics)))
        self.do(delete_topics=pb.DeleteTopics(topics=[pb.TopicName(topic_id=topic_id)]))
        assert topic_id not in self.state.topics

    @precondition(lambda self: self.state.topics)
    @rule(data=st.data(), more=st.integers(-1, 3))
    def grow(self, data: st.DataObject, more: int) -> None:
        topic = self.state.topics[data.draw(st.sampled_from(sorted(self.state.topics)))]
        count = len(topic.partitions) + more
        self.do(
            create_partitions=pb.CreatePartitions(
                topics=[pb.NewPartitions(name=topic.name, count=count)]
            )
        )

    @precondition(lambda self: self.state.topics)
    @rule(
        data=st.data(),
        key=st.sampled_from(["min.insync.replicas", "unclean.leader.election.enable", "x"]),
        value=st.sampled_from(["1", "2", "3", "true", "false", None]),
    )
    def configure(self, data: st.DataObject, key: str, value: str | None) -> None:
        topic = self.state.topics[data.draw(st.sampled_from(sorted(self.state.topics)))]
        self.do(
            alter_configs=pb.AlterConfigs(
                resource_type="topic",
                resource_name=topic.name,
                changes=[pb.ConfigChange(key=key, value=value)],
            )
        )

    @precondition(lambda self: any(p.leader_id is not None for p in self.partitions()))
    @rule(data=st.data(), stale_member=st.booleans())
    def alter_isr(self, data: st.DataObject, stale_member: bool) -> None:
        led = [p for p in self.partitions() if p.leader_id is not None]
        partition = led[data.draw(st.integers(0, len(led) - 1))]
        leader = partition.leader_id
        assert leader is not None
        others = data.draw(st.sets(st.sampled_from(partition.replicas)))
        members = sorted(others | {leader})
        epochs = {m: self.epoch_of(m) - (stale_member and m != leader) for m in members}
        result = self.do(
            alter_partitions=pb.AlterPartitions(
                broker_id=leader,
                broker_epoch=self.epoch_of(leader),
                partitions=[
                    pb.AlterPartition(
                        topic_id=partition.topic_id,
                        index=partition.index,
                        leader_epoch=partition.leader_epoch,
                        partition_epoch=partition.partition_epoch,
                        isr=[pb.IsrMember(broker_id=m, broker_epoch=epochs[m]) for m in members],
                    )
                ],
            )
        )
        unable = {*partition.offline_replicas, *partition.full_replicas} - {*partition.isr}
        eligible = unable.isdisjoint(members) and all(
            self.state.is_active(m) and epochs[m] == self.epoch_of(m) for m in members
        )
        answer = result.partitions[0]
        assert (answer.error_code == 0) == eligible
        if not eligible:
            assert answer.error_code == ErrorCode.INELIGIBLE_REPLICA

    @rule()
    def prefer(self) -> None:
        self.do(elect_preferred_leaders=pb.ElectPreferredLeaders())
        for partition in self.partitions():
            first = partition.replicas[0]
            if first in partition.isr and first not in partition.full_replicas:
                assert partition.leader_id == partition.replicas[0]

    @precondition(lambda self: self.state.topics)
    @rule(data=st.data(), cancel=st.booleans())
    def reassign(self, data: st.DataObject, cancel: bool) -> None:
        every = self.partitions()
        before = every[data.draw(st.integers(0, len(every) - 1))]
        target = data.draw(st.lists(brokers, min_size=1, max_size=4, unique=True))
        one = pb.Reassignment(
            partition=pb.PartitionName(
                topic=self.state.topics[before.topic_id].name, index=before.index
            ),
            target=None if cancel else pb.ReplicaAssignment(replicas=target),
        )
        (answer,) = self.do(
            reassign_partitions=pb.ReassignPartitions(
                partitions=[one], replication_factor_may_change=True
            )
        ).partitions
        after = self.state.partition(before.topic_id, before.index)
        assert after is not None
        if answer.error_code:
            assert after == before
            return
        wanted = before.original_replicas if cancel else tuple(target)
        assert after.target_replicas == wanted
        assert set(before.original_replicas) <= {*after.replicas} or not after.is_reassigning
        if before.leader_id is not None:
            assert after.leader_id is not None, "it was in sync, and is not waited for"

    @rule(unclean=st.booleans())
    def elect(self, unclean: bool) -> None:
        result = self.do(elect_leaders=pb.ElectLeaders(unclean=unclean, all=True))
        for partition in self.partitions():
            if unclean:
                live = [r for r in partition.replicas if self.state.is_active(r)]
                able = set(live) - {*partition.offline_replicas}
                assert (partition.leader_id is not None) == bool(able)
            elif partition.replicas[0] in partition.isr:
                assert partition.leader_id == partition.replicas[0]
        assert all(a.error_code != ErrorCode.ELECTION_NOT_NEEDED for a in result.partitions)

    @rule(broker=brokers)
    def unregister(self, broker: int) -> None:
        known = self.state.brokers.get(broker)
        code = self.do(unregister_broker=pb.UnregisterBroker(broker_id=broker)).error_code
        if known is None:
            assert code == ErrorCode.BROKER_ID_NOT_REGISTERED
        elif not known.fenced:
            assert code == ErrorCode.INVALID_REQUEST
        else:
            assert code == 0
            assert broker not in self.state.brokers
            for partition in self.partitions():
                assert broker not in (*partition.isr, *partition.elr)

    @rule(broker=brokers, end=st.integers(0, 5), epoch=st.integers(-1, 3))
    def report(self, broker: int, end: int, epoch: int) -> None:
        self.do(
            report_log_ends=pb.ReportLogEnds(
                broker_id=broker,
                broker_epoch=self.epoch_of(broker),
                partitions=[
                    pb.PartitionLogEnd(
                        topic_id=p.topic_id, index=p.index, last_epoch=epoch, log_end_offset=end
                    )
                    for p in self.partitions()
                ],
            )
        )

    @rule(broker=brokers, states=st.lists(st.sampled_from(REPLICA_STATES), min_size=1, max_size=6))
    def replica_states(self, broker: int, states: list[pb.ReplicaState.ValueType]) -> None:
        """One state for each partition in turn, said twice."""
        if broker not in self.state.brokers:
            return
        told = dict(zip(self.partitions(), itertools.cycle(states), strict=False))
        command = pb.ReportReplicas(
            broker_id=broker,
            broker_epoch=self.epoch_of(broker),
            partitions=[
                pb.ReplicaReport(topic_id=p.topic_id, index=p.index, state=state)
                for p, state in told.items()
            ],
        )
        assert self.do(report_replicas=command).error_code == 0
        for before, state in told.items():
            after = self.state.partition(before.topic_id, before.index)
            assert after is not None
            if broker not in before.replicas:
                assert after == before
                continue
            lost = state in (pb.REPLICA_STATE_OFFLINE, pb.REPLICA_STATE_DAMAGED)
            assert (broker in after.offline_replicas) == lost
            assert (broker in after.full_replicas) == (state == pb.REPLICA_STATE_FULL)
            if lost:
                assert broker not in (*after.isr, *after.elr)
            elif before.isr and not after.isr:
                raise AssertionError("a replica that serves took the leader away")
        self.remember()
        assert not apply(
            self.state,
            self.index,
            pb.Command(controller_epoch=self.state.controller_epoch, report_replicas=command),
        ).records

    @rule(broker=brokers)
    def producer_ids(self, broker: int) -> None:
        before = self.state.next_producer_id
        result = self.do(
            allocate_producer_ids=pb.AllocateProducerIds(
                broker_id=broker, broker_epoch=self.epoch_of(broker)
            )
        )
        if result.error_code == 0:
            assert result.first_producer_id == before
            assert self.state.next_producer_id == before + result.producer_id_count

    @rule()
    def restore(self) -> None:
        self.image, offset = decode_snapshot(encode_snapshot(self.state, self.index))
        assert offset == self.index
        self.compare()

    def compare(self) -> None:
        assert self.image == self.state

    @invariant()
    def partitions_are_sound(self) -> None:
        for partition in self.partitions():
            self.check_partition(partition)

    def check_partition(self, partition: PartitionMetadata) -> None:
        replicas = set(partition.replicas)
        isr, elr = set(partition.isr), set(partition.elr)
        last_known = set(partition.last_known_elr)
        assert len(isr) == len(partition.isr)
        assert isr | elr | last_known <= replicas
        assert not (isr & elr)
        assert not (isr & last_known)
        assert not (elr & last_known)
        assert all(self.state.is_active(member) for member in isr)
        assert set(partition.offline_replicas) <= replicas - isr - elr
        full = set(partition.full_replicas)
        assert full <= replicas - {*partition.offline_replicas}
        assert isr <= full or not isr & full
        name = self.state.topics[partition.topic_id].name
        if len(isr) >= partition.required_in_sync(self.state.min_insync_replicas(name)):
            assert not elr
        adding, removing = set(partition.adding_replicas), set(partition.removing_replicas)
        assert adding < replicas
        assert removing <= replicas - adding
        if partition.is_reassigning:
            assert not replicas - removing <= isr
        if partition.leader_id is None:
            assert not isr
            assert not any(self.state.is_active(member) for member in elr)
            # Somebody can still be waited for.
            assert elr or last_known
        else:
            assert partition.leader_id in isr
            epoch = (partition.topic_id, partition.index, partition.leader_epoch)
            leader = (partition.leader_id, self.epoch_of(partition.leader_id))
            assert self.leaders.setdefault(epoch, leader) == leader
        if partition.log_ends:
            assert awaits_log_ends(partition)
        before = self.before.get((partition.topic_id, partition.index))
        if before is not None and before != partition:
            assert partition.partition_epoch == before.partition_epoch + 1
            assert partition.leader_epoch >= before.leader_epoch
            if partition.leader_id != before.leader_id:
                assert partition.leader_epoch == before.leader_epoch + 1


TestClusterState = ClusterMachine.TestCase
TestClusterState.settings = settings(
    max_examples=examples(120),
    stateful_step_count=50,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
