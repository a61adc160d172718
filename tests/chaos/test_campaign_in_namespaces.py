"""A short campaign on hosts of a network of its own, with broken networks and disks. Needs root.

Longer ones by hand: `make chaos MINUTES=n`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.root

SECONDS_MAX = 240
SEED, ROUNDS = 11, 3
"""In these rounds each kind comes once, up to three at a time."""
KINDS = (
    "isolate",
    "isolate from brokers",
    "one way",
    "between two",
    "packet loss",
    "connection resets",
    "disk full",
    "kill controller+leader",
)


def test_nothing_is_lost_and_everything_heals(capsys: pytest.CaptureFixture[str]) -> None:
    before = set(Path("/run/netns").glob("*"))
    # A process of its own: it lives in the clients' namespace.
    command = (
        "-m tests.chaos --network namespaces --json "
        f"--seed {SEED} --rounds {ROUNDS} --seconds {SECONDS_MAX}"
    )
    done = subprocess.run(
        [sys.executable, *command.split(), "--kinds", ",".join(KINDS)],
        capture_output=True,
        text=True,
        check=False,
    )
    with capsys.disabled():
        print(f"\n{done.stderr}")  # noqa: T201
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["where"] == "namespaces"
    assert set(result["rows"]) == set(KINDS)
    assert result["violations"] == []
    assert set(Path("/run/netns").glob("*")) <= before
