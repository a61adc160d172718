"""File systems of a test's own, to be filled and broken. Mounting needs root.

Mounts are made in a namespace of this process and its children: whatever ends them, the kernel
unmounts the file systems and frees the loop devices.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import functools
import os
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

MOUNT_OPTIONS = (
    "commit=5",  # ext4's default: content waits for half a minute, names and sizes for 5 s
    "commit=1,nodelalloc",  # every second everything is written
    "commit=1,nodelalloc,data=writeback",  # sizes may be there before the content
    "commit=1,data=journal",  # content goes through the journal
)
"""Different ways in which ext4 writes by itself what nobody has synced."""

_CLONE_NEWNS = 0x00020000
_SHUTDOWN = 0x8004587D  # FS_IOC_SHUTDOWN of ext4 and xfs
_NO_LOG_FLUSH = 2
_FILLER = "filler"


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")


@functools.cache
def _use_private_mounts() -> None:
    """From now on mounts of this thread and of processes started by it are seen by nobody else."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNS):  # os.unshare came with Python 3.12
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    _run("mount", "--make-rprivate", "/")


def _mount(*arguments: str) -> None:
    _use_private_mounts()
    _run("mount", *arguments)


class Tmpfs:
    """A small disk in memory."""

    def __init__(self, path: Path, megabytes: int) -> None:
        self.path = path
        self.megabytes = megabytes

    @contextlib.contextmanager
    def mounted(self) -> Iterator[Tmpfs]:
        self.path.mkdir(parents=True, exist_ok=True)
        options = f"size={self.megabytes}m,mode=700"
        _mount("-t", "tmpfs", "-o", options, "tmpfs", str(self.path))
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

    def take(self, megabytes: int) -> None:
        """Another program takes so much; OSError when there is less."""
        with open(self.path / _FILLER, "ab", buffering=0) as file:
            file.write(bytes(megabytes << 20))

    def clear(self) -> None:
        """The other program gives back what it took."""
        (self.path / _FILLER).unlink()


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
        self._mount(MOUNT_OPTIONS[0])
        try:
            yield self
        finally:
            _run("umount", "--lazy", str(self.path))

    def shut_down(self) -> None:
        """The disk is gone, and with it what was not synced, the file system's journal included.

        From now on everything but reads of cached pages gives EIO.
        """
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, _SHUTDOWN, struct.pack("I", _NO_LOG_FLUSH))
        finally:
            os.close(descriptor)

    def mount_again(self, options: str = MOUNT_OPTIONS[0]) -> None:
        """The disk is back. No process may still use it."""
        _run("umount", str(self.path))
        self._mount(options)

    def _mount(self, options: str) -> None:
        _mount("-o", f"loop,{options}", str(self._image), str(self.path))
