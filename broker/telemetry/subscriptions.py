"""Which metrics each client is to send, and how often, by the cluster's subscriptions. Pure.

A client that matches several subscriptions sends what any of them wants, at the shortest of their
intervals; one that matches none sends nothing and asks again after the default interval. (Kafka
takes the default for an upper bound of all intervals; here a longer one holds if all are longer.)
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

import crc32c

from controller.client_matches import ClientMatch
from ottla.core.client_metrics_configs import (
    ALL_METRICS,
    INTERVAL_MS,
    INTERVAL_MS_DEFAULT,
    MATCH,
    METRICS,
)
from ottla.core.config_spec import split_list
from ottla.core.identifiers import Uuid

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one client is to send: `prefixes` are sorted; ALL_METRICS alone for all."""

    prefixes: tuple[str, ...]
    interval_ms: int

    def wants(self, name: str) -> bool:
        """Whether a metric of this name was asked for."""
        return self.prefixes == (ALL_METRICS,) or name.startswith(self.prefixes)

    def subscription_id(self, instance_id: Uuid) -> int:
        """By which a client names what it was told, int32; the same on every broker."""
        text = f"{','.join(self.prefixes)} {self.interval_ms}"
        number = crc32c.crc32c(instance_id + text.encode())
        return number - 2**32 if number >= 2**31 else number


@dataclass(frozen=True, slots=True)
class _Subscription:
    prefixes: frozenset[str]
    interval_ms: int
    match: ClientMatch


class Subscriptions:
    """All of the cluster's, by name."""

    def __init__(self, configs: Mapping[str, Mapping[str, str]]) -> None:
        self._subscriptions = []
        for name, values in configs.items():
            try:
                subscription = _Subscription(
                    frozenset(split_list(values.get(METRICS, ""))),
                    int(values.get(INTERVAL_MS, INTERVAL_MS_DEFAULT)),
                    ClientMatch(values.get(MATCH, "")),
                )
            except ValueError as error:
                # The controller has validated it: of another version, perhaps.
                logger.error("the subscription to metrics '%s' is not used: %s", name, error)
                continue
            self._subscriptions.append(subscription)

    def wanted(self, client: Mapping[str, str]) -> Wanted:
        """What a client is to send, by its selectors (ottla/core/client_metrics_configs.py)."""
        found = [one for one in self._subscriptions if one.match.holds(client)]
        prefixes = frozenset[str]().union(*(one.prefixes for one in found))
        return Wanted(
            (ALL_METRICS,) if ALL_METRICS in prefixes else tuple(sorted(prefixes)),
            min((one.interval_ms for one in found), default=INTERVAL_MS_DEFAULT),
        )
