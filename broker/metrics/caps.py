"""The bound of every set of series whose size users decide: the first N, and how many were left."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from broker.metrics.exposition import Family, gauge, labels

TOPICS_MAX: Final = 1_000
PARTITIONS_MAX: Final = 2_000
GROUP_TOPICS_MAX: Final = 1_000


class LeftOut:
    """What the caps kept out of one page, by kind; written last."""

    def __init__(self) -> None:
        self._counts = dict.fromkeys(("topics", "partitions", "group_topics"), 0)

    def note(self, kind: str, count: int) -> None:
        self._counts[kind] = max(count, 0)

    def families(self) -> Iterator[Family]:
        yield gauge(
            "ottla_metrics_left_out",
            "Topics, partitions and topics of groups without series of their own: the caps were "
            "reached.",
            [(labels(kind=kind), count) for kind, count in self._counts.items()],
        )
