from __future__ import annotations

import threading

from storage.checkpoints import Checkpoints, LogKey, MemoryStore
from storage.durability import Durability
from storage.segment import Segment
from storage.vfs import MemoryVfs, OpenMode
from tests.support.disk import Disk, fill

KEY = LogKey(b"d" * 16, b"t" * 16, 0)


class FakeLog:
    """A log of which something changes while it is being flushed."""

    def __init__(self, vfs: MemoryVfs) -> None:
        self.log_end_offset = 10
        self.listed = [
            Segment.create(vfs, "/d/t-0", 0, created_ms=0),
            Segment.create(vfs, "/d/t-0", 4, created_ms=0),
        ]
        self.listed[0].seal()

    @property
    def segments(self) -> list[Segment]:
        self.log_end_offset = 99  # an append between reading the end and listing the segments
        return list(self.listed)


def made() -> tuple[Durability, FakeLog, MemoryVfs, Checkpoints]:
    vfs = MemoryVfs()
    vfs.mkdirs("/d/t-0")
    vfs.open("/d/t-0/partition.metadata", OpenMode.CREATE)
    checkpoints = Checkpoints(MemoryStore())
    return Durability(vfs, "/d/t-0", KEY, checkpoints, 0, 0), FakeLog(vfs), vfs, checkpoints


def test_the_points_after_each_kind_of_flush() -> None:
    durability, log, _, _ = made()
    durability.flush(log, everything=False)
    assert (durability.recovery_point, durability.index_point) == (4, 4)
    log.log_end_offset = 10
    durability.flush(log, everything=True)
    assert (durability.recovery_point, durability.index_point) == (10, 4)
    log.log_end_offset = 12
    durability.flush(log, everything=True, closing=True)
    assert (durability.recovery_point, durability.index_point) == (12, 12)


def test_the_end_is_read_before_the_segments() -> None:
    durability, log, _, _ = made()
    durability.flush(log, everything=True)
    assert durability.recovery_point == 10


def test_a_truncation_during_a_flush_keeps_the_points_down() -> None:
    durability, log, vfs, _ = made()
    durability.flush(log, everything=True)
    inside, go_on = threading.Event(), threading.Event()

    class SlowSegment(Segment):
        def flush(self, *, closing: bool = False) -> bool:
            inside.set()
            assert go_on.wait(10)
            return super().flush(closing=closing)

    log.listed.append(SlowSegment.create(vfs, "/d/t-0", 9, created_ms=0))
    thread = threading.Thread(target=lambda: durability.flush(log, everything=True))
    thread.start()
    assert inside.wait(10)
    durability.lower(3)
    go_on.set()
    thread.join()
    assert (durability.recovery_point, durability.index_point) == (3, 3)


def test_noting() -> None:
    durability, log, _, checkpoints = made()
    assert durability.noted is None
    assert not durability.may_be_noted_above(0)
    assert durability.note(0, ())
    assert not durability.note(0, ())
    durability.flush(log, everything=True)
    assert durability.note(2, ((1, 0),))
    found = checkpoints.log(KEY)
    assert found is not None
    assert (found.recovery_point, found.index_point, found.log_start_offset) == (10, 4, 2)
    assert durability.may_be_noted_above(9)
    assert not durability.may_be_noted_above(10)


def test_names_are_synced_once() -> None:
    durability, log, vfs, _ = made()
    durability.flush(log, everything=True)
    assert not durability.names_dirty
    vfs.fail("fsync_dir", 5)
    durability.flush(log, everything=True)
    vfs.heal()


def test_an_append_while_flushing_is_not_lost() -> None:
    disk = Disk()
    log = disk.open()
    fill(log, 7)
    stop = threading.Event()

    def flush() -> None:
        while not stop.is_set():
            log.flush()

    thread = threading.Thread(target=flush)
    thread.start()
    try:
        fill(log, 300)
        log.truncate_to(150)
        fill(log, 300, leader_epoch=1)
    finally:
        stop.set()
        thread.join()
    log.flush()
    disk.commit(log)
    assert disk.power_cut().log_end_offset == 450
