from __future__ import annotations

import pytest

from ottla.core.errors import DecodeError
from ottla.record.batch import read_header
from ottla.record.build import build_batch
from storage.checkpoints import Checkpoints, LogKey, MemoryStore
from storage.producers import ProducerState
from storage.segment import Segment
from storage.snapshots import INTERVAL_BYTES, ProducerSnapshots, replay_segment
from storage.vfs import MemoryVfs
from tests.support.disk import batch, marker, replicated

KEY = LogKey(b"d" * 16, b"t" * 16, 0)


def state_of(count: int) -> ProducerState:
    state = ProducerState()
    for producer_id in range(count):
        state.update(read_header(batch(producer_id=producer_id, sequence=0)), 1)
    return state


def made() -> tuple[ProducerSnapshots, Checkpoints]:
    checkpoints = Checkpoints(MemoryStore())
    return ProducerSnapshots(checkpoints, KEY), checkpoints


def test_the_newest_within_bounds_is_used() -> None:
    snapshots, _ = made()
    for offset in (10, 20, 30):
        snapshots.take(state_of(offset), offset)
    offset, state = snapshots.latest(0, 25)
    assert (offset, len(state)) == (20, 20)
    assert snapshots.latest(0, 30)[0] == 30
    offset, state = snapshots.latest(31, 99)
    assert (offset, len(state)) == (31, 0)
    assert snapshots.latest(0, 9)[0] == 0


def test_a_damaged_one_is_passed_over() -> None:
    snapshots, checkpoints = made()
    snapshots.take(state_of(1), 10)
    checkpoints.note_snapshot(KEY, 20, b"damaged")
    assert snapshots.latest(0, 99)[0] == 10


def test_which_are_kept() -> None:
    snapshots, checkpoints = made()
    for offset in range(0, 200, 10):
        snapshots.take(ProducerState(), offset)
    snapshots.drop_old(45, segment_starts=[0, 40, 60, 100])
    assert checkpoints.snapshot_offsets(KEY) == [30, 40, 60, 100, 160, 170, 180, 190]
    snapshots.drop_above(60)
    assert checkpoints.snapshot_offsets(KEY) == [30, 40, 60]


def test_when_they_are_taken() -> None:
    snapshots, checkpoints = made()
    snapshots.bytes_since = INTERVAL_BYTES + 1
    assert not snapshots.maybe_take(ProducerState(), 5)  # of nobody: not worth it
    assert snapshots.maybe_take(state_of(1), 5)
    assert not snapshots.maybe_take(state_of(1), 6)
    assert checkpoints.snapshot_offsets(KEY) == [5]
    many = state_of(5_000)
    snapshots.bytes_since = INTERVAL_BYTES + 1
    assert not snapshots.maybe_take(many, 7)  # many producers: dearer, so more seldom


def test_replaying_a_segment() -> None:
    vfs = MemoryVfs()
    segment = Segment.create(vfs, "/", 0, created_ms=0)
    broken_marker = memoryview(
        build_batch([(b"", b"", (), 1)], control=True, producer_id=3, producer_epoch=0)
    )
    for data in (
        batch(producer_id=1, sequence=0),
        batch(2, producer_id=2, sequence=0, transactional=True),
        batch(),
        marker(2),
        broken_marker,
        batch(producer_id=1, sequence=1),
    ):
        stored = replicated(data, base_offset=segment.next_offset)
        segment.append(stored)
        segment.note(read_header(stored), 100)
    state = ProducerState()
    replay_segment(state, segment, 0, 5)
    assert state.summary() == {1: (0, None, (0, 0, 0), (1, 1, 6)), 2: (0, None, (0, 1, 1))}
    late = ProducerState()
    replay_segment(late, segment, 6, 5)
    assert late.summary() == {1: (0, None, (1, 1, 6))}
    replay_segment(late, segment, 7, 5)
    assert len(late) == 1
    segment.file.pwrite(b"\xff", 16)
    with pytest.raises(DecodeError):
        replay_segment(ProducerState(), segment, 0, 5)
