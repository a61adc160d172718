"""A pass from the decision to the swapped files, and what can go wrong on the way."""

from __future__ import annotations

import asyncio
import errno
import os
import sys
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import uvloop

from ottla.core.clock import SystemClock
from storage.checkpoints import Checkpoints, MemoryStore
from storage.compaction.compactor import Compactor, run_in_process
from storage.compaction.job import CompactionJob, Outcome, Source
from storage.log import Log
from storage.manager import LogManager
from storage.vfs import OpenMode, OsVfs, SimulatedCrash
from tests.support.compaction import (
    COMPACTED,
    CommittedLogs,
    compact,
    compactor,
    keyed,
    last_of_each,
    records_of,
    runs_here,
)
from tests.support.disk import TOPIC_ID, Disk, append, marker, read_all


def filled(disk: Disk, count: int = 60, keys: int = 7) -> Log:
    """Batches of two records with few keys, over several segments."""
    log = disk.open()
    for number in range(count):
        append(
            log,
            keyed(
                (b"k%d" % (number % keys), b"a%d" % number),
                (b"l%d" % (number % 3), b"b%d" % number),
                timestamp_ms=disk.clock.timestamp_ms(),
            ),
        )
    return log


def test_the_last_record_of_each_key_stays_in_its_place() -> None:
    disk = Disk(COMPACTED)
    log = filled(disk)
    before = records_of(log)
    size_before = log.size_bytes
    assert compact(disk, log)
    after = records_of(log)
    assert last_of_each(after) == last_of_each(before)
    assert set(after) <= set(before)
    assert after == sorted(after)
    first_active = log.segments[-1].base_offset
    sealed = [r for r in after if r[0] < first_active]
    assert len(sealed) == len({key for _, key, _ in sealed})
    assert log.size_bytes < size_before
    assert log.clean_offset == first_active
    assert log.log_end_offset == 120
    assert not compact(disk, log)  # nothing new
    for start in (disk.process_crash, disk.restart, disk.restart):
        log = start()
        assert records_of(log) == after
        assert log.log_end_offset == 120
    assert not [n for n in disk.files() if n.endswith((".cleaned", ".swap", ".deleted"))]


def test_further_passes_see_what_is_new() -> None:
    disk = Disk(COMPACTED)
    counts = []
    for _ in range(4):
        log = filled(disk, 25)
        expected = last_of_each(records_of(log))
        assert compact(disk, log)
        assert last_of_each(records_of(log)) == expected
        counts.append(log.segment_count)
        log = disk.restart()
        assert last_of_each(records_of(log)) == expected
    assert counts[-1] < 2 * counts[0]  # small segments become one


def test_little_memory_takes_several_passes() -> None:
    disk = Disk(COMPACTED)
    log = filled(disk, keys=20)
    expected = last_of_each(records_of(log))
    log.flush_sealed()
    one = compactor(disk, dedupe_buffer_bytes=12 * 176)
    passes = 0
    while asyncio.run(one.compact_one()):
        passes += 1
        assert last_of_each(records_of(log)) == expected
        assert passes < 20
    assert passes > 1
    assert log.clean_offset == log.segments[-1].base_offset


def test_a_batch_that_does_not_fit_the_memory_is_said(caplog: pytest.LogCaptureFixture) -> None:
    disk = Disk(COMPACTED)
    log = filled(disk)
    log.flush_sealed()
    one = compactor(disk, dedupe_buffer_bytes=1)
    assert asyncio.run(one.compact_one())
    assert "log.cleaner.dedupe.buffer.size" in caplog.text
    assert not asyncio.run(one.compact_one())  # it is paused


