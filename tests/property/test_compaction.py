"""A compacted log against a list of records, through passes, crashes and transactions.

The model keeps every record that was appended and the fate of its transaction. At any moment the
log may hold fewer records, but never one that the model has not, never out of order; the last
committed record of each key is there, unless it is a tombstone that was compacted away; and whoever
reads committed records, the way clients do it, sees no aborted one.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ottla.record.batch import BatchHeader, iter_headers, iter_records
from ottla.record.compression import Compression
from ottla.record.control import ControlRecordType, control_record_type
from storage.log import Log
from storage.vfs import SimulatedCrash
from tests.support.compaction import COMPACTED, CommittedLogs, compactor, keyed
from tests.support.disk import Disk, append, marker
from tests.support.examples import examples

CONFIG = replace(COMPACTED, segment_bytes=700, retention_bytes=None)
KEYS = [b"a", b"b", b"c", b"a key longer than sixteen bytes"]


@dataclass
class Appended:
    """A record, or with `key` None a marker."""

    offset: int
    key: bytes | None
    value: bytes | None
    producer_id: int = -1
    commits: bool | None = None  # of markers


class CompactionMachine(RuleBasedStateMachine):
    @initialize(seed=st.integers(0, 2**32))
    def start(self, seed: int) -> None:
        self.disk = Disk(CONFIG, seed)
        self.log: Log = self.disk.open()
        self.model: list[Appended] = []
        self.flushed = 0
        self.number = 0
        self.seen = 0  # no pass can have seen what is at or above it

    # What the model says

    def _sequence(self, producer_id: int) -> int:
        known = self.log.producers.get(producer_id)
        return 0 if known is None else known.last_sequence + 1

    def _open_transactions(self) -> set[int]:
        found: set[int] = set()
        for one in self.model:
            if one.producer_id < 0:
                continue
            if one.key is None:
                found.discard(one.producer_id)
            else:
                found.add(one.producer_id)
        return found

    def _fates(self) -> list[tuple[Appended, bool | None]]:
        """Each data record and whether it was committed; None: not decided."""
        fates: list[tuple[Appended, bool | None]] = []
        pending: dict[int, list[int]] = {}
        for one in self.model:
            if one.key is None:
                for position in pending.pop(one.producer_id, []):
                    fates[position] = (fates[position][0], one.commits)
                continue
            if one.producer_id >= 0:
                pending.setdefault(one.producer_id, []).append(len(fates))
            fates.append((one, True if one.producer_id < 0 else None))
        return fates

    # Appending

    @rule(
        records=st.lists(st.tuples(st.sampled_from(KEYS), st.booleans()), min_size=1, max_size=4),
        producer_id=st.sampled_from([-1, -1, 7, 8]),
        codec=st.sampled_from([Compression.NONE, Compression.LZ4]),
    )
    def append(
        self, records: list[tuple[bytes, bool]], producer_id: int, codec: Compression
    ) -> None:
        self.disk.clock.advance(100)
        pairs: list[tuple[bytes | None, bytes | None]] = []
        for key, has_value in records:
            self.number += 1
            value = b"%d" % self.number if has_value else None
            pairs.append((key, value))
            self.model.append(
                Appended(self.log.log_end_offset + len(pairs) - 1, key, value, producer_id)
            )
        append(
            self.log,
            keyed(
                *pairs,
                timestamp_ms=self.disk.clock.timestamp_ms(),
                compression=codec,
                producer_id=producer_id,
                sequence=self._sequence(producer_id) if producer_id >= 0 else -1,
                transactional=producer_id >= 0,
            ),
        )

    @precondition(lambda self: self._open_transactions())
    @rule(commits=st.booleans(), pick=st.integers(0, 1))
    def end_transaction(self, commits: bool, pick: int) -> None:
        waiting = sorted(self._open_transactions())
        producer_id = waiting[pick % len(waiting)]
        self.model.append(Appended(self.log.log_end_offset, None, None, producer_id, commits))
        append(self.log, marker(producer_id, commit=commits), internal=True)

    @rule()
    def forget_producers(self) -> None:
        self.log.producers.expire(self.disk.clock.timestamp_ms() + 10, 1)

    @rule(step_ms=st.integers(0, 3_000))
    def time_passes(self, step_ms: int) -> None:
        self.disk.clock.advance(step_ms)

    # Saving

    @rule(everything=st.booleans(), commit=st.booleans())
    def flush(self, everything: bool, commit: bool) -> None:
        (self.log.flush if everything else self.log.flush_sealed)()
        self.flushed = max(self.flushed, self.log.recovery_point)
        if commit:
            self.disk.commit(self.log)

    @rule(crash_in=st.none() | st.integers(0, 60), power=st.booleans(), little=st.booleans())
    def compact(self, crash_in: int | None, power: bool, little: bool) -> None:
        self.flush(False, False)
        memory = 3 * 176 if little else 1 << 20
        one = compactor(self.disk, dedupe_buffer_bytes=memory)
        self.seen = self.log.segments[-1].base_offset
        if crash_in is not None:
            self.disk.vfs.crash_after(crash_in)
        try:
            asyncio.run(one.compact_one())
        except SimulatedCrash:
            self.disk.vfs.heal()
            self.crash(power)
        finally:
            self.disk.vfs.heal()

    @rule(power=st.booleans())
    def crash(self, power: bool) -> None:
        end = self.log.log_end_offset
        self.log = self.disk.power_cut() if power else self.disk.process_crash()
        assert self.log.log_end_offset >= (self.flushed if power else end)
        self.model = [one for one in self.model if one.offset < self.log.log_end_offset]
        if not self.log.size_bytes:
            self.flushed = 0

    @rule()
    def stop_cleanly(self) -> None:
        self.log = self.disk.restart()
        self.flushed = self.log.log_end_offset
        assert self.log.scanned_bytes == 0

    # What must always hold

    def _batches(self) -> list[tuple[bytes, int, BatchHeader]]:
        log, found = self.log, []
        offset = log.log_start_offset
        while (piece := log.read(offset, 400, end_offset=log.log_end_offset)) is not None:
            data = piece.read()
            for position, header in iter_headers(data):
                found.append((data, position, header))
                offset = header.next_offset
            assert piece.end_offset >= offset
        return found

    @invariant()
    def agrees_with_the_model(self) -> None:
        if not hasattr(self, "log"):
            return
        log = self.log
        assert log.usable
        appended = {one.offset: one for one in self.model}
        aborted = log.aborted_transactions(0, log.log_end_offset)
        by_producer: set[int] = set()
        waiting = sorted(aborted, key=lambda one: one.first_offset)
        everything: dict[int, bytes | None] = {}
        committed: dict[int, bytes | None] = {}
        previous = -1
        for data, position, header in self._batches():
            assert header.base_offset > previous
            previous = header.last_offset
            while waiting and waiting[0].first_offset <= header.last_offset:
                by_producer.add(waiting.pop(0).producer_id)
            for record in iter_records(data, position, header):
                one = appended[record.offset]
                if header.is_control:
                    assert one.key is None
                    if control_record_type(record.key) is ControlRecordType.ABORT:
                        by_producer.discard(header.producer_id)
                    continue
                assert (record.key, record.value) == (one.key, one.value)
                everything[record.offset] = record.value
                if not (header.is_transactional and header.producer_id in by_producer):
                    committed[record.offset] = record.value
        fates = self._fates()
        last: dict[bytes | None, Appended] = {}
        for one, fate in fates:
            if fate is None or one.offset >= self.seen:
                assert one.offset in everything, "a record that no pass has seen is gone"
            if fate is False:
                assert one.offset not in committed, "an aborted record is shown"
            if fate:
                last[one.key] = one
        for one in last.values():
            assert one.value is None or one.offset in committed, "the last value of a key is gone"

    def teardown(self) -> None:
        if hasattr(self, "log"):
            # Twice all, and nothing is due any more.
            one = compactor(self.disk)
            self.seen = self.log.segments[-1].base_offset
            for _ in range(3):
                self.log.flush_sealed()
                asyncio.run(one.compact_one())
            assert not asyncio.run(one.compact_one())
            self.agrees_with_the_model()
            assert CommittedLogs(self.disk).logs() == [self.log]


TestCompaction = CompactionMachine.TestCase
TestCompaction.settings = settings(
    max_examples=examples(120),
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
