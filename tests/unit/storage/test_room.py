from __future__ import annotations

import logging

import pytest

from ottla.core.clock import ManualClock
from ottla.core.errors import ErrorCode
from storage.errors import DiskFull
from storage.room import HOLD_MS, RESUME_BYTES_MIN, Room

MB = 1 << 20


class Disk:
    def __init__(self, free: int, floor: int) -> None:
        self.free = free
        self.looks = 0
        self.clock = ManualClock()
        self.room = Room("/d", measure=self.measure, floor=floor, clock=self.clock)

    def measure(self) -> int:
        self.looks += 1
        return self.free

    def keep_house(self) -> bool:
        return self.room.note(self.room.measure())

    def append(self, size: int) -> None:
        """As a log does."""
        self.room.left -= size
        if self.room.left < 0:
            self.room.look_again(size)
        self.free -= size


def test_the_disk_is_measured_again_when_what_was_left_is_used_up() -> None:
    disk = Disk(100 * MB, 60 * MB)
    assert not disk.keep_house()
    disk.append(30 * MB)
    assert disk.looks == 1
    disk.free += 50 * MB  # somebody else made room
    disk.append(30 * MB)
    assert disk.looks == 2
    with pytest.raises(DiskFull, match="/d takes no appends") as caught:
        disk.append(31 * MB)
    assert caught.value.code is ErrorCode.KAFKA_STORAGE_ERROR
    assert disk.free == 90 * MB
    looks = disk.looks
    with pytest.raises(DiskFull):
        disk.append(1)
    assert disk.looks == looks  # while it is full an append costs no look


def test_it_is_full_until_there_is_more_than_the_floor(caplog: pytest.LogCaptureFixture) -> None:
    disk = Disk(60 * MB, 60 * MB)
    with caplog.at_level(logging.INFO):
        assert disk.keep_house()
        assert disk.keep_house()
        disk.free = 74 * MB
        assert disk.keep_house()
        disk.free = 75 * MB
        assert not disk.keep_house()
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    disk.append(15 * MB)
    with pytest.raises(DiskFull):
        disk.append(1)


def test_a_refused_write_counts_for_a_while_whatever_is_measured() -> None:
    disk = Disk(1_000 * MB, 60 * MB)
    disk.keep_house()
    assert "1,048,576,000 bytes free" in str(disk.room.refused())
    assert disk.keep_house()
    disk.clock.advance(HOLD_MS - 1)
    assert disk.keep_house()
    disk.clock.advance(1)
    assert not disk.keep_house()
    disk.append(1)


def test_without_a_floor_only_the_disk_says_no() -> None:
    disk = Disk(RESUME_BYTES_MIN - 1, 0)
    assert not disk.keep_house()
    disk.append(10 * MB)
    disk.free = RESUME_BYTES_MIN - 1
    disk.room.refused()
    disk.clock.advance(HOLD_MS)
    assert disk.keep_house()
    disk.free += 1
    assert not disk.keep_house()


def test_a_room_that_measures_nothing_is_never_full() -> None:
    room = Room("/d")
    assert "the disk is full" in str(room.refused())
    assert not room.full
    assert not room.note(room.measure())
