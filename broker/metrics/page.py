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
    histogram,
    lines,
    negotiate,
)
from broker.metrics.process import ProcessReader

SLICE_NS: Final = 2_000_000
"""Of the loop's time; then everybody else has a turn."""
LINES_PER_LOOK: Final = 50

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
        """What the scrapes took of the loop; of one slice each, the longest is what may stall."""
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
        began = time.perf_counter_ns()
        for number, line in enumerate(lines(self._families(), open_metrics=open_metrics), 1):
            made.append(line)
            is_look = not line or number % LINES_PER_LOOK == 0
            if is_look and time.perf_counter_ns() - began >= SLICE_NS:
                self.loop_time.note(time.perf_counter_ns() - began)
                await asyncio.sleep(0)
                began = time.perf_counter_ns()
        body = "".join(made).encode()
        self.loop_time.note(time.perf_counter_ns() - began)
        return body

    def _families(self) -> Iterator[Family | None]:
        for collector in self._collectors:
            yield from collector()
        yield from self._process.families()
        yield counter("ottla_metrics_scrapes", "Pages of metrics that were made.", self._scrapes)
        yield histogram(
            "ottla_metrics_scrape_slice_seconds",
            "Time that one slice of a scrape held the event loop.",
            [("", self.loop_time)],
        )
