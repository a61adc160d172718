from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from broker.replication import cold_reads
from broker.replication.cold_reads import ColdReads
from storage.slices import LogSlice
from storage.vfs import MemoryVfs, OsVfs
from storage.vfs.interface import OpenMode, Vfs, VfsFile


def file_of(vfs: Vfs, path: str) -> VfsFile:
    file = vfs.open(path, OpenMode.CREATE)
    file.write(b"0123456789")
    return file


async def read(reads: ColdReads, found: LogSlice) -> bytes | OSError:
    future: asyncio.Future[bytes | OSError] = asyncio.get_running_loop().create_future()
    reads.read(found, future.set_result)
    async with asyncio.timeout(10):
        return await future


def test_reads_in_a_thread_and_answers_on_the_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[threading.Thread] = []
    plain = cold_reads._read

    def watched(found: LogSlice) -> bytes | OSError:
        threads.append(threading.current_thread())
        return plain(found)

    monkeypatch.setattr(cold_reads, "_read", watched)
    file = file_of(OsVfs(), str(tmp_path / "file"))

    async def story() -> None:
        reads = ColdReads()
        found = LogSlice(file, 2, 5, 0, 1)
        assert reads.is_cached(found)  # just written
        assert await read(reads, found) == b"23456"
        reads.close()

    asyncio.run(story())
    assert threads != [threading.main_thread()]
    assert len(threads) == 1


def test_an_error_of_the_disk_is_answered(tmp_path: Path) -> None:
    file = file_of(OsVfs(), str(tmp_path / "file"))
    file.close()

    async def story() -> None:
        reads = ColdReads()
        found = LogSlice(file, 0, 5, 0, 1)
        assert not reads.is_cached(found)
        assert isinstance(await read(reads, found), OSError)
        reads.close()

    asyncio.run(story())


def test_a_file_in_memory_needs_no_thread() -> None:
    vfs = MemoryVfs()
    vfs.mkdirs("/logs")
    assert ColdReads().is_cached(LogSlice(file_of(vfs, "/logs/file"), 0, 5, 0, 1))
