"""Describing and changing the voters of the quorum, by the active controller, for brokers."""

from __future__ import annotations

from typing import Final

from controller.generated import control_pb2 as pb
from controller.image import MetadataImage
from controller.office import Office
from controller.quorum.description import QuorumDescription, QuorumReplica
from controller.quorum.metadata_log import NotLeader, ProposalLost, QuorumAdmin
from controller.quorum.voter_set import HOST_BYTES_MAX, Address, VoterNode
from controller.sessions import Sessions
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.core.identifiers import NIL_UUID

TIMEOUT_MS_MAX: Final = 120_000


class VoterCalls:
    """What the service `Control` answers about voters. `admin` None: the quorum has no such
    commands."""

    def __init__(
        self,
        admin: QuorumAdmin | None,
        cluster_id: str,
        office: Office,
        image: MetadataImage,
        sessions: Sessions,
    ) -> None:
        self._admin = admin
        self._cluster_id = cluster_id
        self._office = office
        self._image = image
        self._sessions = sessions

    def controllers(self) -> list[str]:
        """host:port of the internal listeners that were told when voters were added."""
        return [] if self._admin is None else [_text(one) for one in self._admin.controllers()]

    async def describe(self, request: pb.DescribeQuorumRequest) -> pb.DescribeQuorumResponse:
        try:
            admin = self._check_caller(request.cluster_id)
            found = await admin.describe(_bounded(request.timeout_ms))
            if found.leader_id is None or self._office.controller_epoch is None:
                raise self._office.not_controller()
        except (ProtocolError, TimeoutError) as error:
            code, message, _ = self._failure(error)
            return pb.DescribeQuorumResponse(error_code=code, message=message)
        return self._answer(found, found.leader_id)

    async def add(self, request: pb.AddVoterRequest) -> pb.ChangeVotersResponse:
        try:
            admin = self._check_caller(request.cluster_id)
            node = VoterNode(
                request.directory_id, _address(request.node.raft), _address(request.node.internal)
            )
            _check_voter(request.node.node_id, node)
            await admin.add_voter(request.node.node_id, node, _bounded(request.timeout_ms))
        except (ProtocolError, NotLeader, ProposalLost) as error:
            return self._refused(error)
        return pb.ChangeVotersResponse()

    async def remove(self, request: pb.RemoveVoterRequest) -> pb.ChangeVotersResponse:
        try:
            admin = self._check_caller(request.cluster_id)
            await admin.remove_voter(
                request.node_id, request.directory_id or None, _bounded(request.timeout_ms)
            )
        except (ProtocolError, NotLeader, ProposalLost) as error:
            return self._refused(error)
        return pb.ChangeVotersResponse()

    def _check_caller(self, cluster_id: str) -> QuorumAdmin:
        if self._admin is None or self._office.controller_epoch is None:
            raise self._office.not_controller()
        if cluster_id != self._cluster_id:
            raise ProtocolError(
                ErrorCode.INCONSISTENT_CLUSTER_ID,
                f"this is a controller of cluster {self._cluster_id}, not {cluster_id}",
            )
        return self._admin

    def _refused(self, error: Exception) -> pb.ChangeVotersResponse:
        code, message, unknown = self._failure(error)
        return pb.ChangeVotersResponse(error_code=code, message=message, outcome_unknown=unknown)

    def _failure(self, error: Exception) -> tuple[ErrorCode, str, bool]:
        match error:
            case ProtocolError():
                return error.code, error.message or "", False
            case NotLeader():
                return ErrorCode.NOT_CONTROLLER, str(error), False
            case _:
                return ErrorCode.REQUEST_TIMED_OUT, f"what became of it is not known: {error}", True

    def _answer(self, found: QuorumDescription, leader_id: int) -> pb.DescribeQuorumResponse:
        voters = found.voter_set
        return pb.DescribeQuorumResponse(
            leader_id=leader_id,
            leader_epoch=found.term,
            high_watermark=found.high_watermark,
            voters=[_replica(one) for one in found.voters],
            observers=[
                *(_replica(one) for one in found.observers),
                *self._brokers(found),
            ],
            nodes=[
                pb.QuorumNode(
                    node_id=one,
                    raft=_address_message(voters.voters[one].raft),
                    internal=_address_message(voters.voters[one].internal),
                )
                for one in voters.ids
            ],
        )

    def _brokers(self, found: QuorumDescription) -> list[pb.QuorumReplica]:
        """Brokers that are no voters, by what they have applied. Entries that change nothing are
        not sent to them: one that has all changes is level with the quorum."""
        known = {*found.voter_set.ids, *(one.node_id for one in found.observers)}
        behind = {session.broker_id for session in self._sessions.behind(self._image.offset)}
        return [
            pb.QuorumReplica(
                node_id=session.broker_id,
                directory_id=NIL_UUID,
                log_end_offset=session.applied_offset + 1
                if session.broker_id in behind
                else found.high_watermark,
                silent_ms=0,
            )
            for session in sorted(self._sessions.all(), key=lambda one: one.broker_id)
            if session.broker_id not in known
        ]


def _check_voter(node_id: int, node: VoterNode) -> None:
    """INVALID_REQUEST: what no voter can have."""
    fault = ""
    if node_id < 0:
        fault = f"{node_id} is no node id"
    elif node.directory_id is None or len(node.directory_id) != 16 or node.directory_id == NIL_UUID:
        fault = "the directory id of a voter is needed: its node logs it when it starts with --join"
    elif node.raft is None:
        fault = "the address of the voter's raft.listener is needed"
    for host, port in (one for one in (node.raft, node.internal) if one):
        if len(host.encode()) > HOST_BYTES_MAX or not 1 <= port <= 65535:
            fault = f"{host[:40]}:{port} is no address"
    if fault:
        raise ProtocolError(ErrorCode.INVALID_REQUEST, fault)


def _bounded(timeout_ms: int) -> int:
    return min(timeout_ms or TIMEOUT_MS_MAX, TIMEOUT_MS_MAX)


def _replica(one: QuorumReplica) -> pb.QuorumReplica:
    return pb.QuorumReplica(
        node_id=one.node_id,
        directory_id=one.directory_id or NIL_UUID,
        log_end_offset=one.log_end_offset,
        silent_ms=one.silent_ms,
    )


def _address(message: pb.QuorumAddress) -> Address | None:
    return (message.host, message.port) if message.host else None


def _address_message(address: Address | None) -> pb.QuorumAddress:
    host, port = address or ("", 0)
    return pb.QuorumAddress(host=host, port=port)


def _text(address: Address) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
