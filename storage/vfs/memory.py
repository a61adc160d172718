"""A file system in memory that behaves as badly as a disk may.

What it models:

- A file has its present content (the page cache) and a durable one. `fsync` makes them equal; a
  failed `fsync` drops the waiting writes, as Linux does: a later success would not bring them back.
- A folder has present and durable names; name changes wait in order for `fsync_dir`.
- `power_cut()` leaves of every folder the durable names plus a prefix of the waiting changes, and
  of every file the durable content plus, by chance: nothing; a prefix of the waiting changes, the
  last write torn; or the full size with some sectors never written (zeros, or what was there
  before) and truncations lost.
- `process_crash()` loses nothing that was written.
- After either, open files are dead and locks are free.
- Faults: `fail()` makes operations raise, `shorten_writes()` makes writes short, `capacity` makes
  the disk full, `crash_after()` raises `SimulatedCrash` in the middle of whatever happens.
"""

from __future__ import annotations

import errno
import io
import os
import random
import threading
from dataclasses import dataclass, field
from typing import TypeAlias

from storage.vfs.interface import Buffer, OpenMode

_SECTOR_SIZE = 64  # smaller than a disk's, so that small tests tear as large files do


class SimulatedCrash(BaseException):
    """The machine or the process ended here: nothing but the test may catch it."""


@dataclass(slots=True)
class _Change:
    """A write of `data` at `position`, or (data is None) a truncation to `position`."""

    position: int
    data: bytes | None

    def apply(self, content: bytearray) -> None:
        if self.data is None:
            _resize(content, self.position)
            return
        if len(content) < self.position:
            _resize(content, self.position)
        content[self.position : self.position + len(self.data)] = self.data


@dataclass(slots=True)
class _Inode:
    content: bytearray = field(default_factory=bytearray)
    durable: bytearray = field(default_factory=bytearray)
    waiting: list[_Change] = field(default_factory=list)

    def change(self, change: _Change) -> None:
        change.apply(self.content)
        self.waiting.append(change)

    def sync(self) -> None:
        for change in self.waiting:
            change.apply(self.durable)
        self.waiting.clear()

    def lose_writes(self) -> None:
        self.waiting = [change for change in self.waiting if change.data is None]

    def power_cut(self, chance: random.Random) -> None:
        content = self.durable
        fate = chance.choice(("nothing", "prefix", "sectors"))
        if fate == "prefix" and self.waiting:
            count = chance.randrange(len(self.waiting) + 1)
            for change in self.waiting[:count]:
                change.apply(content)
            if count < len(self.waiting):
                _apply_torn(self.waiting[count], content, chance)
        elif fate == "sectors":
            _some_sectors(self.waiting, content, chance)
        self.content, self.durable = content, bytearray(content)
        self.waiting.clear()


@dataclass(slots=True)
class _Folder:
    names: dict[str, _Node] = field(default_factory=dict)
    durable: dict[str, _Node] = field(default_factory=dict)
    waiting: list[dict[str, _Node | None]] = field(default_factory=list)

    def change(self, changes: dict[str, _Node | None]) -> None:
        _apply_names(self.names, changes)
        self.waiting.append(changes)

    def sync(self) -> None:
        for changes in self.waiting:
            _apply_names(self.durable, changes)
        self.waiting.clear()

    def power_cut(self, chance: random.Random) -> None:
        for changes in self.waiting[: chance.randrange(len(self.waiting) + 1)]:
            _apply_names(self.durable, changes)
        self.waiting.clear()
        self.names = dict(self.durable)
        for name in sorted(self.names):
            self.names[name].power_cut(chance)


_Node: TypeAlias = _Inode | _Folder


@dataclass(slots=True)
class _Fault:
    operation: str
    error: int
    path_part: str
    left: int


class MemoryFile:
    """See `storage.vfs.interface.VfsFile`."""

    __slots__ = ("_incarnation", "_inode", "_open", "_vfs", "_writable", "path")

    def __init__(self, vfs: MemoryVfs, path: str, inode: _Inode, writable: bool) -> None:
        self._vfs = vfs
        self._inode = inode
        self._writable = writable
        self._incarnation = vfs.incarnation
        self._open = True
        self.path = path

    def fileno(self) -> int:
        raise io.UnsupportedOperation("a file in memory has no descriptor")

    def pread(self, size: int, position: int) -> bytes:
        with self._vfs.guard("pread", self.path):
            self._check_open()
            return bytes(self._inode.content[position : position + size])

    def write(self, data: Buffer) -> int:
        return self.pwrite(data, len(self._inode.content))

    def pwrite(self, data: Buffer, position: int) -> int:
        self._check_open(writing=True)
        content = bytes(data)
        growth = position + len(content) - len(self._inode.content)
        with self._vfs.guard("write", self.path) as guard:
            taken = guard.bytes_taken(len(content), growth)
            if taken or not content:
                self._inode.change(_Change(position, content[:taken]))
            guard.crash_if_due()
            return taken

    def truncate(self, size: int) -> None:
        with self._vfs.guard("truncate", self.path) as guard:
            self._check_open(writing=True)
            guard.crash_if_due()
            self._inode.change(_Change(size, None))

    def fsync(self) -> None:
        try:
            with self._vfs.guard("fsync", self.path) as guard:
                self._check_open()
                guard.crash_if_due()
                self._inode.sync()
        except OSError:
            self._inode.lose_writes()
            raise

    def size(self) -> int:
        self._check_open()
        return len(self._inode.content)

    def close(self) -> None:
        self._open = False

    def _check_open(self, *, writing: bool = False) -> None:
        dead = not self._open or self._incarnation != self._vfs.incarnation
        if dead or (writing and not self._writable):
            raise OSError(errno.EBADF, os.strerror(errno.EBADF), self.path)


