"""tests/SAFETY.md names files and tests that are there, and leaves out no rule."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parent.parent
TEXT = (TESTS / "SAFETY.md").read_text("utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in TEXT.splitlines()
    if line.startswith("| ") and not line.startswith("| rule")
]


def test_no_rule_is_left_out() -> None:
    rules = {int(row[0]) for row in ROWS if row[0]}
    assert rules == set(range(1, 21))


def test_what_it_names_is_there() -> None:
    missing = []
    for _, demand, places, tests in ROWS:
        folder = Path()
        for place in places.split(", "):
            folder = Path(place).parent if "/" in place else folder
            if not (TESTS.parent / folder / Path(place).name).is_file():
                missing.append(f"{demand}: {place}")
        found = ""
        for path, names in re.findall(r"([\w/…]+\.py)((?:,? `\w+`)*)", tests):
            folder = folder if path.startswith("…") else Path(path).parent
            file = TESTS / folder / Path(path).name
            found = file.read_text("utf-8") if file.is_file() else ""
            missing += [f"{demand}: {path}"] if not found else []
            for name in re.findall(r"`(\w+)`", names):
                missing += [] if f"def {name}(" in found else [f"{demand}: {name}"]
        if not found:
            missing.append(f"{demand}: no test")
    assert not missing
