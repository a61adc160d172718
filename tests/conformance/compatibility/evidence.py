"""What a program must have left behind in the cluster for its verdict to be believed.

A client may leave out without a word what it was told to do, compress for example; then all
messages are read, and nothing was shown.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from ottla.record.batch import BatchHeader


class Remains(Protocol):
    """What can be looked at after a program has ended."""

    def batches(self) -> Sequence[BatchHeader]: ...

    def group_types(self) -> Collection[str]: ...


def missing_evidence(scenario: str, remains: Remains) -> str | None:
    """Why a passed scenario is no pass, as a sentence; None where all is there."""
    name, _, argument = scenario.rpartition("-")
    if name == "compression":
        return _batches_compressed(argument, _data(remains))
    if name == "group-protocol":
        types = set(remains.group_types())
        return None if types == {argument} else f"the groups are of type {sorted(types)}"
    if scenario == "idempotent":
        return _all_have_producers(_data(remains))
    if scenario == "transactions":
        return _transactions_ended(remains.batches())
    return None


def _data(remains: Remains) -> list[BatchHeader]:
    return [batch for batch in remains.batches() if not batch.is_control]


def _batches_compressed(codec: str, batches: Sequence[BatchHeader]) -> str | None:
    found = {batch.compression.name.lower() for batch in batches}
    return None if found == {codec} else f"codecs of the batches on disk: {sorted(found)}"


def _all_have_producers(batches: Sequence[BatchHeader]) -> str | None:
    if not batches:
        return "there are no batches on disk"
    without = sum(not batch.has_producer_id for batch in batches)
    return f"{without} of {len(batches)} batches have no producer id" if without else None


def _transactions_ended(batches: Sequence[BatchHeader]) -> str | None:
    if not any(batch.is_transactional and not batch.is_control for batch in batches):
        return "no batch on disk is transactional"
    if not any(batch.is_control for batch in batches):
        return "no transaction was ended: there are no markers on disk"
    return None
