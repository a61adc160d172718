"""What a leader does for its followers: admit them, read for them, take their word (rule 10).

Errors of the log are ProtocolErrors; the ones named are raised beside KAFKA_STORAGE_ERROR.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from broker.replication.frames import Subscribe
from broker.replication.throttled_replicas import NOT_THROTTLED
from broker.replication.truncation import Matched, Verdict, decide_verdict
from ottla.core.errors import ErrorCode, ProtocolError

if TYPE_CHECKING:
    from broker.replication.feed import Subscription
    from broker.replication.partition import Partition
    from storage.log import LogSlice

FAR_BYTES = 16 * 1024 * 1024
"""A replica out of the ISR and further behind its leader goes to the catch-up stream: more than
the tail of a partition holds, as much as a stream's credit."""
NEAR_BYTES = 4 * 1024 * 1024
"""Not further behind it goes to the others: the high watermark may wait for so much."""
THROTTLED_NEAR_BYTES = 64 * 1024
"""What is throttled goes to the catch-up stream when it is further behind than this, and comes back
when it is not: there only can it be held back without anybody waiting for it. The rest, and what is
appended on the way, is counted and not held back, up to NEAR_BYTES."""


def admit(partition: Partition, ask: Subscribe) -> Verdict:
    """Whether a follower's log is a prefix of ours.

    FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH, NOT_LEADER_OR_FOLLOWER.
    """
    partition.check_leader(ask.leader_epoch)
    log = partition.usable_log
    return decide_verdict(ask, log.epochs.entries, log.log_start_offset, log.log_end_offset)


def check_order(partition: Partition, follower_id: int, ask: Subscribe, request: int) -> None:
    """Note what a follower asks; INVALID_UPDATE_VERSION when it has asked anew since.

    Two streams carry its requests, and an older one may come later, with a position that its log
    no longer has. NOT_LEADER_OR_FOLLOWER to who is no replica: one that is being added may know it
    before its leader does, and if it were served now its word would never count. It asks again.
    """
    follower = partition.machine.followers.get(follower_id)
    if follower is None:
        partition.check_leader(ask.leader_epoch)
        raise ProtocolError(
            ErrorCode.NOT_LEADER_OR_FOLLOWER, f"broker {follower_id} is no replica yet"
        )
    asked = (ask.broker_epoch, request)
    if asked <= follower.asked:
        raise ProtocolError(ErrorCode.INVALID_UPDATE_VERSION, "it has asked anew since")
    follower.asked = asked


def subscribed(subscription: Subscription, verdict: Matched, broker_epoch: int) -> None:
    """The prefix is proven (`verdict`): serve the subscription from its position on."""
    partition = subscription.partition
    partition.feed.add(subscription)
    # In durable mode only the first acknowledgement says what is synced. Who catches up is not
    # counted at all: acks=all would wait for it once it had come to where the log ended before.
    counts = not (partition.durable or subscription.session.catch_up)
    position = subscription.position if counts else None
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


def find(
    partition: Partition, position: int, bytes_max: int
) -> tuple[list[bytes], int] | LogSlice | None:
    """(whole batches, offset after them) up to the log end, or where they lie in the log; None:
    nothing to send.

    OFFSET_OUT_OF_RANGE when retention has passed `position`.
    """
    try:
        return partition.feed.find(partition.usable_log, position, bytes_max)
    except ProtocolError as error:
        partition.note_failure(error)
        raise


def read_failed(partition: Partition, error: OSError) -> NoReturn:
    """A slice that was found cannot be read."""
    try:
        partition.usable_log.fail_reading(error)
    except ProtocolError as failure:
        partition.note_failure(failure)
        raise


def is_throttled(subscription: Subscription) -> bool:
    """Whether it is not in sync and on a list of its topic, the leader's or the follower's."""
    partition = subscription.partition
    throttled = partition.throttled
    if throttled is NOT_THROTTLED or _is_in_sync(subscription):
        return False
    return throttled.sends(partition.machine.node_id) or throttled.takes(subscription.follower_id)


def is_throttled_here(subscription: Subscription) -> bool:
    """Whether what it is sent is to be within this broker's own rate."""
    partition = subscription.partition
    throttled = partition.throttled
    if throttled is NOT_THROTTLED or _is_in_sync(subscription):
        return False
    return throttled.sends(partition.machine.node_id)


def _is_in_sync(subscription: Subscription) -> bool:
    return subscription.follower_id in subscription.partition.machine.maximal_isr


def belongs_elsewhere(
    subscription: Subscription, found: tuple[list[bytes], int] | LogSlice | None
) -> bool:
    """Whether the other of the follower's two streams is the right one (rule 11), by what `find`
    gave: to catch up goes who is far behind and not in sync, back who is near. A throttled one is
    far when it is behind at all.

    acks=all waits for a member of the ISR however far it is behind: it stays with those in sync.
    """
    if found is None:
        return subscription.session.catch_up
    partition = subscription.partition
    if subscription.session.catch_up:
        if is_throttled(subscription):
            return not _is_further_behind(subscription, THROTTLED_NEAR_BYTES, found)
        if isinstance(found, tuple):
            return True
        return not partition.usable_log.holds_more_than(found, NEAR_BYTES)
    if _is_in_sync(subscription):
        return False
    if is_throttled(subscription):
        follower = partition.machine.followers.get(subscription.follower_id)
        arrived = follower is not None and follower.arrived
        near = NEAR_BYTES if arrived else THROTTLED_NEAR_BYTES
        return _is_further_behind(subscription, near, found)
    if isinstance(found, tuple):
        return False
    return partition.usable_log.holds_more_than(found, FAR_BYTES)


def has_arrived(subscription: Subscription) -> bool:
    """Whether what is throttled and catching up has just been sent (nearly) all there is."""
    return not _is_further_behind(subscription, THROTTLED_NEAR_BYTES)


def note_arrived(subscription: Subscription) -> None:
    """It goes to the stream of those in sync, and asks there anew."""
    follower = subscription.partition.machine.followers.get(subscription.follower_id)
    if follower is not None:
        follower.arrived = True


def _is_further_behind(
    subscription: Subscription,
    bytes_max: int,
    found: tuple[list[bytes], int] | LogSlice | None = None,
) -> bool:
    """KAFKA_STORAGE_ERROR, OFFSET_OUT_OF_RANGE."""
    partition = subscription.partition
    log, position = partition.usable_log, subscription.position
    if found is None or isinstance(found, tuple):
        found = log.read(position, 1, end_offset=log.log_end_offset, at_least_one=True)
    return found is not None and log.holds_more_than(found, bytes_max)


def progressed(subscription: Subscription, log_end_offset: int) -> None:
    """The follower holds everything below `log_end_offset`."""
    if subscription.session.catch_up:
        return
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
