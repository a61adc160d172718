"""The plots of RESULTS.md, as SVG by matplotlib. The same results give the same bytes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tests.benchmark.compare import statistics
from tests.benchmark.compare.latency import DEFAULT_LINGER_MS, POINTS
from tests.benchmark.compare.produce import AIMS, MATRIX
from tests.benchmark.compare.samples import KAFKA, OTTLA, Results

_COLOURS = {OTTLA: "#1b6e8c", KAFKA: "#c2703d"}
_NAMES = {OTTLA: "Ottla", KAFKA: "Apache Kafka"}
_QUANTILES = ("p50", "p99", "p99.9")


def write(results: Results, folder: Path) -> list[str]:
    """Those that there are results for; their names, without .svg."""
    mpl.rcParams.update({"svg.hashsalt": "ottla", "svg.fonttype": "none", "font.size": 9})
    folder.mkdir(parents=True, exist_ok=True)
    drawn = []
    drawings: dict[str, Callable[[Results], Figure | None]] = {
        "aims": _aims,
        "produce": _produce,
        "latency": _latency,
    }
    for name, draw in drawings.items():
        figure = draw(results)
        if figure is not None:
            # Without a date: a plot changes when its figures do.
            figure.savefig(folder / f"{name}.svg", metadata={"Date": None}, bbox_inches="tight")
            drawn.append(name)
    return drawn


def _aims(results: Results) -> Figure | None:
    """How each aim is met: 1 is the aim, and right of it is better than it."""
    lines = []
    for measure in results.measures.values():
        found = statistics.ratio(results.samples, measure.key)
        if measure.aim is None or found is None or min(found.low, found.median) <= 0:
            continue
        by = [found.low / measure.aim, found.median / measure.aim, found.high / measure.aim]
        if measure.lower_is_better:
            by = [1 / value for value in reversed(by)]
        lines.append((measure.title, by))
    if not lines:
        return None
    figure = Figure(figsize=(8, 0.35 * len(lines) + 1))
    axes = figure.subplots()
    for index, (_, (low, median, high)) in enumerate(reversed(lines)):
        colour = "#2e7d32" if median >= 1 else "#b23b3b"
        axes.plot([low, high], [index, index], color=colour, linewidth=2)
        axes.plot([median], [index], "o", color=colour)
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_xscale("log")
    axes.set_yticks(range(len(lines)), [title for title, _ in reversed(lines)])
    axes.set_xlabel("times better than the aim (log scale); dot: median, line: rounds")
    return figure


def _produce(results: Results) -> Figure | None:
    points = [point for point in [*AIMS, *MATRIX] if point.key in results.measures]
    points = list(dict.fromkeys(points))
    if not points:
        return None
    figure = Figure(figsize=(8, 0.3 * len(points) + 1))
    axes = figure.subplots()
    _pairs(axes, results, [(point.title, point.key) for point in points])
    axes.set_xlabel("MB/s of payload")
    return figure


def _pairs(axes: Axes, results: Results, lines: list[tuple[str, str]]) -> None:
    for shift, system in ((0.2, OTTLA), (-0.2, KAFKA)):
        for index, (_, key) in enumerate(reversed(lines)):
            found = statistics.values(results.samples, key, system)
            if found is None:
                continue
            label = _NAMES[system] if index == 0 else None
            axes.barh(index + shift, found.median, 0.38, color=_COLOURS[system], label=label)
            axes.plot([found.low, found.high], [index + shift] * 2, color="black", linewidth=0.8)
    axes.set_yticks(range(len(lines)), [title for title, _ in reversed(lines)])
    axes.legend(loc="best")


def _latency(results: Results) -> Figure | None:
    rates = [rate for rate, linger_ms in POINTS if linger_ms == DEFAULT_LINGER_MS]
    rates = [r for r in rates if f"latency/{r}/{DEFAULT_LINGER_MS:g}/p50" in results.measures]
    if not rates:
        return None
    figure = Figure(figsize=(8, 3))
    every_axes = figure.subplots(1, len(rates), sharey=True, squeeze=False)[0]
    for axes, rate in zip(every_axes, rates, strict=True):
        for system in (OTTLA, KAFKA):
            keys = [f"latency/{rate}/{DEFAULT_LINGER_MS:g}/{name}" for name in _QUANTILES]
            found = [statistics.values(results.samples, key, system) for key in keys]
            known = [(index, one) for index, one in enumerate(found) if one is not None]
            places = [index for index, _ in known]
            axes.plot(
                places, [one.median for _, one in known], "o-",
                color=_COLOURS[system], label=_NAMES[system],
            )  # fmt: skip
            axes.fill_between(
                places, [one.low for _, one in known], [one.high for _, one in known],
                color=_COLOURS[system], alpha=0.2, linewidth=0,
            )  # fmt: skip
        axes.set_xticks(range(len(_QUANTILES)), _QUANTILES)
        axes.set_yscale("log")
        axes.set_title(f"{rate:,} messages/s")
    every_axes[0].set_ylabel("ms, end to end")
    every_axes[0].legend(loc="best")
    return figure