class MemoryLock:
    __slots__ = ("_path", "_vfs")

    def __init__(self, vfs: MemoryVfs, path: str) -> None:
        self._vfs = vfs
        self._path = path

    def release(self) -> None:
        self._vfs.locks.discard(self._path)


class _Guard:
    """One operation: under the lock, with the faults that are due."""

    __slots__ = ("_due", "_vfs")

    def __init__(self, vfs: MemoryVfs, due: bool) -> None:
        self._vfs = vfs
        self._due = due

    def __enter__(self) -> _Guard:
        return self

    def __exit__(self, *_: object) -> None:
        self._vfs.mutex.release()

    def bytes_taken(self, size: int, growth: int) -> int:
        taken = size
        if self._vfs.capacity is not None and growth > 0:
            free = self._vfs.free_bytes("/")
            if free <= 0 < size:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            taken = min(size, size - growth + free) if growth > free else size
        if self._vfs.short_write_sizes and size:
            taken = min(taken, self._vfs.short_write_sizes.pop(0))
        if self._due and size:
            taken = self._vfs.random.randrange(size + 1)
        return taken

    def crash_if_due(self) -> None:
        if self._due:
            raise SimulatedCrash


class MemoryVfs:
    """See `storage.vfs.interface.Vfs`; `seed` decides what a power cut leaves."""

    def __init__(self, seed: int = 0, capacity: int | None = None) -> None:
        self.random = random.Random(seed)
        self.capacity = capacity
        self.files_limit = 1 << 20
        self.incarnation = 0
        self.locks: set[str] = set()
        self.mutex = threading.RLock()
        self.short_write_sizes: list[int] = []
        self._root = _Folder()
        self._faults: list[_Fault] = []
        self._boots = 0
        self._crash_countdown: int | None = None

    # Faults

    def fail(self, operation: str, error: int, *, path: str = "", times: int = 1) -> None:
        """Let the next `times` calls of `operation` on paths that contain `path` raise `error`.

        `operation` is a method's name ("write" stands for pwrite too), or "any".
        """
        self._faults.append(_Fault(operation, error, path, times))

    def heal(self) -> None:
        """Forget all faults that have not happened yet."""
        self._faults.clear()
        self.short_write_sizes.clear()
        self._crash_countdown = None

    def shorten_writes(self, *sizes: int) -> None:
        """Let the next writes take at most that many bytes each."""
        self.short_write_sizes.extend(sizes)

    def crash_after(self, operations: int) -> None:
        """Raise SimulatedCrash in the change after that many more; a write is torn by it."""
        self._crash_countdown = operations

    def process_crash(self) -> None:
        """The process is killed: open files and locks go, everything written stays."""
        self.heal()
        self.incarnation += 1
        self.locks.clear()

    def power_cut(self) -> None:
        """The machine loses power and starts again."""
        self.process_crash()
        self._boots += 1
        self._root.power_cut(self.random)

    def used_bytes(self) -> int:
        """Bytes in all files."""
        return _used(self._root)

    # Vfs

    def open(self, path: str, mode: OpenMode) -> MemoryFile:
        with self.guard("open", path) as guard:
            folder, name = self._parent(path)
            node = folder.names.get(name)
            if isinstance(node, _Folder):
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
            if node is None:
                if mode in (OpenMode.READ, OpenMode.WRITE):
                    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
                guard.crash_if_due()
                node = _Inode()
                folder.change({name: node})
            elif mode is OpenMode.CREATE_NEW:
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path)
            return MemoryFile(self, path, node, mode is not OpenMode.READ)

    def exists(self, path: str) -> bool:
        return self._find(path) is not None

    def is_dir(self, path: str) -> bool:
        return isinstance(self._find(path), _Folder)

    def listdir(self, path: str) -> list[str]:
        with self.guard("listdir", path):
            return sorted(self._folder(path).names)

    def mkdirs(self, path: str) -> None:
        with self.guard("mkdirs", path) as guard:
            folder = self._root
            for part in _parts(path):
                node = folder.names.get(part)
                if node is None:
                    guard.crash_if_due()
                    node = _Folder()
                    folder.change({part: node})
                if not isinstance(node, _Folder):
                    raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
                folder = node

    def rename(self, source: str, target: str) -> None:
        with self.guard("rename", source) as guard:
            guard.crash_if_due()
            folder, name = self._parent(source)
            if (node := folder.names.get(name)) is None:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), source)
            other, new_name = self._parent(target)
            old = other.names.get(new_name)
            if isinstance(old, _Folder) and old.names:
                raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY), target)
            if other is folder:
                folder.change({name: None, new_name: node})
            else:
                other.change({new_name: node})
                folder.change({name: None})

    def unlink(self, path: str) -> None:
        with self.guard("unlink", path) as guard:
            guard.crash_if_due()
            folder, name = self._parent(path)
            if not isinstance(folder.names.get(name), _Inode):
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
            folder.change({name: None})

    def rmtree(self, path: str) -> None:
        with self.guard("rmtree", path) as guard:
            guard.crash_if_due()
            self._folder(path)
            folder, name = self._parent(path)
            folder.change({name: None})

    def fsync_dir(self, path: str) -> None:
        with self.guard("fsync_dir", path) as guard:
            guard.crash_if_due()
            self._folder(path).sync()

    def boot_id(self) -> str:
        return f"boot-{self._boots}"

    def mount_identity(self, path: str) -> str:
        return "memory"

    def free_bytes(self, path: str) -> int:
        return 1 << 40 if self.capacity is None else self.capacity - self.used_bytes()

    def total_bytes(self, path: str) -> int:
        return 1 << 40 if self.capacity is None else self.capacity

    def files_max(self) -> int:
        return self.files_limit

    def lock(self, path: str) -> MemoryLock:
        self.open(path, OpenMode.CREATE)
        if path in self.locks:
            raise BlockingIOError(errno.EWOULDBLOCK, "locked by another process", path)
        self.locks.add(path)
        return MemoryLock(self, path)

    def lock_held(self, path: str) -> bool | None:
        return path in self.locks

    # Inside

    def guard(self, operation: str, path: str) -> _Guard:
        """Enter one operation: raises the fault that is due, counts towards a crash."""
        self.mutex.acquire()
        try:
            for fault in self._faults:
                if fault.operation in (operation, "any") and fault.path_part in path:
                    fault.left -= 1
                    if not fault.left:
                        self._faults.remove(fault)
                    raise OSError(fault.error, os.strerror(fault.error), path)
            due = False
            if self._crash_countdown is not None and operation not in ("pread", "listdir"):
                due = self._crash_countdown <= 0
                self._crash_countdown -= 1
        except BaseException:
            self.mutex.release()
            raise
        return _Guard(self, due)

    def _find(self, path: str) -> _Node | None:
        node: _Node | None = self._root
        for part in _parts(path):
            if not isinstance(node, _Folder):
                return None
            node = node.names.get(part)
        return node

    def _folder(self, path: str) -> _Folder:
        node = self._find(path)
        if node is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        if not isinstance(node, _Folder):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
        return node

    def _parent(self, path: str) -> tuple[_Folder, str]:
        *parents, name = _parts(path)
        return self._folder("/".join(parents)), name


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part]


