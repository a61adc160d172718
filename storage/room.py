"""How much may still be appended to a log directory: its disk's free space above a floor.

Free space is measured each second and again when what was appended since has used it up, so that an
append costs one subtraction and one comparison:

    room.left -= size
    if room.left < 0:
        room.look_again(size)

The floor keeps room for what must not fail: indexes, checkpoints, marks, and the pages that the
kernel has yet to write. A full disk is no failure of the directory: appends are refused until there
is space again, everything else goes on (SAFETY.md, rule 18).
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from typing import Final

from ottla.core.clock import Clock
from storage.errors import DiskFull

_log = logging.getLogger(__name__)

UNLIMITED: Final = 1 << 62
RESUME_BYTES_MIN: Final = 1 << 20
HOLD_MS: Final = 5_000
"""After a refused write. Free space does not tell of a quota, so only trying again can."""


class Room:
    """See the module. Without `measure` there is no limit.

    Used on the event loop's thread; only `measure` and `refused` may be called in another.
    """

    __slots__ = (
        "_clock",
        "_held_until_ms",
        "_measure",
        "_path",
        "floor",
        "free",
        "full",
        "left",
    )

    def __init__(
        self,
        path: str,
        *,
        measure: Callable[[], int] | None = None,
        floor: int = 0,
        clock: Clock | None = None,
    ) -> None:
        """`measure` gives the free bytes, OSError included. `floor` 0: only the disk says no."""
        self.left = UNLIMITED
        """Bytes that may be appended before the next look; negative while full."""
        self.full = False
        self.floor = floor
        self.free = UNLIMITED
        """Bytes, as last measured."""
        self._path = path
        self._measure = measure
        self._clock = clock
        self._held_until_ms = 0

    def measure(self) -> int:
        """The free bytes now; may run in a thread. OSError: the disk."""
        return UNLIMITED if self._measure is None else self._measure()

    def note(self, free: int) -> bool:
        """Take a measurement into account; whether the directory is full now."""
        self.free = free
        room = free - self.floor if self.floor else UNLIMITED
        if self.full:
            # More than the floor, or the first batch would make it full again.
            enough = free - self.floor >= max(self.floor // 4, RESUME_BYTES_MIN)
            if not enough or self._now_ms() < self._held_until_ms:
                return True
            self.left = room
            self._set_full(False, "takes appends again")
        else:
            self.left = room
            if room <= 0:
                self._set_full(True, "takes no appends")
        return self.full

    def look_again(self, size: int) -> None:
        """`size` bytes are about to be appended, and were more than what was left.

        DiskFull when they are. OSError: the disk.
        """
        if not self.full:
            self.note(self.measure())
            self.left -= size
            if self.left >= 0:
                return
            self._set_full(True, "takes no appends")
        raise self.error()

    def refused(self) -> DiskFull:
        """The disk refused a write for want of space, whatever was measured: what to raise."""
        if self._measure is not None:
            with contextlib.suppress(OSError):
                self.free = self._measure()
            self._held_until_ms = self._now_ms() + HOLD_MS
            self._set_full(True, "refused a write and takes no appends")
        return self.error()

    def error(self) -> DiskFull:
        keeps = f"; ottla.log.min.free.bytes keeps {self.floor:,}" if self.floor else ""
        free = "" if self.free == UNLIMITED else f" ({self.free:,} bytes free{keeps})"
        return DiskFull(
            f"the disk is full: {self._path} takes no appends{free}. Make room on it, delete "
            "topics or shorten their retention; appends go on by themselves"
        )

    def _set_full(self, full: bool, what: str) -> None:
        if full:
            self.left = -1
        if full == self.full:
            return
        self.full = full
        level = logging.WARNING if full else logging.INFO
        _log.log(
            level,
            "log directory %s %s: %d bytes free, ottla.log.min.free.bytes is %d",
            self._path,
            what,
            self.free,
            self.floor,
        )

    def _now_ms(self) -> int:
        return 0 if self._clock is None else self._clock.now_ms()
