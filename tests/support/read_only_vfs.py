"""A Vfs through which nothing can be changed: what only reads must work with it."""

from __future__ import annotations

from typing import Any

from storage.vfs import MemoryVfs, OpenMode
from storage.vfs.memory import MemoryFile

_CHANGING = ("lock", "mkdirs", "rename", "unlink", "rmtree", "fsync_dir")


class ReadOnlyVfs(MemoryVfs):
    """Shows another one's content; PermissionError for everything that would change it."""

    def __init__(self, vfs: MemoryVfs) -> None:
        self.__dict__ = vfs.__dict__

    def __getattribute__(self, name: str) -> Any:
        if name in _CHANGING:
            raise PermissionError(f"{name} on a file system that is read-only")
        return super().__getattribute__(name)

    def open(self, path: str, mode: OpenMode) -> MemoryFile:
        if mode is not OpenMode.READ:
            raise PermissionError(f"opening {path} to {mode.value}")
        return super().open(path, mode)
