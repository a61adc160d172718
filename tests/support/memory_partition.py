"""A replicated partition in memory, with a high watermark that tests move and appends that fail."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from broker.transactions.seams import TransactionMarker
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.record.batch import iter_records, patch_offset_and_epoch, read_header
from ottla.record.control import end_transaction_batch


@dataclass(frozen=True, slots=True)
class MemoryAppended:
    last_offset: int


@dataclass(frozen=True, slots=True)
class MemorySlice:
    data: bytes

    def read(self) -> bytes:
        return self.data


@dataclass(frozen=True, slots=True)
class _Batch:
    base_offset: int
    next_offset: int
    data: bytes


class MemoryPartition:
    """Fulfils broker.coordinator's ReplicatedPartition."""

    def __init__(self, *, leader_epoch: int = 1, commits_at_once: bool = True) -> None:
        self.leader_epoch = leader_epoch
        self.is_leader = True
        self.log_start_offset = 0
        self.high_watermark = 0
        self.commits_at_once = commits_at_once
        self.batches: list[_Batch] = []
        self.append_error: Exception | None = None
        self.marker_error: ProtocolError | None = None
        """Raised by the next append, before anything is appended."""
        self.appends = 0
        self._waiters: list[tuple[int, asyncio.Future[None]]] = []

    @property
    def log_end_offset(self) -> int:
        return self.batches[-1].next_offset if self.batches else self.log_start_offset

    @property
    def waiter_count(self) -> int:
        return sum(not future.done() for _, future in self._waiters)

    def append(
        self,
        batch: memoryview,
        *,
        acks: int,
        internal: bool = False,
        expected_leader_epoch: int | None = None,
    ) -> MemoryAppended:
        assert acks == -1
        assert internal
        error, self.append_error = self.append_error, None
        if error is not None:
            raise error
        if not self.is_leader or expected_leader_epoch != self.leader_epoch:
            raise ProtocolError(ErrorCode.NOT_LEADER_OR_FOLLOWER)
        self.appends += 1
        data = bytearray(batch)
        base = self.log_end_offset
        patch_offset_and_epoch(data, 0, base_offset=base, leader_epoch=self.leader_epoch)
        header = read_header(data)
        assert header.size == len(data)
        self.batches.append(_Batch(base, header.next_offset, bytes(data)))
        if self.commits_at_once:
            self.commit()
        return MemoryAppended(header.last_offset)

    def append_marker(self, marker: TransactionMarker) -> MemoryAppended:
        error, self.marker_error = self.marker_error, None
        if error is not None:
            raise error
        batch = end_transaction_batch(
            marker.producer_id,
            marker.producer_epoch,
            marker.coordinator_epoch,
            is_commit=marker.is_commit,
            timestamp_ms=0,
        )
        return self.append(
            memoryview(batch), acks=-1, internal=True, expected_leader_epoch=self.leader_epoch
        )

    def batches_before(self, end_offset: int) -> list[bytes]:
        """Whole batches below `end_offset`."""
        return [batch.data for batch in self.batches if batch.next_offset <= end_offset]

    def wait_committed(self, next_offset: int, leader_epoch: int) -> asyncio.Future[None]:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if not self.is_leader or leader_epoch != self.leader_epoch:
            future.set_exception(ProtocolError(ErrorCode.NOT_LEADER_OR_FOLLOWER))
        elif self.high_watermark >= next_offset:
            future.set_result(None)
        else:
            self._waiters.append((next_offset, future))
        return future

    def read(
        self,
        offset: int,
        max_bytes: int,
        *,
        committed_only: bool,
        at_least_one: bool,
        to_log_end: bool = False,
    ) -> MemorySlice | None:
        assert to_log_end
        if not self.is_leader:
            raise ProtocolError(ErrorCode.NOT_LEADER_OR_FOLLOWER)
        data = b""
        for batch in self.batches:
            if batch.next_offset > offset:
                if data and len(data) + len(batch.data) > max_bytes:
                    break
                data += batch.data
        return MemorySlice(data) if data else None

    # ---- what tests do to it

    def commit(self, high_watermark: int | None = None) -> None:
        """Move the high watermark, to the log end unless told otherwise."""
        self.high_watermark = self.log_end_offset if high_watermark is None else high_watermark
        waiters, self._waiters = self._waiters, []
        for next_offset, future in waiters:
            if next_offset > self.high_watermark:
                self._waiters.append((next_offset, future))
            elif not future.done():
                future.set_result(None)

    def fail_waiters(self, code: ErrorCode) -> None:
        waiters, self._waiters = self._waiters, []
        for _, future in waiters:
            if not future.done():
                future.set_exception(ProtocolError(code))

    def change_epoch(self, *, is_leader: bool = True, keep: int | None = None) -> int:
        """A new leader epoch; uncommitted batches from offset `keep` on are lost."""
        self.leader_epoch += 1
        self.is_leader = is_leader
        if keep is not None:
            assert keep >= self.high_watermark
            self.batches = [batch for batch in self.batches if batch.next_offset <= keep]
        self.fail_waiters(ErrorCode.NOT_LEADER_OR_FOLLOWER)
        return self.leader_epoch

    def records(self, *, end_offset: int | None = None) -> list[tuple[bytes, bytes | None]]:
        """Keys and values below `end_offset`, the log end unless told otherwise."""
        end = self.log_end_offset if end_offset is None else end_offset
        found = []
        for batch in self.batches:
            for record in iter_records(batch.data, 0, read_header(batch.data)):
                if record.offset < end:
                    assert record.key is not None
                    found.append((record.key, record.value))
        return found
