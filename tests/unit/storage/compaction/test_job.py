"""Jobs and outcomes on their way between two processes."""

from __future__ import annotations

import pytest

from ottla.core.errors import DecodeError
from storage.compaction.job import (
    CleanedSegment,
    CompactionJob,
    Damaged,
    Finished,
    LastBatch,
    Outcome,
    Source,
    decode_outcome,
    encode_outcome,
)
from storage.transaction_index import AbortedTransaction


def test_a_job_comes_out_as_it_went_in() -> None:
    job = CompactionJob(
        "/data/t-0",
        (Source(0, 10, 100), Source(10, 20, 200)),
        5,
        {7: LastBatch(3, 1), 8: LastBatch(None, 2)},
        (AbortedTransaction(7, 1, 2, 3),),
        1_000,
        2_000,
        3_000,
        4_000,
        5_000,
        6_000,
    )
    line = job.encode()
    assert "\n" not in line
    assert CompactionJob.decode(line) == job


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"sources": 1}', "nonsense"])
def test_what_is_no_job(text: str) -> None:
    with pytest.raises(DecodeError):
        CompactionJob.decode(text)


@pytest.mark.parametrize(
    "outcome", [CleanedSegment(0, 10, 99), Finished(1, 2, 3, 4, 5), Damaged("line\nbreak")]
)
def test_an_outcome_comes_out_as_it_went_in(outcome: Outcome) -> None:
    line = encode_outcome(outcome)
    assert "\n" not in line
    assert decode_outcome(line.encode()) == outcome


@pytest.mark.parametrize("line", ["", "[]", "{}", '{"kind": "cleaned"}', '{"kind": "other"}'])
def test_what_is_no_outcome(line: str) -> None:
    with pytest.raises(DecodeError):
        decode_outcome(line)
