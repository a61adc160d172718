"""Compaction behind the scenes: which log is due, the pass over it, its segments put in place.

One pass at a time, the dirtiest log first, overdue ones before all. The pass is another process's;
on the loop its outcomes are taken one by one, which costs a few renames each. A pass that fails
leaves the log as it was and is tried again after a pause that grows; damage takes the log offline,
as any read that meets it does.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
import time
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from typing import Protocol, TypeAlias

from ottla.core.clock import Clock
from ottla.core.errors import DecodeError, ProtocolError
from storage import names
from storage.compaction import swap
from storage.compaction.job import (
    CleanedSegment,
    CompactionJob,
    Damaged,
    Finished,
    LastBatch,
    Outcome,
    Source,
    decode_outcome,
)
from storage.compaction.key_map import KEY_BYTES
from storage.compaction.plan import CompactionPlan, SegmentFacts, plan_compaction
from storage.config import NEVER
from storage.log import Log
from storage.segment import Segment
from storage.vfs import Vfs
from storage.work_counts import WorkCounts

_log = logging.getLogger(__name__)

BACKOFF_MS = 15_000  # log.cleaner.backoff.ms
DEDUPE_BUFFER_SIZE = 128 << 20  # log.cleaner.dedupe.buffer.size
_RETRY_MS_MIN = 60_000
_RETRY_MS_MAX = 3_600_000
_LINE_BYTES_MAX = 1 << 16
_ERROR_BYTES_MAX = 1 << 16

RunJob: TypeAlias = Callable[[CompactionJob], AsyncGenerator[Outcome, None]]
"""Runs a job somewhere else; OSError when that failed."""


class Logs(Protocol):
    """What the compactor asks of the log manager."""

    def logs(self) -> Iterable[Log]: ...
    def high_watermark(self, log: Log) -> int: ...


async def run_in_process(job: CompactionJob) -> AsyncGenerator[Outcome, None]:
    """The real `RunJob`: a child process, killed when the iterator is closed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-I", "-m", "storage.compaction.worker", str(os.getpid())),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=_LINE_BYTES_MAX,
    )
    stdin, stdout, stderr = process.stdin, process.stdout, process.stderr
    try:
        if stdin is None or stdout is None or stderr is None:
            raise OSError("a process without pipes")
        # Of a process that ended at once; uvloop says RuntimeError. Its exit tells why it did.
        with contextlib.suppress(RuntimeError, ConnectionError):
            stdin.write(job.encode().encode("ascii") + b"\n")
            await stdin.drain()
            stdin.close()
        while line := await stdout.readline():
            yield decode_outcome(line)
        said = (await stderr.read(_ERROR_BYTES_MAX)).decode("utf-8", "replace").strip()
        if await process.wait():
            raise OSError(said.splitlines()[-1] if said else f"exit code {process.returncode}")
    except DecodeError as error:
        raise OSError(str(error)) from error
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


