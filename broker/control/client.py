"""The broker's way to the active controller: registration, session, commands."""

from __future__ import annotations

from broker.control.requests import (
    BrokerIdentity,
    IsrProposal,
    NewPartitions,
    NewTopic,
    TopicResult,
)

__all__ = [
    "BrokerIdentity",
    "IsrProposal",
    "NewPartitions",
    "NewTopic",
    "TopicResult",
]
