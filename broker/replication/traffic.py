"""What goes in and out of a topic on this broker: plain counts, read when somebody scrapes.

Of a topic, not of a partition: a partition that moves away must not take its counts along, or the
topic's sum would fall and look like a restart.
"""

from __future__ import annotations


class TopicTraffic:
    """`bytes` are of record batches as they lie in the log. Counted where this broker leads, except
    for `replication_bytes_in`, counted where it follows."""

    __slots__ = (
        "bytes_in",
        "bytes_out",
        "isr_expands",
        "isr_shrinks",
        "records_in",
        "records_out",
        "replication_bytes_in",
        "replication_bytes_out",
    )

    def __init__(self) -> None:
        self.bytes_in = 0
        self.records_in = 0
        self.bytes_out = 0
        self.records_out = 0
        self.replication_bytes_in = 0
        self.replication_bytes_out = 0
        self.isr_shrinks = 0
        self.isr_expands = 0

    def note_isr(self, before: tuple[int, ...], after: tuple[int, ...]) -> None:
        """The committed ISR of a partition that is led here was one, and is another."""
        if before != after:
            left, joined = {*before} - {*after}, {*after} - {*before}
            self.isr_shrinks += bool(left)
            self.isr_expands += bool(joined)
