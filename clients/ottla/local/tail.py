"""The last lines of log files, and what is added to them, across their rotation."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

_POLL_SECONDS = 0.2


def last_lines(path: Path, count: int) -> list[str]:
    """The last `count` lines; none when the file is not there yet."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return [line.rstrip("\n") for line in deque(file, maxlen=count)]
    except FileNotFoundError:
        return []


class Follower:
    """What is added to one file after the moment of making; a rotated file is read to its end."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: BinaryIO | None = None
        self._rest = b""
        self._open()
        if self._file is not None:
            self._file.seek(0, os.SEEK_END)

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


def follow_files(paths: Sequence[Path]) -> Iterator[tuple[Path, str]]:
    """Lines as they are added, for ever."""
    followers = [Follower(path) for path in paths]
    while True:
        for follower in followers:
            for line in follower.read_lines():
                yield follower.path, line
        time.sleep(_POLL_SECONDS)
