"""AddRaftVoter (key 80), versions 0–1: make a controller a voter of the quorum (KIP-853).

1   answer before the commit on demand (KIP-1186); here every answer comes after it

The listener RAFT is where the voters talk to each other, INTERNAL where brokers find the
controller; one listener of another name stands for RAFT.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from broker.handlers.admin_calls import ask, bounded_timeout
from broker.handlers.spec import Answer, HandlerSpec, RequestContext
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.add_raft_voter_request import AddRaftVoterRequest
from ottla.protocol.messages.add_raft_voter_response import AddRaftVoterResponse

if TYPE_CHECKING:
    from broker.handlers.services import BrokerServices


async def handle(
    services: BrokerServices, context: RequestContext, request: AddRaftVoterRequest
) -> Answer:
    try:
        check_cluster(services, request.cluster_id)
        listeners = {one.name.upper(): (one.host, one.port) for one in request.listeners}
        raft = listeners.get("RAFT")
        if raft is None and len(listeners) == 1:
            (raft,) = listeners.values()
        if raft is None:
            raise ProtocolError(
                ErrorCode.INVALID_REQUEST, "the request names no listener RAFT of the voter"
            )
        timeout_ms = bounded_timeout(request.timeout_ms)
        await ask(
            services.controller.voters.add(
                request.voter_id,
                request.voter_directory_id,
                raft,
                listeners.get("INTERNAL"),
                timeout_ms,
            ),
            timeout_ms,
        )
    except ProtocolError as error:
        return AddRaftVoterResponse(error_code=int(error.code), error_message=error.message)
    return AddRaftVoterResponse(error_message=None)


def check_cluster(services: BrokerServices, cluster_id: str | None) -> None:
    """INCONSISTENT_CLUSTER_ID when the request means another cluster."""
    if cluster_id is not None and cluster_id != services.cluster_id:
        raise ProtocolError(
            ErrorCode.INCONSISTENT_CLUSTER_ID,
            f"this is cluster {services.cluster_id}, not {cluster_id}",
        )


HANDLER = HandlerSpec(ApiKey.ADD_RAFT_VOTER, 0, 1, handle)
