from __future__ import annotations

import errno

import pytest

from ottla.core.errors import DecodeError
from ottla.record.batch import read_header
from storage.segment import Segment
from storage.vfs import MemoryVfs, OpenMode
from tests.support.disk import batch, replicated

INTERVAL = 300


def disk() -> MemoryVfs:
    vfs = MemoryVfs()
    vfs.mkdirs("/s")
    return vfs


def put(segment: Segment, size: int = 100, timestamp_ms: int = 1_000) -> None:
    data = replicated(batch(2, size, timestamp_ms), base_offset=segment.next_offset)
    segment.append(data)
    segment.note(read_header(data), INTERVAL)


def made(vfs: MemoryVfs, count: int = 20, base_offset: int = 100) -> Segment:
    segment = Segment.create(vfs, "/s", base_offset, created_ms=5)
    for number in range(count):
        put(segment, 100, 1_000 + 10 * number)
    return segment


def stored(vfs: MemoryVfs, count: int = 20) -> Segment:
    """A sealed one whose indexes are on disk only."""
    segment = made(vfs, count)
    segment.seal()
    assert segment.flush()
    return segment


@pytest.mark.parametrize("on_disk", [False, True])
def test_locating_every_offset(on_disk: bool) -> None:
    segment = stored(disk()) if on_disk else made(disk())
    assert segment.offset_index.count > 5
    size = segment.size // 20
    for offset in range(100, 140):
        position, header = segment.locate(offset)
        assert position == (offset - 100) // 2 * size
        assert header.base_offset <= offset <= header.last_offset


