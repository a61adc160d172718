from __future__ import annotations

import pytest

from ottla.core.errors import DecodeError, ErrorCode, ProtocolError
from ottla.record.batch import BatchHeader
from storage.producers import ProducerState


def header(
    sequence: int,
    count: int = 1,
    base_offset: int = 0,
    *,
    producer_id: int = 7,
    producer_epoch: int = 0,
    transactional: bool = False,
) -> BatchHeader:
    return BatchHeader(
        base_offset=base_offset,
        size=100,
        leader_epoch=0,
        magic=2,
        crc=0,
        attributes=0x10 if transactional else 0,
        last_offset_delta=count - 1,
        base_timestamp=0,
        max_timestamp=500,
        producer_id=producer_id,
        producer_epoch=producer_epoch,
        base_sequence=sequence,
        record_count=count,
    )


def refused(state: ProducerState, wrong: BatchHeader) -> ErrorCode:
    with pytest.raises(ProtocolError) as caught:
        state.check(wrong)
    return caught.value.code


def test_sequences_follow_each_other() -> None:
    state = ProducerState()
    assert state.check(header(0, 3)) is None
    state.update(header(0, 3), 1)
    assert state.check(header(3)) is None
    assert refused(state, header(4)) is ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER
    assert refused(state, header(1)) is ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER


def test_an_unknown_producer_may_begin_anywhere() -> None:
    assert ProducerState().check(header(55)) is None


def test_sequences_wrap_around() -> None:
    state = ProducerState()
    state.update(header(2**31 - 2, 2), 1)
    assert state.check(header(0)) is None
    assert refused(state, header(1)) is ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER
    state.update(header(2**31 - 1, 2, producer_id=8), 1)  # wraps within the batch
    assert state.check(header(1, producer_id=8)) is None


def test_the_last_five_batches_are_answered_with_their_offsets() -> None:
    state = ProducerState()
    for number in range(6):
        state.update(header(2 * number, 2, 100 + 2 * number), 1)
    for number in range(1, 6):
        known = state.check(header(2 * number, 2))
        assert known is not None
        assert (known.base_offset, known.last_offset) == (100 + 2 * number, 101 + 2 * number)
        assert known.timestamp == 500
    assert refused(state, header(0, 2)) is ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER
    assert refused(state, header(10, 1)) is ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER


def test_producer_epochs() -> None:
    state = ProducerState()
    state.update(header(0, producer_epoch=3), 1)
    assert refused(state, header(1, producer_epoch=2)) is ErrorCode.INVALID_PRODUCER_EPOCH
    out_of_order = refused(state, header(1, producer_epoch=4))
    assert out_of_order is ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER
    assert state.check(header(0, producer_epoch=4)) is None
    state.update(header(0, 1, 9, producer_epoch=4), 1)
    known = state.check(header(0, producer_epoch=4))
    assert known is not None
    assert known.base_offset == 9


def test_after_a_marker_of_a_new_epoch_sequences_begin_at_zero() -> None:
    state = ProducerState()
    state.update(header(5), 1)
    state.end_transaction(7, 1, 3, 10, 1)
    assert state.check(header(0, producer_epoch=1)) is None
    out_of_order = refused(state, header(6, producer_epoch=1))
    assert out_of_order is ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER
    assert refused(state, header(6)) is ErrorCode.INVALID_PRODUCER_EPOCH


def test_a_transaction_is_undecided_until_its_marker_is_below_the_high_watermark() -> None:
    state = ProducerState()
    assert state.first_undecided_offset(0) is None
    state.update(header(0, 1, 10, transactional=True), 1)
    state.update(header(1, 1, 11, transactional=True), 1)
    state.update(header(0, 1, 12, producer_id=8, transactional=True), 1)
    assert state.first_undecided_offset(50) == 10
    state.end_transaction(7, 0, 1, 13, 1)
    assert state.first_undecided_offset(13) == 10
    assert state.first_undecided_offset(14) == 12
    state.end_transaction(8, 0, 1, 14, 1)
    assert state.first_undecided_offset(14) == 12
    assert state.first_undecided_offset(15) is None


def test_a_decided_transaction_can_be_newer_than_an_open_one() -> None:
    state = ProducerState()
    state.update(header(0, 1, 10, transactional=True), 1)
    state.update(header(0, 1, 11, producer_id=8, transactional=True), 1)
    state.end_transaction(8, 0, 1, 12, 1)
    assert state.first_undecided_offset(12) == 10


