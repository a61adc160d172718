"""What replication takes from the node's settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from broker.replication.throttle import UNLIMITED

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ReplicationSettings:
    """Defaults are Kafka's where Kafka has the setting."""

    node_id: int
    cluster_id: str
    replica_lag_ms_max: int = 30_000
    topic_defaults: Mapping[str, str] = field(default_factory=dict)
    """The broker's defaults of topic configs, by the topic configs' names."""
    heartbeat_ms: int = 100
    """How often a leader tells an idle follower a changed high watermark or log start offset."""
    keepalive_ms: int = 500
    """A stream carries at least one message in this time; a follower redials after ten of them."""
    message_bytes: int = MEBIBYTE
    """Frames are coalesced up to about this size; one larger batch travels alone."""
    batch_bytes_max: int = 100 * MEBIBYTE
    """No message above this (and a margin) is received."""
    credit_bytes: int = 16 * MEBIBYTE
    partition_credit_bytes: int = 4 * MEBIBYTE
    catch_up_credit_bytes: int = 4 * MEBIBYTE
    catch_up_partition_credit_bytes: int = 2 * MEBIBYTE
    """Less than in sync: what is on its way to be caught up makes others wait at both ends."""
    throttled_rate_out: int = UNLIMITED
    """Bytes a second that this broker sends to throttled replicas, all of them together."""
    throttled_rate_in: int = UNLIMITED
    """Bytes a second that its own throttled replicas take, from all leaders together."""
    log_dirs_rate: int = UNLIMITED
    """Bytes a second that are copied when replicas move between its log directories."""
    tail_bytes: int = 32 * MEBIBYTE
    idle_ms_max: int = 10_000
    """A stream without partitions is closed after this time."""
    reconnect_ms_min: int = 50
    reconnect_ms_max: int = 500
    handshake_ms_max: int = 5_000
    subscriptions_max: int = 200_000
    """Partitions on one stream."""
    retry_ms: int = 20
    """First pause before a refused subscription is asked again; doubles up to a second."""
    opens_on_loop_max: int = 16
    """Folders of new partitions made at once on the event loop; more go to a thread."""