@pytest.mark.parametrize("on_disk", [False, True])
def test_boundaries_before_any_byte(on_disk: bool) -> None:
    segment = stored(disk()) if on_disk else made(disk())
    size = segment.size // 20
    for limit in range(0, segment.size + 50, 37):
        number = min(limit // size, 20)
        assert segment.boundary_before(limit, 0) == (number * size, 100 + 2 * number)
    assert segment.boundary_before(size * 8 + 1, size * 8) == (size * 8, 116)


def test_index_entries_are_kafkas() -> None:
    segment = made(disk())
    index = segment.offset_index
    entry = index.floor(139)
    while entry is not None:
        header = read_header(segment.file.pread(61, entry[1]))
        assert header.last_offset == entry[0]
        entry = index.floor(entry[0] - 1)


def test_timestamps() -> None:
    segment = made(disk())
    put(segment, timestamp_ms=500)
    assert (segment.max_timestamp, segment.max_timestamp_offset) == (1_191, 139)
    assert segment.load_first_timestamp() == 1_001
    assert segment.max_timestamp_below(140) == (1_191, 139)
    assert segment.max_timestamp_below(138) == (1_181, 137)
    assert segment.max_timestamp_below(100) == (-1, 100)


def test_sealing_adds_the_last_time_entry_once() -> None:
    segment = made(disk(), 2)
    assert segment.time_index.last() is None
    segment.seal()
    segment.seal()
    assert segment.time_index.last() == (1_011, 103)
    assert segment.time_index.count == 1


def test_a_growing_segment_saves_its_indexes_only_when_closing() -> None:
    vfs = disk()
    segment = made(vfs)
    assert not segment.flush()
    assert not segment.dirty
    assert not vfs.exists(segment.path + ".index")
    assert segment.flush(closing=True)
    again = Segment(vfs, "/s", 100, size=segment.size, next_offset=100)
    again.open_indexes()
    assert again.next_offset == 140
    assert (again.max_timestamp, again.max_timestamp_offset) == (1_191, 139)
    put(again)
    put(segment)
    again.seal()
    segment.seal()
    assert again.flush()
    assert segment.flush()
    assert again.locate(141)[0] == segment.locate(141)[0]


def test_adopting_saved_indexes() -> None:
    vfs = disk()
    old = stored(vfs)
    again = Segment(vfs, "/s", 100, size=old.size, next_offset=140)
    again.adopt_indexes(INTERVAL)
    assert (again.max_timestamp, again.max_timestamp_offset) == (1_191, 139)


@pytest.mark.parametrize("suffix", [".index", ".timeindex"])
@pytest.mark.parametrize("damage", ["missing", "torn", "beyond", "zeros"])
def test_damaged_indexes_are_not_adopted(suffix: str, damage: str) -> None:
    vfs = disk()
    old = stored(vfs)
    if damage == "missing":
        vfs.unlink(old.path + suffix)
    else:
        file = vfs.open(old.path + suffix, OpenMode.WRITE)
        if damage == "torn":
            file.truncate(file.size() - 1)
        elif damage == "zeros":
            file.truncate(0)
            file.truncate(24 * 10)
        else:
            file.write(b"\x7f" * 24)
    again = Segment(vfs, "/s", 100, size=old.size, next_offset=140)
    again.sealed = True
    if damage == "zeros":
        # Offset 0 at byte 0 is a possible entry: lookups notice that it is not the batch's last.
        assert again.locate(120)[1].base_offset == 120
        return
    with pytest.raises(DecodeError):
        again.adopt_indexes(INTERVAL)
    again.rebuild_indexes(INTERVAL)
    assert again.locate(137)[1].base_offset == 136
    assert again.time_index.last() == (1_191, 139)


def test_an_empty_index_beside_many_batches_is_damage_beside_one_it_is_not() -> None:
    vfs = disk()
    many = stored(vfs)
    vfs.open(many.path + ".index", OpenMode.WRITE).truncate(0)
    with pytest.raises(DecodeError, match="empty"):
        Segment(vfs, "/s", 100, size=many.size, next_offset=140).adopt_indexes(INTERVAL)
    one = Segment.create(vfs, "/s", 200, created_ms=5)
    put(one, 5_000)
    one.seal()
    one.flush()
    Segment(vfs, "/s", 200, size=one.size, next_offset=202).adopt_indexes(INTERVAL)


def test_an_index_that_points_elsewhere_is_made_again_while_reading() -> None:
    vfs = disk()
    segment = stored(vfs)
    file = vfs.open(segment.path + ".index", OpenMode.WRITE)
    for number in range(file.size() // 8):
        position = int.from_bytes(file.pread(4, 8 * number + 4), "big")
        file.pwrite((position + 7).to_bytes(4, "big"), 8 * number + 4)
    assert segment.locate(137)[1].base_offset == 136


def test_an_offset_that_is_not_there_is_damage() -> None:
    with pytest.raises(DecodeError, match="not in /s/00000000000000000100.log"):
        made(disk()).locate(140)


@pytest.mark.parametrize("on_disk", [False, True])
def test_cutting_seals_and_cuts_the_indexes(on_disk: bool) -> None:
    vfs = disk()
    segment = stored(vfs) if on_disk else made(vfs)
    position, _ = segment.locate(120)
    segment.cut(position, 120)
    assert (segment.size, segment.next_offset, segment.sealed) == (position, 120, True)
    assert segment.file.size() == position
    assert (segment.max_timestamp, segment.max_timestamp_offset) == (1_091, 119)
    assert segment.locate(119)[1].base_offset == 118
    assert segment.flush()
    again = Segment(vfs, "/s", 100, size=position, next_offset=120)
    again.adopt_indexes(INTERVAL)
    assert again.max_timestamp == 1_091
    assert again.boundary_before(10**9, 0) == (position, 120)


def test_cutting_without_saved_indexes_makes_them() -> None:
    vfs = disk()
    segment = stored(vfs)
    vfs.unlink(segment.path + ".index")
    segment.release()
    segment.release()
    segment.cut(segment.size // 2, 120)
    assert segment.locate(119)[1].base_offset == 118


def test_trimming_cuts_off_what_follows_the_last_batch() -> None:
    vfs = disk()
    segment = stored(vfs)
    end = segment.size
    segment.file.write(b"remnant of a truncation")
    again = Segment(vfs, "/s", 100, size=end + 23, next_offset=140)
    again.trim()
    assert again.size == again.file.size() == end
    assert again.dirty
    wrong = Segment(vfs, "/s", 100, size=end, next_offset=139)
    with pytest.raises(DecodeError, match="no batch of .* ends at offset 139"):
        wrong.trim()


def test_full_by_indexes_or_by_offsets() -> None:
    segment = made(disk())
    header = read_header(replicated(batch(), base_offset=140))
    room = segment.offset_index.count * 8 + 8
    assert not segment.is_full(header, 10 * room)
    assert segment.is_full(header, room - 1)
    header.base_offset = 100 + 2**31
    assert segment.is_full(header, 10 * room)
    header.base_offset -= 1
    assert not segment.is_full(header, 10 * room)
    stored_one = stored(disk())
    assert stored_one.is_full(header, 10 * room)


def test_creating_replaces_a_leftover() -> None:
    vfs = disk()
    stored(vfs)
    segment = Segment.create(vfs, "/s", 100, created_ms=5)
    assert vfs.listdir("/s") == ["00000000000000000100.log"]
    assert segment.file.size() == 0


def test_a_flush_of_a_removed_segment_makes_no_files() -> None:
    vfs = disk()
    segment = made(vfs)
    segment.seal()
    for path in segment.file_paths():
        vfs.rename(path, path + ".deleted")
    segment.removed = True
    assert not segment.flush()
    gone = Segment(vfs, "/s", 500, size=1, next_offset=501)
    gone.removed = True
    assert not gone.flush()
    gone.removed = False
    with pytest.raises(FileNotFoundError):
        gone.flush()


def test_releasing_closes_what_was_not_read_meanwhile() -> None:
    segment = stored(disk())
    segment.locate(100)
    segment.release()
    assert segment._file is not None
    segment.release()
    assert segment._file is None
    assert segment.locate(139)[1].base_offset == 138


def test_what_could_not_be_opened_is_not_synced() -> None:
    vfs = disk()
    segment = stored(vfs)
    segment.drop_files()
    segment.dirty = True
    vfs.fail("open", errno.EMFILE)
    with pytest.raises(OSError, match="open files"):
        segment.flush()
    assert segment.dirty


def test_files_stay_open_until_all_is_synced() -> None:
    segment = stored(disk())
    segment.dirty = True
    segment.drop_files()
    assert segment._file is not None
    segment.flush()
    segment.drop_files()
    assert segment._file is None
