"""The follower's half of a partition: its position, appends from the leader, truncation.

Every function expects a partition that follows; the caller has checked that what it brings belongs
to the current leader epoch. Errors of the log are ProtocolErrors; KAFKA_STORAGE_ERROR when the disk
is full or failed.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from broker.replication.frames import Subscribe
from broker.replication.record_deletion import follow_log_start
from broker.replication.truncation import Diverging, decide_truncation, last_record_epoch
from ottla.core.errors import ProtocolError

if TYPE_CHECKING:
    from broker.replication.partition import Partition

logger = logging.getLogger(__name__)


def describe(partition: Partition, broker_epoch: int) -> Subscribe:
    """What this broker's log holds, for the leader to compare (rule 10)."""
    log = partition.usable_log
    return Subscribe(
        partition.topic_id,
        partition.index,
        partition.leader_epoch,
        broker_epoch,
        log.log_end_offset,
        last_record_epoch(log.epochs.entries, log.log_start_offset, log.log_end_offset),
        partition.machine.low_watermark.saved,
    )


def append_from_leader(
    partition: Partition, position: int, batches: memoryview, high_watermark: int, log_start: int
) -> bool:
    """Append whole batches that start at `position`; False when that is not the log end.

    The high watermark and log start offset of the leader are taken over. DecodeError or
    ProtocolError when the batches are not what they should be, KAFKA_STORAGE_ERROR.
    """
    log = partition.usable_log
    if position != log.log_end_offset:
        return False
    try:
        log.append_as_follower(batches)
        partition.traffic.replication_bytes_in += len(batches)
    except ProtocolError as error:
        partition.note_failure(error)
        raise
    if partition.flush_due:
        partition.request_flush()
    apply_leader_state(partition, high_watermark, log_start)
    return True


def apply_leader_state(partition: Partition, high_watermark: int, log_start: int) -> None:
    """The leader's high watermark and log start offset, as far as this log reaches."""
    log = partition.usable_log
    end = log.log_end_offset
    if partition.machine.on_leader_state(high_watermark, end):
        partition.moved()
    follow_log_start(partition, log_start)


def cut(partition: Partition, diverging: Diverging) -> None:
    """Drop what the leader does not have, by leader epoch (KIP-101, KIP-279)."""
    log = partition.usable_log
    end = log.log_end_offset
    target = decide_truncation(diverging, log.epochs.entries, log.log_start_offset, end)
    logger.info(
        "%s-%d: truncating from %d to %d; the leader ends epoch %d at %d (high watermark here %d)",
        partition.topic,
        partition.index,
        end,
        target,
        diverging.leader_epoch,
        diverging.end_offset,
        partition.high_watermark,
    )
    try:
        if target < log.log_start_offset:
            log.reset_to(target)
        else:
            log.truncate_to(target)
    except ProtocolError as error:
        partition.note_failure(error)
        raise
    _truncated(partition, log.log_end_offset)


def reset(partition: Partition, log_start: int) -> None:
    """Start anew at the leader's log start offset: the leader has nothing of what is here."""
    log = partition.usable_log
    logger.info(
        "%s-%d: the log [%d, %d) is out of the leader's range and starts anew at %d",
        partition.topic,
        partition.index,
        log.log_start_offset,
        log.log_end_offset,
        log_start,
    )
    try:
        log.reset_to(log_start)
    except ProtocolError as error:
        partition.note_failure(error)
        raise
    _truncated(partition, log.log_end_offset)


def _truncated(partition: Partition, log_end: int) -> None:
    low_watermark = partition.machine.low_watermark
    low_watermark.saved = min(low_watermark.saved, partition.log_start_offset)
    before = partition.high_watermark
    partition.machine.on_truncated(log_end)
    if partition.high_watermark < before:
        # Else the checkpoint would keep the old one, and the log grow past it again uncommitted.
        partition.host.high_watermark_moved(partition)
