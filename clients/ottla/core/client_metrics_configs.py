"""A subscription to the metrics of clients: Kafka's names, defaults and bounds (KIP-714).

    metrics      prefixes of the metrics' names; `*` stands for all, an empty list for none
    interval.ms  how often a client sends them
    match        selector=expression, all of which a client has to match; none: every client does

A subscription has a name and is kept in the cluster's metadata. Expressions must match a whole
value; whether they can be read is for the controller to say, which has what reads them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ottla.core.config_spec import ConfigSpec, int_config, list_config, split_list

METRICS: Final = "metrics"
INTERVAL_MS: Final = "interval.ms"
MATCH: Final = "match"
ALL_METRICS: Final = "*"
INTERVAL_MS_DEFAULT: Final = 300_000
PREFIXES_MAX: Final = 1_000
"""Prefixes of one subscription; each is told to every client that matches."""

SELECTORS: Final = frozenset(
    {
        "client_instance_id",
        "client_id",
        "client_software_name",
        "client_software_version",
        "client_source_address",
        "client_source_port",
    }
)
"""What clients can be told apart by."""


def match_entries(value: str) -> list[tuple[str, str]]:
    """(selector, expression) of a `match`; ValueError: one sentence that names what is wrong."""
    entries = []
    for entry in split_list(value):
        parts = [part.strip() for part in entry.split("=")]
        if len(parts) != 2:
            raise ValueError(f"'{entry}' is not written as selector=expression")
        if parts[0] not in SELECTORS:
            raise ValueError(f"'{parts[0]}' is no selector")
        entries.append((parts[0], parts[1]))
    return entries


def _match_fault(entries: list[str]) -> str | None:
    try:
        match_entries(",".join(entries))
    except ValueError as error:
        return str(error)
    return None


def _metrics_fault(prefixes: list[str]) -> str | None:
    return f"{len(prefixes)} are too many" if len(prefixes) > PREFIXES_MAX else None


_ALL: Final = (
    list_config(
        METRICS,
        "",
        "Prefixes of the names of the metrics that clients send; * for all.",
        f"a list of up to {PREFIXES_MAX} prefixes, or *",
        _metrics_fault,
    ),
    int_config(
        INTERVAL_MS,
        INTERVAL_MS_DEFAULT,
        "How often a client sends its metrics.",
        minimum=100,
        maximum=3_600_000,
    ),
    list_config(
        MATCH,
        "",
        "Which clients: selector=expression, all of which have to match; every client without.",
        f"a list of selector=expression; the selectors are {', '.join(sorted(SELECTORS))}",
        _match_fault,
    ),
)

CLIENT_METRICS_CONFIGS: Final[Mapping[str, ConfigSpec]] = {config.name: config for config in _ALL}


def client_metrics_configs_fault(values: Mapping[str, str]) -> str | None:
    """The first fault of a subscription's settings; None without."""
    for name, value in values.items():
        config = CLIENT_METRICS_CONFIGS.get(name)
        if config is None:
            return f"unknown client metrics config name: {name}"
        fault = config.fault(value)
        if fault is not None:
            return fault
    return None
