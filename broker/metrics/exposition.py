"""Metrics as text: Prometheus 0.0.4 and OpenMetrics 1.0.0. Pure.

A family is one metric with all its series. Its samples may be a generator, so that a page of many
thousand lines can be made in slices, between which the event loop does other work:

    # HELP ottla_partitions Replicas on this broker.
    # TYPE ottla_partitions gauge
    ottla_partitions{role="leader"} 3

The two formats differ in three points: OpenMetrics names a counter's family without `_total`, has a
`# UNIT` line, and ends with `# EOF`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import islice
from typing import Final, TypeAlias

from broker.metrics.durations import Durations

OPEN_METRICS: Final = "application/openmetrics-text; version=1.0.0; charset=utf-8"
PLAIN_TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"
UNITS: Final = ("seconds", "bytes", "records")
LINES_PER_PIECE: Final = 50
HISTOGRAM_BITS: Final = (18, 20, 22, 24, 26, 28, 30, 32, 34)
"""Bounds of durations, 2^n ns each: 0.26 ms, 1 ms, 4.2 ms, … 17 s."""

Sample: TypeAlias = tuple[str, float]
"""(labels as they stand between the braces, value)."""


class Kind(Enum):
    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Family:
    """`name` without `_total`; its last word is its unit. `samples` are taken once."""

    name: str
    kind: Kind
    help: str
    samples: Iterable[Sample]


def gauge(name: str, help: str, samples: Iterable[Sample] | float) -> Family:
    return Family(name, Kind.GAUGE, help, _samples(samples))


def counter(name: str, help: str, samples: Iterable[Sample] | float) -> Family:
    return Family(name, Kind.COUNTER, help, _samples(samples))


def histogram(name: str, help: str, series: Iterable[tuple[str, Durations]]) -> Family:
    """Of durations, in seconds."""
    return Family(name, Kind.HISTOGRAM, help, _histogram_samples(series))


def labels(**values: object) -> str:
    """Escaped, for a Sample."""
    return ",".join(f'{name}="{escaped(str(value))}"' for name, value in values.items())


def escaped(value: str) -> str:
    if "\\" in value or '"' in value or "\n" in value:
        return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return value


def negotiate(accept: str | None) -> bool:
    """Whether `accept`, a header of RFC 9110, prefers OpenMetrics to plain text."""
    open_metrics = plain = -1.0
    for entry in (accept or "").split(","):
        kind, *parameters = (part.strip().lower() for part in entry.split(";"))
        weight = _weight(parameters)
        if kind == "application/openmetrics-text":
            versions = [p.partition("=")[2] for p in parameters if p.startswith("version=")]
            if all(version in ("0.0.1", "1.0.0") for version in versions):
                open_metrics = max(open_metrics, weight)
        elif kind in ("text/plain", "text/*", "*/*"):
            plain = max(plain, weight)
    return open_metrics > 0 and open_metrics >= plain


def lines(families: Iterable[Family | None], *, open_metrics: bool) -> Iterator[str]:
    """The page in pieces of at most LINES_PER_PIECE lines, with their line ends. A None among the
    families, where something was counted that takes its time, becomes an empty piece."""
    for family in families:
        if family is None:
            yield ""
            continue
        yield _head(family, open_metrics)
        name = family.name + ("_total" if family.kind is Kind.COUNTER else "")
        has_own_braces = family.kind is Kind.HISTOGRAM  # its suffix is before them
        samples = iter(family.samples)
        while some := list(islice(samples, LINES_PER_PIECE)):
            if has_own_braces:
                yield "".join([f"{name}{label} {_number(value)}\n" for label, value in some])
            else:
                yield "".join(
                    [
                        f"{name}{{{label}}} {_number(value)}\n"
                        if label
                        else f"{name} {_number(value)}\n"
                        for label, value in some
                    ]
                )
    if open_metrics:
        yield "# EOF\n"


def _head(family: Family, open_metrics: bool) -> str:
    name = family.name
    if family.kind is Kind.COUNTER and not open_metrics:
        name += "_total"
    head = f"# HELP {name} {family.help}\n# TYPE {name} {family.kind.value}\n"
    unit = family.name.rpartition("_")[2]
    if open_metrics and unit in UNITS:
        head += f"# UNIT {name} {unit}\n"
    return head


def _number(value: float) -> str:
    if value.__class__ is int:
        return str(value)
    return "+Inf" if value == float("inf") else repr(float(value))


def _samples(samples: Iterable[Sample] | float) -> Iterable[Sample]:
    return (("", samples),) if isinstance(samples, int | float) else samples


def _histogram_samples(series: Iterable[tuple[str, Durations]]) -> Iterator[Sample]:
    for label, durations in series:
        buckets = durations.buckets.copy()
        before = f"{label}," if label else ""
        for bits, bound in zip(HISTOGRAM_BITS, _BOUNDS, strict=True):
            yield f'_bucket{{{before}le="{bound}"}}', sum(buckets[: bits + 1])
        count = sum(buckets)
        yield f'_bucket{{{before}le="+Inf"}}', count
        braces = f"{{{label}}}" if label else ""
        yield f"_sum{braces}", durations.total_ns / 1e9
        yield f"_count{braces}", count


def _weight(parameters: Sequence[str]) -> float:
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return float(parameter[2:])
            except ValueError:
                return 0.0
    return 1.0


_BOUNDS: Final = tuple(repr(2**bits / 1e9) for bits in HISTOGRAM_BITS)
