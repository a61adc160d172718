"""File systems of a test's own, to be filled and broken. Mounting needs root."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

_SHUTDOWN = 0x8004587D  # FS_IOC_SHUTDOWN of ext4 and xfs
_NO_LOG_FLUSH = 2
_FILLER = "filler"


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")


class Tmpfs:
    """A small disk in memory."""

    def __init__(self, path: Path, megabytes: int) -> None:
        self.path = path
        self.megabytes = megabytes

    @contextlib.contextmanager
    def mounted(self) -> Iterator[Tmpfs]:
        self.path.mkdir(parents=True, exist_ok=True)
        options = f"size={self.megabytes}m,mode=700"
        _run("mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self.path))
        try:
            yield self
        finally:
            _run("umount", "--lazy", str(self.path))

    def grow(self, megabytes: int) -> None:
        """Make it so much larger, while it is in use."""
        self.megabytes += megabytes
        _run("mount", "-o", f"remount,size={self.megabytes}m", str(self.path))

    def fill(self) -> None:
        """Another program takes every byte that is left."""
        block = bytes(4096)
        with open(self.path / _FILLER, "ab", buffering=0) as file:
            try:
                while True:
                    file.write(block)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise


class Ext4:
    """A file system in a file; what is mounted can be cut off from it."""

    def __init__(self, path: Path, megabytes: int) -> None:
        self.path = path
        self._image = path.with_name(path.name + ".img")
        self._megabytes = megabytes

    @contextlib.contextmanager
    def mounted(self) -> Iterator[Ext4]:
        self.path.mkdir(parents=True, exist_ok=True)
        with open(self._image, "wb") as file:
            file.truncate(self._megabytes << 20)
        _run("mkfs.ext4", "-q", "-F", str(self._image))
        _run("mount", "-o", "loop", str(self._image), str(self.path))
        try:
            yield self
        finally:
            _run("umount", "--lazy", str(self.path))

    def shut_down(self) -> None:
        """The disk is gone: from now on everything but reads of cached pages gives EIO."""
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, _SHUTDOWN, struct.pack("I", _NO_LOG_FLUSH))
        finally:
            os.close(descriptor)