def _resize(content: bytearray, size: int) -> None:
    if len(content) > size:
        del content[size:]
    else:
        content.extend(bytes(size - len(content)))


def _apply_names(names: dict[str, _Node], changes: dict[str, _Node | None]) -> None:
    for name, node in changes.items():
        if node is None:
            names.pop(name, None)
        else:
            names[name] = node


def _apply_torn(change: _Change, content: bytearray, chance: random.Random) -> None:
    if change.data:
        part = change.data[: chance.randrange(len(change.data))]
        _Change(change.position, part).apply(content)


def _some_sectors(waiting: list[_Change], content: bytearray, chance: random.Random) -> None:
    """Let `content` get the final size of `waiting`, but only some of its sectors.

    A truncation may get lost as well: what it cut off is then there again, under new sectors.
    """
    odds = chance.choice((0.0, 0.5, 0.9))
    for change in waiting:
        if change.data is None:
            if chance.random() < odds:
                change.apply(content)
            continue
        end = change.position + len(change.data)
        if len(content) < end:
            _resize(content, end)
        start = change.position
        while start < end:
            stop = min(end, (start // _SECTOR_SIZE + 1) * _SECTOR_SIZE)
            if chance.random() < odds:
                part = change.data[start - change.position : stop - change.position]
                content[start:stop] = part
            start = stop


def _used(folder: _Folder) -> int:
    return sum(
        len(node.content) if isinstance(node, _Inode) else _used(node)
        for node in folder.names.values()
    )
