"""What the way to the controller takes from the node's settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ControlSettings:
    """Times in ms."""

    controllers: tuple[str, ...]
    """`controller.quorum.bootstrap.servers`: host:port of the controllers' internal listeners."""
    heartbeat_ms: int = 500
    """`broker.heartbeat.interval.ms`."""
    silence_ms: int = 1_500
    """A controller that says nothing for so long is looked for anew; each heartbeat is answered."""
    locate_ms: int = 500
    """Bound of asking one controller who is active."""
    retry_ms_min: int = 50
    retry_ms_max: int = 100
    alter_partitions_ms: int = 5_000
    """Bound of one batch of ISR changes."""
    topic_defaults: Mapping[str, str] = field(default_factory=dict)
    """The node's defaults of topic settings, by the topics' names for them."""
