"""Rows of the files of a log, as text and as JSON."""

from __future__ import annotations

import json

import pytest

from ottla.record.build import build_batch
from ottla.record.compression import Compression
from storage.inspection.dump import DumpError, dump_file
from storage.inspection.rows import bytes_text, row_json, row_text
from storage.vfs import MemoryVfs, OpenMode
from tests.support.disk import Disk, append, fill, marker
from tests.support.read_only_vfs import ReadOnlyVfs


def rows(disk: Disk, suffix: str = ".log", base_offset: int = 0, **asked: object) -> list[dict]:  # type: ignore[type-arg]
    options = {"from_offset": 0, "max_rows": None, "records": False, **asked}
    return list(dump_file(ReadOnlyVfs(disk.vfs), disk.path(base_offset, suffix), **options))  # type: ignore[arg-type]


@pytest.fixture
def disk() -> Disk:
    disk = Disk()
    log = disk.open()
    records = [(b"key", b"value", (("h", b"\xff"),), 5), (None, None, (), 6)]
    sent = build_batch(
        records,
        compression=Compression.ZSTD,
        producer_id=7,
        producer_epoch=1,
        base_sequence=0,
        transactional=True,
    )
    append(log, memoryview(sent), 3)
    append(log, marker(7, producer_epoch=1, commit=False), 3, internal=True)
    fill(log, 20, leader_epoch=4)
    disk.manager.close()
    return disk


def test_batches_and_records(disk: Disk) -> None:
    first, record, second, control, mark, *_ = rows(disk, records=True)
    assert (first["base_offset"], first["last_offset"]) == (0, 1)
    assert first["compression"] == "zstd"
    assert (first["producer_id"], first["producer_epoch"], first["last_sequence"]) == (7, 1, 1)
    assert first["crc_ok"]
    assert first["transactional"]
    assert (record["key"], record["value"], record["headers"]) == (
        b"key",
        b"value",
        [("h", b"\xff")],
    )
    assert second["key"] is None
    assert control["control"] is True
    assert (mark["control"], mark["coordinator_epoch"]) == ("ABORT", 7)
    assert row_text(first, full=False).startswith("byte 0 · offsets 0 to 1 · 2 records · ")
    assert row_text(record, full=False) == (
        "  offset 0 · time 5 · key 'key' · value 'value' · header 'h'=0xff"
    )
    assert json.loads(row_json(record))["headers"] == [{"name": "h", "value_hex": "ff"}]
    assert "marker ABORT" in row_text(mark, full=False)


def test_from_and_max(disk: Disk) -> None:
    assert [row["base_offset"] for row in rows(disk, from_offset=1, max_rows=2)] == [0, 2]
    found = rows(disk, from_offset=1, max_rows=2, records=True)
    assert [row["offset"] for row in found if row["type"] == "record"] == [1, 2]


def test_a_wrong_crc_is_shown(disk: Disk) -> None:
    disk.vfs.open(disk.path(0), OpenMode.WRITE).pwrite(b"\0", 18)
    assert [row["crc_ok"] for row in rows(disk, max_rows=2)] == [False, True]
    assert row_text(rows(disk)[0], full=False).endswith("CRC WRONG")


def test_indexes(disk: Disk) -> None:
    offsets, times = rows(disk, ".index"), rows(disk, ".timeindex")
    batches = {row["last_offset"]: row for row in rows(disk)}
    assert offsets
    for row in offsets:
        assert batches[row["last_offset"]]["position"] == row["position"]
    for row in times:
        assert batches[row["last_offset"]]["max_timestamp"] == row["timestamp"]
    (aborted,) = rows(disk, ".txnindex")
    assert (aborted["producer_id"], aborted["first_offset"], aborted["last_offset"]) == (7, 0, 2)
    assert row_text(aborted, full=False) == (
        "producer 7 aborted offsets 0 to 2, last stable offset 3"
    )


def test_errors_name_file_position_and_cause(disk: Disk) -> None:
    disk.vfs.open(disk.path(0), OpenMode.WRITE).truncate(300)
    with pytest.raises(DumpError, match=r"/0{20}\.log, byte \d+: a batch of 171 bytes is cut off"):
        rows(disk)
    disk.vfs.open(disk.path(0, ".index"), OpenMode.WRITE).truncate(7)
    with pytest.raises(DumpError, match=r"\.index, byte 0: it ends within an entry"):
        rows(disk, ".index")
    with pytest.raises(DumpError, match="neither a segment nor an index"):
        rows(disk, ".txt")
    vfs = MemoryVfs()
    vfs.open("/a.index", OpenMode.CREATE)
    with pytest.raises(DumpError, match="20 digits"):
        list(dump_file(vfs, "/a.index", from_offset=0, max_rows=None, records=False))


def test_bytes_never_carry_control_characters_to_a_terminal() -> None:
    assert bytes_text(b"a\x1b[2J\nb\xc2\x9b", full=True) == r"'a\x1b[2J\nb\x9b'"
    assert bytes_text("grüße".encode(), full=False) == "'grüße'"
    assert bytes_text(b"\xff\x00", full=False) == "0xff00"
    assert bytes_text(None, full=False) == "null"
    assert bytes_text(b"x" * 500, full=False) == f"'{'x' * 99}… (500 bytes)"
    assert len(bytes_text(b"x" * 500, full=True)) == 502
