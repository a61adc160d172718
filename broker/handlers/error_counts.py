"""How often an API answered which error; of a request with several partitions, each counts."""

from __future__ import annotations

from collections import Counter

from ottla.protocol.api import ApiKey


class ErrorCounts:
    """Bounded by the APIs and the error codes that there are."""

    __slots__ = ("counts",)

    def __init__(self) -> None:
        self.counts: Counter[tuple[ApiKey, int]] = Counter()

    def note(self, api_key: ApiKey, error_code: int) -> None:
        self.counts[api_key, error_code] += 1
