"""The process itself, under the names that Prometheus' own clients use."""

from __future__ import annotations

import gc
import os
import resource
import time
from collections.abc import Iterator
from typing import Final

from broker.metrics.exposition import Family, counter, gauge, labels

_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")


class ProcessReader:
    """`read` asks the system and runs in a thread; a system without /proc tells less."""

    def __init__(self) -> None:
        self._cpu_seconds = 0.0
        self._resident_bytes: int | None = None
        self._open_files: int | None = None
        self._open_files_max = 0
        self._started = time.time()

    def read(self) -> None:
        usage = resource.getrusage(resource.RUSAGE_SELF)
        self._cpu_seconds = usage.ru_utime + usage.ru_stime
        self._open_files_max = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        try:
            with open("/proc/self/statm", encoding="ascii") as file:
                self._resident_bytes = int(file.read().split()[1]) * _PAGE_BYTES
            self._open_files = len(os.listdir("/proc/self/fd")) - 1  # the listing's own
        except OSError:
            return

    def families(self) -> Iterator[Family]:
        yield counter("process_cpu_seconds", "User and system CPU time.", self._cpu_seconds)
        if self._resident_bytes is not None:
            yield gauge("process_resident_memory_bytes", "Resident memory.", self._resident_bytes)
        if self._open_files is not None:
            yield gauge("process_open_fds", "Open file descriptors.", self._open_files)
        yield gauge("process_max_fds", "The most that may be open.", self._open_files_max)
        yield gauge(
            "process_start_time_seconds", "When the process began, since 1970.", self._started
        )
        stats = list(enumerate(gc.get_stats()))
        yield counter(
            "python_gc_collections",
            "Runs of the garbage collector.",
            [(labels(generation=number), stat["collections"]) for number, stat in stats],
        )
        yield counter(
            "python_gc_objects_collected",
            "Objects in cycles that it freed.",
            [(labels(generation=number), stat["collected"]) for number, stat in stats],
        )
