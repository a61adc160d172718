"""What the APIs for settings have in common: resources by Kafka's numbers, and their names' faults.

A resource is named by a request as (type, name). A broker's name is its id; an empty name stands
for all brokers. A group needs not exist to have settings. Of client metrics (KIP-714)
it is the subscription that has a name.
"""

from __future__ import annotations

from typing import Final

from controller.state import BROKER, CLIENT_METRICS, GROUP, TOPIC
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.core.identifiers import topic_name_fault

TOPIC_TYPE: Final = 2
BROKER_TYPE: Final = 4
CLIENT_METRICS_TYPE: Final = 16
GROUP_TYPE: Final = 32

KINDS: Final = {
    TOPIC_TYPE: TOPIC,
    BROKER_TYPE: BROKER,
    CLIENT_METRICS_TYPE: CLIENT_METRICS,
    GROUP_TYPE: GROUP,
}
"""The types of resources that have settings here, by Kafka's number (ConfigResource.Type)."""


def kind_of(resource_type: int) -> str:
    """INVALID_REQUEST for a type that has no settings here."""
    try:
        return KINDS[resource_type]
    except KeyError:
        known = ", ".join(f"{kind} ({number})" for number, kind in KINDS.items())
        raise ProtocolError(
            ErrorCode.INVALID_REQUEST,
            f"resource type {resource_type} has no settings here; these have: {known}",
        ) from None


def check_name(resource_type: int, name: str) -> None:
    """INVALID_TOPIC_EXCEPTION, INVALID_REQUEST for what cannot be a resource's name."""
    if resource_type == TOPIC_TYPE and (fault := topic_name_fault(name)) is not None:
        raise ProtocolError(ErrorCode.INVALID_TOPIC_EXCEPTION, fault)
    if resource_type == GROUP_TYPE and not name:
        raise ProtocolError(
            ErrorCode.INVALID_REQUEST, "a group has a name; there is no default of all groups"
        )
    if resource_type == CLIENT_METRICS_TYPE and not name:
        raise ProtocolError(ErrorCode.INVALID_REQUEST, "a subscription to metrics has a name")
