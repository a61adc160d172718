from __future__ import annotations

import pytest

from ottla.core.errors import DecodeError
from ottla.record.batch import read_header
from ottla.record.build import build_batch
from ottla.record.control import ControlRecordType, control_record_key
from storage.markers import Marker, note_batch, read_marker
from storage.producers import ProducerState
from tests.support.disk import batch, marker


def test_a_marker_is_read() -> None:
    data = marker(7, commit=False)
    assert read_marker(data, 0, read_header(data)) == Marker(ControlRecordType.ABORT, 7, 0)


def test_other_batches_are_no_markers() -> None:
    data = batch(producer_id=7, sequence=0)
    assert read_marker(data, 0, read_header(data)) is None
    leader_change = build_batch(
        [(control_record_key(ControlRecordType.LEADER_CHANGE), b"", (), 1)], control=True
    )
    assert read_marker(leader_change, 0, read_header(leader_change)) is None
    other = build_batch(
        [(control_record_key(ControlRecordType.KRAFT_VERSION), b"", (), 1)],
        control=True, producer_id=7, producer_epoch=0,
    )  # fmt: skip
    assert read_marker(other, 0, read_header(other)) is None


def test_a_malformed_marker_is_refused() -> None:
    broken = build_batch([(b"", b"", (), 1)], control=True, producer_id=7, producer_epoch=0)
    with pytest.raises(DecodeError):
        read_marker(broken, 0, read_header(broken))


def test_noting_a_transaction() -> None:
    state = ProducerState()
    data = read_header(batch(producer_id=7, sequence=0, transactional=True))
    note_batch(state, data, None, 1)
    assert state.first_undecided_offset(0) == 0
    end = read_header(marker(7))
    end.base_offset = 1
    note_batch(state, end, Marker(ControlRecordType.COMMIT, 7, 1), 1)
    assert state.first_undecided_offset(2) is None
    producer = state.get(7)
    assert producer is not None
    assert producer.coordinator_epoch == 7


def test_batches_without_a_producer_leave_no_trace() -> None:
    state = ProducerState()
    note_batch(state, read_header(batch()), None, 1)
    control = read_header(marker(7))
    note_batch(state, control, None, 1)  # a control batch of another kind
    assert len(state) == 0
