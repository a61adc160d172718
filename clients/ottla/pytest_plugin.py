"""The pytest fixture `ottla_cluster`: one cluster for the whole run.

``ottla_brokers = 1`` in pytest's settings changes the number of brokers (default 3). Loaded by
itself wherever Ottla is installed; it imports nothing of Ottla until the fixture is used.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ottla.testing import Cluster


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini("ottla_brokers", "brokers of the fixture ottla_cluster", default="3")


@pytest.fixture(scope="session")
def ottla_cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """A ready cluster that all tests of the run share; each test makes topics of its own."""
    from ottla.testing import Cluster

    with Cluster(brokers=int(request.config.getini("ottla_brokers"))) as cluster:
        yield cluster
