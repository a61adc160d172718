"""Clients of Python, C and Java do the scenarios of the compatibility table that they offer."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.compatibility.outcomes import Key, Outcome, read_known
from tests.conformance.compatibility.program import build, load_clients, places
from tests.conformance.compatibility.run import TableRun, in_order, table_cluster
from tests.conformance.compatibility.scenarios import SCENARIOS
from tests.support.apache_kafka import JARS_VARIABLE

pytestmark = [pytest.mark.apache_kafka, pytest.mark.needs("kcat", "javac")]

CLIENTS = ("confluent_kafka", "aiokafka", "kafka_python", "kcat", "java")
SECONDS_MAX = 360
LEFT_TO_THE_WHOLE_TABLE = {
    (client, scenario)
    for client in ("aiokafka", "kafka_python", "kcat")
    for scenario in ("compression-none", "compression-gzip", "compression-snappy", "leader-killed")
}
"""What `make compatibility` alone runs: three minutes are enough here."""
KEYS = [key for key in in_order(CLIENTS, SCENARIOS) if key not in LEFT_TO_THE_WHOLE_TABLE]


def name_of(key: Key) -> str:
    return "-".join(key)


@pytest.fixture(scope="module")
def run(request: pytest.FixtureRequest) -> Iterator[TableRun]:
    """All cells that are asked for, begun at once; a test waits for its own."""
    names = {item.name for item in request.session.items if item.path == request.path}
    keys = [
        key for key in KEYS if f"{test_a_client_does_a_scenario.__name__}[{name_of(key)}]" in names
    ]
    programs = {program.id: program for program in load_clients()}
    found = places(Path(os.environ[JARS_VARIABLE]))
    built = {client: build(programs[client], found) for client in sorted({key[0] for key in keys})}
    with (
        table_cluster() as cluster,
        TableRun(cluster, built, keys, read_known(programs)) as run,
    ):
        yield run


@pytest.mark.parametrize("key", KEYS, ids=name_of)
def test_a_client_does_a_scenario(run: TableRun, key: Key) -> None:
    cell = run.cells[key].result(SECONDS_MAX)
    if cell.verdict is not None:
        print(cell.verdict.errors)  # noqa: T201
    detail = cell.verdict.detail if cell.verdict else ""
    assert cell.outcome.is_expected, f"{cell.outcome.value}: {detail}"
    assert cell.outcome is not Outcome.FAILED
