"""Comparing replicas: the same, different below and above the high watermark, compacted."""

from __future__ import annotations

from crc32c import crc32c

from ottla.record.build import BatchBuilder
from storage.checkpoints import Checkpoints
from storage.inspection.compare import (
    Comparison,
    GroupOf,
    by_name,
    by_topic_id,
    compare_replicas,
)
from storage.inspection.directory_check import check_places
from storage.inspection.log_check import CheckOptions
from storage.inspection.places import find_places
from storage.manager import LogManager
from tests.support.disk import SMALL, TOPIC_ID, Disk, batch, replicated
from tests.support.read_only_vfs import ReadOnlyVfs

BATCHES = [batch(1, 100, 1_000 + i) for i in range(12)]


class Replicas:
    """Brokers with a directory each, on one disk in memory."""

    def __init__(self) -> None:
        self.disk = Disk()
        self.disk.manager.close()
        self.stores: dict[str, Checkpoints] = {}

    def add(
        self,
        *runs: tuple[int, list[memoryview]],
        leader_epoch: int = 0,
        high_watermark: int = 0,
        topic_id: bytes = TOPIC_ID,
    ) -> None:
        """A replica that was sent `runs` of batches, each from an offset on."""
        path = f"/r{len(self.stores)}"
        self.disk.vfs.mkdirs(path)
        checkpoints = self.stores[path] = Checkpoints(type(self.disk.store)())
        manager = LogManager.open(
            [path],
            cluster_id="c",
            node_id=len(self.stores),
            clock=self.disk.clock,
            vfs=self.disk.vfs,
            checkpoints=checkpoints,
        )
        manager.mark_running(1)
        log = manager.open_log("t", 0, topic_id, SMALL)
        log.reset_to(runs[0][0])
        for base_offset, batches in runs:
            data = replicated(*batches, base_offset=base_offset, leader_epoch=leader_epoch)
            log.append_as_follower(data)
        manager.note_high_watermark(topic_id, 0, high_watermark)
        manager.close()

    def compare(self, group_of: GroupOf = by_topic_id) -> list[Comparison]:
        vfs = ReadOnlyVfs(self.disk.vfs)
        places = find_places(vfs, list(self.stores))
        reports = check_places(vfs, places, CheckOptions(), open_store=self.stores.get)
        assert not any(log.findings.errors for report in reports for log in report.logs)
        return compare_replicas(vfs, reports, group_of=group_of)


def test_the_same_batches_in_other_segments_are_the_same() -> None:
    replicas = Replicas()
    replicas.add((0, BATCHES))
    replicas.add((0, BATCHES[:7]))
    replicas.add((3, BATCHES[3:10]))
    first, second = replicas.compare()
    assert (first.start_offset, first.end_offset, first.difference) == (0, 7, None)
    assert (second.start_offset, second.end_offset, second.difference) == (3, 10, None)
    assert "are the same in offsets 3 to 9" in second.sentence()


def test_the_first_batch_that_differs_is_named() -> None:
    other = [*BATCHES[:8], batch(1, 100, 5_000), *BATCHES[9:]]
    replicas = Replicas()
    replicas.add((0, BATCHES), high_watermark=12)
    replicas.add((0, other), high_watermark=12)
    (found,) = replicas.compare()
    assert found.differs
    assert found.difference is not None
    assert found.difference.offset == 8
    assert "max timestamp 1008 and 5000" in found.difference.what
    assert [path for path, _ in found.difference.places] == [
        f"/r{number}/t-0/{5:020d}.log" for number in range(2)
    ]
    assert found.difference.places[0][1] == 3 * 171
    assert found.sentence().startswith("error: ")


def test_another_leader_epoch_is_a_difference_although_no_crc_covers_it() -> None:
    replicas = Replicas()
    replicas.add((0, BATCHES))
    replicas.add((0, BATCHES), leader_epoch=1)
    (found,) = replicas.compare()
    assert found.difference is not None
    assert found.difference.what == "leader epoch 0 and 1"


def test_a_difference_above_the_high_watermark_is_cut_when_following_again() -> None:
    replicas = Replicas()
    replicas.add((0, BATCHES[:6]), high_watermark=5)
    replicas.add((0, [*BATCHES[:5], batch(2)]), high_watermark=4)
    (found,) = replicas.compare()
    assert found.difference is not None
    assert not found.differs
    assert "above the high watermark 5" in found.sentence()


def test_a_batch_that_only_one_replica_has() -> None:
    replicas = Replicas()
    replicas.add((0, BATCHES))
    replicas.add((0, [*BATCHES[:4], batch(2, 100), *BATCHES[6:]]))
    (found,) = replicas.compare()
    assert found.difference is not None
    assert found.difference.offset == 4


def compacted(records: list[tuple[int, bytes]], offsets: int) -> memoryview:
    """A batch of so many offsets in which only some records are left."""
    builder = BatchBuilder()
    for offset, value in records:
        builder.append(b"k%d" % (offset % 3), value, (), 1_000, offset_delta=offset)
    data = builder.build()
    data[23:27] = (offsets - 1).to_bytes(4, "big")
    data[17:21] = crc32c(bytes(data[21:])).to_bytes(4, "big")
    return memoryview(data)


ALL = [(offset, b"v%d" % offset) for offset in range(9)]


def test_what_each_replica_compacted_for_itself_is_no_difference() -> None:
    replicas = Replicas()
    replicas.add((0, [compacted(ALL, 9)]))
    replicas.add((0, [compacted([item for item in ALL if item[0] not in (1, 4)], 9)]))
    (found,) = replicas.compare()
    assert found.difference is not None
    assert not found.differs
    assert "compaction explains it" in found.sentence()


def test_a_last_value_that_is_missing_is_a_difference_in_spite_of_compaction() -> None:
    replicas = Replicas()
    replicas.add((0, [compacted(ALL, 9)]), high_watermark=9)
    replicas.add((0, [compacted(ALL[:-1], 9)]), high_watermark=9)
    (found,) = replicas.compare()
    assert found.differs
    assert found.difference is not None
    assert found.difference.offset == 5
    assert "at offset 8 in the other" in found.difference.what


def test_other_topic_ids_are_other_partitions_unless_names_are_compared() -> None:
    replicas = Replicas()
    replicas.add((0, BATCHES))
    replicas.add((0, BATCHES[:3]), topic_id=bytes(15) + b"x")
    assert replicas.compare() == []
    (found,) = replicas.compare(by_name)
    assert found.difference is None


def test_without_offsets_in_common() -> None:
    replicas = Replicas()
    replicas.add((0, BATCHES[:3]))
    replicas.add((5, BATCHES[5:]))
    (found,) = replicas.compare()
    assert found.difference is None
    assert "no offsets in common" in found.sentence()
