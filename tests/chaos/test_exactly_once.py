"""Exactly once while brokers, coordinators and the application die; see `make exactly-once`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.exactly_once.campaign import run

pytestmark = pytest.mark.apache_kafka
"""One client needs Kafka's jars, both need the time that `make test` does not have."""


def test_confluent_kafka_under_random_kills(tmp_path: Path) -> None:
    outcome = run("confluent", 10, 7, tmp_path)
    assert outcome.is_good, f"{outcome}; {outcome.events}"
    assert outcome.input_count > 500
    assert outcome.events


def test_the_java_client_under_random_kills(tmp_path: Path) -> None:
    outcome = run("java", 12, 8, tmp_path)
    assert outcome.is_good, f"{outcome}; {outcome.events}"
    assert outcome.input_count > 500
    assert outcome.events
