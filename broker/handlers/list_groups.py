"""ListGroups (key 16), versions 0–5: the groups that this broker coordinates.

4   a filter by states (KIP-518)
5   a filter by types (KIP-848)

Filters ignore case; an empty one lets everything pass, an unknown name nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from broker.groups.requests import GroupListing
from broker.handlers.spec import Answer, HandlerSpec, RequestContext
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.list_groups_request import ListGroupsRequest
from ottla.protocol.messages.list_groups_response import ListedGroup, ListGroupsResponse

if TYPE_CHECKING:
    from broker.handlers.services import BrokerServices


async def handle(
    services: BrokerServices, context: RequestContext, request: ListGroupsRequest
) -> Answer:
    states = {state.lower() for state in request.states_filter}
    types = {kind.lower() for kind in request.types_filter}
    listings = await services.groups.list_groups()
    return ListGroupsResponse(
        groups=[
            ListedGroup(group.group_id, group.protocol_type, group.state.value, _type(group))
            for group in listings
            if (not states or group.state.value.lower() in states)
            and (not types or _type(group) in types)
        ]
    )


def _type(group: GroupListing) -> str:
    return "consumer" if group.is_consumer else "classic"


HANDLER = HandlerSpec(ApiKey.LIST_GROUPS, 0, 5, handle)
