"""Compared with prometheus_client, whose parsers read what we write."""

from __future__ import annotations

import itertools

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as plain_text

from broker.metrics.durations import Durations
from broker.metrics.exposition import (
    LINES_PER_PIECE,
    Family,
    counter,
    gauge,
    histogram,
    labels,
    lines,
    negotiate,
)


def families() -> list[Family]:
    durations = Durations()
    for nanoseconds in (0, 200_000, 2**20 - 1, 2**20, 10**12):
        durations.note(nanoseconds)
    return [
        gauge("a_bytes", "An a.", [(labels(name='x"\\\n', other=1), 2), (labels(name="y"), 0.5)]),
        counter("b", "A b.", 7),
        histogram("c_seconds", "A c.", [(labels(api="Fetch"), durations), ("", Durations())]),
        gauge("d", "A d without series.", []),
    ]


@pytest.mark.parametrize("is_open_metrics", [False, True])
def test_the_parsers_of_prometheus_read_it(is_open_metrics: bool) -> None:
    text = "".join(lines(families(), open_metrics=is_open_metrics))
    parse = open_metrics if is_open_metrics else plain_text
    found = {family.name: family for family in parse(text)}
    values = {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in found.values()
        for sample in family.samples
    }
    assert values["a_bytes", ("name", 'x"\\\n'), ("other", "1")] == 2
    assert values["a_bytes", ("name", "y")] == 0.5
    assert values["b_total",] == 7
    assert values["c_seconds_count", ("api", "Fetch")] == 5
    assert values["c_seconds_sum", ("api", "Fetch")] == pytest.approx(1000.0023, abs=1e-4)
    assert found["c_seconds"].type == "histogram"
    assert found["a_bytes"].unit == ("bytes" if is_open_metrics else "")


def test_a_bucket_holds_what_is_below_its_bound() -> None:
    text = "".join(lines(families(), open_metrics=False))
    buckets = {
        sample.labels["le"]: sample.value
        for family in plain_text(text)
        for sample in family.samples
        if sample.name == "c_seconds_bucket" and sample.labels.get("api") == "Fetch"
    }
    assert list(buckets.items())[:3] == [("0.000262144", 2), ("0.001048576", 3), ("0.004194304", 4)]
    assert buckets["17.179869184"] == 4
    assert buckets["+Inf"] == 5
    assert all(low <= high for low, high in itertools.pairwise(buckets.values()))


def test_a_place_to_pause_is_an_empty_item() -> None:
    made = list(lines([None, gauge("a", "An a.", 1)], open_metrics=False))
    assert made == ["", "# HELP a An a.\n# TYPE a gauge\n", "a 1\n"]


def test_a_piece_has_few_lines() -> None:
    samples = [(f'n="{number}"', number) for number in range(3 * LINES_PER_PIECE + 1)]
    made = list(lines([gauge("a", "An a.", samples)], open_metrics=True))
    assert [piece.count("\n") for piece in made[1:-1]] == [LINES_PER_PIECE] * 3 + [1]
    assert "".join(made).count("\na{") == len(samples)


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, False),
        ("", False),
        ("*/*", False),
        ("text/html,text/plain;q=0.9", False),
        ("application/openmetrics-text", True),
        ("application/openmetrics-text; version=2.0.0", False),
        ("application/openmetrics-text;q=0", False),
        ("application/openmetrics-text;q=0.3,text/plain;q=0.5", False),
        ("text/plain;q=x, application/openmetrics-text;q=0.1", True),
        # What Prometheus 2.42 sends.
        (
            "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;"
            "q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            True,
        ),
    ],
)
def test_the_format_is_negotiated(accept: str | None, expected: bool) -> None:
    assert negotiate(accept) is expected
