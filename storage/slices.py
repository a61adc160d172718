"""A run of whole batches that stays in its file until it is sent."""

from __future__ import annotations

from storage.vfs import VfsFile


class LogSlice:
    """Batches in a segment file, for sendfile or pread (a `RecordsSource` of the protocol).

    It holds the file by reference: the descriptor stays open, and its bytes stay readable, when
    the segment is deleted meanwhile. After a truncation the file may be shorter than the slice:
    the sender then meets its end and must close the connection.
    """

    __slots__ = ("_file", "_size", "base_offset", "end_offset", "position")

    def __init__(
        self, file: VfsFile, position: int, size: int, base_offset: int, end_offset: int
    ) -> None:
        self._file = file
        self._size = size
        self.position = position
        self.base_offset = base_offset
        """At or below the first record (inclusive)."""
        self.end_offset = end_offset
        """Above the last record (exclusive)."""

    @property
    def size(self) -> int:
        """Bytes; never 0."""
        return self._size

    def fileno(self) -> int:
        return self._file.fileno()

    def read(self) -> bytes:
        """The bytes, copied."""
        return self._file.pread(self._size, self.position)
