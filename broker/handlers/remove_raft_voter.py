"""RemoveRaftVoter (key 81), version 0: take a voter out of the quorum (KIP-853).

Without a directory id (all zeros) the voter is meant whatever disk it has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from broker.handlers.add_raft_voter import check_cluster
from broker.handlers.admin_calls import ask
from broker.handlers.spec import Answer, HandlerSpec, RequestContext
from ottla.core.errors import ProtocolError
from ottla.core.identifiers import NIL_UUID
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.remove_raft_voter_request import RemoveRaftVoterRequest
from ottla.protocol.messages.remove_raft_voter_response import RemoveRaftVoterResponse

if TYPE_CHECKING:
    from broker.handlers.services import BrokerServices

WAIT_MS: Final = 20_000
"""The request has no time-out of its own."""


async def handle(
    services: BrokerServices, context: RequestContext, request: RemoveRaftVoterRequest
) -> Answer:
    directory_id = request.voter_directory_id
    try:
        check_cluster(services, request.cluster_id)
        await ask(
            services.controller.voters.remove(
                request.voter_id, None if directory_id == NIL_UUID else directory_id, WAIT_MS
            ),
            WAIT_MS,
        )
    except ProtocolError as error:
        return RemoveRaftVoterResponse(error_code=int(error.code), error_message=error.message)
    return RemoveRaftVoterResponse(error_message=None)


HANDLER = HandlerSpec(ApiKey.REMOVE_RAFT_VOTER, 0, 0, handle)