def test_transactions_aborted_records_go_committed_ones_stay() -> None:
    disk = Disk(replace(COMPACTED, segment_bytes=400))
    log = disk.open()

    def transaction(producer_id: int, sequence: int, value: bytes, *, commit: bool) -> None:
        append(
            log,
            keyed((b"k", value), producer_id=producer_id, sequence=sequence, transactional=True),
        )
        append(log, marker(producer_id, commit=commit), internal=True)

    transaction(1, 0, b"committed", commit=True)
    transaction(2, 0, b"aborted", commit=False)
    transaction(1, 1, b"also aborted", commit=False)
    assert len(log.aborted_transactions(0, 100)) == 2
    for _ in range(8):
        append(log, keyed((b"other", b"x" * 100)))
    assert compact(disk, log)
    values = [value for _, key, value in records_of(log) if key == b"k"]
    assert values == [b"committed"]
    # Markers that are still there keep their entries: readers match them by producer.
    markers = {h.last_offset for h in read_all(log) if h.is_control}
    assert {a.last_offset for a in log.aborted_transactions(0, 100)} <= markers
    assert log.producers.summary().keys() == {1, 2}
    summary = log.producers.summary()
    log = disk.process_crash()
    assert {p: (s[0], s[1], s[-1]) for p, s in log.producers.summary().items()} == {
        p: (s[0], s[1], s[-1]) for p, s in summary.items()
    }
    # Once the producers are forgotten the markers go as well, and with them the entries.
    log.producers.expire(disk.clock.timestamp_ms() + 10, 1)
    for _ in range(6):
        disk.clock.advance(2_000)
        for _ in range(6):
            append(log, keyed((b"other", b"x" * 100), timestamp_ms=disk.clock.timestamp_ms()))
        compact(disk, log)
    gone = {h.last_offset for h in read_all(log) if h.is_control}
    assert {a.last_offset for a in log.aborted_transactions(0, 1_000)} <= gone
    assert len(gone) < len(markers)


def test_what_was_cut_off_and_written_again_counts_as_new() -> None:
    disk = Disk(COMPACTED)
    log = filled(disk)
    assert compact(disk, log)
    log.truncate_to(50)
    assert log.clean_offset == log.log_end_offset <= 50
    filled(disk)
    assert disk.restart().clean_offset <= 50


def test_what_is_not_decided_is_not_touched() -> None:
    disk = Disk(COMPACTED)
    log = disk.open()
    append(log, keyed((b"a", b"1"), producer_id=9, sequence=0, transactional=True))
    for number in range(30):
        append(log, keyed((b"a", b"%d" % number)))
    before = records_of(log)
    assert not compact(disk, log)
    assert records_of(log) == before


def test_a_crash_at_any_moment_leaves_the_old_or_the_new() -> None:
    reached = set()
    for moment in range(400):
        for power in (False, True):
            disk = Disk(COMPACTED, seed=moment)
            log = filled(disk, 40)
            log.flush_sealed()
            disk.commit(log)
            before = records_of(log)
            end = log.recovery_point
            log.config = replace(COMPACTED, segment_bytes=2_000)  # several become one
            disk.vfs.crash_after(moment)
            try:
                compact(disk, log)
            except SimulatedCrash:
                reached.add(moment)
            else:
                continue
            finally:
                disk.vfs.heal()
            log = disk.power_cut() if power else disk.process_crash()
            assert log.log_end_offset >= end
            after = records_of(log)
            assert set(after) <= set(before)
            if not power:
                assert last_of_each(after) == last_of_each(before)
            synced = [r for r in before if r[0] < end]
            for key, kept in last_of_each(synced).items():
                assert last_of_each(r for r in after if r[0] < end)[key] == kept
            assert not [n for n in disk.files() if n.endswith((".cleaned", ".swap"))]
            assert records_of(disk.restart()) == after
    assert len(reached) > 20


