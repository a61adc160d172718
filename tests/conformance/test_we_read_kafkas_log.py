"""Our log opens what Apache Kafka wrote, record for record: codecs, transactions, compaction."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ottla.core.clock import SystemClock
from ottla.record.batch import iter_headers, iter_records
from storage import marks
from storage.config import LogConfig
from storage.inspection.directory_check import check_places
from storage.inspection.log_check import CheckOptions
from storage.inspection.places import find_places
from storage.inspection.report import LogReport
from storage.log import Log
from storage.manager import LogManager
from storage.vfs import OsVfs
from tests.support.apache_kafka import ApacheKafka
from tests.support.kafka_traffic import (
    WAIT_SECONDS_MAX,
    Read,
    consume,
    make_topic,
    produce_all_codecs,
    produce_transactions,
    producer,
)

pytestmark = pytest.mark.apache_kafka

TOPICS = {
    "codecs": {"internal.segment.bytes": "12000", "index.interval.bytes": "1000"},
    "transactions": {"internal.segment.bytes": "5000"},
    "compacted": {
        "cleanup.policy": "compact",
        "internal.segment.bytes": "5000",
        "min.cleanable.dirty.ratio": "0.01",
        "delete.retention.ms": "60000",
    },
}
UPDATES = 3_000
KEYS = 17


@dataclass
class Written:
    """A folder with a copy of each partition's folder, and what consumers read from Kafka."""

    folder: Path
    everything: dict[str, list[Read]]
    committed: dict[str, list[Read]]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    folder = tmp_path_factory.mktemp("theirs")
    with ApacheKafka(folder / "kafka") as kafka:
        for topic, configs in TOPICS.items():
            make_topic(kafka.bootstrap, topic, configs)
        produce_all_codecs(kafka.bootstrap, "codecs", 120)
        produce_transactions(kafka.bootstrap, "transactions")
        update_keys(kafka.bootstrap, "compacted")
        everything = {topic: consume(kafka.bootstrap, topic) for topic in TOPICS}
        committed = {topic: consume(kafka.bootstrap, topic, committed=True) for topic in TOPICS}
        # Its cleaner has come to rest: the copy must hold what was read.
        assert everything["compacted"] == consume(kafka.bootstrap, "compacted")
        kafka.stop()
        for topic in TOPICS:
            shutil.copytree(kafka.data / f"{topic}-0", folder / "copies" / f"{topic}-0")
    return Written(folder / "copies", everything, committed)


def update_keys(bootstrap: str, topic: str) -> None:
    """Many values for few keys, and tombstones; then wait until the cleaner has been there."""
    client = producer(bootstrap, batch_num_messages=10)
    for number in range(UPDATES):
        value = None if number % KEYS == 3 else f"value {number}"
        client.produce(topic, key=f"key-{number % KEYS}", value=value)
        if number % 10 == 0:
            assert client.flush(WAIT_SECONDS_MAX) == 0
    assert client.flush(WAIT_SECONDS_MAX) == 0
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    count, before = 0, -1
    while count != before or count > UPDATES // 2:
        assert time.monotonic() < deadline, f"{count} records are left"
        time.sleep(1)
        count, before = len(consume(bootstrap, topic)), count


@pytest.fixture(scope="module")
def opened(written: Written, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LogManager]:
    """Our log manager, on a directory into which Kafka's folders were copied."""
    directory = tmp_path_factory.mktemp("log")
    start(directory).close()
    for topic in TOPICS:
        shutil.copytree(written.folder / f"{topic}-0", directory / f"{topic}-0")
    manager = start(directory)
    yield manager
    manager.close()


def start(directory: Path) -> LogManager:
    manager = LogManager.open(
        [str(directory)], cluster_id="c", node_id=1, clock=SystemClock(), vfs=OsVfs()
    )
    manager.mark_running(1)
    return manager


def open_log(manager: LogManager, topic: str) -> Log:
    folder = f"{manager.directories[0].path}/{topic}-0"
    topic_id = marks.read_partition_metadata(OsVfs(), folder)
    assert topic_id is not None
    return manager.open_log(topic, 0, topic_id, LogConfig())


def read(log: Log, *, committed: bool = False) -> list[Read]:
    """All records through the log, as a consumer would make them of its batches."""
    offset, found = log.log_start_offset, []
    aborted = log.aborted_transactions(offset, log.log_end_offset) if committed else []
    while (piece := log.read(offset, 10_000, end_offset=log.log_end_offset)) is not None:
        data = piece.read()
        for position, header in iter_headers(data):
            offset = header.next_offset
            dropped = header.is_control or (
                header.is_transactional
                and any(
                    one.producer_id == header.producer_id
                    and one.first_offset <= header.base_offset <= one.last_offset
                    for one in aborted
                )
            )
            if not dropped:
                found += [
                    Read(r.offset, r.timestamp, r.key, r.value, tuple(r.headers))
                    for r in iter_records(data, position, header)
                ]
    return found


def verified(*folders: Path) -> list[LogReport]:
    vfs = OsVfs()
    places = find_places(vfs, [str(folder) for folder in folders])
    return [log for r in check_places(vfs, places, CheckOptions(deep=True)) for log in r.logs]


@pytest.mark.parametrize("topic", TOPICS)
def test_every_record_is_read_as_kafka_gave_it(
    written: Written, opened: LogManager, topic: str
) -> None:
    log = open_log(opened, topic)
    assert log.segment_count >= 3
    assert read(log) == written.everything[topic]
    assert read(log, committed=True) == written.committed[topic]


def test_what_was_written_is_what_this_is_about(written: Written) -> None:
    assert len(written.committed["transactions"]) == 75
    assert len(written.everything["transactions"]) == 150
    assert list((written.folder / "transactions-0").glob("*.txnindex"))
    assert len(written.everything["compacted"]) < UPDATES // 2
    compacted, codecs, transactions = (
        verified(written.folder / f"{topic}-0")[0]
        for topic in ("compacted", "codecs", "transactions")
    )
    assert compacted.compacted
    assert not codecs.compacted
    assert not transactions.compacted


@pytest.mark.parametrize("topic", TOPICS)
def test_it_is_found_sound_before_and_after(written: Written, topic: str, tmp_path: Path) -> None:
    (report,) = verified(written.folder / f"{topic}-0")
    assert not report.findings.errors, report.findings.kept
    start(tmp_path).close()
    shutil.copytree(written.folder / f"{topic}-0", tmp_path / f"{topic}-0")
    manager = start(tmp_path)
    end = open_log(manager, topic).log_end_offset
    manager.close()
    (report,) = verified(tmp_path)
    assert not report.findings.errors, report.findings.kept
    assert report.recovery_point == report.log_end_offset == end
