from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest

from controller.generated import control_pb2 as pb
from controller.quorum.description import QuorumDescription, QuorumReplica
from controller.quorum.metadata_log import NotLeader, ProposalLost
from controller.quorum.voter_set import Address, VoterNode, VoterSet
from controller.sessions import BrokerSession, Sessions
from controller.voters import VoterCalls
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.core.identifiers import Uuid

CLUSTER = "cluster"
DIRECTORY = b"d" * 16
FOUND = QuorumDescription(
    leader_id=1,
    term=3,
    high_watermark=50,
    voters=(QuorumReplica(1, DIRECTORY, 51, 0), QuorumReplica(2, None, -1, None)),
    observers=(),
    voter_set=VoterSet({1: VoterNode(DIRECTORY, ("h", 5), ("i", 6)), 2: VoterNode()}),
)


@dataclass
class Admin:
    failure: Exception | None = None
    calls: list[Any] = field(default_factory=list)

    def controllers(self) -> list[Address]:
        return [("i", 6), ("::1", 7)]

    async def describe(self, timeout_ms: int) -> QuorumDescription:
        return FOUND

    async def add_voter(self, node_id: int, node: VoterNode, timeout_ms: int) -> None:
        self.calls.append((node_id, node, timeout_ms))
        if self.failure is not None:
            raise self.failure

    async def remove_voter(self, node_id: int, directory_id: Uuid | None, timeout_ms: int) -> None:
        self.calls.append((node_id, directory_id, timeout_ms))
        if self.failure is not None:
            raise self.failure


def calls(
    admin: Admin | None, *, active: bool = True, sessions: Sessions | None = None
) -> VoterCalls:
    office = SimpleNamespace(
        controller_epoch=3 if active else None,
        not_controller=lambda: ProtocolError(ErrorCode.NOT_CONTROLLER, "not the controller"),
    )
    image = SimpleNamespace(offset=40)
    return VoterCalls(admin, CLUSTER, cast(Any, office), cast(Any, image), sessions or Sessions())


def add(**fields: Any) -> pb.AddVoterRequest:
    node = pb.QuorumNode(node_id=4, raft=pb.QuorumAddress(host="h", port=5))
    given: dict[str, Any] = {"cluster_id": CLUSTER, "node": node, "directory_id": DIRECTORY}
    return pb.AddVoterRequest(**(given | fields))


def test_voters_nodes_and_brokers_are_described() -> None:
    sessions = Sessions()
    why = ProtocolError(ErrorCode.NETWORK_EXCEPTION)
    for broker_id, applied in ((2, 40), (7, 40), (8, 30)):
        sessions.begin(BrokerSession(broker_id, 1, applied), why)
    found = asyncio.run(
        calls(Admin(), sessions=sessions).describe(pb.DescribeQuorumRequest(cluster_id=CLUSTER))
    )
    assert (found.leader_id, found.leader_epoch, found.high_watermark) == (1, 3, 50)
    assert [(one.node_id, one.log_end_offset) for one in found.voters] == [(1, 51), (2, -1)]
    # A broker that has applied all changes is level, though entries without any came after.
    assert [(one.node_id, one.log_end_offset) for one in found.observers] == [(7, 50), (8, 31)]
    assert (found.nodes[0].raft.host, found.nodes[0].internal.port) == ("h", 6)
    assert not found.nodes[1].raft.host


def test_a_voter_is_added_and_removed() -> None:
    admin = Admin()
    assert asyncio.run(calls(admin).add(add(timeout_ms=9))).error_code == 0
    request = pb.RemoveVoterRequest(cluster_id=CLUSTER, node_id=4, timeout_ms=9)
    assert asyncio.run(calls(admin).remove(request)).error_code == 0
    assert admin.calls == [(4, VoterNode(DIRECTORY, ("h", 5)), 9), (4, None, 9)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"directory_id": bytes(16)},
        {"directory_id": b"short"},
        {"node": pb.QuorumNode(node_id=4)},
        {"node": pb.QuorumNode(node_id=-1, raft=pb.QuorumAddress(host="h", port=5))},
        {"node": pb.QuorumNode(node_id=4, raft=pb.QuorumAddress(host="h" * 256, port=5))},
        {"node": pb.QuorumNode(node_id=4, raft=pb.QuorumAddress(host="h", port=70_000))},
    ],
)
def test_what_no_voter_can_have_is_refused(wrong: dict[str, Any]) -> None:
    admin = Admin()
    answer = asyncio.run(calls(admin).add(add(**wrong)))
    assert (answer.error_code, admin.calls) == (ErrorCode.INVALID_REQUEST, [])
    assert answer.message


@pytest.mark.parametrize(
    ("failure", "code", "unknown"),
    [
        (NotLeader(2), ErrorCode.NOT_CONTROLLER, False),
        (ProposalLost("lost"), ErrorCode.REQUEST_TIMED_OUT, True),
        (ProtocolError(ErrorCode.DUPLICATE_VOTER, "is one"), ErrorCode.DUPLICATE_VOTER, False),
    ],
)
def test_what_the_quorum_says_is_told(failure: Exception, code: ErrorCode, unknown: bool) -> None:
    answer = asyncio.run(calls(Admin(failure)).add(add()))
    assert (answer.error_code, answer.outcome_unknown) == (code, unknown)


def test_strangers_and_controllers_out_of_office_do_nothing() -> None:
    for refused, code in (
        (calls(admin := Admin(), active=False), ErrorCode.NOT_CONTROLLER),
        (calls(None), ErrorCode.NOT_CONTROLLER),
    ):
        assert asyncio.run(refused.add(add())).error_code == code
        described = asyncio.run(refused.describe(pb.DescribeQuorumRequest(cluster_id=CLUSTER)))
        assert described.error_code == code
    stranger = asyncio.run(calls(admin).add(add(cluster_id="other")))
    assert stranger.error_code == ErrorCode.INCONSISTENT_CLUSTER_ID
    assert admin.calls == []


def test_where_brokers_may_ask() -> None:
    assert calls(Admin()).controllers() == ["i:6", "[::1]:7"]
    assert calls(None).controllers() == []
