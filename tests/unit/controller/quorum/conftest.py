"""Virtual time for every test that asks for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.raft_simulation import Clock, virtual_time


@pytest.fixture
def clock() -> Iterator[Clock]:
    with virtual_time() as virtual:
        yield virtual
