"""Apache Kafka's own `DumpLogSegments` reads our segments and indexes, and finds nothing to say."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ottla.core.clock import SystemClock
from storage.config import LogConfig
from storage.manager import LogManager
from storage.vfs import OsVfs
from tests.support.apache_kafka import dump_log_segments
from tests.support.disk import TOPIC_ID, append, batch, fill, marker
from tests.support.kafka_traffic import consume, make_topic, produce_all_codecs

pytestmark = pytest.mark.apache_kafka

EACH = 120
SMALL_SEGMENTS = {"segment.bytes": "7000", "index.interval.bytes": "1000"}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[int]]:
    """A copy of a partition's folder that a broker wrote, and the offsets that a consumer saw."""
    from ottla.testing import Cluster

    copy = tmp_path_factory.mktemp("ours") / "codecs-0"
    with Cluster(brokers=1) as cluster:
        make_topic(cluster.bootstrap, "codecs", SMALL_SEGMENTS)
        sent = produce_all_codecs(cluster.bootstrap, "codecs", EACH)
        offsets = [record.offset for record in consume(cluster.bootstrap, "codecs")]
        assert cluster.stop_all()
        shutil.copytree(cluster.directory / "node-1" / "log" / "codecs-0", copy)
    assert len(offsets) == sent
    return copy, offsets


def test_every_record_of_every_codec(written: tuple[Path, list[int]]) -> None:
    folder, offsets = written
    segments = sorted(folder.glob("*.log"))
    assert len(segments) >= 5
    dumped = dump_log_segments(segments, "--deep-iteration", "--print-data-log")
    assert not dumped.complaints
    assert dumped.record_offsets == offsets
    assert all(valid for *_, valid in dumped.batches)
    assert sum(count for _, _, count, _ in dumped.batches) == len(offsets)


def test_indexes(written: tuple[Path, list[int]]) -> None:
    folder, _ = written
    indexes = [*sorted(folder.glob("*.index")), *sorted(folder.glob("*.timeindex"))]
    assert len(indexes) >= 10
    checked = dump_log_segments(indexes, "--index-sanity-check")
    assert not checked.complaints
    assert checked.text.count("passed sanity check") == len(indexes)
    # Holds each entry against the segment, and prints what does not agree.
    held = dump_log_segments(indexes, "--verify-index-only")
    assert not held.complaints
    assert "offset: " in dump_log_segments(indexes).text


def test_aborted_transactions(tmp_path: Path) -> None:
    manager = LogManager.open(
        [str(tmp_path)], cluster_id="c", node_id=1, clock=SystemClock(), vfs=OsVfs()
    )
    manager.mark_running(1)
    config = LogConfig(segment_bytes=2_000, index_interval_bytes=500)
    log = manager.open_log("t", 0, TOPIC_ID, config)
    for producer_id in (7, 8):
        append(log, batch(3, producer_id=producer_id, sequence=0, transactional=True))
    fill(log, 5)
    append(log, marker(7, commit=True), internal=True)
    append(log, marker(8, commit=False), internal=True)
    end = log.log_end_offset
    manager.close()
    folder = tmp_path / "t-0"
    dumped = dump_log_segments(sorted(folder.glob("*.log")), "--deep-iteration", "--print-data-log")
    assert not dumped.complaints
    assert dumped.record_offsets == list(range(end))
    assert "endTxnMarker: COMMIT" in dumped.text
    assert "endTxnMarker: ABORT" in dumped.text
    entries = dump_log_segments(sorted(folder.glob("*.txnindex")))
    assert not entries.complaints
    assert "producerId: 8 firstOffset: 3 lastOffset: 12" in entries.text


def test_the_oracle_does_complain(written: tuple[Path, list[int]], tmp_path: Path) -> None:
    folder = shutil.copytree(written[0], tmp_path / "codecs-0")
    segment = sorted(folder.glob("*.log"))[0]
    with open(segment, "r+b") as file:
        file.seek(100)
        file.write(b"\xff\xff")
    dumped = dump_log_segments([segment])
    assert [valid for *_, valid in dumped.batches].count(False) == 1
    with open(segment.with_suffix(".index"), "r+b") as file:
        file.write((1).to_bytes(4, "big"))
    assert dump_log_segments([segment.with_suffix(".index")], "--verify-index-only").complaints
