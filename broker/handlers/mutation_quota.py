"""The quota of partitions made and deleted (controller_mutation_rate, KIP-599).

A request is charged topic by topic, in its order, before the controller is asked; what the
controller refuses is given back. Once more was taken than there is, further topics are answered
THROTTLING_QUOTA_EXCEEDED, so that the client sends them again. Versions of an API from before
KIP-599 have no such answer: they are served, and their connection is paused for as long.

Each broker counts for itself, as with all quotas here; in Kafka the controller counts for all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from broker.handlers.spec import RequestContext
from broker.quotas.client_quotas import ClientQuotas, client_of
from ottla.core.errors import ErrorCode, ProtocolError

if TYPE_CHECKING:
    from broker.handlers.services import BrokerServices


class MutationQuota:
    """Of one request. `quotas` is None where nothing is to be charged."""

    def __init__(
        self, quotas: ClientQuotas | None, context: RequestContext, *, is_strict: bool
    ) -> None:
        self._quotas = quotas
        self._client = client_of(context.principal, context.client_id)
        self._is_strict = is_strict
        self._taken: dict[object, int] = {}

    def take(self, topic: object, partitions: int) -> None:
        """Charge what is to become of a topic; THROTTLING_QUOTA_EXCEEDED."""
        if self._quotas is None or partitions <= 0:
            return
        throttle_ms = self._quotas.mutation_throttle_ms(self._client)
        if throttle_ms and self._is_strict:
            raise ProtocolError(
                ErrorCode.THROTTLING_QUOTA_EXCEEDED,
                f"above controller_mutation_rate: try again in {throttle_ms} ms",
            )
        self._quotas.take_mutations(self._client, partitions)
        self._taken[topic] = partitions

    def give_back(self, topic: object) -> None:
        """It was not done."""
        partitions = self._taken.pop(topic, 0)
        if partitions and self._quotas is not None:
            self._quotas.take_mutations(self._client, -partitions)

    def throttle_ms(self) -> int:
        """How long the client has to pause, counted as such."""
        return 0 if self._quotas is None else self._quotas.pause_for_mutations(self._client)


def mutation_quota(
    services: BrokerServices, context: RequestContext, *, strict_since: int, is_trial: bool = False
) -> MutationQuota:
    """`strict_since`: the version from which on the answer may be THROTTLING_QUOTA_EXCEEDED; a
    trial changes nothing and is not charged."""
    return MutationQuota(
        None if is_trial else services.quotas,
        context,
        is_strict=context.api_version >= strict_since,
    )