def test_a_full_disk_leaves_the_log_as_it_was_and_no_strays() -> None:
    disk = Disk(COMPACTED)
    log = filled(disk)
    log.flush_sealed()
    before = records_of(log)
    disk.vfs.capacity = disk.vfs.used_bytes() + 300
    one = compactor(disk)
    assert asyncio.run(one.compact_one())
    assert last_of_each(records_of(log)) == last_of_each(before)
    assert log.clean_offset == 0
    assert log.usable
    assert not [n for n in disk.files() if n.endswith(".cleaned")]
    disk.vfs.capacity = None
    assert not asyncio.run(one.compact_one())  # it is paused
    disk.clock.advance(61_000)
    assert asyncio.run(one.compact_one())
    assert len(records_of(log)) < len(before)


def test_damage_takes_the_log_offline() -> None:
    disk = Disk(COMPACTED)
    log = filled(disk)
    log.flush_sealed()
    file = disk.vfs.open(disk.path(0), OpenMode.WRITE)
    file.pwrite(b"\xff", 100)
    assert asyncio.run(compactor(disk).compact_one())
    assert not log.usable
    assert not log.directory.offline


def test_a_log_that_was_emptied_meanwhile_keeps_what_it_has_now() -> None:
    disk = Disk(COMPACTED)
    log = filled(disk)
    log.flush_sealed()

    async def empties(job: CompactionJob) -> AsyncGenerator[Outcome, None]:
        async for outcome in runs_here(disk.vfs)(job):
            log.reset_to(0)
            for number in range(60):
                append(log, keyed((b"new", b"%d" % number), (b"x", b"y")))
            yield outcome

    one = Compactor(CommittedLogs(disk), disk.vfs, disk.clock, run_job=empties)
    assert asyncio.run(one.compact_one())
    assert {key for _, key, _ in records_of(log)} == {b"new", b"x"}
    assert {key for _, key, _ in records_of(disk.process_crash())} == {b"new", b"x"}


def test_in_a_process_of_its_own(tmp_path: Path) -> None:
    vfs = OsVfs()
    manager = LogManager.open(
        [str(tmp_path)],
        cluster_id="c",
        node_id=1,
        clock=SystemClock(),
        vfs=vfs,
        checkpoints=Checkpoints(MemoryStore()),
    )
    manager.mark_running(1)
    log = manager.open_log("t", 0, TOPIC_ID, COMPACTED)
    for number in range(60):
        append(log, keyed((b"k%d" % (number % 7), b"%d" % number)))
    log.flush_sealed()
    before = records_of(log)

    class Committed:
        def logs(self) -> list[Log]:
            return [log]

        def high_watermark(self, log: Log) -> int:
            return log.log_end_offset

    one = Compactor(Committed(), vfs, SystemClock(), run_job=run_in_process)
    assert asyncio.run(one.compact_one())
    assert last_of_each(records_of(log)) == last_of_each(before)
    assert len(records_of(log)) < len(before)
    manager.close()


def test_a_pass_that_cannot_read_is_an_error_of_the_disk(tmp_path: Path) -> None:
    job = CompactionJob(str(tmp_path), (Source(0, 10, 100),), 0, {}, (), 0, 0, 1, 1, 1, 1)

    async def run() -> list[Outcome]:
        return [outcome async for outcome in run_in_process(job)]

    with pytest.raises(OSError, match=os.strerror(errno.ENOENT)):
        asyncio.run(run())


def test_a_process_that_ends_before_it_has_its_job_is_an_error_of_that_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\necho no memory left >&2\nexit 3\n")
    program.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(program))
    start = asyncio.create_subprocess_exec

    async def start_and_end(*arguments: Any, **options: Any) -> asyncio.subprocess.Process:
        process = await start(*arguments, **options)
        await process.wait()
        return process

    monkeypatch.setattr(asyncio, "create_subprocess_exec", start_and_end)
    job = CompactionJob(str(tmp_path), (Source(0, 10, 100),), 0, {}, (), 0, 0, 1, 1, 1, 1)

    async def run() -> list[Outcome]:
        return [outcome async for outcome in run_in_process(job)]

    for run_loop in (asyncio.run, uvloop.run):
        with pytest.raises(OSError, match="no memory left"):
            run_loop(run())
