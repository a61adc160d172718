"""Bringing a coordinator's state up from its log.

The log is read to its end, not to the high watermark: as leader this broker will see all of it
committed, and what it decided before that would stand on half a state. Serving waits for the commit
of what was read (SAFETY rule 15).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from broker.coordinator.machine import Coordinator
from broker.coordinator.replicated_partition import ReplicatedPartition
from ottla.core.errors import DecodeError, ErrorCode, ProtocolError
from ottla.record.batch import BatchHeader, iter_headers, iter_records
from ottla.record.control import ControlRecordType, control_record_type

READ_BYTES_MAX: Final = 262_144
"""Of one read; a batch that is larger comes whole."""
SLICE_NS: Final = 1_000_000
"""Of work between two yields to the loop: a record costs what its group or transaction costs."""
RECORDS_PER_LOOK: Final = 8
"""Between two looks at the clock."""


@dataclass(frozen=True, slots=True)
class LoadResult:
    end_offset: int
    """Everything below is replayed (exclusive)."""
    record_count: int
    skipped_count: int
    """Records of kinds that this version does not know."""


async def replay_log(
    machine: Coordinator[Any],
    partition: ReplicatedPartition,
    leader_epoch: int,
    now_ns: Callable[[], int] = time.perf_counter_ns,
) -> LoadResult:
    """Replay `partition` into `machine` up to the log end, a slice of time after the other.

    ProtocolError: the leadership changed or the log cannot be read. DecodeError: it is damaged.
    """
    offset = partition.log_start_offset
    count = skipped = 0
    slice_end = now_ns() + SLICE_NS
    while offset < partition.log_end_offset:
        _check_epoch(partition, leader_epoch)
        batches = partition.read(
            offset, READ_BYTES_MAX, committed_only=False, at_least_one=True, to_log_end=True
        )
        if batches is None:
            raise DecodeError(f"nothing to read at offset {offset} below the log end")
        before = offset
        data = batches.read()
        for position, header in iter_headers(data):
            if header.is_control:
                _replay_marker(machine, data, position, header)
            elif header.last_offset >= offset:
                producer_id = header.producer_id if header.is_transactional else None
                for record in iter_records(data, position, header):
                    if record.offset < offset:
                        continue
                    known = None
                    if record.key is not None:
                        known = machine.decode(record.key, record.value)
                    if known is None:
                        skipped += 1
                    else:
                        machine.replay(known, producer_id)
                    count += 1
                    if count % RECORDS_PER_LOOK == 0 and now_ns() >= slice_end:
                        await asyncio.sleep(0)
                        _check_epoch(partition, leader_epoch)
                        slice_end = now_ns() + SLICE_NS
            offset = max(offset, header.next_offset)
        if offset == before:
            raise DecodeError(f"the log does not go on after offset {offset}")
        await asyncio.sleep(0)  # the next read is one, too
        slice_end = now_ns() + SLICE_NS
    _check_epoch(partition, leader_epoch)
    return LoadResult(offset, count, skipped)


def _replay_marker(
    machine: Coordinator[Any], data: bytes, position: int, header: BatchHeader
) -> None:
    for record in iter_records(data, position, header):
        kind = control_record_type(record.key)
        if kind in (ControlRecordType.COMMIT, ControlRecordType.ABORT):
            machine.replay_end(header.producer_id, is_commit=kind is ControlRecordType.COMMIT)


async def wait_loaded(
    partition: ReplicatedPartition, leader_epoch: int, result: LoadResult
) -> None:
    """Wait until all that was replayed is committed; ProtocolError when the leadership changes."""
    await partition.wait_committed(result.end_offset, leader_epoch)
    _check_epoch(partition, leader_epoch)


def _check_epoch(partition: ReplicatedPartition, leader_epoch: int) -> None:
    if not partition.is_leader or partition.leader_epoch != leader_epoch:
        raise ProtocolError(
            ErrorCode.NOT_LEADER_OR_FOLLOWER,
            f"the leader epoch {leader_epoch} ended while the state was loaded",
        )
