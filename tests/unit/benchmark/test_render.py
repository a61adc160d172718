from __future__ import annotations

import pytest

from tests.benchmark.compare.render import figure, markdown, summary
from tests.benchmark.compare.samples import KAFKA, OTTLA, Measure, Results

START = Measure("start/first", "start → first record", "s", True, 0.25)
RATE = Measure("produce/rate", "1 KB, acks=all", "MB/s", False, 1.0)
CPU = Measure("produce/rate/cpu", "CPU", "s/GB", True)


def results() -> Results:
    found = Results()
    for number, (ours, theirs) in enumerate([(2.0, 10.0), (3.0, 10.0)], 1):
        found.note(START, OTTLA, number, ours)
        found.note(START, KAFKA, number, theirs)
    found.note(RATE, OTTLA, 1, 45.0)
    found.note(RATE, KAFKA, 1, 90.0)
    found.note(CPU, OTTLA, 1, 12.34)
    found.conditions = {
        "start": {"commit": "abc", "date": "today"},
        "produce": {"commit": "def", "date": "today"},
    }
    found.failures = ["topics: kafka, round 2: too slow"]
    return found


def rows(text: str, heading: str) -> list[list[str]]:
    part = text.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in part.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


def test_aims_are_judged() -> None:
    text = markdown(results(), [], "")
    assert rows(text, "The aims") == [
        [START.title, "≤ 0.25", "0.250 (0.200–0.300)", "yes"],
        [RATE.title, "≥ 1", "0.500", "no"],
    ]


def test_a_family_has_its_table_with_the_better_ratio_in_bold() -> None:
    text = markdown(results(), [], "")
    assert rows(text, "Start and idle") == [
        [START.title, "s", "2.50 (2.00–3.00)", "10.0", "**0.250 (0.200–0.300)**"]
    ]
    assert rows(text, "Produce") == [
        [RATE.title, "MB/s", "45.0", "90.0", "0.500"],
        [CPU.title, "s/GB", "12.3", "–", "–"],
    ]
    assert "## Consume" not in text


def test_conditions_failures_findings_and_plots_are_told() -> None:
    text = markdown(results(), ["aims"], "Where the time goes.\n")
    assert "- start: commit abc; date today" in text
    assert "- produce: commit def; date today" in text
    assert "- topics: kafka, round 2: too slow" in text
    assert "Where the time goes." in text
    assert "![aims](plots/aims.svg)" in text
    assert "-Xmx1G" in text


def test_the_summary_is_of_the_families_that_were_measured() -> None:
    (line, failure) = summary(results(), ["start"])
    assert line == (
        "start → first record  Ottla 2.50 (2.00–3.00)  Kafka 10.0 s  "
        "ratio 0.250 (0.200–0.300)  aim ≤ 0.25"
    )
    assert "too slow" in failure


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0"),
        (0.01234, "0.0123"),
        (1.0, "1.00"),
        (99.96, "100"),
        (123.4, "123"),
        (20_512, "20,500"),
    ],
)
def test_figures_have_three_digits_that_count(value: float, shown: str) -> None:
    assert figure(value) == shown
