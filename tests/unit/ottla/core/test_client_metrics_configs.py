from __future__ import annotations

import pytest

from ottla.core.client_metrics_configs import (
    CLIENT_METRICS_CONFIGS,
    PREFIXES_MAX,
    client_metrics_configs_fault,
    match_entries,
)


def test_defaults_are_allowed() -> None:
    defaults = {name: config.default for name, config in CLIENT_METRICS_CONFIGS.items()}
    assert defaults == {"metrics": "", "interval.ms": "300000", "match": ""}
    assert client_metrics_configs_fault(defaults) is None


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"interval.ms": "99"}, "99"),
        ({"interval.ms": "3600001"}, "3600001"),
        ({"interval.ms": "often"}, "often"),
        ({"match": "client_id"}, "client_id"),
        ({"match": "client_id=a=b"}, "client_id=a=b"),
        ({"match": "client_id=a,colour=blue"}, "colour"),
        ({"metrics": ",".join(f"m{number}" for number in range(PREFIXES_MAX + 1))}, "too many"),
        ({"retention.ms": "5"}, "retention.ms"),
    ],
)
def test_faults_are_named(values: dict[str, str], named: str) -> None:
    fault = client_metrics_configs_fault(values)
    assert fault is not None
    assert named in fault


def test_bounds_of_the_interval_are_allowed() -> None:
    for value in ("100", "3600000"):
        assert client_metrics_configs_fault({"interval.ms": value}) is None


def test_a_match_has_entries() -> None:
    assert match_entries(" client_id = a.* , client_software_name=librdkafka") == [
        ("client_id", "a.*"),
        ("client_software_name", "librdkafka"),
    ]
    assert match_entries("") == []
