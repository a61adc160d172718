"""`ottla log verify` finds an error in whatever was damaged, and none in what a crash left.

The crashes are those of the log's own state machines: before each start the directory is looked at.
"""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    run_state_machine_as_test,
)

from ottla.core.errors import ProtocolError
from ottla.record.compression import Compression
from storage.checkpoints import Checkpoints, CheckpointStore
from storage.inspection.directory_check import check_places
from storage.inspection.log_check import CheckOptions
from storage.inspection.places import find_places
from storage.inspection.report import Findings, LogReport, Severity
from storage.manager import LogManager
from storage.vfs import MemoryVfs, OpenMode, read_file
from tests.property.test_compaction import CONFIG, CompactionMachine
from tests.property.test_storage_log import LogMachine
from tests.support.compaction import keyed
from tests.support.disk import FOLDER, SMALL, Disk, append, fill, marker
from tests.support.examples import examples
from tests.support.read_only_vfs import ReadOnlyVfs


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


def looked_at(vfs: MemoryVfs, store: CheckpointStore) -> list[LogReport]:
    """What is found in the logs of /data."""
    reader = ReadOnlyVfs(vfs)
    if not reader.exists("/data/meta.properties"):
        return []
    (report,) = check_places(
        reader,
        find_places(reader, ["/data"]),
        CheckOptions(deep=True),
        open_store=lambda _: Checkpoints(store),
    )
    return report.logs


def disk_with(folder: dict[str, bytes]) -> MemoryVfs:
    """The directory with these files in the log's folder."""
    vfs = MemoryVfs()
    vfs.mkdirs(FOLDER)
    for name in ("meta.properties", "stop.mark"):
        vfs.open(f"/data/{name}", OpenMode.CREATE).write(read_file(DISK.vfs, f"/data/{name}"))
    for name, data in folder.items():
        vfs.open(f"{FOLDER}/{name}", OpenMode.CREATE).write(data)
    return vfs


def inspect(folder: dict[str, bytes]) -> Findings:
    """What is found in a log of these files."""
    (log,) = looked_at(disk_with(folder), DISK.store)
    return log.findings


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


@given(st.integers(0, 10_000), st.integers(0, 7), st.booleans())
@settings(max_examples=200, deadline=None)
def test_damage_that_keeps_a_log_closed_is_an_error(at: int, bit: int, cut: bool) -> None:
    disk = Disk(SMALL)
    log = disk.open()
    fill(log, 10)
    log.flush()
    disk.commit(log)
    fill(log, 4)
    disk.vfs.process_crash()
    paths = [f"{FOLDER}/{name}" for name in disk.vfs.listdir(FOLDER) if name.endswith(".log")]
    path = paths[at % len(paths)]
    file = disk.vfs.open(path, OpenMode.WRITE)
    position = at % file.size()
    if cut:
        file.truncate(position)
    else:
        file.pwrite(bytes([file.pread(1, position)[0] ^ 1 << bit]), position)
    (report,) = looked_at(disk.vfs, disk.store)
    disk.start()
    with contextlib.suppress(ProtocolError):
        disk.open()
        return
    assert report.findings.errors


def assert_no_error(vfs: MemoryVfs, store: CheckpointStore) -> None:
    for log in looked_at(vfs, store):
        errors = [one.message for one in log.findings.kept if one.severity is Severity.ERROR]
        assert not errors


class LookedAtLog(LogMachine):
    def _open(self) -> None:
        assert_no_error(self.vfs, self.store)
        super()._open()


class LookedAtDisk(Disk):
    def start(self) -> LogManager:
        assert_no_error(self.vfs, self.store)
        return super().start()


class LookedAtCompaction(CompactionMachine):
    @initialize(seed=st.integers(0, 2**32))
    def start(self, seed: int) -> None:
        super().start(seed)
        self.disk = LookedAtDisk(CONFIG, seed)
        self.log = self.disk.open()


@pytest.mark.parametrize("machine", [LookedAtLog, LookedAtCompaction])
def test_what_a_crash_leaves_is_no_error(machine: type[RuleBasedStateMachine]) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples(100),
            stateful_step_count=30,
            deadline=None,
            phases=[Phase.reuse, Phase.generate],  # shrinking takes minutes
            suppress_health_check=list(HealthCheck),
        ),
    )
