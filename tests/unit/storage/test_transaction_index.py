"""Aborted transactions of a segment, on disk and through crashes."""

from __future__ import annotations

import pytest

from ottla.core.errors import DecodeError
from storage.log import Log
from storage.transaction_index import AbortedTransaction, TransactionIndex
from storage.vfs import MemoryVfs, OpenMode
from tests.support.disk import FOLDER, Disk, append, batch, fill, marker

PATH = "/i.txnindex"


def entry(number: int) -> AbortedTransaction:
    return AbortedTransaction(7, 10 * number, 10 * number + 5, 10 * number + 6)


def index_of(vfs: MemoryVfs, count: int) -> TransactionIndex:
    index = TransactionIndex(vfs, PATH)
    index.begin()
    for number in range(count):
        index.append(entry(number))
    return index


def test_layout() -> None:
    vfs = MemoryVfs(0)
    index = index_of(vfs, 0)
    index.append(AbortedTransaction(1, 2, 3, 4))
    assert index.save()
    assert vfs.open(PATH, OpenMode.READ).pread(100, 0) == b"\0\0" + b"".join(
        n.to_bytes(8, "big") for n in (1, 2, 3, 4)
    )


def test_without_entries_there_is_no_file() -> None:
    vfs = MemoryVfs(0)
    assert not index_of(vfs, 0).save()
    assert not vfs.exists(PATH)
    assert TransactionIndex(vfs, PATH).entries() == []


def test_it_is_appended_to_and_read_back() -> None:
    vfs = MemoryVfs(0)
    index = index_of(vfs, 2)
    assert index.save()
    assert not index.save()
    index.append(entry(2))
    index.release()  # not saved: stays
    assert index.save()
    index.release()
    assert index.entries() == [entry(0), entry(1), entry(2)]
    index.append(entry(3))
    assert index.save()
    again = TransactionIndex(vfs, PATH)
    again.load(0, 1000)
    assert again.entries() == [entry(number) for number in range(4)]
    assert not again.unsaved


def test_what_is_cut_or_not_believed_leaves_the_file_with_the_next_save() -> None:
    vfs = MemoryVfs(0)
    index = index_of(vfs, 3)
    index.save()
    index.cut(15)
    index.append(AbortedTransaction(9, 11, 16, 17))
    index.append(AbortedTransaction(9, 17, 18, 19))  # as many as before
    assert index.save()
    assert [e.producer_id for e in TransactionIndex(vfs, PATH).entries()] == [7, 9, 9]
    index.load(0, 18)
    assert index.unsaved
    index.release()
    assert [e.last_offset for e in index.entries()] == [5, 16]
    assert index.save()
    assert [e.last_offset for e in TransactionIndex(vfs, PATH).entries()] == [5, 16]


def test_a_cut_while_it_is_being_saved_is_not_forgotten() -> None:
    vfs = MemoryVfs(0)
    index = index_of(vfs, 3)
    original = vfs.open

    def open_and_cut(path: str, mode: OpenMode) -> object:
        index.cut(15)
        return original(path, mode)

    vfs.open = open_and_cut  # type: ignore[assignment, method-assign]
    index.save()
    vfs.open = original  # type: ignore[method-assign]
    assert index.unsaved
    index.save()
    assert TransactionIndex(vfs, PATH).entries() == [entry(0)]


@pytest.mark.parametrize(
    "damage", [b"\0", b"\0\1" + bytes(32), b"\0\0" + b"\0" * 7 + b"\1" + b"\xff" * 24]
)
def test_damage_is_noticed(damage: bytes) -> None:
    vfs = MemoryVfs(0)
    index_of(vfs, 1).save()
    vfs.open(PATH, OpenMode.WRITE).write(damage)
    with pytest.raises(DecodeError):
        TransactionIndex(vfs, PATH).load(0, 1000)


# In a log


def abort_one(log: Log, producer_id: int, sequence: int) -> None:
    append(log, batch(2, producer_id=producer_id, sequence=sequence, transactional=True))
    append(log, marker(producer_id, commit=False), internal=True)


def found(log: Log, first: int = 0, end: int = 10_000) -> list[tuple[int, int, int]]:
    return [
        (a.producer_id, a.first_offset, a.last_offset) for a in log.aborted_transactions(first, end)
    ]


def test_aborted_transactions_are_found_by_range_across_segments() -> None:
    log = Disk().open()
    append(log, batch(1, producer_id=1, sequence=0, transactional=True))  # 0, long
    abort_one(log, 2, 0)  # 1–3
    fill(log, 12)  # 4–15
    append(log, marker(1, commit=False), internal=True)  # 16
    abort_one(log, 2, 2)  # 17–19
    append(log, batch(1, producer_id=3, sequence=0, transactional=True))
    append(log, marker(3), internal=True)  # committed: no entry
    assert log.segment_count > 1
    assert found(log) == [(2, 1, 3), (1, 0, 16), (2, 17, 19)]
    assert found(log, 4, 10) == [(1, 0, 16)]
    assert found(log, 2, 10) == [(2, 1, 3), (1, 0, 16)]
    assert found(log, 17, 18) == [(2, 17, 19)]
    assert found(log, 0, 1) == [(1, 0, 16)]
    assert found(log, 20) == []


@pytest.mark.parametrize("flushed", [0, 1, 2])
def test_they_survive_every_kind_of_stop(flushed: int) -> None:
    disk = Disk()
    log = disk.open()
    for number in range(6):
        abort_one(log, 5, 2 * number)
        fill(log, 4)
        if number == 3 and flushed:
            log.flush()
            if flushed == 2:
                disk.commit(log)
    expected = found(log)
    assert len(expected) == 6
    assert found(disk.process_crash()) == expected
    assert found(disk.restart()) == expected
    assert found(disk.restart()) == expected
    log = disk.power_cut()
    assert found(log) == [e for e in expected if e[2] < log.log_end_offset]


def test_a_damaged_index_is_made_again_from_the_log() -> None:
    disk = Disk()
    log = disk.open()
    append(log, batch(1, producer_id=1, sequence=0, transactional=True))
    fill(log, 12)
    append(log, marker(1, commit=False), internal=True)
    abort_one(log, 2, 0)
    expected = found(log)
    disk.restart()
    name = next(n for n in disk.vfs.listdir(FOLDER) if n.endswith(".txnindex"))
    disk.vfs.open(f"{FOLDER}/{name}", OpenMode.WRITE).write(b"x")
    assert found(disk.restart()) == expected


def test_a_truncation_takes_them_along() -> None:
    disk = Disk()
    log = disk.open()
    abort_one(log, 1, 0)
    abort_one(log, 1, 2)
    log.flush()
    log.truncate_to(5)
    assert found(log) == [(1, 0, 2)]
    fill(log, 3)
    assert found(disk.restart()) == [(1, 0, 2)]
