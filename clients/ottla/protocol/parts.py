"""A response in parts: bytes of our own between record batches that stay where they are.

A ``records`` field of a response may hold a RecordsSource, such as a slice of a log segment,
instead of bytes. `encode_parts` then writes the length and puts the source itself into the list, so
that the network layer can hand the file to the kernel without reading it.
"""

from __future__ import annotations

from typing import Protocol, TypeAlias, runtime_checkable


@runtime_checkable
class RecordsSource(Protocol):
    """Whole record batches that are written by whoever sends the parts."""

    @property
    def size(self) -> int:
        """Bytes that the source will yield, exactly: it is on the wire before them."""
        ...


Part: TypeAlias = bytes | RecordsSource


def parts_size(parts: list[Part]) -> int:
    """Bytes of all parts together, as a frame's length prefix needs it."""
    return sum(len(part) if isinstance(part, bytes) else part.size for part in parts)
