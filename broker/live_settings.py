"""The settings of a node as they hold now: its own file, under what was set at run time.

What the cluster's metadata says for this broker, or for all, goes before the file
(ottla/core/broker_configs.py). The defaults of topics are taken from the metadata where they are
used, since they need all topics looked at again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from broker.control.metadata_cache import MetadataCache, MetadataDelta
from broker.settings import NodeSettings
from controller.state import ALL_BROKERS, BROKER
from ottla.core.broker_configs import DYNAMIC_BROKER_CONFIGS, TOPIC_DEFAULTS
from ottla.core.errors import ConfigError
from ottla.core.settings import with_texts

logger = logging.getLogger(__name__)

Listener = Callable[[NodeSettings], None]


class LiveSettings:
    """See the module. `base` is what was read at the start."""

    def __init__(self, base: NodeSettings, cache: MetadataCache) -> None:
        self.base = base
        self.now = base
        self._cache = cache
        self._set: Mapping[str, str] = {}
        self._resources = {(BROKER, ALL_BROKERS), (BROKER, str(base.node_id))}
        self._listeners: list[Listener] = []
        cache.subscribe(self._on_delta)

    def subscribe(self, listener: Listener) -> None:
        """Call `listener` with the settings after every change of one of them."""
        self._listeners.append(listener)

    def _on_delta(self, delta: MetadataDelta) -> None:
        if not delta.snapshot and delta.configs.isdisjoint(self._resources):
            return
        found = self._cache.state.dynamic_broker_configs(self.base.node_id)
        values = {
            name: value
            for name, value in found.items()
            if name in DYNAMIC_BROKER_CONFIGS and name not in TOPIC_DEFAULTS
        }
        if values == self._set:
            return
        try:
            self.now = with_texts(self.base, values)
        except ConfigError as error:
            # The controller has validated it: of another version, perhaps.
            logger.error("a setting changed at run time is not used: %s", error)
            return
        for name in sorted(values.keys() | self._set.keys()):
            if values.get(name) != self._set.get(name):
                shown = values.get(name, "as this node's file says")
                logger.info("%s is now %s", name, shown)
        self._set = values
        for listener in self._listeners:
            listener(self.now)
