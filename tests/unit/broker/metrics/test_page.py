from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from broker.http.server import HttpRequest
from broker.metrics import page
from broker.metrics.exposition import LINES_PER_PIECE, Family, gauge
from broker.metrics.page import MetricsPage


def many() -> Iterator[Family | None]:
    yield None
    yield gauge("many", "Many.", ((f'n="{number}"', number) for number in range(1_000)))


def run_turns(made: MetricsPage) -> int:
    """Turns that others had while a page was made."""

    async def count() -> int:
        task = asyncio.ensure_future(made.answer(HttpRequest("GET", "/metrics")))
        turns = 0
        while not task.done():
            await asyncio.sleep(0)
            turns += made.loop_time.count > 0
        names = [f.name for f in text_string_to_metric_families(task.result().body.decode())]
        assert "many" in names
        assert "process_cpu_seconds" in names
        return turns

    return asyncio.run(count())


def test_a_page_is_made_in_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "SLICE_NS", 0)
    made = MetricsPage()
    made.add(many)
    assert run_turns(made) >= 1_000 // LINES_PER_PIECE
    assert made.loop_time.count > 1_000 // LINES_PER_PIECE


def test_what_takes_little_is_one_slice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "SLICE_NS", 10**12)
    made = MetricsPage()
    made.add(many)
    run_turns(made)
    assert made.loop_time.count == 1


def test_a_page_tells_the_longest_slice_of_the_one_before() -> None:
    def slow() -> Iterator[Family | None]:
        yield None
        time.sleep(0.02)
        yield gauge("slow", "Slow.", 1)

    async def pages() -> list[dict[str, float]]:
        made = MetricsPage()
        made.add(slow)
        bodies = [(await made.answer(HttpRequest("GET", "/metrics"))).body for _ in range(2)]
        return [
            {
                sample.name: sample.value
                for family in text_string_to_metric_families(body.decode())
                for sample in family.samples
            }
            for body in bodies
        ]

    first, second = asyncio.run(pages())
    assert first["ottla_metrics_scrape_slice_max_seconds"] == 0
    assert 0.02 <= second["ottla_metrics_scrape_slice_max_seconds"] < 2
    assert 0 < second["ottla_metrics_scrape_cpu_seconds_total"] < 0.02  # it slept


def test_the_content_type_is_that_of_the_format() -> None:
    async def types() -> list[str]:
        made = MetricsPage()
        return [
            (await made.answer(HttpRequest("GET", "/metrics", {"accept": accept}))).content_type
            for accept in ("*/*", "application/openmetrics-text")
        ]

    plain, openmetrics = asyncio.run(types())
    assert plain.startswith("text/plain; version=0.0.4")
    assert openmetrics.startswith("application/openmetrics-text; version=1.0.0")