def test_within_a_transaction_everything_is_transactional() -> None:
    state = ProducerState()
    state.update(header(0, 1, 10, transactional=True), 1)
    assert refused(state, header(1)) is ErrorCode.INVALID_TXN_STATE
    assert state.check(header(1, transactional=True)) is None


def test_expiry_goes_by_when_it_was_seen_and_spares_open_transactions() -> None:
    state = ProducerState()
    state.update(header(0), 1_000)
    state.update(header(0, producer_id=8), 1_500)
    state.update(header(0, producer_id=9, transactional=True), 0)
    assert state.expire(1_999, 1_000) == 0
    assert state.expire(2_000, 1_000) == 1
    assert state.get(7) is None
    assert state.get(8) is not None
    assert len(state) == 2


def busy() -> ProducerState:
    state = ProducerState()
    for number in range(7):
        state.update(header(number, 1, number), 100 + number)
    state.update(header(0, 1, 8, producer_id=9, transactional=True), 1)
    state.update(header(0, 1, 7, producer_id=8, transactional=True), 1)
    state.update(header(0, 1, 9, producer_id=10, transactional=True), 1)
    state.end_transaction(10, 1, 4, 11, 1)
    return state


def test_a_snapshot_holds_everything() -> None:
    state = busy()
    again = ProducerState.decode(state.encode())
    assert again.summary() == state.summary()
    assert again.encode() == state.encode()
    assert again.first_undecided_offset(0) == 7
    assert again.first_undecided_offset(12) == 7
    again.end_transaction(8, 0, 1, 12, 1)
    assert again.first_undecided_offset(13) == 8
    seen = again.get(7)
    assert seen is not None
    assert seen.seen_ms == 106


def test_damaged_snapshots_are_refused() -> None:
    data = busy().encode()
    for size in range(len(data)):
        with pytest.raises(DecodeError):
            ProducerState.decode(data[:size])
    with pytest.raises(DecodeError, match="left over"):
        ProducerState.decode(data + b"x")
    with pytest.raises(DecodeError, match="version 9"):
        ProducerState.decode(b"\x09" + data[1:])


def test_a_coordinators_batch_opens_a_transaction_without_a_sequence() -> None:
    state = ProducerState()
    batch = header(-1, base_offset=40, transactional=True)
    assert state.check(batch) is None
    state.update(batch, 1)
    assert state.has_open(7, 0)
    assert not state.has_open(7, 1)
    assert state.first_undecided_offset(100) == 40
    assert state.check(header(-1, base_offset=41, transactional=True)) is None
    assert state.check(header(0, transactional=True)) is None, "its own sequences begin with 0"
    assert ProducerState.decode(state.encode()).summary() == state.summary()
    state.end_transaction(7, 1, 3, 50, 2)
    assert refused(state, header(-1, transactional=True)) is ErrorCode.INVALID_PRODUCER_EPOCH


@pytest.mark.parametrize(
    ("producer_epoch", "coordinator_epoch", "is_bumped", "code"),
    [
        (4, 9, False, None),
        (5, 9, True, None),
        (4, 9, True, ErrorCode.INVALID_PRODUCER_EPOCH),
        (3, 9, False, ErrorCode.INVALID_PRODUCER_EPOCH),
        (4, 8, False, ErrorCode.TRANSACTION_COORDINATOR_FENCED),
    ],
)
def test_which_markers_are_refused(
    producer_epoch: int, coordinator_epoch: int, is_bumped: bool, code: ErrorCode | None
) -> None:
    state = ProducerState()
    state.end_transaction(7, 4, 9, 10, 1)
    state.update(header(0, base_offset=20, producer_epoch=4, transactional=True), 2)

    def check() -> None:
        state.check_marker(7, producer_epoch, coordinator_epoch, is_bumped=is_bumped)

    if code is None:
        check()
        return
    with pytest.raises(ProtocolError) as caught:
        check()
    assert caught.value.code is code


def test_a_repeated_marker_is_taken_once_nothing_is_open() -> None:
    state = ProducerState()
    state.end_transaction(7, 4, 9, 10, 1)
    state.check_marker(7, 4, 9, is_bumped=True)
