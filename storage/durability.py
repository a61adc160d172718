"""What of a log is durable, and what the checkpoints may say about it.

- The *recovery point*: everything below is synced. A flush moves it up; before a truncation below
  it, it is lowered, durably if the checkpoints may hold a higher one.
- The *index point*: segments that end here or below have their indexes saved and synced. It lags
  behind: the indexes of the growing segment are saved only when the log is closed.

`flush` runs in a thread; the rest on the loop's.
"""

from __future__ import annotations

import os
import threading
from typing import Protocol

from storage import names
from storage.checkpoints import Checkpoints, LogCheckpoint, LogKey
from storage.segment import Segment
from storage.vfs import OpenMode, Vfs


class Flushable(Protocol):
    """What a flush needs of a log."""

    @property
    def log_end_offset(self) -> int: ...
    @property
    def segments(self) -> list[Segment]: ...


class Durability:
    """The durable points of one log."""

    def __init__(
        self,
        vfs: Vfs,
        folder: str,
        key: LogKey,
        checkpoints: Checkpoints,
        recovery_point: int,
        index_point: int,
    ) -> None:
        self.recovery_point = recovery_point
        self.index_point = index_point
        self.names_dirty = True  # the folder's content has changed since it was synced
        # What the checkpoints hold, or will with the next commit.
        self.noted = checkpoints.log(key)
        self._identity_dirty = True  # partition.metadata and the folder's own name, likewise
        self._vfs = vfs
        self._folder = folder
        self._key = key
        self._checkpoints = checkpoints
        self._flush_lock = threading.Lock()  # one flush at a time
        self._point_lock = threading.Lock()  # the points, and the number of truncations
        self._truncations = 0
        # Another folder whose names have to be synced before anything counts as such here.
        self.sync_also: str | None = None

    @property
    def truncations(self) -> int:
        """How often the points were lowered."""
        return self._truncations

    def flush(self, log: Flushable, *, everything: bool, closing: bool = False) -> None:
        """Sync all of the log, or all but its active segment, and move the points. Blocks.

        OSError: nothing is certain any more; it must not be tried again (SAFETY.md, rule 18).
        """
        with self._flush_lock:
            truncations = self._truncations
            # The end first: what is appended meanwhile may be in a segment after those listed.
            log_end_offset = log.log_end_offset
            segments = log.segments
            start = segments[-1].base_offset  # of the active one
            for segment in segments if everything else segments[:-1]:
                growing = segment is segments[-1]  # which alone saves its indexes when closing
                if (segment.dirty or (closing and growing)) and segment.flush(closing=closing):
                    self.names_dirty = True
            self._sync_names()
            with self._point_lock:
                if truncations == self._truncations:
                    target = log_end_offset if everything else start
                    self.recovery_point = max(self.recovery_point, target)
                    self.index_point = max(self.index_point, target if closing else start)

    def lower(self, offset: int) -> None:
        """No flush under way may move the points above `offset`; nor are they there now.

        To be called before a truncation begins and again when it has ended.
        """
        with self._point_lock:
            self._truncations += 1
            self.recovery_point = min(self.recovery_point, offset)
            self.index_point = min(self.index_point, offset)

    def may_be_noted_above(self, offset: int) -> bool:
        """Whether the checkpoints may hold a recovery point or log start above `offset`."""
        noted = self.noted
        return noted is not None and max(noted.recovery_point, noted.log_start_offset) > offset

    def note(self, log_start_offset: int, epochs: tuple[tuple[int, int], ...]) -> bool:
        """Hand the points over to the checkpoints; whether anything had changed."""
        checkpoint = LogCheckpoint(self.recovery_point, self.index_point, log_start_offset, epochs)
        if checkpoint == self.noted:
            return False
        self.noted = checkpoint
        self._checkpoints.note_log(self._key, checkpoint)
        return True

    def _sync_names(self) -> None:
        also = self.sync_also
        if also is not None:
            self._vfs.fsync_dir(also)
            self.sync_also = None
        if self._identity_dirty:
            path = os.path.join(self._folder, names.PARTITION_METADATA)
            if self._vfs.exists(path):
                self._vfs.open(path, OpenMode.WRITE).fsync()
            self._vfs.fsync_dir(os.path.dirname(self._folder))
        if self.names_dirty:
            self.names_dirty = False  # first: a segment made meanwhile makes it dirty again
            try:
                self._vfs.fsync_dir(self._folder)
            except OSError:
                self.names_dirty = True
                raise
        self._identity_dirty = False
