"""Small procedures that every user of a Vfs needs done right."""

from __future__ import annotations

import errno
import os

from storage.vfs.interface import Buffer, OpenMode, Vfs, VfsFile

_CHUNK_SIZE = 1 << 20


def write_all(file: VfsFile, data: Buffer) -> None:
    """Write all of `data` at the end of `file`, looping on short writes.

    On an OSError a part may have been written: the caller truncates to the previous end before
    anything else, and when that fails too, gives the directory up (SAFETY.md, rule 18).
    """
    taken = file.write(data)
    if taken == len(data):
        return
    rest = memoryview(data)
    while taken < len(data):
        count = file.write(rest[taken:])
        if count <= 0:
            raise OSError(errno.EIO, "a write took no bytes", file.path)
        taken += count


def read_file(vfs: Vfs, path: str) -> bytes:
    """The whole of a small file."""
    file = vfs.open(path, OpenMode.READ)
    try:
        parts = []
        position = 0
        while part := file.pread(_CHUNK_SIZE, position):
            parts.append(part)
            position += len(part)
        return b"".join(parts)
    finally:
        file.close()


def replace_file(vfs: Vfs, path: str, data: Buffer) -> None:
    """Give `path` a new content, durably: after a crash it holds the old one or the new one."""
    temporary = path + ".tmp"
    if vfs.exists(temporary):
        vfs.unlink(temporary)
    file = vfs.open(temporary, OpenMode.CREATE_NEW)
    try:
        write_all(file, data)
        file.fsync()
    finally:
        file.close()
    vfs.rename(temporary, path)
    vfs.fsync_dir(os.path.dirname(path))
