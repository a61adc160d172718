"""Reads for followers that would wait for the disk: in a few threads, never on the event loop.

What is in the page cache is read at once (network/transfer.py has the probe). A thread that reads a
cold slice also asks the kernel for what follows it: the next look-up walks batch headers there.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol

from broker.network.transfer import is_cached

if TYPE_CHECKING:
    from storage.slices import LogSlice

THREADS = 2
FOLLOWING_BYTES = 2 * 1024 * 1024

Done = Callable[[bytes | OSError], None]


class SliceReader(Protocol):
    """What a leader's session asks."""

    def is_cached(self, found: LogSlice) -> bool:
        """Whether it can be read without waiting for the disk."""
        ...

    def read(self, found: LogSlice, done: Done) -> None:
        """Read it in the background and call `done` on the loop, with the bytes or why not."""
        ...


class ColdReads:
    """SliceReader over a pool of THREADS, which start with the first cold read."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(THREADS, "catch-up")
        self._closed = False

    def is_cached(self, found: LogSlice) -> bool:
        try:
            return is_cached(found.fileno(), found.position + found.size - 1)
        except io.UnsupportedOperation:
            return True  # a file in memory
        except OSError:
            return False  # reading it meets the same error

    def read(self, found: LogSlice, done: Done) -> None:
        """After `close` nothing is read and nobody told: the streams are about to end."""
        if self._closed:
            return
        reading = asyncio.get_running_loop().run_in_executor(self._executor, _read, found)
        reading.add_done_callback(lambda read: None if read.cancelled() else done(read.result()))

    def close(self) -> None:
        self._closed = True
        self._executor.shutdown(wait=False, cancel_futures=True)


def _read(found: LogSlice) -> bytes | OSError:
    try:
        data = found.read()
    except OSError as error:
        return error
    with contextlib.suppress(OSError):  # advice that no reader depends on
        os.posix_fadvise(
            found.fileno(), found.position + found.size, FOLLOWING_BYTES, os.POSIX_FADV_WILLNEED
        )
    return data