class Compactor:
    """See the module. `dedupe_buffer_bytes` bounds the memory for the keys of a pass."""

    def __init__(
        self,
        logs: Logs,
        vfs: Vfs,
        clock: Clock,
        *,
        run_job: RunJob = run_in_process,
        backoff_ms: int = BACKOFF_MS,
        dedupe_buffer_bytes: int = DEDUPE_BUFFER_SIZE,
    ) -> None:
        self._logs = logs
        self._vfs = vfs
        self._clock = clock
        self._run_job = run_job
        self.configure(backoff_ms=backoff_ms, dedupe_buffer_bytes=dedupe_buffer_bytes)
        self.counts = WorkCounts()
        self._paused: dict[Log, tuple[int, int]] = {}  # now_ms until when, and the pause in ms

    def configure(self, *, backoff_ms: int, dedupe_buffer_bytes: int) -> None:
        """From the next pass and the next pause on."""
        self._backoff_ms = backoff_ms
        self._keys_max = max(1, dedupe_buffer_bytes // KEY_BYTES)

    async def run(self) -> None:
        """Compact what is due until cancelled."""
        while True:
            await asyncio.sleep(self._backoff_ms / 1000)
            while await self.compact_one():
                pass

    async def compact_one(self) -> bool:
        """A pass over the log that needs it most; whether one needed it."""
        now_ms = self._clock.now_ms()
        logs = list(self._logs.logs())
        self._paused = {log: pause for log, pause in self._paused.items() if log in logs}
        best: tuple[Log, CompactionPlan] | None = None
        for log in logs:
            if not (log.config.compacts and log.usable):
                continue
            if self._paused.get(log, (now_ms, 0))[0] > now_ms:
                continue
            plan = self._plan(log)
            if plan is not None and (best is None or _urgency(plan) > _urgency(best[1])):
                best = (log, plan)
        if best is None:
            return False
        await self._compact(*best)
        return True

    def _plan(self, log: Log) -> CompactionPlan | None:
        high_watermark = self._logs.high_watermark(log)
        undecided = log.producers.first_undecided_offset(high_watermark)
        config = log.config
        return plan_compaction(
            [
                _facts(segment, log.recovery_point, config.max_compaction_lag_ms < NEVER)
                for segment in log.segments
            ],
            config,
            clean_offset=log.clean_offset,
            last_stable_offset=high_watermark if undecided is None else undecided,
            timestamp_ms=self._clock.timestamp_ms(),
        )

    async def _compact(self, log: Log, plan: CompactionPlan) -> None:
        segments = log.segments[: len(plan.sources)]
        began = time.monotonic()
        try:
            # The markers that decided what this pass sees must not be lost to a power cut: what an
            # aborted record had not replaced would then have gone for one that is undecided again.
            await asyncio.to_thread(log.flush)
            job = self._job(log, plan)
            outcome = await self._take_outcomes(log, job, segments)
        except (OSError, ProtocolError) as error:
            _log.warning(
                "compaction of %s failed, and what it had not replaced is as it was: %s",
                log.folder,
                error,
            )
            self._pause(log)
            await asyncio.to_thread(self._discard, log.folder, plan)
            return
        if isinstance(outcome, Damaged):
            log.fail_damaged(DecodeError(outcome.message))
            return
        if outcome.clean_offset <= plan.dirty_offset:
            _log.error(
                "compaction of %s: a batch has more than the %d keys that there is memory for; "
                "raise log.cleaner.dedupe.buffer.size",
                log.folder,
                self._keys_max,
            )
            self._pause(log)
            return
        self._paused.pop(log, None)
        counts = self.counts
        counts.compactions += 1
        counts.compaction_ns += int((time.monotonic() - began) * 1e9)
        counts.compaction_bytes_read += outcome.bytes_before
        counts.compaction_bytes_written += outcome.bytes_after
        log.note_clean_offset(min(outcome.clean_offset, log.log_end_offset))
        _log.info(
            "compacted %s up to offset %d: %d bytes to %d, %d records to %d, in %.1f s",
            log.folder,
            outcome.clean_offset,
            outcome.bytes_before,
            outcome.bytes_after,
            outcome.records_before,
            outcome.records_after,
            time.monotonic() - began,
        )

    async def _take_outcomes(
        self, log: Log, job: CompactionJob, segments: list[Segment]
    ) -> Finished | Damaged:
        async with aclosing(self._run_job(job)) as outcomes:
            async for outcome in outcomes:
                if not isinstance(outcome, CleanedSegment):
                    return outcome
                sources = [
                    segment
                    for segment in segments
                    if outcome.base_offset <= segment.base_offset < outcome.next_offset
                ]
                if not sources or not log.replace_segments(sources, outcome.size):
                    raise OSError("its segments changed meanwhile")
        raise OSError("the pass ended without a result")

    def _job(self, log: Log, plan: CompactionPlan) -> CompactionJob:
        config = log.config
        end_offset = plan.sources[-1].next_offset
        return CompactionJob(
            folder=log.folder,
            sources=plan.sources,
            dirty_offset=plan.dirty_offset,
            producers={
                producer_id: LastBatch(last_offset, producer_epoch)
                for producer_id, last_offset, producer_epoch in log.producers.last_batches()
            },
            aborted=tuple(log.aborted_transactions(plan.sources[0].base_offset, end_offset)),
            timestamp_ms=self._clock.timestamp_ms(),
            delete_retention_ms=config.delete_retention_ms,
            segment_bytes=config.segment_bytes,
            segment_index_bytes=config.segment_index_bytes,
            index_interval_bytes=config.index_interval_bytes,
            keys_max=self._keys_max,
        )

    def _discard(self, folder: str, plan: CompactionPlan) -> None:
        """Remove what a pass left unfinished: on a full disk its space is needed."""
        for source in plan.sources:
            path = os.path.join(folder, names.segment_name(source.base_offset))
            with contextlib.suppress(OSError):
                swap.discard(self._vfs, path)

    def _pause(self, log: Log) -> None:
        self.counts.compaction_failures += 1
        pause_ms = min(max(2 * self._paused.get(log, (0, 0))[1], _RETRY_MS_MIN), _RETRY_MS_MAX)
        self._paused[log] = (self._clock.now_ms() + pause_ms, pause_ms)


def _urgency(plan: CompactionPlan) -> tuple[bool, float]:
    return plan.overdue, plan.dirty_ratio


def _facts(segment: Segment, recovery_point: int, with_first_timestamp: bool) -> SegmentFacts:
    first = segment.load_first_timestamp() if with_first_timestamp else None
    return SegmentFacts(
        Source(segment.base_offset, segment.next_offset, segment.size),
        segment.sealed and not segment.dirty and segment.next_offset <= recovery_point,
        segment.created_ms if first is None or first < 0 else first,
        segment.max_timestamp if segment.max_timestamp >= 0 else segment.created_ms,
    )
