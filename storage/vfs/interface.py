"""What storage asks of a file system, and no more.

Paths are absolute or relative strings. Every failure is an `OSError` with the errno of the
operating system. Nothing is durable before `fsync` of the file *and* `fsync_dir` of the folder that
holds a new, renamed or removed name.
"""

from __future__ import annotations

from enum import Enum
from typing import Protocol, TypeAlias

Buffer: TypeAlias = bytes | bytearray | memoryview


class OpenMode(Enum):
    """How a file is opened; every mode but READ may write."""

    READ = "read"  # must exist
    WRITE = "write"  # must exist
    CREATE = "create"  # made when missing
    CREATE_NEW = "create new"  # must not exist


class VfsFile(Protocol):
    """An open file. It closes when the last reference to it goes, or by `close()`.

    One writer at a time; readers may be in other threads.
    """

    @property
    def path(self) -> str: ...

    def fileno(self) -> int:
        """The descriptor, for sendfile; `io.UnsupportedOperation` where there is none."""
        ...

    def pread(self, size: int, position: int) -> bytes:
        """`size` bytes from `position`; fewer only where the file ends."""
        ...

    def write(self, data: Buffer) -> int:
        """Write at the end of the file; how many bytes were taken, which may be too few."""
        ...

    def pwrite(self, data: Buffer, position: int) -> int:
        """Write at `position`; how many bytes were taken, which may be too few."""
        ...

    def truncate(self, size: int) -> None:
        """Cut the file to `size` bytes, or extend it with zeros."""
        ...

    def fsync(self) -> None:
        """Make the content and the size durable. A failure must never be tried again: the kernel
        may have dropped the dirty pages, and a second call would then falsely succeed."""
        ...

    def size(self) -> int: ...

    def close(self) -> None:
        """Close the descriptor; again is harmless."""
        ...


class VfsLock(Protocol):
    """A lock that the process holds until `release()` or its end."""

    def release(self) -> None: ...


class Vfs(Protocol):
    """A file system."""

    def open(self, path: str, mode: OpenMode) -> VfsFile:
        """Open a file; a new one gets permission 0600."""
        ...

    def exists(self, path: str) -> bool: ...

    def is_dir(self, path: str) -> bool: ...

    def listdir(self, path: str) -> list[str]:
        """The names in a folder, sorted."""
        ...

    def mkdirs(self, path: str) -> None:
        """Make a folder and its parents with permission 0700, unless it exists."""
        ...

    def rename(self, source: str, target: str) -> None:
        """Rename a file or folder within one file system; a file at `target` is replaced."""
        ...

    def unlink(self, path: str) -> None: ...

    def rmtree(self, path: str) -> None:
        """Remove a folder and everything in it."""
        ...

    def fsync_dir(self, path: str) -> None:
        """Make the names in a folder durable."""
        ...

    def boot_id(self) -> str:
        """Different after every start of the machine."""
        ...

    def mount_identity(self, path: str) -> str:
        """Different whenever the file system of `path` was mounted anew: while boot id and mount
        identity stay, so does everything that was written, synced or not."""
        ...

    def free_bytes(self, path: str) -> int:
        """How much this process may still write to the file system of `path`."""
        ...

    def total_bytes(self, path: str) -> int:
        """The size of the file system of `path`."""
        ...

    def files_max(self) -> int:
        """How many files this process may have open."""
        ...

    def lock(self, path: str) -> VfsLock:
        """Take the exclusive lock of a file, made when missing; BlockingIOError if it is held."""
        ...

    def lock_held(self, path: str) -> bool | None:
        """Whether a process holds that lock, found out without taking it; None: not known here."""
        ...
