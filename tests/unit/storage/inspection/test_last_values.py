"""The last value of every key, compared between two replicas that compacted on their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ottla.record.batch import iter_headers
from storage.inspection.batches import StoredBatch
from storage.inspection.last_values import Batches, first_disagreement
from tests.support.disk import batch, marker, replicated

Record = tuple[int, bytes, bytes | None]

ALL: list[Record] = [(0, b"a", b"1"), (1, b"b", b"2"), (2, b"a", b"3"), (3, b"c", b"4")]


def replica(records: list[Record]) -> Batches:
    """One record a batch."""
    from ottla.record.build import build_batch

    def batches() -> Iterator[StoredBatch]:
        for offset, key, value in records:
            data = memoryview(build_batch([(key, value, (), 1)], base_offset=offset))
            ((_, header),) = iter_headers(data)
            yield StoredBatch(0, header, True, data)

    return batches


@pytest.mark.parametrize("keys_max", [100, 1])
@pytest.mark.parametrize(
    ("other", "end_offset", "offset"),
    [
        (ALL, 4, None),
        (ALL[1:], 4, None),  # its first record of 'a' was replaced
        ([*ALL[:2], *ALL[3:]], 4, 0),  # 'a' is an old one
        ([*ALL[:3], (3, b"c", b"5")], 4, 3),
        (ALL[:3], 4, 3),
        (ALL[:3], 3, None),  # beyond what is compared
        ([(1, b"b", b"2"), (3, b"c", b"4")], 4, 2),
    ],
)
def test_where_they_disagree(
    other: list[Record], end_offset: int, offset: int | None, keys_max: int
) -> None:
    for one, two in ((ALL, other), (other, ALL)):
        found = first_disagreement(replica(one), replica(two), end_offset, keys_max)
        assert (None if found is None else found[0]) == offset


def test_a_tombstone_may_be_gone() -> None:
    deleted = [*ALL, (4, b"b", None)]
    without = [ALL[2], ALL[3]]
    assert first_disagreement(replica(deleted), replica(without), 5) is None
    assert first_disagreement(replica(deleted), replica(ALL), 5) == (
        1,
        "the last record of its key is at offset 4 in the other",
    )


def test_a_record_beyond_the_end_excuses_the_one_below_it() -> None:
    later = [*ALL[:3], (9, b"c", b"9")]
    assert first_disagreement(replica(later), replica(ALL), 4) is None


@pytest.mark.parametrize("commit", [True, False])
def test_records_of_aborted_transactions_do_not_count(commit: bool) -> None:
    def log(*sent: memoryview) -> Batches:
        data = replicated(*sent, base_offset=0)

        def batches() -> Iterator[StoredBatch]:
            for position, header in iter_headers(data):
                whole = data[position : position + header.size]
                yield StoredBatch(position, header, True, whole)

        return batches

    data = batch(1, producer_id=7, sequence=0, transactional=True)
    found = first_disagreement(log(batch(1), data, marker(7, commit=commit)), log(batch(1)), 3)
    assert (found is not None) == commit
