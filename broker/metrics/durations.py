"""How long something took, counted so that counting costs next to nothing."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Durations:
    """How often something took how long. `note` costs a fraction of a microsecond; who counts on a
    hot path writes to the fields itself."""

    buckets: list[int] = field(default_factory=lambda: [0] * 64)
    """By the number of bits of the nanoseconds."""
    total_ns: int = 0

    def note(self, nanoseconds: int) -> None:
        self.buckets[max(nanoseconds, 0).bit_length()] += 1
        self.total_ns += nanoseconds

    @property
    def count(self) -> int:
        return sum(self.buckets)
