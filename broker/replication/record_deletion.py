"""Deleting a partition's oldest records (DeleteRecords, KIP-107): at its leader and at followers.

The leader moves its log start offset; followers hear of it with the next state and move theirs;
each saves its own (log_start_commit.py), and only what is saved counts for the low watermark.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ottla.core.errors import ErrorCode, ProtocolError

if TYPE_CHECKING:
    from broker.replication.feed import Subscription
    from broker.replication.partition import Partition

HIGH_WATERMARK = -1
"""As an offset in the request: everything that is committed."""


def delete_before(partition: Partition, offset: int) -> asyncio.Future[None]:
    """Hide the records below `offset` from now on; done once no live replica has them.

    A lower offset than the log's start changes nothing.

    POLICY_VIOLATION: the topic's cleanup.policy lacks delete. OFFSET_OUT_OF_RANGE: above the high
    watermark, or negative. NOT_LEADER_OR_FOLLOWER, KAFKA_STORAGE_ERROR. The future fails with
    NOT_LEADER_OR_FOLLOWER on any change of epoch; cancelling it gives up.
    """
    partition.check_leader(-1)
    log = partition.usable_log
    if not log.config.deletes:
        raise ProtocolError(
            ErrorCode.POLICY_VIOLATION,
            f"{partition.topic} deletes no records by their age: its cleanup.policy lacks delete",
        )
    if offset == HIGH_WATERMARK:
        offset = partition.high_watermark
    if not 0 <= offset <= partition.high_watermark:
        raise ProtocolError(
            ErrorCode.OFFSET_OUT_OF_RANGE,
            f"records below {offset} cannot be deleted; {partition.high_watermark} is the high "
            "watermark",
        )
    log.advance_log_start(offset)
    partition.host.save_log_start(partition)
    partition.feed.state_changed()
    return partition.wait_deleted(offset)


def follow_log_start(partition: Partition, log_start: int) -> None:
    """The leader's log start offset, as far as a follower's log reaches.

    The own one may be higher: retention deletes here as well.
    """
    log = partition.usable_log
    if log_start > log.log_start_offset:
        log.advance_log_start(min(log_start, log.log_end_offset))
    if log.log_start_offset > partition.machine.low_watermark.saved:
        partition.host.save_log_start(partition)


def told(subscription: Subscription, log_start: int) -> None:
    """A follower says what it has saved of its log start offset."""
    partition = subscription.partition
    partition.run(partition.machine.on_follower_log_start(subscription.follower_id, log_start))
