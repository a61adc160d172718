"""The log against a simple list, through crashes at any point.

The model keeps the batches that were appended, and the versions of the log that truncations left
behind since the last complete flush. After a process crash the log must be what the model says;
after a power cut it must be a prefix of the present or of one of those versions, with everything
that was flushed. Leader epochs and producers must always say what the batches say.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ottla.core.clock import ManualClock
from ottla.core.errors import ProtocolError
from ottla.record.batch import iter_headers, patch_offset_and_epoch, read_header
from ottla.record.build import build_batch
from ottla.record.control import ControlRecordType, control_record_key, end_transaction_value
from storage.checkpoints import Checkpoints, MemoryStore
from storage.config import LogConfig
from storage.epochs import LeaderEpochCache
from storage.log import Log
from storage.manager import LogManager, StopState
from storage.markers import note_batch, read_marker
from storage.producers import ProducerState
from storage.room import HOLD_MS
from storage.vfs import MemoryVfs, SimulatedCrash
from tests.support.examples import examples

TOPIC_ID = bytes(range(16))
CONFIG = LogConfig(
    segment_bytes=900,
    index_interval_bytes=150,
    segment_ms=10**12,
    file_delete_delay_ms=0,
    retention_bytes=2000,
)


@dataclass
class Version:
    """A log: batches one after the other from `start` on."""

    start: int = 0
    batches: list[bytes] = field(default_factory=list)

    @property
    def end(self) -> int:
        return read_header(self.batches[-1]).next_offset if self.batches else self.start

    def upto(self, end: int) -> Version:
        return Version(self.start, [b for b in self.batches if read_header(b).next_offset <= end])

    def between(self, first: int, end: int) -> bytes:
        return b"".join(
            b
            for b in self.batches
            if read_header(b).next_offset > first and read_header(b).next_offset <= end
        )


class LogMachine(RuleBasedStateMachine):
    @initialize(seed=st.integers(0, 2**32))
    def start(self, seed: int) -> None:
        self.vfs = MemoryVfs(seed)
        self.vfs.mkdirs("/data")
        self.vfs.fsync_dir("/")
        self.store = MemoryStore()
        self.clock = ManualClock()
        self.model = Version()
        self.versions: list[Version] = []
        self.flushed = 0
        self.may_be_empty = True
        self.log_start = 0
        self.leader_epoch = 0
        self.sequences: dict[int, int] = {}
        self.deleted = self.retaining = False
        self.failed = False
        self._open()

    # Starting and stopping

    def _open(self) -> None:
        self.manager = LogManager.open(
            ["/data"],
            cluster_id="c",
            node_id=1,
            clock=self.clock,
            vfs=self.vfs,
            checkpoints=Checkpoints(self.store),
        )
        self.manager.mark_running(1)  # first: it syncs the directory, and must not help the log
        self.log: Log = self.manager.open_log("t", 0, TOPIC_ID, CONFIG)
        self.failed = False

    def _restart(self, *, power_cut: bool, inside: Version | None = None) -> None:
        """Crash and open again; `inside`: what the operation that was cut off would have made."""
        versions = [self.model]
        if inside is not None:
            versions.append(inside)
            self.flushed = min(self.flushed, inside.end)
        if power_cut:
            self.vfs.power_cut()
            versions += self.versions
        else:
            self.vfs.process_crash()
        self._open()
        if inside is not None and not inside.batches:
            self._emptied()
        expected = StopState.UNCLEAN if power_cut else StopState.PROCESS_CRASH
        state = self.manager.directories[0].stop_state
        assert state in (expected, StopState.UNCLEAN)
        self._adopt(versions, exact=not power_cut and inside is None)

    def _adopt(self, versions: list[Version], *, exact: bool) -> None:
        """Find the version that the log is a prefix of, and go on from there."""
        end, first = self.log.log_end_offset, self.log.log_start_offset
        if not self.log.size_bytes and self.may_be_empty:
            # The folder, or the segment that was to begin it anew, is not there. Where it starts
            # then is what the checkpoint says, or 0; the leader will say it again.
            versions, exact, self.log_start = [Version(first)], False, first
        assert end >= self.flushed, "flushed records are gone"
        content = self._read_all()
        for version in versions:
            fits = version.start <= first and end <= version.end
            if fits and version.between(first, end) == content and version.upto(end).end == end:
                break
        else:
            raise AssertionError(f"[{first}, {end}) is a prefix of no version")
        if exact:
            assert end == self.model.end
        if not self.retaining:
            assert first <= max(self.log_start, version.start), "records were deleted"
        if version is not self.model or end < self.model.end:
            self.versions.append(self.model)
        self.model = version.upto(end)
        self.log_start = first
        self._learn_sequences()

    def _emptied(self) -> None:
        self.may_be_empty = True
        self.flushed = 0

    @rule(power_cut=st.booleans())
    def crash(self, power_cut: bool) -> None:
        self._restart(power_cut=power_cut)

    @precondition(lambda self: not self.failed)
    @rule()
    def stop_cleanly(self) -> None:
        self.manager.close()
        self.vfs.power_cut()  # takes nothing: all is synced
        self._open()
        assert self.manager.directories[0].stop_state is StopState.CLEAN
        assert self.log.scanned_bytes == 0
        assert self.log.log_start_offset == self.log_start
        self.versions.clear()
        self.may_be_empty = False
        self.flushed = self.model.end
        self._adopt([self.model], exact=True)

    def _run(self, operation: Callable[[], object], inside: Version, crash_in: int | None) -> bool:
        """Do `operation`, which makes the model `inside`; or crash within it. Whether it ended."""
        if crash_in is not None:
            self.vfs.crash_after(crash_in)
        try:
            operation()
        except SimulatedCrash:
            self._restart(power_cut=bool(self.vfs.random.randrange(2)), inside=inside)
            return False
        finally:
            self.vfs.heal()
        if inside.end < self.model.end or inside.start != self.model.start:
            self.versions.append(self.model)
            self.flushed = min(self.flushed, inside.end)
            if not inside.batches:
                self._emptied()
        self.model = inside
        return True

    # Appending

    def _record(self, count: int, size: int) -> list[tuple[bytes, bytes, tuple[()], int]]:
        self.clock.advance(1)
        return [(b"k", bytes([i]) * size, (), self.clock.timestamp_ms()) for i in range(count)]

    def _stored(self, batch: bytearray, base_offset: int) -> bytes:
        copy = bytearray(batch)
        patch_offset_and_epoch(copy, 0, base_offset=base_offset, leader_epoch=self.leader_epoch)
        return bytes(copy)

    def _append(self, batch: bytearray, crash_in: int | None, *, internal: bool = False) -> None:
        stored = self._stored(batch, self.model.end)
        inside = Version(self.model.start, [*self.model.batches, stored])

        def append() -> None:
            result = self.log.append_as_leader(
                memoryview(batch),
                leader_epoch=self.leader_epoch,
                timestamp_ms=self.clock.timestamp_ms(),
                internal=internal,
            )
            assert (result.base_offset, result.duplicate) == (self.model.end, False)

        self._run(append, inside, crash_in)

    @precondition(lambda self: not self.failed)
    @rule(
        count=st.integers(1, 3),
        size=st.integers(0, 250),
        producer=st.sampled_from([-1, -1, 7, 8]),
        transactional=st.booleans(),
        crash_in=st.none() | st.integers(0, 4),
    )
    def append(
        self, count: int, size: int, producer: int, transactional: bool, crash_in: int | None
    ) -> None:
        if producer < 0:
            self._append(build_batch(self._record(count, size)), crash_in)
            return
        known = self.log.producers.get(producer)
        in_transaction = known is not None and known.transaction_first_offset is not None
        batch = build_batch(
            self._record(count, size),
            producer_id=producer,
            producer_epoch=0,
            base_sequence=self.sequences.get(producer, 0),
            transactional=transactional or in_transaction,
        )
        self._append(batch, crash_in)
        self._learn_sequences()

    @precondition(lambda self: not self.failed)
    @rule(producer=st.sampled_from([7, 8]), crash_in=st.none() | st.integers(0, 4))
    def end_transaction(self, producer: int, crash_in: int | None) -> None:
        key = control_record_key(ControlRecordType.COMMIT)
        record = (key, end_transaction_value(3), (), self.clock.timestamp_ms())
        batch = build_batch(
            [record], producer_id=producer, producer_epoch=0, transactional=True, control=True
        )
        self._append(batch, crash_in, internal=True)

    @precondition(lambda self: not self.failed)
    @rule()
    def retry_the_last_batch(self) -> None:
        headers = [read_header(b) for b in self.model.batches]
        data = [
            (h, b)
            for h, b in zip(headers, self.model.batches, strict=True)
            if h.producer_id >= 0 and not h.is_control
        ]
        if not data or self.deleted:
            return
        header, stored = data[-1]
        known = self.log.producers.get(header.producer_id)
        open_now = known is not None and known.transaction_first_offset is not None
        if open_now and not header.is_transactional:
            return
        batch = bytearray(stored)
        patch_offset_and_epoch(batch, 0, base_offset=0, leader_epoch=-1)
        result = self.log.append_as_leader(
            memoryview(batch), leader_epoch=self.leader_epoch, timestamp_ms=1
        )
        assert (result.base_offset, result.last_offset) == (header.base_offset, header.last_offset)
        assert result.duplicate

    @precondition(lambda self: not self.failed)
    @rule(
        sizes=st.lists(st.integers(0, 400), min_size=1, max_size=6),
        crash_in=st.none() | st.integers(0, 8),
    )
    def append_as_follower(self, sizes: list[int], crash_in: int | None) -> None:
        inside = Version(self.model.start, list(self.model.batches))
        for size in sizes:
            inside.batches.append(self._stored(build_batch(self._record(1, size)), inside.end))
        data = bytearray(b"".join(inside.batches[-len(sizes) :]))
        self._run(lambda: self.log.append_as_follower(memoryview(data)), inside, crash_in)

    @rule()
    def another_leader(self) -> None:
        self.leader_epoch += 1

    # Truncating

    @precondition(lambda self: not self.failed)
    @rule(share=st.floats(0, 1), crash_in=st.none() | st.integers(0, 8))
    def truncate(self, share: float, crash_in: int | None) -> None:
        first, end = self.log.segments[0].base_offset, self.model.end
        target = first + round(share * (end - first))
        if target == first:
            inside = Version(target)
        else:
            inside = self.model.upto(target)
        self.leader_epoch += 1
        if self._run(lambda: self.log.truncate_to(target), inside, crash_in):
            self.log_start = min(self.log_start, inside.end)
        self._learn_sequences()

    @precondition(lambda self: not self.failed)
    @rule(step=st.integers(-5, 50), crash_in=st.none() | st.integers(0, 8))
    def reset(self, step: int, crash_in: int | None) -> None:
        target = max(0, self.model.end + step)
        self.leader_epoch += 1
        if self._run(lambda: self.log.reset_to(target), Version(target), crash_in):
            self.log_start = target
        self._learn_sequences()

    @precondition(lambda self: not self.failed)
    @rule(share=st.floats(0, 1))
    def delete_records(self, share: float) -> None:
        self.log.advance_log_start(
            self.log_start + round(share * (self.model.end - self.log.log_start_offset))
        )
        self.log_start = self.log.log_start_offset

    @precondition(lambda self: not self.failed)
    @rule(crash_in=st.none() | st.integers(0, 8))
    def retain(self, crash_in: int | None) -> None:
        self.deleted = self.retaining = True
        ended = self._run(
            lambda: self.log.delete_old_segments(self.clock.timestamp_ms(), self.model.end),
            self.model,
            crash_in,
        )
        self.retaining = False
        if ended:
            assert self.log.log_start_offset >= self.log_start
            self.log_start = self.log.log_start_offset

    # Saving

    @precondition(lambda self: not self.failed)
    @rule(everything=st.booleans(), crash_in=st.none() | st.integers(0, 8))
    def flush(self, everything: bool, crash_in: int | None) -> None:
        flush = self.log.flush if everything else self.log.flush_sealed
        if self._run(flush, self.model, crash_in):
            self.flushed = max(self.flushed, self.log.recovery_point)
            self.may_be_empty = False
            if everything:
                self.versions.clear()

    @rule(commit=st.booleans())
    def checkpoint(self, commit: bool) -> None:
        self.log.note_checkpoint()
        if commit:
            self.manager.checkpoints.commit()

    @precondition(lambda self: not self.failed)
    @rule()
    def keep_house(self) -> None:
        self.clock.advance(6_000)
        asyncio.run(self.manager.housekeep())
        self.flushed = max(self.flushed, self.log.recovery_point)

    # Faults

    @precondition(lambda self: not self.failed)
    @rule(size=st.integers(200, 400), taken=st.integers(0, 100), full=st.booleans())
    def write_fails(self, size: int, taken: int, full: bool) -> None:
        before = self.model
        batch = build_batch(self._record(1, size))
        if full:
            self.vfs.capacity = self.vfs.used_bytes() + taken
            with pytest.raises(ProtocolError, match="disk is full"):
                self._append(batch, None)
            self.model = before
            self.vfs.capacity = None
            self.clock.advance(HOLD_MS)
            room = self.log.directory.room
            assert not room.note(room.measure())
        else:
            self.vfs.shorten_writes(taken + 1)
            self._append(batch, None)
        assert not self.log.directory.offline

    @precondition(lambda self: not self.failed)
    @rule()
    def sync_fails(self) -> None:
        self.vfs.fail("fsync", errno.EIO, path="/data/t-0")
        try:
            self.log.flush()
        except ProtocolError:
            assert self.log.directory.offline
            self.failed = True
            self.manager._directories.mark_failed()
        finally:
            self.vfs.heal()

    # What must always hold

    def _read_all(self) -> bytes:
        log = self.log
        offset, content = log.log_start_offset, bytearray()
        while offset < log.log_end_offset:
            piece = log.read(offset, 400, end_offset=log.log_end_offset)
            assert piece is not None
            data = piece.read()
            assert len(data) == piece.size
            for _, header in iter_headers(data):
                offset = header.next_offset
            content += data
        return bytes(content)

    def _learn_sequences(self) -> None:
        self.sequences = {}
        for producer in (7, 8):
            known = self.log.producers.get(producer)
            if known is not None:
                self.sequences[producer] = known.last_sequence + 1

    @invariant()
    def agrees_with_the_model(self) -> None:
        if not hasattr(self, "log") or self.failed:
            return
        log = self.log
        assert log.log_end_offset == self.model.end
        assert log.log_start_offset == self.log_start
        assert log.recovery_point <= log.log_end_offset
        first = log.log_start_offset
        assert self._read_all() == self.model.between(first, self.model.end)
        epochs = LeaderEpochCache()
        producers = ProducerState()
        for batch in self.model.batches:
            header = read_header(batch)
            epochs.assign(header.leader_epoch, header.base_offset)
            marker = read_marker(batch, 0, header) if header.is_control else None
            note_batch(producers, header, marker, 0)
            if header.base_offset >= first:
                assert log.epochs.epoch_at(header.base_offset) == header.leader_epoch
                found = log.offset_for_timestamp(header.max_timestamp, self.model.end)
                assert found is not None
                assert found[1] <= header.last_offset
        epochs.forget_below(first)
        if not self.deleted and self.model.end > first:
            known = LeaderEpochCache(log.epochs.entries)
            known.forget_below(first)
            assert [(e, max(s, first)) for e, s in known.entries] == [
                (e, max(s, first)) for e, s in epochs.entries
            ]
        if not self.deleted:
            assert log.producers.summary() == producers.summary()


TestLog = LogMachine.TestCase
TestLog.settings = settings(
    max_examples=examples(300),
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
