"""A short campaign with a fixed seed: what test_fail_over.py does not do to a cluster."""

from __future__ import annotations

import pytest

from ottla.testing import Cluster
from tests.chaos.campaign import Campaign, table

SEED = 7
SECONDS = 15.0
KINDS = ("kill during start", "kill two", "pause", "terminate")


def test_nothing_is_lost_and_everything_heals(capsys: pytest.CaptureFixture[str]) -> None:
    with Cluster(brokers=3) as cluster:
        campaign = Campaign(cluster, SEED, churn=True, say=print)
        campaign.run(SECONDS, KINDS)
    with capsys.disabled():
        print(f"\n{table(campaign.kinds)}")  # noqa: T201
    assert campaign.kinds
