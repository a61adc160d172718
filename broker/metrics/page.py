"""`/metrics`: the page is made in slices, so that a scrape never holds the loop for long."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from broker.http.server import HttpAnswer, HttpRequest
from broker.metrics.durations import Durations
from broker.metrics.exposition import (
    OPEN_METRICS,
    PLAIN_TEXT,
    Family,
    counter,
    gauge,
    histogram,
    lines,
    negotiate,
)
from broker.metrics.process import ProcessReader

SLICE_NS: Final = 1_000_000
"""Of the loop's time; then everybody else has a turn."""

Collector = Callable[[], Iterable[Family | None]]
"""A None: whatever came before took its time, others may have a turn."""


class MetricsPage:
    """All collectors of a node. They run on the loop and may be generators; what they walk over
    has to bear changes between two samples."""

    def __init__(self) -> None:
        self._collectors: list[Collector] = []
        self._lock = asyncio.Lock()
        self._process = ProcessReader()
        self.loop_time = Durations()
        """What the slices of scrapes took of the loop."""
        self._longest_ns = 0
        self._cpu_ns = 0
        self._scrapes = 0

    def add(self, collector: Collector) -> None:
        self._collectors.append(collector)

    async def answer(self, request: HttpRequest) -> HttpAnswer:
        """The route; one page is made at a time, others wait for it."""
        open_metrics = negotiate(request.headers.get("accept"))
        async with self._lock:
            body = await self._page(open_metrics=open_metrics)
        return HttpAnswer(200, body, OPEN_METRICS if open_metrics else PLAIN_TEXT)

    async def _page(self, *, open_metrics: bool) -> bytes:
        self._scrapes += 1
        await asyncio.to_thread(self._process.read)
        made: list[str] = []
        longest_ns = 0
        began, cpu_began = time.perf_counter_ns(), time.thread_time_ns()
        for piece in lines(self._families(), open_metrics=open_metrics):
            made.append(piece)
            if time.perf_counter_ns() - began >= SLICE_NS:
                longest_ns = max(longest_ns, self._note_slice(began, cpu_began))
                await asyncio.sleep(0)
                began, cpu_began = time.perf_counter_ns(), time.thread_time_ns()
        body = "".join(made).encode()
        self._longest_ns = max(longest_ns, self._note_slice(began, cpu_began))
        return body

    def _note_slice(self, began_ns: int, cpu_began_ns: int) -> int:
        """How long it held the loop, in ns; on a machine that has other work, more than it used."""
        took_ns = time.perf_counter_ns() - began_ns
        self.loop_time.note(took_ns)
        self._cpu_ns += time.thread_time_ns() - cpu_began_ns
        return took_ns

    def _families(self) -> Iterator[Family | None]:
        for collector in self._collectors:
            yield from collector()
        yield from self._process.families()
        yield counter("ottla_metrics_scrapes", "Pages of metrics that were made.", self._scrapes)
        yield counter(
            "ottla_metrics_scrape_cpu_seconds", "CPU time that pages took.", self._cpu_ns / 1e9
        )
        yield histogram(
            "ottla_metrics_scrape_slice_seconds",
            "Time that one slice of a scrape held the event loop.",
            [("", self.loop_time)],
        )
        yield gauge(
            "ottla_metrics_scrape_slice_max_seconds",
            "The longest slice of the scrape before this one: so long everything else waited.",
            self._longest_ns / 1e9,
        )
