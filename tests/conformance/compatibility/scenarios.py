"""The scenarios of the compatibility table, in its order. What each does: ../clients/README.md."""

from __future__ import annotations

CODECS = ("none", "gzip", "snappy", "lz4", "zstd")

ALONE = frozenset({"leader-killed"})
"""Those that break the cluster, beside which no other may run."""

SCENARIOS = (
    *(f"compression-{codec}" for codec in CODECS),
    "keyed",
    "round-robin",
    "headers",
    "large-messages",
    "idempotent",
    "transactions",
    "rebalance",
    "seek-pause-offsets-for-times",
    "commit-and-resume",
    "admin",
    "topic-recreated",
    "group-protocol-classic",
    "group-protocol-consumer",
    "leader-killed",
)
