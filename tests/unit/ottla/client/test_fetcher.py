from __future__ import annotations

import pytest

from ottla.client.cluster import Cluster
from ottla.client.errors import DeadlineError
from ottla.client.fetcher import Fetcher
from ottla.client.model import IsolationLevel, OffsetSpec
from ottla.core.errors import DecodeError, ErrorCode, ProtocolError
from ottla.protocol.api import ApiKey
from ottla.record.build import BatchBuilder, build_batch
from ottla.record.control import (
    ControlRecordType,
    control_record_key,
    end_transaction_batch,
    end_transaction_value,
)
from tests.support.fake_kafka import FakeKafka

EARLIEST = OffsetSpec.EARLIEST


def batch(*values: bytes) -> bytearray:
    return build_batch([(None, value, (), 5) for value in values])


@pytest.fixture
def kafka() -> FakeKafka:
    kafka = FakeKafka()
    kafka.create("t", 2)
    for number in range(5):
        kafka.append("t", 0, batch(b"a%d" % number, b"b%d" % number))
    return kafka


def fetcher_of(
    kafka: FakeKafka,
    reset: OffsetSpec | None = None,
    timeout_ms: int = 30_000,
    partition_bytes: int = 1_000_000,
    isolation: IsolationLevel = IsolationLevel.READ_UNCOMMITTED,
) -> Fetcher:
    cluster = Cluster(kafka.bootstrap, kafka.options(timeout_ms))
    cluster.refresh(["t"])
    return Fetcher(cluster, reset=reset, partition_bytes=partition_bytes, isolation=isolation)


def read(fetcher: Fetcher, wait_ms: int = 2_000) -> list[bytes | None]:
    found: list[bytes | None] = []
    while records := fetcher.poll(100, wait_ms):
        found += [record.value for record in records]
    return found


def test_everything_from_the_beginning(kafka: FakeKafka) -> None:
    fetcher = fetcher_of(kafka)
    fetcher.assign({("t", 0): EARLIEST, ("t", 1): EARLIEST})
    assert read(fetcher) == [b"%c%d" % (c, n) for n in range(5) for c in b"ab"]
    assert fetcher.positions() == {("t", 0): 10, ("t", 1): 0}
    assert fetcher.assigned() == [("t", 0), ("t", 1)]


def test_from_the_middle_of_a_batch(kafka: FakeKafka) -> None:
    fetcher = fetcher_of(kafka)
    fetcher.assign({("t", 0): 7})
    (record, *_) = fetcher.poll(1, 1000)
    assert (record.topic, record.partition, record.offset) == ("t", 0, 7)
    assert (record.value, record.timestamp, record.key, record.headers) == (b"b3", 5, None, ())


def test_positions_move_only_with_what_is_handed_out(kafka: FakeKafka) -> None:
    fetcher = fetcher_of(kafka)
    fetcher.assign({("t", 0): 0})
    fetcher.poll(3, 1000)
    assert fetcher.positions() == {("t", 0): 3}
    assert len(kafka.requests(ApiKey.FETCH)) == 1
    assert fetcher.poll(1, 1000)[0].offset == 3


def test_answers_that_are_cut_off(kafka: FakeKafka) -> None:
    fetcher = fetcher_of(kafka, partition_bytes=200)
    fetcher.assign({("t", 0): 0})
    assert len(read(fetcher)) == 10
    assert len(kafka.requests(ApiKey.FETCH)) > 5


def test_waiting_ends_in_time_and_new_records_are_seen(kafka: FakeKafka) -> None:
    fetcher = fetcher_of(kafka)
    fetcher.assign({("t", 1): 0})
    started_ms = kafka.clock.now_ms()
    assert fetcher.poll(10, 3_000) == []
    assert 3_000 <= kafka.clock.now_ms() - started_ms < 3_600
    kafka.append("t", 1, batch(b"new"))
    assert fetcher.poll(10, 3_000)[0].value == b"new"


def test_nothing_assigned(kafka: FakeKafka) -> None:
    fetcher = fetcher_of(kafka)
    started_ms = kafka.clock.now_ms()
    assert fetcher.poll(10, 3_000) == []
    assert kafka.clock.now_ms() - started_ms == 3_000


def test_markers_are_passed_over(kafka: FakeKafka) -> None:
    marker = build_batch(
        [(control_record_key(ControlRecordType.COMMIT), end_transaction_value(0), (), 5)],
        control=True,
        transactional=True,
    )
    kafka.append("t", 0, marker)
    fetcher = fetcher_of(kafka)
    fetcher.assign({("t", 0): 9})
    assert read(fetcher) == [b"b4"]
    assert fetcher.positions() == {("t", 0): 11}


def test_only_what_is_committed_is_read(kafka: FakeKafka) -> None:
    def transaction(producer_id: int, value: bytes, is_commit: bool | None) -> None:
        kafka.append(
            "t",
            1,
            build_batch(
                [(None, value, (), 5)],
                producer_id=producer_id,
                producer_epoch=0,
                base_sequence=0,
                transactional=True,
            ),
        )
        if is_commit is not None:
            marker = end_transaction_batch(producer_id, 0, 0, is_commit=is_commit, timestamp_ms=5)
            kafka.append("t", 1, marker)

    transaction(7, b"committed", True)
    transaction(8, b"aborted", False)
    transaction(8, b"committed too", True)
    transaction(9, b"open", None)
    kafka.append("t", 1, batch(b"behind it"))
    fetcher = fetcher_of(kafka, isolation=IsolationLevel.READ_COMMITTED)
    fetcher.assign({("t", 1): EARLIEST})
    assert read(fetcher) == [b"committed", b"committed too"]
    assert fetcher.positions() == {("t", 1): 6}
    fetcher.assign({("t", 1): OffsetSpec.LATEST})
    assert read(fetcher) == []
    assert fetcher.positions() == {("t", 1): 6}
    marker = end_transaction_batch(9, 0, 0, is_commit=False, timestamp_ms=5)
    kafka.append("t", 1, marker)
    assert read(fetcher) == [b"behind it"]
    fetcher = fetcher_of(kafka)
    fetcher.assign({("t", 1): EARLIEST})
    assert len(read(fetcher)) == 5


