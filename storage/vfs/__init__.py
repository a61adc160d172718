"""The only door to the disk: a tiny file system with a real and an in-memory implementation.

`OsVfs` is the machine's file system; `MemoryVfs` is its twin for tests, which loses what was not
synced, tears writes and fails on command. Logs, indexes, marks and the Raft journal go through
here; LMDB alone does its own input and output (see storage/README.md).
"""

from storage.vfs.interface import Buffer, OpenMode, Vfs, VfsFile, VfsLock
from storage.vfs.memory import MemoryVfs, SimulatedCrash
from storage.vfs.real import OsVfs
from storage.vfs.tools import read_file, replace_file, write_all

__all__ = [
    "Buffer",
    "MemoryVfs",
    "OpenMode",
    "OsVfs",
    "SimulatedCrash",
    "Vfs",
    "VfsFile",
    "VfsLock",
    "read_file",
    "replace_file",
    "write_all",
]
