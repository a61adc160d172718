"""The real partition and its twin both have what the runtime asks for; mypy compares the types."""

from __future__ import annotations

import inspect

import pytest

from broker.coordinator.replicated_partition import ReplicatedPartition
from broker.replication.partition import Partition
from tests.support.memory_partition import MemoryPartition


def _typed(real: Partition, twin: MemoryPartition) -> tuple[ReplicatedPartition, ...]:
    return real, twin


@pytest.mark.parametrize("name", ["append", "wait_committed", "read"])
def test_the_calls_take_the_same_arguments(name: str) -> None:
    asked = inspect.signature(getattr(ReplicatedPartition, name)).parameters
    for kind in (Partition, MemoryPartition):
        taken = inspect.signature(getattr(kind, name)).parameters
        assert list(taken)[: len(asked)] == list(asked)
        # What others may ask of a partition beyond it, coordinators leave out.
        for more in taken.keys() - asked.keys():
            assert taken[more].default is not inspect.Parameter.empty
