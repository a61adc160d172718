"""The states of a classic group, and which may follow which.

The log knows four of the five: `replay` alone moves a group to EMPTY, COMPLETING_REBALANCE, STABLE
and DEAD. PREPARING_REBALANCE is of the coordinator alone: who is joining is not stored, and after a
change of coordinator the members join again.
"""

from __future__ import annotations

from enum import Enum
from typing import Final


class GroupState(Enum):
    """Values are the names that DescribeGroups and ListGroups use."""

    EMPTY = "Empty"
    """No members; it may have committed offsets.

    Action: JoinGroup opens a round that lasts group.initial.rebalance.delay.ms. Heartbeat,
    SyncGroup and LeaveGroup find no member: UNKNOWN_MEMBER_ID. OffsetCommit without a generation is
    allowed (admin tools, consumers without subscription). Offsets expire offsets.retention.minutes
    after the last member left.
    Transition: a first member joins → PREPARING_REBALANCE; DeleteGroups, or the last offset is
    expired → DEAD.
    Previous: PREPARING_REBALANCE (all members left), or none.
    A first heartbeat of the consumer protocol makes it a consumer group → DEAD; so in every state.
    """

    PREPARING_REBALANCE = "PreparingRebalance"
    """A round is open: members join, the former generation still holds.

    Action: JoinGroup waits for the end of the round. Heartbeat: REBALANCE_IN_PROGRESS, and the
    session goes on. SyncGroup: REBALANCE_IN_PROGRESS. OffsetCommit of the former generation is
    allowed: members commit before they give partitions up.
    Transition: all members have joined, or the rebalance time-out has passed, which removes those
    who have not (static members stay) → COMPLETING_REBALANCE; nobody is left → EMPTY.
    Previous: EMPTY, COMPLETING_REBALANCE, STABLE.
    """

    COMPLETING_REBALANCE = "CompletingRebalance"
    """A generation is stored and its members know it; the leader's assignment is missing.

    Action: SyncGroup of followers waits, that of the leader stores the assignment. Heartbeat is
    good. OffsetCommit: REBALANCE_IN_PROGRESS. JoinGroup with unchanged metadata repeats the answer.
    Transition: the assignment is stored → STABLE; a member joins anew or otherwise, leaves,
    crashes, or does not sync within the rebalance time-out → PREPARING_REBALANCE.
    Previous: PREPARING_REBALANCE.
    """

    STABLE = "Stable"
    """Every member can have its assignment.

    Action: Heartbeat is good, SyncGroup gives the stored assignment, OffsetCommit is allowed.
    JoinGroup of a follower with unchanged metadata, or of a static member that restarted, answers
    the current generation.
    Transition: a member joins, leaves or crashes, changes its metadata, or is the leader and joins
    → PREPARING_REBALANCE; the member id of a static member is replaced → STABLE.
    Previous: COMPLETING_REBALANCE, STABLE; EMPTY of a group that was a consumer group until its
    last member of that protocol left: it has no leader and is rebalanced at once.
    """

    DEAD = "Dead"
    """Deleted: a tombstone stands in the log. The object is dropped; the same group id may be used
    for a new group at once.

    Action: none. Transition: none. Previous: EMPTY; any, when it becomes a consumer group.
    """


VALID_PREVIOUS: Final = {
    GroupState.EMPTY: frozenset({GroupState.PREPARING_REBALANCE}),
    GroupState.PREPARING_REBALANCE: frozenset(
        {GroupState.EMPTY, GroupState.COMPLETING_REBALANCE, GroupState.STABLE}
    ),
    GroupState.COMPLETING_REBALANCE: frozenset({GroupState.PREPARING_REBALANCE}),
    GroupState.STABLE: frozenset(
        {GroupState.COMPLETING_REBALANCE, GroupState.STABLE, GroupState.EMPTY}
    ),
    GroupState.DEAD: frozenset(
        {
            GroupState.EMPTY,
            GroupState.PREPARING_REBALANCE,
            GroupState.COMPLETING_REBALANCE,
            GroupState.STABLE,
        }
    ),
}
