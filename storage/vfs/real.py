"""The machine's file system."""

from __future__ import annotations

import contextlib
import fcntl
import os
import resource
import shutil
import sys
import uuid

from storage.vfs.interface import Buffer, OpenMode

_FLAGS = {
    OpenMode.READ: os.O_RDONLY,
    OpenMode.WRITE: os.O_RDWR,
    OpenMode.CREATE: os.O_RDWR | os.O_CREAT,
    OpenMode.CREATE_NEW: os.O_RDWR | os.O_CREAT | os.O_EXCL,
}
_FULL_SYNC = getattr(fcntl, "F_FULLFSYNC", None)  # macOS: fsync alone leaves data in the drive
_sync_data = getattr(os, "fdatasync", os.fsync)
_pread = os.pread
_pwrite = os.pwrite


class OsFile:
    """A file descriptor and where its next write goes."""

    __slots__ = ("_descriptor", "_end", "path")

    def __init__(self, path: str, mode: OpenMode) -> None:
        self._descriptor = -1
        self.path = path
        self._descriptor = os.open(path, _FLAGS[mode] | os.O_CLOEXEC, 0o600)
        self._end = os.fstat(self._descriptor).st_size

    def __del__(self) -> None:
        # Readers in flight hold the file, not its descriptor's number: closing with the last
        # reference is what keeps a number from being reused under them.
        self.close()

    def fileno(self) -> int:
        return self._descriptor

    def pread(self, size: int, position: int) -> bytes:
        data = _pread(self._descriptor, size, position)
        if len(data) == size or not data:
            return data
        parts = [data]
        read = len(data)
        while read < size and (data := _pread(self._descriptor, size - read, position + read)):
            parts.append(data)
            read += len(data)
        return b"".join(parts)

    def write(self, data: Buffer) -> int:
        # Not O_APPEND: on Linux that would make every pwrite an append as well.
        taken = _pwrite(self._descriptor, data, self._end)
        self._end += taken
        return taken

    def pwrite(self, data: Buffer, position: int) -> int:
        taken = _pwrite(self._descriptor, data, position)
        if position + taken > self._end:
            self._end = position + taken
        return taken

    def truncate(self, size: int) -> None:
        os.ftruncate(self._descriptor, size)
        self._end = size

    def fsync(self) -> None:
        if _FULL_SYNC is not None:
            fcntl.fcntl(self._descriptor, _FULL_SYNC)
        else:
            # Enough: fdatasync leaves out only metadata that reading does not need.
            _sync_data(self._descriptor)

    def size(self) -> int:
        return os.fstat(self._descriptor).st_size

    def close(self) -> None:
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            os.close(descriptor)


class OsLock:
    """An flock, which the kernel drops when the process ends however it ends."""

    __slots__ = ("_descriptor",)

    def __init__(self, path: str) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BaseException:
            os.close(self._descriptor)
            raise

    def release(self) -> None:
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            os.close(descriptor)


class OsVfs:
    """See `storage.vfs.interface.Vfs`."""

    __slots__ = ()

    def open(self, path: str, mode: OpenMode) -> OsFile:
        return OsFile(path, mode)

    def exists(self, path: str) -> bool:
        return os.path.exists(path)

    def is_dir(self, path: str) -> bool:
        return os.path.isdir(path)

    def listdir(self, path: str) -> list[str]:
        return sorted(os.listdir(path))

    def mkdirs(self, path: str) -> None:
        missing = []
        while path and not os.path.isdir(path):
            missing.append(path)
            path = os.path.dirname(path)
        for folder in reversed(missing):  # makedirs() gives its mode to the last one only
            with contextlib.suppress(FileExistsError):
                os.mkdir(folder, 0o700)

    def rename(self, source: str, target: str) -> None:
        os.rename(source, target)

    def unlink(self, path: str) -> None:
        os.unlink(path)

    def rmtree(self, path: str) -> None:
        shutil.rmtree(path)

    def fsync_dir(self, path: str) -> None:
        descriptor = os.open(path or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def boot_id(self) -> str:
        try:
            with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
                return file.read().strip()
        except OSError:
            # Unknown: never the same twice, so that every crash counts as a power cut.
            return f"unknown-{uuid.uuid4()}"

    def mount_identity(self, path: str) -> str:
        """Device, file system type and an instance number.

        Device and mount id are both used again after an unmount. The folder that ext4, xfs, btrfs
        and f2fs keep in sysfs for a mounted device is new with every mount, and its inode number
        is handed out cyclically; it also stays the same across containers, as the page cache does.
        """
        device = os.stat(path).st_dev
        name = f"{os.major(device)}:{os.minor(device)}"
        found = _mount_of(path, name)
        if found is None:
            return f"{name}:unknown-{uuid.uuid4()}"
        mount_id, kind = found
        try:
            disk = os.path.basename(os.path.realpath(f"/sys/dev/block/{name}"))
            return f"{name}:{kind}:{os.stat(f'/sys/fs/{kind}/{disk}').st_ino}"
        except OSError:
            return f"{name}:{kind}:mount-{mount_id}"

    def free_bytes(self, path: str) -> int:
        found = os.statvfs(path)
        return found.f_bavail * found.f_frsize

    def total_bytes(self, path: str) -> int:
        found = os.statvfs(path)
        return found.f_blocks * found.f_frsize

    def files_max(self) -> int:
        limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        return sys.maxsize if limit == resource.RLIM_INFINITY else limit

    def lock(self, path: str) -> OsLock:
        return OsLock(path)

    def lock_held(self, path: str) -> bool | None:
        # Trying to lock would keep a broker that starts at this moment from its directory.
        try:
            found = os.stat(path)
        except FileNotFoundError:
            return False
        try:
            with open("/proc/locks", encoding="ascii") as file:
                lines = [line.split() for line in file]
        except OSError:
            return None
        device = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}"
        identity = f"{device}:{found.st_ino}"
        # A line: "1: FLOCK  ADVISORY  WRITE 1234 08:01:5678 0 EOF"
        return any("FLOCK" in fields and identity in fields for fields in lines)


def _mount_of(path: str, device: str) -> tuple[str, str] | None:
    """(mount id, file system type) of the deepest mount that holds `path`, from mountinfo.

    A line: "36 35 98:0 /root /mount/point options [optional fields] - type source options".
    """
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
            lines = file.read().splitlines()
    except OSError:
        return None
    real = os.path.realpath(path)
    best: tuple[int, str, str] | None = None
    for line in lines:
        fields = line.split(" ")
        point = fields[4].encode("latin-1", "replace").decode("unicode_escape", "replace")
        if real != point and not real.startswith(point.rstrip("/") + "/"):
            continue
        kind = fields[fields.index("-") + 1]
        if fields[2] != device and kind != "btrfs":  # btrfs gives each subvolume its own number
            continue
        if best is None or len(point) >= best[0]:
            best = (len(point), fields[0], kind)
    return None if best is None else (best[1], best[2])
