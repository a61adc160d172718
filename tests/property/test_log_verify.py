"""Whatever happens to the files of a log, `ottla log verify` says so, and never breaks itself."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from ottla.record.compression import Compression
from storage.checkpoints import Checkpoints
from storage.inspection.directory_check import check_places
from storage.inspection.log_check import CheckOptions
from storage.inspection.places import find_places
from storage.inspection.report import Findings, Severity
from storage.vfs import MemoryVfs, OpenMode, read_file
from tests.support.compaction import keyed
from tests.support.disk import FOLDER, SMALL, Disk, append, marker


def written() -> Disk:
    """A log with all kinds of batches and indexes, cleanly stopped."""
    disk = Disk(SMALL)
    log = disk.open()
    for turn in range(12):
        epoch = turn // 5
        pairs = [(b"key %d" % number, b"value %d" % turn) for number in range(turn % 4 + 1)]
        append(log, keyed(*pairs, compression=Compression(turn % 5), timestamp_ms=turn * 10), epoch)
        if turn % 3 == 0:
            sequence = turn // 3
            append(
                log, keyed(pairs[0], producer_id=7, sequence=sequence, transactional=True), epoch
            )
            append(log, marker(7, commit=turn % 2 == 0), epoch, internal=True)
    disk.manager.close()
    return disk


DISK = written()
FILES = {name: read_file(DISK.vfs, f"{FOLDER}/{name}") for name in DISK.vfs.listdir(FOLDER)}
FILLED = sorted(name for name, content in FILES.items() if content)


def inspect(folder: dict[str, bytes]) -> Findings:
    """What is found in a log of these files."""
    vfs = MemoryVfs()
    vfs.mkdirs(FOLDER)
    for name in ("meta.properties", "stop.mark"):
        vfs.open(f"/data/{name}", OpenMode.CREATE).write(read_file(DISK.vfs, f"/data/{name}"))
    for name, data in folder.items():
        vfs.open(f"{FOLDER}/{name}", OpenMode.CREATE).write(data)
    places = find_places(vfs, ["/data"])
    store = Checkpoints(DISK.store)
    (report,) = check_places(vfs, places, CheckOptions(deep=True), open_store=lambda _: store)
    return report.logs[0].findings


def test_as_it_was_written_it_is_sound() -> None:
    assert {name.rsplit(".")[-1] for name in FILES} == {
        "index", "log", "metadata", "timeindex", "txnindex",
    }  # fmt: skip
    assert not inspect(FILES).kept


@given(st.sampled_from(FILLED), st.data())
@settings(max_examples=300, deadline=None)
def test_a_flipped_bit_anywhere_is_found(name: str, data: st.DataObject) -> None:
    content = bytearray(FILES[name])
    position = data.draw(st.integers(0, len(content) - 1))
    content[position] ^= 1 << data.draw(st.integers(0, 7))
    found = inspect({**FILES, name: bytes(content)})
    if name.endswith("metadata"):
        return  # another topic id is one too
    assert found.errors, (name, position)


@given(st.sampled_from(FILLED), st.data())
@settings(max_examples=200, deadline=None)
def test_a_file_that_was_cut_or_is_missing_is_found(name: str, data: st.DataObject) -> None:
    size = data.draw(st.integers(-1, len(FILES[name]) - 1))
    folder = {**FILES, name: FILES[name][: max(0, size)]}
    if size < 0:
        del folder[name]
    found = inspect(folder)
    if name.endswith("metadata") and size >= 0:
        return  # a topic id that was cut may be one too
    if name.endswith(".index") and size >= 0 and size % 8 == 0:
        return  # with fewer entries it is as true as before
    assert found.errors + found.counts[Severity.WARNING], (name, size)


@given(st.sampled_from(FILLED), st.binary(max_size=300), st.integers(0, 2000))
@settings(max_examples=300, deadline=None)
def test_no_bytes_break_it(name: str, garbage: bytes, position: int) -> None:
    content = FILES[name]
    at = position % (len(content) + 1)
    inspect({**FILES, name: content[:at] + garbage + content[at + len(garbage) :]})
    inspect({**FILES, name: content[:at] + garbage})
