"""A short campaign with a fixed seed: what test_fail_over.py does not do to a cluster."""

from __future__ import annotations

import pytest

from ottla.testing import Cluster
from tests.chaos.campaign import SETTINGS, Campaign
from tests.chaos.report import summary, table

SEED, ROUNDS = 39, 2
"""In these rounds each kind comes once, up to three at a time."""
SECONDS_MAX = 120.0
KINDS = ("kill again", "kill two", "pause", "terminate")


def test_nothing_is_lost_and_everything_heals(capsys: pytest.CaptureFixture[str]) -> None:
    with Cluster(brokers=3, settings=SETTINGS) as cluster:
        result = Campaign(cluster, SEED, say=print).run(SECONDS_MAX, KINDS, ROUNDS)
    with capsys.disabled():
        print(f"\n{table(result.rows)}\n{summary(result)}")  # noqa: T201
    assert set(result.rows) == set(KINDS)
    assert result.is_clean, summary(result)
