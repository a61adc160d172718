"""What a cell's verdict means beside what is known of it."""

from __future__ import annotations

import enum
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.conformance.compatibility.cell import Verdict
from tests.conformance.compatibility.scenarios import SCENARIOS

KNOWN_FILE = Path(__file__).with_name("known.toml")

Key = tuple[str, str]
"""(client's folder, scenario)."""


class Outcome(enum.Enum):
    """How a cell went, and whether that was to be expected."""

    PASSED = "passed"
    FAILED = "failed"
    FAILED_AS_KNOWN = "failed as known"
    PASSED_BESIDE_KNOWN = "passed, though it is listed as failing"
    NOT_OFFERED = "not offered"

    @property
    def is_expected(self) -> bool:
        return self not in (Outcome.FAILED, Outcome.PASSED_BESIDE_KNOWN)


@dataclass(frozen=True, slots=True)
class Known:
    """A cell that fails through no fault of the cluster."""

    cause: str
    issue: str | None = None
    """Where the client's project tells of it: ``owner/name#number``."""
    sometimes: bool = False
    """It depends on a race inside the client; a pass is no surprise."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of the table, run or not."""

    client: str
    scenario: str
    outcome: Outcome
    verdict: Verdict | None = None
    """None where it is not offered."""
    reason: str = ""
    """Why it is not offered, or the known cause of the failure."""
    issue: str | None = None


def read_known(clients: Iterable[str], file: Path = KNOWN_FILE) -> dict[Key, Known]:
    """The cells known to fail; ValueError for one that does not exist or has no cause."""
    folders = set(clients)
    found: dict[Key, Known] = {}
    for entry in tomllib.loads(file.read_text("utf-8")).get("known", []):
        key = (entry["client"], entry["scenario"])
        if key[0] not in folders or key[1] not in SCENARIOS or not entry["cause"] or key in found:
            raise ValueError(f"{file.name}: no such cell, no cause, or twice: {key}")
        found[key] = Known(entry["cause"], entry.get("issue"), entry.get("sometimes", False))
    return found


def cell_of(key: Key, verdict: Verdict, known: Mapping[Key, Known]) -> Cell:
    """A cell that ran."""
    listed = known.get(key)
    if listed is None:
        return Cell(*key, Outcome.PASSED if verdict.passed else Outcome.FAILED, verdict)
    if not verdict.passed:
        outcome = Outcome.FAILED_AS_KNOWN
    elif listed.sometimes:
        outcome = Outcome.PASSED
    else:
        outcome = Outcome.PASSED_BESIDE_KNOWN
    return Cell(*key, outcome, verdict, listed.cause, listed.issue)
