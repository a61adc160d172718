"""Building states of a cluster in tests by commands, as the controllers do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from controller.decide import apply
from controller.generated import metadata_pb2 as pb
from controller.state import ClusterState, PartitionMetadata
from ottla.core.identifiers import Uuid

CLUSTER = "a" * 22


class Cluster:
    """A state, and short ways to say commands. `index` is that of the last one."""

    def __init__(self, brokers: int = 0, *, min_insync: int = 2) -> None:
        self.state = ClusterState()
        self.index = 0
        self.do(
            1,
            take_office=pb.TakeOffice(
                controller_id=1, cluster_id=CLUSTER, default_min_insync_replicas=min_insync
            ),
        )
        for broker_id in range(1, brokers + 1):
            self.start(broker_id)

    def do(self, controller_epoch: int | None = None, **kind: object) -> pb.Result:
        self.index += 1
        epoch = self.state.controller_epoch if controller_epoch is None else controller_epoch
        command = pb.Command(controller_epoch=epoch, **kind)  # type: ignore[arg-type]
        return apply(self.state, self.index, command).result

    def register(
        self,
        broker_id: int,
        *,
        stop: pb.StopState.ValueType = pb.STOP_STATE_CLEAN,
        rack: str | None = None,
        incarnation: int | None = None,
        directories: Sequence[Uuid] | None = None,
        left_by: int | None = None,
    ) -> pb.Result:
        """A new incarnation unless `incarnation` repeats one. `left_by`: the broker epoch in the
        directories' marks."""
        number = self.index if incarnation is None else incarnation
        return self.do(
            register_broker=pb.RegisterBroker(
                broker_id=broker_id,
                incarnation_id=number.to_bytes(16, "big"),
                cluster_id=self.state.cluster_id,
                endpoints=[pb.Endpoint(name="P", host="h", port=9092, security_protocol="SSL")],
                internal_host="127.0.0.1",
                internal_port=19092,
                rack=rack,
                directories=[
                    pb.DirectoryReport(
                        directory_id=directory, stop_state=stop, broker_epoch=left_by
                    )
                    for directory in directories or [bytes([broker_id] * 16)]
                ],
            )
        )

    def start(self, broker_id: int, **options: object) -> None:
        """Register and unfence."""
        self.register(broker_id, **options)  # type: ignore[arg-type]
        self.unfence(broker_id)

    def epoch(self, broker_id: int) -> int:
        return self.state.brokers[broker_id].broker_epoch

    def fence(self, broker_id: int) -> pb.Result:
        return self.do(
            fence_broker=pb.FenceBroker(broker_id=broker_id, broker_epoch=self.epoch(broker_id))
        )

    def unfence(self, broker_id: int) -> pb.Result:
        return self.do(
            unfence_broker=pb.UnfenceBroker(broker_id=broker_id, broker_epoch=self.epoch(broker_id))
        )

    def topic(
        self,
        name: str,
        *replicas: Sequence[int],
        configs: Mapping[str, str] | None = None,
        **options: object,
    ) -> pb.TopicResult:
        """Created with these replicas of each partition."""
        result = self.do(
            create_topics=pb.CreateTopics(
                topics=[
                    pb.NewTopic(
                        name=name,
                        partition_count=-1,
                        replication_factor=-1,
                        assignments=[pb.ReplicaAssignment(replicas=r) for r in replicas],
                        configs=configs or {},
                        topic_id=self.index.to_bytes(16, "big"),
                    )
                ],
                **options,  # type: ignore[arg-type]
            )
        )
        return result.topics[0]

    def partition(self, name: str = "t", index: int = 0) -> PartitionMetadata:
        topic = self.state.topic_named(name)
        assert topic is not None
        return topic.partitions[index]

    def set_isr(
        self, *members: int, name: str = "t", leader_epoch: int = 0, partition_epoch: int = 0
    ) -> pb.PartitionResult:
        """By the leader; the epochs given are added to what the partition has."""
        partition = self.partition(name)
        leader_id = partition.leader_id or 0
        result = self.do(
            alter_partitions=pb.AlterPartitions(
                broker_id=leader_id,
                broker_epoch=self.epoch(leader_id),
                partitions=[
                    pb.AlterPartition(
                        topic_id=partition.topic_id,
                        index=partition.index,
                        leader_epoch=partition.leader_epoch + leader_epoch,
                        partition_epoch=partition.partition_epoch + partition_epoch,
                        isr=[
                            pb.IsrMember(
                                broker_id=member,
                                broker_epoch=self.epoch(member)
                                if member in self.state.brokers
                                else 0,
                            )
                            for member in members
                        ],
                    )
                ],
            )
        )
        return result.partitions[0]

    def tell(
        self, broker_id: int, state: pb.ReplicaState.ValueType, *, name: str = "t", index: int = 0
    ) -> pb.Result:
        """What a broker can do with its replica of a partition."""
        return self.do(
            report_replicas=pb.ReportReplicas(
                broker_id=broker_id,
                broker_epoch=self.epoch(broker_id),
                partitions=[
                    pb.ReplicaReport(
                        topic_id=self.partition(name).topic_id, index=index, state=state
                    )
                ],
            )
        )
