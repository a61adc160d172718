from __future__ import annotations

from ottla.client.accumulator import Accumulator, Batch, produce_request
from ottla.record.batch import iter_records, read_header
from ottla.record.compression import Compression

KEY = ("t", 0)


def filled(accumulator: Accumulator, count: int, size: int = 100, now_ms: int = 0) -> list[bool]:
    return [
        accumulator.append(KEY, None, b"v" * size, [("h", b"x")], number, None, now_ms)
        for number in range(count)
    ]


def test_batches_are_closed_by_size() -> None:
    accumulator = Accumulator(batch_bytes=500, linger_ms=10)
    closed = filled(accumulator, 9)
    assert closed.index(True) == 3
    assert len(accumulator) == 3
    ready = accumulator.ready(0, flushing=False)
    assert [batch.count for batch in ready] == [3]
    assert ready[0].size <= 500


def test_a_record_larger_than_a_batch_has_its_own() -> None:
    accumulator = Accumulator(batch_bytes=500, linger_ms=10)
    assert filled(accumulator, 1, size=2000) == [True]
    filled(accumulator, 1)
    assert accumulator.ready(0, flushing=False)[0].count == 1


def test_batches_are_ready_after_their_linger_or_on_flush() -> None:
    accumulator = Accumulator(batch_bytes=500, linger_ms=10)
    filled(accumulator, 1, now_ms=100)
    assert accumulator.ready(109, flushing=False) == []
    assert accumulator.next_event_ms(104, flushing=False) == 6
    assert len(accumulator.ready(110, flushing=False)) == 1
    assert len(accumulator.ready(100, flushing=True)) == 1
    assert accumulator.next_event_ms(100, flushing=True) == 0


def test_one_batch_a_partition_is_in_flight() -> None:
    accumulator = Accumulator(batch_bytes=500, linger_ms=10)
    filled(accumulator, 9)
    (batch,) = accumulator.ready(0, flushing=True)
    batch.in_flight = True
    assert accumulator.ready(0, flushing=True) == []
    assert accumulator.next_event_ms(0, flushing=True) is None
    accumulator.done(batch)
    assert accumulator.ready(0, flushing=True)[0] is not batch


def test_a_batch_waits_for_its_retry() -> None:
    accumulator = Accumulator(batch_bytes=500, linger_ms=10)
    filled(accumulator, 1)
    (batch,) = accumulator.ready(0, flushing=True)
    batch.retry_at_ms = 40
    assert accumulator.ready(39, flushing=True) == []
    assert accumulator.next_event_ms(10, flushing=True) == 30
    assert accumulator.ready(40, flushing=True) == [batch]


def test_bytes_are_counted() -> None:
    accumulator = Accumulator(batch_bytes=500, linger_ms=10)
    assert accumulator.bytes == 0
    filled(accumulator, 9)
    assert 9 * 100 < accumulator.bytes < 9 * 120 + 3 * 61
    while len(accumulator):
        accumulator.done(accumulator.ready(0, flushing=True)[0])
    assert accumulator.bytes == 0
    assert accumulator.next_event_ms(0, flushing=True) is None


def test_no_record_joins_a_batch_that_was_encoded() -> None:
    accumulator = Accumulator(batch_bytes=500, linger_ms=10)
    filled(accumulator, 1)
    (batch,) = accumulator.ready(0, flushing=True)
    data = batch.encode(Compression.NONE)
    filled(accumulator, 1)
    assert batch.count == 1
    assert batch.encode(Compression.NONE) is data


def test_split() -> None:
    accumulator = Accumulator(batch_bytes=100_000, linger_ms=10)
    filled(accumulator, 5)
    (batch,) = accumulator.ready(0, flushing=True)
    batch.producer_id, batch.producer_epoch, batch.base_sequence = 7, 0, 2**31 - 2
    accumulator.split(batch)
    assert len(accumulator) == 2
    (first,) = accumulator.ready(0, flushing=False)
    first_header = read_header(first.encode(Compression.NONE))
    accumulator.done(first)
    (second,) = accumulator.ready(0, flushing=False)
    data = second.encode(Compression.NONE)
    second_header = read_header(data)
    assert (first_header.record_count, second_header.record_count) == (2, 3)
    assert (first_header.base_sequence, second_header.base_sequence) == (2**31 - 2, 0)
    assert (first_header.producer_id, second_header.producer_id) == (7, 7)
    assert [r.timestamp for r in iter_records(data, 0, second_header)] == [2, 3, 4]
    accumulator.done(second)
    assert accumulator.bytes == 0


def test_a_failure_takes_the_sequences_of_what_was_not_sent() -> None:
    accumulator = Accumulator(batch_bytes=100_000, linger_ms=10)
    filled(accumulator, 4)
    (batch,) = accumulator.ready(0, flushing=True)
    batch.producer_id, batch.base_sequence = 7, 5
    accumulator.split(batch)
    (first,) = accumulator.ready(0, flushing=False)
    accumulator.failed(first)
    (second,) = accumulator.ready(0, flushing=False)
    assert (second.producer_id, second.base_sequence) == (-1, -1)


def batch_of(topic: str, index: int, size: int) -> Batch:
    batch = Batch((topic, index), 0)
    batch.builder.append(None, b"v" * size)
    return batch


def test_requests_hold_several_topics_up_to_a_size() -> None:
    batches = [batch_of("a", 0, 10), batch_of("b", 1, 10), batch_of("a", 2, 10)]
    request, taken = produce_request(batches, -1, 5, Compression.NONE)
    assert [
        (topic.name, [data.index for data in topic.partition_data]) for topic in request.topic_data
    ] == [("a", [0, 2]), ("b", [1])]
    assert list(taken) == [("a", 0), ("b", 1), ("a", 2)]
    large = [batch_of("a", index, 3_000_000) for index in range(3)]
    assert len(produce_request(large, -1, 5, Compression.NONE)[1]) == 1
