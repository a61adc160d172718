"""One member's step from what it has to its target (KIP-848): give up first, then take.

A partition is free once its former owner has confirmed, by a heartbeat that does not list it, that
it no longer uses it. Until then it is in the owner's `assigned` or `pending_revocation`.
"""

from __future__ import annotations

from collections.abc import Callable

from broker.groups.consumer.stored import (
    NOTHING,
    MemberState,
    StoredCurrent,
    TopicPartitions,
)
from ottla.core.identifiers import Uuid


def reconcile(
    current: StoredCurrent,
    target: TopicPartitions,
    target_epoch: int,
    owned: TopicPartitions | None,
    is_free: Callable[[tuple[Uuid, int]], bool],
) -> StoredCurrent:
    """The member's next state; `current` itself when nothing changes.

    `owned`: what the member says that it uses; None: it did not say. `is_free`: no other member has
    the partition.
    """
    if current.state is MemberState.UNREVOKED_PARTITIONS:
        if owned is None or owned & current.pending_revocation:
            return current
    elif current.state is MemberState.STABLE and current.member_epoch == target_epoch:
        return current
    kept = current.assigned & target
    revoked = current.assigned - target
    if revoked and (owned is None or owned & revoked):
        return StoredCurrent(
            current.member_epoch,
            current.previous_epoch,
            MemberState.UNREVOKED_PARTITIONS,
            kept,
            revoked,
        )
    wanted = target - kept
    free = frozenset(partition for partition in wanted if is_free(partition))
    state = MemberState.STABLE if free == wanted else MemberState.UNRELEASED_PARTITIONS
    following = StoredCurrent(target_epoch, current.member_epoch, state, kept | free, NOTHING)
    is_same = (following.state, following.assigned) == (current.state, current.assigned)
    return current if is_same and current.member_epoch == target_epoch else following
