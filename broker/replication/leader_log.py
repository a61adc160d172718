"""What a leader does for its followers: admit them, read for them, take their word (rule 10).

Errors of the log are ProtocolErrors; the ones named are raised beside KAFKA_STORAGE_ERROR.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from broker.replication.frames import Subscribe
from broker.replication.truncation import Matched, Verdict, decide_verdict
from ottla.core.errors import ProtocolError

if TYPE_CHECKING:
    from broker.replication.feed import Subscription
    from broker.replication.partition import Partition


def admit(partition: Partition, ask: Subscribe) -> Verdict:
    """Whether a follower's log is a prefix of ours.

    FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH, NOT_LEADER_OR_FOLLOWER.
    """
    partition.check_leader(ask.leader_epoch)
    log = partition.usable_log
    return decide_verdict(ask, log.epochs.entries, log.log_start_offset, log.log_end_offset)


def subscribed(subscription: Subscription, verdict: Matched, broker_epoch: int) -> None:
    """The prefix is proven (`verdict`): serve the subscription from its position on."""
    partition = subscription.partition
    partition.feed.add(subscription)
    # In durable mode only the first acknowledgement says what is synced.
    position = None if partition.durable else subscription.position
    partition.run(
        partition.machine.on_subscribed(
            subscription.follower_id, broker_epoch, position, partition.host.clock.now_ms()
        )
    )


def unsubscribed(subscription: Subscription) -> None:
    """Its position is forgotten, unless a newer subscription has taken its place."""
    partition = subscription.partition
    if partition.feed.remove(subscription):
        partition.machine.on_unsubscribed(subscription.follower_id)


def read(partition: Partition, position: int, bytes_max: int) -> tuple[list[bytes], int] | None:
    """(whole batches, offset after them) up to the log end; None: nothing to send.

    OFFSET_OUT_OF_RANGE when retention has passed `position`.
    """
    try:
        return partition.feed.read(partition.usable_log, position, bytes_max)
    except ProtocolError as error:
        partition.note_failure(error)
        raise


def progressed(subscription: Subscription, log_end_offset: int) -> None:
    """The follower holds everything below `log_end_offset`."""
    partition = subscription.partition
    partition.run(
        partition.machine.on_progress(
            subscription.follower_id, log_end_offset, partition.host.clock.now_ms()
        )
    )


def cannot_append(subscription: Subscription) -> None:
    """The follower's disk takes nothing: it leaves the ISR at once (rule 9)."""
    partition = subscription.partition
    if partition.feed.remove(subscription):
        partition.run(
            partition.machine.on_cannot_append(
                subscription.follower_id, partition.host.clock.now_ms()
            )
        )
