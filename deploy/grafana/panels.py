"""What a dashboard is made of, and the expressions that come again and again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

RATE: Final = "$__rate_interval"

Target = tuple[str, str]
"""(PromQL, legend)."""


@dataclass(frozen=True, slots=True)
class Panel:
    """`unit` is Grafana's name of it. A stat shows the last value, `bad_from` turns it red."""

    title: str
    targets: Sequence[Target]
    unit: str = "short"
    help: str = ""
    stat: bool = False
    bad_from: float | None = None
    bad_below: float | None = None
    width: int = 8


@dataclass(frozen=True, slots=True)
class Variable:
    """A choice at the top of a dashboard: the values of `label` in `metric`."""

    name: str
    metric: str
    label: str


@dataclass(frozen=True, slots=True)
class Dashboard:
    name: str
    title: str
    panels: Sequence[Panel]
    variables: Sequence[Variable] = ()


def stat(title: str, expression: str, **options: Any) -> Panel:
    return Panel(title, [(expression, "")], stat=True, width=4, **options)


def rate(metric: str, by: str, where: str = "") -> str:
    return f"sum by ({by}) (rate({metric}{{{where}}}[{RATE}]))"


def quantile(value: float, metric: str, by: str, where: str = "") -> str:
    buckets = f"sum by (le, {by}) (rate({metric}_bucket{{{where}}}[{RATE}]))"
    return f"histogram_quantile({value}, {buckets})"
