"""Encoded Metadata answers, kept until the metadata changes.

Many clients ask the same question; encoding the answer of a thousand partitions takes milliseconds.
The key is everything that shapes an answer: version, listener, topics asked for, authority. All
entries die with the metadata offset, and their number and bytes are bounded.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final

from broker.handlers.spec import EncodedAnswer

ENTRIES_MAX: Final = 256
BYTES_MAX: Final = 16 * 1024 * 1024


class MetadataAnswers:
    """A cache of one metadata offset."""

    __slots__ = ("_answers", "_bytes", "_bytes_max", "_entries_max", "_offset")

    def __init__(self, entries_max: int = ENTRIES_MAX, bytes_max: int = BYTES_MAX) -> None:
        self._answers: dict[Hashable, EncodedAnswer] = {}
        self._bytes = 0
        self._offset: int | None = None
        self._entries_max = entries_max
        self._bytes_max = bytes_max

    def __len__(self) -> int:
        return len(self._answers)

    def get(self, metadata_offset: int, key: Hashable) -> EncodedAnswer | None:
        """The answer to `key` at exactly this metadata offset."""
        if metadata_offset != self._offset:
            self._clear()
            self._offset = metadata_offset
            return None
        return self._answers.get(key)

    def put(self, metadata_offset: int, key: Hashable, body: bytes) -> EncodedAnswer:
        """Keep an encoded answer; what does not fit makes all others go first."""
        answer = EncodedAnswer(body)
        if metadata_offset != self._offset:
            self._clear()
            self._offset = metadata_offset
        if len(self._answers) >= self._entries_max or self._bytes + len(body) > self._bytes_max:
            self._clear()
        if len(body) <= self._bytes_max:
            self._answers[key] = answer
            self._bytes += len(body)
        return answer

    def _clear(self) -> None:
        self._answers.clear()
        self._bytes = 0
