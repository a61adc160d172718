"""Which quota holds for a client, and with whom it shares it. Pure.

The most exact one holds (Kafka's ClientQuotaManager):

    1  user, client id            shared by all connections of this user with this client id
    2  user, any client id        the same
    3  user                       by all connections of the user
    4  any user, client id        by this user with this client id
    5  any user, any client id    the same
    6  any user                   by all connections of the user
    7  client id                  by all connections with the client id
    8  any client id              the same
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from controller.state import CLIENT_ID, USER, QuotaEntity

RESOLVED_MAX: Final = 10_000
"""Clients whose quota is remembered; then all are looked up again."""


class QuotaKind(Enum):
    """Kafka's names."""

    PRODUCE = "producer_byte_rate"
    FETCH = "consumer_byte_rate"
    REQUEST = "request_percentage"
    MUTATION = "controller_mutation_rate"


@dataclass(frozen=True, slots=True)
class Client:
    """Whom a request is from: the principal's name, and the client id, which may be empty."""

    user: str
    client_id: str


@dataclass(frozen=True, slots=True)
class Quota:
    """What holds: a rate a second, shared by all whose `shared_by` is the same."""

    limit: float
    shared_by: tuple[str | None, str | None]
    """(user, client id); None: whichever."""


class QuotaTable:
    """The quotas of all entities."""

    def __init__(self, quotas: Mapping[QuotaEntity, Mapping[str, float]]) -> None:
        self._quotas = quotas
        self.kinds = frozenset(
            kind for kind in QuotaKind if any(kind.value in values for values in quotas.values())
        )
        """Those that anybody has."""
        self._resolved: dict[tuple[QuotaKind, Client], Quota | None] = {}

    def find(self, kind: QuotaKind, client: Client) -> Quota | None:
        """The client's quota of this kind; None: it has none."""
        key = kind, client
        try:
            return self._resolved[key]
        except KeyError:
            if len(self._resolved) >= RESOLVED_MAX:
                self._resolved.clear()
            found = self._resolved[key] = self._look_up(kind, client)
            return found

    def _look_up(self, kind: QuotaKind, client: Client) -> Quota | None:
        user, client_id = client.user, client.client_id
        pair, by_user, by_client = (user, client_id), (user, None), (None, client_id)
        candidates: tuple[tuple[QuotaEntity, tuple[str | None, str | None]], ...] = (
            (((USER, user), (CLIENT_ID, client_id)), pair),
            (((USER, user), (CLIENT_ID, None)), pair),
            (((USER, user),), by_user),
            (((USER, None), (CLIENT_ID, client_id)), pair),
            (((USER, None), (CLIENT_ID, None)), pair),
            (((USER, None),), by_user),
            (((CLIENT_ID, client_id),), by_client),
            (((CLIENT_ID, None),), by_client),
        )
        for entity, shared_by in candidates:
            limit = self._quotas.get(entity, {}).get(kind.value)
            if limit is not None:
                return Quota(limit, shared_by)
        return None