def test_gaps_of_compaction_are_passed_over(kafka: FakeKafka) -> None:
    builder = BatchBuilder()
    builder.append(None, b"kept", offset_delta=2)
    data = builder.build()
    data[23:27] = (5).to_bytes(4, "big")  # the last record is gone, its offset is not
    from crc32c import crc32c

    data[17:21] = crc32c(memoryview(data)[21:]).to_bytes(4, "big")
    kafka.append("t", 1, data)
    fetcher = fetcher_of(kafka)
    fetcher.assign({("t", 1): 0})
    assert read(fetcher) == [b"kept"]
    assert fetcher.positions() == {("t", 1): 6}


def test_a_wrong_checksum(kafka: FakeKafka) -> None:
    header, data = kafka.topics["t"][0].batches[1]
    kafka.topics["t"][0].batches[1] = (header, data[:-1] + b"?")
    fetcher = fetcher_of(kafka)
    fetcher.assign({("t", 0): 0})
    assert len(fetcher.poll(2, 1000)) == 2
    with pytest.raises(DecodeError, match="offset 2 of partition 0 of topic 't' are damaged"):
        fetcher.poll(2, 1000)


def test_an_answer_without_a_whole_batch(kafka: FakeKafka) -> None:
    fetcher = fetcher_of(kafka, partition_bytes=50)
    fetcher.assign({("t", 0): 0})
    with pytest.raises(DecodeError, match="no whole batch"):
        fetcher.poll(2, 1000)


def test_an_offset_that_is_gone(kafka: FakeKafka) -> None:
    kafka.topics["t"][0].start_offset = 4
    fetcher = fetcher_of(kafka)
    fetcher.assign({("t", 0): 1})
    with pytest.raises(ProtocolError, match="no offset 1; it begins at 4 and ends before 10"):
        fetcher.poll(10, 1000)
    fetcher = fetcher_of(kafka, reset=EARLIEST)
    fetcher.assign({("t", 0): 1})
    assert fetcher.poll(1, 1000)[0].offset == 4


def test_leaders_that_move(kafka: FakeKafka) -> None:
    fetcher = fetcher_of(kafka)
    fetcher.assign({("t", 0): 0})
    assert len(fetcher.poll(10, 1000)) == 10
    kafka.topics["t"][0].leader_id = 2
    kafka.append("t", 0, batch(b"new"))
    assert fetcher.poll(10, 5000)[0].value == b"new"
    kafka.down.add(2)
    kafka.topics["t"][0].leader_id = 3
    kafka.append("t", 0, batch(b"newer"))
    assert fetcher.poll(10, 5000)[0].value == b"newer"


def test_a_broker_that_hangs(kafka: FakeKafka) -> None:
    fetcher = fetcher_of(kafka)
    fetcher.assign({("t", 0): 0})
    fetcher.poll(10, 1000)
    kafka.silent.add(1)
    fetcher.poll(10, 1000)
    kafka.topics["t"][0].leader_id = 2
    kafka.append("t", 0, batch(b"new"))
    assert fetcher.poll(10, 20_000)[0].value == b"new"


def test_errors_for_too_long(kafka: FakeKafka) -> None:
    kafka.errors[ApiKey.FETCH].extend([ErrorCode.KAFKA_STORAGE_ERROR] * 1000)
    fetcher = fetcher_of(kafka, timeout_ms=5_000)
    fetcher.assign({("t", 0): 0})
    with pytest.raises(DeadlineError, match="reading partition 0 .* within 5 s: .*disk"):
        fetcher.poll(10, 60_000)
    assert kafka.retries


def test_errors_for_good(kafka: FakeKafka) -> None:
    kafka.errors[ApiKey.FETCH].append(ErrorCode.TOPIC_AUTHORIZATION_FAILED)
    fetcher = fetcher_of(kafka)
    fetcher.assign({("t", 0): 0})
    with pytest.raises(ProtocolError, match="may not be used"):
        fetcher.poll(10, 1000)


def test_an_answer_for_an_earlier_assignment_is_dropped(kafka: FakeKafka) -> None:
    fetcher = fetcher_of(kafka)
    fetcher.assign({("t", 0): 0})
    assert fetcher.poll(10, 0) == []  # the request is on its way
    fetcher.assign({("t", 0): 8})
    assert fetcher.poll(1, 1000)[0].offset == 8
    fetcher.assign({("t", 0): 9})
    assert fetcher.poll(10, 0) == []
    fetcher.assign({("t", 0): 0})
    assert fetcher.poll(10, 1000)[0].offset == 0


def test_no_partition_is_starved(kafka: FakeKafka) -> None:
    for number in range(5):
        kafka.append("t", 1, batch(b"c%d" % number))
    fetcher = fetcher_of(kafka)
    fetcher.assign({("t", 0): 0, ("t", 1): 0})
    fetcher.poll(1, 1000)
    seen = []
    for _ in range(4):
        kafka.clock.advance(10)
        seen.append(fetcher.poll(1, 1000)[0].partition)
    assert set(seen) == {0, 1}
