from __future__ import annotations

from typing import TYPE_CHECKING, cast

from broker.handlers import list_partition_reassignments
from controller.generated import metadata_pb2 as pb
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.list_partition_reassignments_request import (
    ListPartitionReassignmentsRequest,
    ListPartitionReassignmentsTopics,
)
from ottla.protocol.messages.list_partition_reassignments_response import (
    ListPartitionReassignmentsResponse,
)
from tests.support.cluster_states import Cluster

if TYPE_CHECKING:
    from tests.unit.broker.handlers.conftest import World

Ongoing = dict[tuple[str, int], tuple[list[int], list[int], list[int]]]


def call(world: World, topics: list[ListPartitionReassignmentsTopics] | None) -> Ongoing:
    """(replicas, adding, removing) by partition."""
    cluster = Cluster(4)
    cluster.topic("t", [1, 2, 3], [1, 2, 3])
    cluster.topic("u", [3, 2, 1])
    cluster.topic("still", [3, 2, 1])
    cluster.do(
        reassign_partitions=pb.ReassignPartitions(
            partitions=[
                pb.Reassignment(
                    partition=pb.PartitionName(topic=topic, index=index),
                    target=pb.ReplicaAssignment(replicas=[4, 1, 2]),
                )
                for topic, index in (("t", 1), ("u", 0))
            ],
            replication_factor_may_change=True,
        )
    )
    world.metadata.state = cluster.state
    context = world.context(ApiKey.LIST_PARTITION_REASSIGNMENTS, 0)
    asked = ListPartitionReassignmentsRequest(topics=topics)
    answer = list_partition_reassignments.handle(world.services, context, asked)
    response = ListPartitionReassignmentsResponse.decode(
        cast(ListPartitionReassignmentsResponse, answer).encode(0), 0
    )
    return {
        (topic.name, p.partition_index): (p.replicas, p.adding_replicas, p.removing_replicas)
        for topic in response.topics
        for p in topic.partitions
    }


def test_all_that_are_under_way(world: World) -> None:
    assert call(world, None) == {
        ("t", 1): ([4, 1, 2, 3], [4], [3]),
        ("u", 0): ([4, 1, 2, 3], [4], [3]),
    }


def test_only_what_is_asked_for_and_exists(world: World) -> None:
    asked = [
        ListPartitionReassignmentsTopics("t", [0, 1, 7]),
        ListPartitionReassignmentsTopics("still", [0]),
        ListPartitionReassignmentsTopics("nope", [0]),
    ]
    assert list(call(world, asked)) == [("t", 1)]
