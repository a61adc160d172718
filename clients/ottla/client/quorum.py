"""The controller quorum: who votes, how far everybody is, and changes of the voters (KIP-853)."""

from __future__ import annotations

from collections.abc import Sequence

from ottla.client.cluster import Cluster
from ottla.client.errors import ConnectionLostError, check_code
from ottla.client.model import QuorumDescription, QuorumReplica
from ottla.core.errors import ErrorCode
from ottla.core.identifiers import NIL_UUID, Uuid
from ottla.protocol.api import ApiKey
from ottla.protocol.messages import describe_quorum_request as asked
from ottla.protocol.messages.add_raft_voter_request import AddRaftVoterRequest, Listener
from ottla.protocol.messages.add_raft_voter_response import AddRaftVoterResponse
from ottla.protocol.messages.describe_quorum_response import DescribeQuorumResponse, ReplicaState
from ottla.protocol.messages.remove_raft_voter_request import RemoveRaftVoterRequest
from ottla.protocol.messages.remove_raft_voter_response import RemoveRaftVoterResponse

Address = tuple[str, int]

_REQUEST = asked.DescribeQuorumRequest(
    [asked.TopicData("__cluster_metadata", [asked.PartitionData(0)])]
)


def describe_quorum(cluster: Cluster) -> QuorumDescription:
    """What the leader of the quorum knows."""

    def attempt() -> QuorumDescription:
        response = cluster.ask(ApiKey.DESCRIBE_QUORUM, _REQUEST, DescribeQuorumResponse)
        check_code(response.error_code, "the quorum", response.error_message)
        found = response.topics[0].partitions[0]
        check_code(found.error_code, "the quorum", found.error_message)
        ends = [one.log_end_offset for one in found.current_voters]
        return QuorumDescription(
            leader_id=found.leader_id,
            leader_epoch=found.leader_epoch,
            high_watermark=found.high_watermark,
            voters=_replicas(found.current_voters, max(ends, default=0)),
            observers=_replicas(found.observers, found.high_watermark),
            listeners={
                node.node_id: {one.name: _text(one.host, one.port) for one in node.listeners}
                for node in response.nodes
            },
        )

    return cluster.retry("describing the quorum", attempt)


def add_voter(
    cluster: Cluster,
    node_id: int,
    directory_id: Uuid,
    raft: Address,
    internal: Address | None,
    timeout_ms: int,
) -> None:
    """Returns once the new set of voters is committed."""
    listeners = [Listener("RAFT", *raft)]
    if internal is not None:
        listeners.append(Listener("INTERNAL", *internal))
    request = AddRaftVoterRequest(None, timeout_ms, node_id, directory_id, listeners)
    lost = False

    def attempt() -> None:
        nonlocal lost
        try:
            response = cluster.ask(ApiKey.ADD_RAFT_VOTER, request, AddRaftVoterResponse)
        except ConnectionLostError:
            lost = True
            raise
        if not (lost and response.error_code == ErrorCode.DUPLICATE_VOTER):
            check_code(response.error_code, f"node {node_id}", response.error_message)

    cluster.retry("adding a voter", attempt)


def remove_voter(cluster: Cluster, node_id: int, directory_id: Uuid | None) -> None:
    """Returns once the new set of voters is committed. `directory_id` None: any."""
    request = RemoveRaftVoterRequest(None, node_id, directory_id or NIL_UUID)
    lost = False

    def attempt() -> None:
        nonlocal lost
        try:
            response = cluster.ask(ApiKey.REMOVE_RAFT_VOTER, request, RemoveRaftVoterResponse)
        except ConnectionLostError:
            lost = True
            raise
        if not (lost and response.error_code == ErrorCode.VOTER_NOT_FOUND):
            check_code(response.error_code, f"node {node_id}", response.error_message)

    cluster.retry("removing a voter", attempt)


def _replicas(states: Sequence[ReplicaState], end: int) -> tuple[QuorumReplica, ...]:
    return tuple(
        QuorumReplica(
            node_id=one.replica_id,
            directory_id=None if one.replica_directory_id == NIL_UUID else one.replica_directory_id,
            log_end_offset=one.log_end_offset if one.log_end_offset >= 0 else None,
            lag=max(end - one.log_end_offset, 0) if one.log_end_offset >= 0 else None,
            last_fetch_timestamp_ms=_known(one.last_fetch_timestamp),
            last_caught_up_timestamp_ms=_known(one.last_caught_up_timestamp),
        )
        for one in sorted(states, key=lambda one: one.replica_id)
    )


def _known(timestamp_ms: int) -> int | None:
    return timestamp_ms if timestamp_ms >= 0 else None


def _text(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
