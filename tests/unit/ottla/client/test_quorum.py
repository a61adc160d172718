from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest

from ottla.client import quorum
from ottla.client.cluster import Cluster
from ottla.client.errors import ConnectionLostError
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.core.identifiers import NIL_UUID
from ottla.protocol.messages import describe_quorum_response as answer
from ottla.protocol.messages.add_raft_voter_response import AddRaftVoterResponse
from ottla.protocol.messages.remove_raft_voter_response import RemoveRaftVoterResponse


class OneAnswer:
    """A cluster that answers so, once it has lost `losses` answers."""

    def __init__(self, response: object, losses: int = 0) -> None:
        self.response = response
        self.losses = losses
        self.asked: list[Any] = []

    def ask(self, key: object, message: object, kind: object) -> object:
        self.asked.append(message)
        if self.losses:
            self.losses -= 1
            raise ConnectionLostError("lost")
        return self.response

    def retry(self, what: str, attempt: Callable[[], object]) -> object:
        while True:
            try:
                return attempt()
            except ConnectionLostError:
                continue


def as_cluster(fake: OneAnswer) -> Cluster:
    return cast(Cluster, fake)


def test_the_quorum_is_described() -> None:
    partition = answer.PartitionData(
        leader_id=2,
        leader_epoch=7,
        high_watermark=90,
        current_voters=[
            answer.ReplicaState(2, b"b" * 16, 100, 50, 50),
            answer.ReplicaState(1, NIL_UUID, -1),
            answer.ReplicaState(3, b"c" * 16, 60, 40, -1),
        ],
        observers=[answer.ReplicaState(9, NIL_UUID, 90)],
    )
    response = answer.DescribeQuorumResponse(
        topics=[answer.TopicData("__cluster_metadata", [partition])],
        nodes=[answer.Node(2, [answer.Listener("RAFT", "::1", 5)])],
    )
    found = quorum.describe_quorum(as_cluster(OneAnswer(response)))
    assert (found.leader_id, found.leader_epoch, found.high_watermark) == (2, 7, 90)
    assert [(one.node_id, one.log_end_offset, one.lag) for one in found.voters] == [
        (1, None, None),
        (2, 100, 0),
        (3, 60, 40),
    ]
    assert found.voters[2].last_fetch_timestamp_ms == 40
    assert found.voters[2].last_caught_up_timestamp_ms is None
    assert [(one.node_id, one.lag) for one in found.observers] == [(9, 0)]
    assert found.listeners == {2: {"RAFT": "[::1]:5"}}


def test_what_is_refused_is_raised() -> None:
    refused = AddRaftVoterResponse(error_code=ErrorCode.DUPLICATE_VOTER, error_message="is one")
    with pytest.raises(ProtocolError, match="node 4: is one") as error:
        quorum.add_voter(as_cluster(OneAnswer(refused)), 4, b"d" * 16, ("h", 1), None, 9)
    assert error.value.code == ErrorCode.DUPLICATE_VOTER


def test_a_change_whose_answer_was_lost_may_be_there_already() -> None:
    added = OneAnswer(AddRaftVoterResponse(error_code=ErrorCode.DUPLICATE_VOTER), losses=1)
    quorum.add_voter(as_cluster(added), 4, b"d" * 16, ("h", 1), ("i", 2), 9)
    assert [one.name for one in added.asked[0].listeners] == ["RAFT", "INTERNAL"]
    removed = OneAnswer(RemoveRaftVoterResponse(error_code=ErrorCode.VOTER_NOT_FOUND), losses=1)
    quorum.remove_voter(as_cluster(removed), 4, None)
    assert removed.asked[0].voter_directory_id == NIL_UUID
