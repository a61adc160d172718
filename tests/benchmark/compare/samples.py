"""What was measured: samples by measure, system and round, kept as JSON and merged.

A measure's key is stable: a later run of the same family takes the place of its samples, and those
of other families stay. The file is what RESULTS.md is rendered from; it is not committed.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

OTTLA, KAFKA = "ottla", "kafka"


@dataclass(frozen=True, slots=True)
class Measure:
    """One line of the table. `aim` bounds the ratio to Kafka: from above where less is better."""

    key: str
    title: str
    unit: str
    lower_is_better: bool
    aim: float | None = None

    @property
    def family(self) -> str:
        return self.key.partition("/")[0]


@dataclass(frozen=True, slots=True)
class Sample:
    measure: str
    system: str
    round: int
    value: float


@dataclass(slots=True)
class Results:
    """`conditions` are of each family's run: commit, date, rounds, versions, machine."""

    measures: dict[str, Measure] = field(default_factory=dict)
    samples: list[Sample] = field(default_factory=list)
    conditions: dict[str, dict[str, str]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    """Sentences: what could not be measured in which round."""

    def note(self, measure: Measure, system: str, round_number: int, value: float) -> None:
        self.measures[measure.key] = measure
        self.samples.append(Sample(measure.key, system, round_number, value))

    def replace_families(self, newer: Results, families: Iterable[str]) -> None:
        """Take over the newer results of these families, and drop what was known of them."""
        names = set(families)
        kept = {k: m for k, m in self.measures.items() if m.family not in names}
        self.measures = {**kept, **newer.measures}
        self.samples = [s for s in self.samples if s.measure in kept] + newer.samples
        self.conditions = {**self.conditions, **newer.conditions}
        self.failures = [
            failure for failure in self.failures if failure.partition(":")[0] not in names
        ] + newer.failures

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Results:
        return cls(
            {key: Measure(**measure) for key, measure in value["measures"].items()},
            [Sample(**sample) for sample in value["samples"]],
            value["conditions"],
            value["failures"],
        )


def load(file: Path) -> Results:
    """Empty where there is no file yet."""
    if not file.exists():
        return Results()
    return Results.from_json(json.loads(file.read_text("utf-8")))


def save(results: Results, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_suffix(".new")
    temporary.write_text(json.dumps(results.to_json(), indent=1), "utf-8")
    temporary.replace(file)
