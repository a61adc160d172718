"""clients/COMPATIBILITY.md: the table, its footnotes and its figures, as Markdown."""

from __future__ import annotations

import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from tests.conformance.compatibility.outcomes import Cell, Key, Outcome
from tests.conformance.compatibility.program import ROOT
from tests.conformance.compatibility.scenarios import SCENARIOS

_PRODUCT = ("broker", "controller", "storage", "clients/ottla")
_MARKS = {
    Outcome.PASSED: "✓",
    Outcome.FAILED: "**✗**",
    Outcome.FAILED_AS_KNOWN: "✗",
    Outcome.PASSED_BESIDE_KNOWN: "✓",
    Outcome.NOT_OFFERED: "–",
}


@dataclass(frozen=True, slots=True)
class Column:
    """A client at the head of the table."""

    id: str
    name: str
    language: str
    version: str


def page(columns: Sequence[Column], cells: Mapping[Key, Cell], made: str) -> str:
    """The whole file; `made` says when, where and of which commit."""
    notes = _Notes()
    rows = [
        f"| {scenario} | "
        + " | ".join(notes.mark(cells.get((column.id, scenario))) for column in columns)
        + " |"
        for scenario in SCENARIOS
    ]
    lines = [
        "# Clients that were run against Ottla",
        "",
        f"Made by `make compatibility` {made}; do not edit it by hand. Every cell is a",
        "program in the client's own language that does a scenario on a cluster of three brokers",
        "and checks what it reads; [what each scenario",
        "does](../tests/conformance/clients/README.md).",
        "",
        "✓ passed · – the client does not offer it · ✗ fails, through no fault of the cluster, for",
        "the reason given below",
        "",
        "| | " + " | ".join(f"{column.name}" for column in columns) + " |",
        "|---" * (len(columns) + 1) + "|",
        "| language | " + " | ".join(column.language for column in columns) + " |",
        "| version | " + " | ".join(column.version for column in columns) + " |",
        *rows,
        *notes.lines(),
        *_figures(columns, cells),
    ]
    return "\n".join(lines) + "\n"


class _Notes:
    """Footnotes by their text: the same reason has one number."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def mark(self, cell: Cell | None) -> str:
        if cell is None:
            return "not run"
        text = _note(cell)
        if not text:
            return _MARKS[cell.outcome]
        number = self._numbers.setdefault(text, len(self._numbers) + 1)
        return f"{_MARKS[cell.outcome]} <sup>{number}</sup>"

    def lines(self) -> list[str]:
        if not self._numbers:
            return []
        return ["", *(f"{number}. {text}" for text, number in self._numbers.items())]


def _note(cell: Cell) -> str:
    match cell.outcome:
        case Outcome.NOT_OFFERED:
            return f"Not offered: {cell.reason}"
        case Outcome.FAILED_AS_KNOWN:
            return f"{cell.reason} ({cell.issue})" if cell.issue else cell.reason
        case Outcome.FAILED:
            return f"Unexpected: {cell.verdict.detail if cell.verdict else ''}"
        case Outcome.PASSED_BESIDE_KNOWN:
            return f"Listed as failing: {cell.reason}"
        case _:
            return f"Fails now and then: {cell.reason}" if cell.reason else ""


def _figures(columns: Sequence[Column], cells: Mapping[Key, Cell]) -> list[str]:
    """What programs measured on the way; they shared the machine with the cluster."""

    def number(column: Column, scenario: str, name: str) -> str:
        cell = cells.get((column.id, scenario))
        value = cell.verdict.numbers.get(name) if cell and cell.verdict else None
        return "" if value is None else f"{value:,.0f}"

    wanted = (
        ("longest gap between acknowledgements when the leader is killed, ms", "leader-killed",
         "longest_gap_ms"),
        ("messages read twice in the rebalance", "rebalance", "duplicates"),
    )  # fmt: skip
    return [
        "",
        "| on the way | " + " | ".join(column.name for column in columns) + " |",
        "|---" * (len(columns) + 1) + "|",
        *(
            f"| {title} | " + " | ".join(number(c, scenario, name) for c in columns) + " |"
            for title, scenario, name in wanted
        ),
    ]


def made_text(today: date) -> str:
    """When, of which commit and where the table was made: the last one that changed the product."""
    commit = _git("log", "-1", "--format=%h", "--", *_PRODUCT)
    changed = " with changes" if _git("status", "--porcelain", "--", *_PRODUCT) else ""
    machine = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    return f"on {today.isoformat()}, commit {commit}{changed}, {machine}"


def _git(*arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()
