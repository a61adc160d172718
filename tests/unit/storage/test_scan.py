from __future__ import annotations

from collections.abc import Iterator

import pytest

from ottla.core.errors import DecodeError
from ottla.record.batch import BatchHeader
from storage.scan import scan_batches, walk_headers
from storage.vfs import MemoryVfs, OpenMode, VfsFile
from tests.support.disk import batch, replicated

SIZES = [10, 5_000, 100, 70_000, 1, 3 << 20, 2]


def made() -> tuple[VfsFile, list[int]]:
    file = MemoryVfs().open("/s", OpenMode.CREATE)
    positions = []
    for number, size in enumerate(SIZES):
        positions.append(file.size())
        file.write(replicated(batch(1, size), base_offset=number))
    return file, positions


def until_damage(walk: Iterator[tuple[int, BatchHeader]]) -> tuple[list[int], str]:
    """The positions that are found before the DecodeError, and what it says."""
    found = []
    try:
        for position, _ in walk:
            found.append(position)
    except DecodeError as error:
        return found, str(error)
    raise AssertionError("no damage was found")


@pytest.mark.parametrize("window", [61, 100, 4096, 1 << 16])
def test_walking_finds_every_header_whatever_the_window(window: int) -> None:
    file, positions = made()
    found = list(walk_headers(file, 0, file.size(), window))
    assert [position for position, _ in found] == positions
    assert [header.base_offset for _, header in found] == list(range(len(SIZES)))
    assert [p for p, _ in walk_headers(file, positions[2], positions[4], window)] == positions[2:4]


def test_scanning_finds_every_batch() -> None:
    file, positions = made()
    assert [position for position, _ in scan_batches(file, 0, file.size())] == positions
    assert [p for p, _ in scan_batches(file, positions[3], file.size())] == positions[3:]
    assert list(scan_batches(file, file.size(), file.size())) == []


@pytest.mark.parametrize("lost", [1, 60, 62, 3_000_000])
def test_a_torn_batch_ends_both(lost: int) -> None:
    file, positions = made()
    end = positions[6] - lost
    file.truncate(end)
    for walk in (walk_headers, scan_batches):
        assert until_damage(walk(file, 0, end))[0] == positions[:5]


@pytest.mark.parametrize("number", range(len(SIZES)))
def test_a_flipped_bit_ends_a_scan_at_its_batch(number: int) -> None:
    file, positions = made()
    place = positions[number] + 65
    file.pwrite(bytes([file.pread(1, place)[0] ^ 1]), place)
    found, why = until_damage(scan_batches(file, 0, file.size()))
    assert found == positions[:number]
    assert why == f"the batch at byte {positions[number]} of /s has a wrong CRC"


def test_zeros_are_no_batch() -> None:
    file = MemoryVfs().open("/s", OpenMode.CREATE)
    file.truncate(5_000)
    for walk in (walk_headers, scan_batches):
        assert until_damage(walk(file, 0, 5_000))[0] == []
