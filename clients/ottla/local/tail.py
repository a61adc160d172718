"""The last lines of log files, and what is added to them, across their rotation."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

_POLL_SECONDS = 0.2


class Follower:
    """The last lines of one file, then what is added to it; a rotated file is read to its end.

    Both come from one handle: what is logged between the two is neither left out nor said twice.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: BinaryIO | None = None
        self._rest = b""
        self._open()

    def last_lines(self, count: int) -> list[str]:
        """The last `count` whole lines not read yet; what is before them is passed over."""
        if self._file is None:
            return []
        last: deque[bytes] = deque(maxlen=count)
        for line in self._file:
            if line.endswith(b"\n"):
                last.append(line)
            else:
                self._rest = line
        return [line.rstrip(b"\n").decode("utf-8", "replace") for line in last]

    def read_lines(self) -> list[str]:
        """Whole lines that were added since the last call."""
        lines = self._take()
        if self._is_rotated():
            lines += self._take()  # what came between reading and rotation
            self._open()
            lines += self._take()
        return lines

    def _open(self) -> None:
        if self._file is not None:
            self._file.close()
        try:
            self._file = self.path.open("rb")
        except FileNotFoundError:
            self._file = None

    def _is_rotated(self) -> bool:
        try:
            now = self.path.stat()
        except FileNotFoundError:
            return False
        if self._file is None:
            return True
        opened = os.fstat(self._file.fileno())
        return (opened.st_dev, opened.st_ino) != (now.st_dev, now.st_ino)

    def _take(self) -> list[str]:
        if self._file is None:
            return []
        *whole, self._rest = (self._rest + self._file.read()).split(b"\n")
        return [line.decode("utf-8", "replace") for line in whole]


def follow_files(followers: Sequence[Follower]) -> Iterator[tuple[Path, str]]:
    """Lines as they are added, for ever."""
    while True:
        for follower in followers:
            for line in follower.read_lines():
                yield follower.path, line
        time.sleep(_POLL_SECONDS)
