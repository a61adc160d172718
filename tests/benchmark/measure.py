"""What a benchmark notes: a line of the table each, and what the brokers used meanwhile."""

from __future__ import annotations

import os
import statistics
from dataclasses import dataclass, field
from pathlib import Path

from ottla.testing import Cluster

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Measure:
    """One line of the table."""

    name: str
    unit: str
    lower_is_better: bool
    aim: str = ""
    values: list[float] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)

    def row(self) -> list[str]:
        worst = max(self.values) if self.lower_is_better else min(self.values)
        cpu = f"{statistics.median(self.cpu_seconds):.2f}" if self.cpu_seconds else ""
        median = statistics.median(self.values)
        return [
            self.name,
            f"{_figure(median)} {self.unit}",
            f"{_figure(worst)} {self.unit}",
            str(len(self.values)),
            cpu,
            self.aim,
        ]


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


class Brokers:
    """CPU and memory of a cluster's processes, from /proc."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def cpu_seconds(self) -> float:
        total = 0
        for node in self._cluster.running:
            stat = Path(f"/proc/{self._cluster.pid(node)}/stat").read_text().rpartition(")")[2]
            fields = stat.split()
            total += int(fields[11]) + int(fields[12])
        return total / _TICKS

    def resident_megabytes(self) -> list[float]:
        found = []
        for node in self._cluster.running:
            for line in Path(f"/proc/{self._cluster.pid(node)}/status").read_text().splitlines():
                if line.startswith("VmRSS:"):
                    found.append(int(line.split()[1]) / 1024)
        return found


def print_table(measures: list[Measure]) -> None:
    rows = [["measure", "median", "worst", "tries", "brokers' CPU s", "aim"]]
    rows += [measure.row() for measure in measures if measure.values]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)))
