from __future__ import annotations

from typing import Any, cast

import pytest

from ottla.client import reassignments
from ottla.client.reassignments import OngoingReassignment
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.protocol.api import ApiKey
from ottla.protocol.messages import (
    alter_partition_reassignments_response as altered,
)
from ottla.protocol.messages import (
    describe_log_dirs_response as directories,
)
from ottla.protocol.messages import (
    elect_leaders_response as elected,
)
from ottla.protocol.messages import (
    list_partition_reassignments_response as listed,
)
from ottla.protocol.messages.unregister_broker_response import UnregisterBrokerResponse


class FakeCluster:
    """Gives the prepared answers in turn, and asks again while an error may pass."""

    def __init__(self, *answers: Any) -> None:
        self.answers = [*answers]
        self.asked: list[tuple[ApiKey, Any]] = []
        self.brokers_asked: list[int] = []
        self.timeouts: list[int | None] = []

    def ask(self, key: ApiKey, request: Any, answer: type[Any]) -> Any:
        self.asked.append((key, request))
        return self.answers.pop(0)

    def metadata(self, topics: list[str]) -> None:
        pass

    def connection(self, node_id: int) -> FakeCluster:
        self.brokers_asked.append(node_id)
        return self

    def request(self, key: ApiKey, request: Any, answer: Any, *, timeout_ms: int | None) -> Any:
        return self.ask(key, request, answer)

    def retry(self, what: str, attempt: Any, timeout_ms: int | None = None) -> Any:
        self.timeouts.append(timeout_ms)
        while True:
            try:
                return attempt()
            except ProtocolError as error:
                if not error.retriable:
                    raise


def answer_of(*codes: int) -> altered.AlterPartitionReassignmentsResponse:
    partitions = [
        altered.ReassignablePartitionResponse(index, int(code), f"said of {index}")
        for index, code in enumerate(codes)
    ]
    return altered.AlterPartitionReassignmentsResponse(
        responses=[altered.ReassignableTopicResponse("t", partitions)]
    )


def test_targets_are_asked_for_by_topic() -> None:
    cluster = FakeCluster(answer_of(0, 0))
    targets = {("t", 1): None, ("t", 0): (3, 1), ("s", 0): [2]}
    reassignments.alter_reassignments(cast(Any, cluster), targets, 700)
    ((key, request),) = cluster.asked
    assert (key, request.timeout_ms) == (ApiKey.ALTER_PARTITION_REASSIGNMENTS, 700)
    assert [
        (topic.name, [(p.partition_index, p.replicas) for p in topic.partitions])
        for topic in request.topics
    ] == [("s", [(0, [2])]), ("t", [(0, [3, 1]), (1, None)])]


@pytest.mark.parametrize(
    "code",
    [
        ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
        ErrorCode.INVALID_REPLICA_ASSIGNMENT,
        ErrorCode.NO_REASSIGNMENT_IN_PROGRESS,
    ],
)
def test_a_refusal_is_raised_and_not_asked_again(code: ErrorCode) -> None:
    cluster = FakeCluster(answer_of(0, code))
    with pytest.raises(ProtocolError, match="partition 1 of topic 't': said of 1") as caught:
        reassignments.alter_reassignments(cast(Any, cluster), {("t", 1): (1,)}, 700)
    assert caught.value.code is code
    assert len(cluster.asked) == 1


def test_what_may_pass_is_asked_again() -> None:
    cluster = FakeCluster(
        altered.AlterPartitionReassignmentsResponse(error_code=int(ErrorCode.NOT_CONTROLLER)),
        answer_of(ErrorCode.REQUEST_TIMED_OUT),
        answer_of(0),
    )
    reassignments.alter_reassignments(cast(Any, cluster), {("t", 0): (1,)}, 700)
    assert len(cluster.asked) == 3


def test_what_is_under_way() -> None:
    m = listed
    topics = [
        m.OngoingTopicReassignment(
            "t",
            [
                m.OngoingPartitionReassignment(1, [4, 1, 2], [4], [2]),
                m.OngoingPartitionReassignment(0, [1, 2, 3], [], [3]),
            ],
        )
    ]
    cluster = FakeCluster(m.ListPartitionReassignmentsResponse(topics=topics))
    found = reassignments.list_reassignments(cast(Any, cluster))
    assert cluster.asked[0][1].topics is None
    assert found == [
        OngoingReassignment("t", 0, (1, 2, 3), (), (3,)),
        OngoingReassignment("t", 1, (4, 1, 2), (4,), (2,)),
    ]
    assert [one.target for one in found] == [(1, 2), (4, 1)]


def test_log_directories_are_asked_of_each_broker() -> None:
    m = directories
    topic = m.DescribeLogDirsTopic(
        "t",
        [
            m.DescribeLogDirsPartition(0, 70),
            m.DescribeLogDirsPartition(1, 5),
            m.DescribeLogDirsPartition(2, 9, is_future_key=True),
        ],
    )
    first = m.DescribeLogDirsResponse(
        results=[
            m.DescribeLogDirsResult(0, "/a", [topic], 1_000, 400),
            m.DescribeLogDirsResult(int(ErrorCode.KAFKA_STORAGE_ERROR), "/b", [], -1, -1),
        ]
    )
    cluster = FakeCluster(first, m.DescribeLogDirsResponse(results=[]))
    found = reassignments.describe_log_directories(cast(Any, cluster), [2, 5], 900)
    assert cluster.brokers_asked == [2, 5]
    assert cluster.timeouts == [900, 900]
    a, b = found[2]
    assert (a.path, a.error, a.sizes) == ("/a", None, {("t", 0): 70, ("t", 1): 5})
    assert (a.total_bytes, a.usable_bytes) == (1_000, 400)
    assert (b.error, b.total_bytes) == ("KAFKA_STORAGE_ERROR", -1)
    assert found[5] == []


def test_elections() -> None:
    m = elected
    results = [
        m.ReplicaElectionResult(
            "t",
            [
                m.PartitionResult(0, 0, None),
                m.PartitionResult(1, int(ErrorCode.ELECTION_NOT_NEEDED), None),
            ],
        )
    ]
    cluster = FakeCluster(*[m.ElectLeadersResponse(replica_election_results=results)] * 2)
    found = reassignments.elect_leaders(
        cast(Any, cluster), [("t", 1), ("t", 0)], unclean=True, timeout_ms=700
    )
    assert found["t", 0] is None
    error = found["t", 1]
    assert error is not None
    assert error.code is ErrorCode.ELECTION_NOT_NEEDED
    request = cluster.asked[0][1]
    assert (request.election_type, request.timeout_ms) == (1, 700)
    assert [(t.topic, t.partitions) for t in request.topic_partitions] == [("t", [0, 1])]
    reassignments.elect_leaders(cast(Any, cluster), None, unclean=False, timeout_ms=700)
    assert cluster.asked[1][1].topic_partitions is None
    assert cluster.asked[1][1].election_type == 0


def test_a_broker_is_forgotten_or_the_refusal_raised() -> None:
    cluster = FakeCluster(UnregisterBrokerResponse())
    reassignments.unregister_broker(cast(Any, cluster), 3)
    assert cluster.asked[0][1].broker_id == 3
    refusal = UnregisterBrokerResponse(
        error_code=int(ErrorCode.BROKER_ID_NOT_REGISTERED), error_message="no such broker"
    )
    with pytest.raises(ProtocolError, match="broker 3: no such broker"):
        reassignments.unregister_broker(cast(Any, FakeCluster(refusal)), 3)
