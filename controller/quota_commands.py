"""Decisions about quotas of clients: whose, which, how much (KIP-13, KIP-124, KIP-546, KIP-599).

    entity      user, client-id, or both; each by name, or all that have none of their own
    quota       producer_byte_rate, consumer_byte_rate    bytes a second, whole numbers
                request_percentage                        of one broker's time
                controller_mutation_rate                  partitions made and deleted a second

Kafka's quota of connections by address is missing: `max.connections.per.ip` bounds those.
"""

from __future__ import annotations

import math
from typing import Final

from controller.codec import quota_entity_from_message
from controller.decision import Decision
from controller.generated import metadata_pb2 as pb
from controller.state import CLIENT_ID, USER, ClusterState, QuotaEntity, QuotasChanged, Record
from ottla.core.errors import ErrorCode, ProtocolError

ENTITIES_MAX: Final = 10_000
"""With quotas: every controller and broker keeps them all."""
NAME_CHARACTERS_MAX: Final = 255
_TYPES: Final = (USER, CLIENT_ID)
_WHOLE: Final = frozenset({"producer_byte_rate", "consumer_byte_rate"})
QUOTAS: Final = _WHOLE | {"request_percentage", "controller_mutation_rate"}


def alter_quotas(state: ClusterState, command: pb.AlterQuotas) -> Decision:
    """Each entity is answered for itself, and said twice changes nothing the second time.

    Codes of an entity: INVALID_REQUEST, POLICY_VIOLATION.
    """
    result = pb.Result()
    records: list[Record] = []
    seen: set[QuotaEntity] = set()
    count = len(state.quotas)
    for wanted in command.entities:
        answer = result.quotas.add()
        try:
            entity = _entity(wanted)
            if entity in seen:
                raise _refusal("the request names the entity more than once")
            seen.add(entity)
            before = state.quotas.get(entity, {})
            after = _changed(dict(before), wanted)
            count += bool(after) - bool(before)
            if count > ENTITIES_MAX and not before:
                count -= 1
                raise ProtocolError(
                    ErrorCode.POLICY_VIOLATION,
                    f"{ENTITIES_MAX} entities have quotas; remove some, or set defaults",
                )
        except ProtocolError as error:
            answer.error_code = error.code
            answer.message = error.message or ""
            continue
        if after != before and not command.validate_only:
            records.append(QuotasChanged(entity, after))
    return Decision(result, records)


def _entity(wanted: pb.QuotaAlteration) -> QuotaEntity:
    """In the order of the types."""
    parts = quota_entity_from_message(wanted.entity)
    if not parts:
        raise _refusal("an entity has a user, a client id, or both")
    for kind, name in parts:
        if kind not in _TYPES:
            raise _refusal(f"quotas of the type '{kind[:40]}' are not known; user, client-id are")
        if name is not None and not 1 <= len(name) <= NAME_CHARACTERS_MAX:
            raise _refusal(f"a {kind} has 1 to {NAME_CHARACTERS_MAX} characters")
    if len({kind for kind, _ in parts}) != len(parts):
        raise _refusal("the entity names a type more than once")
    return tuple(sorted(parts, key=lambda part: _TYPES.index(part[0])))


def _changed(values: dict[str, float], wanted: pb.QuotaAlteration) -> dict[str, float]:
    for change in wanted.changes:
        if change.key not in QUOTAS:
            known = ", ".join(sorted(QUOTAS))
            raise _refusal(f"there is no quota '{change.key[:40]}'; there are {known}")
        if not change.HasField("value"):
            values.pop(change.key, None)
            continue
        if not (math.isfinite(change.value) and change.value > 0):
            raise _refusal(f"{change.key} must be greater than 0")
        if change.key in _WHOLE and not change.value.is_integer():
            raise _refusal(f"{change.key} must be a whole number")
        values[change.key] = change.value
    return values


def _refusal(why: str) -> ProtocolError:
    return ProtocolError(ErrorCode.INVALID_REQUEST, why)
