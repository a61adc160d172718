"""Membership in a consumer group by the classic protocol.

    absent --join, sync--> joined --heartbeat says rebalance--> absent (same member id)
                           joined --unknown member, fenced----> absent (new member id)

Heartbeats are sent from the calls of the consumer: whoever does not call for longer than the
session time-out leaves the group, as with a member that died.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping

from ottla.client.cluster import Cluster
from ottla.client.coordinator import GroupCoordinatorLink
from ottla.client.errors import ClientError, sentence
from ottla.client.groups import (
    PROTOCOL_TYPE,
    RANGE,
    assign_ranges,
    decode_assignment,
    decode_subscription,
    encode_assignment,
    encode_subscription,
    read_committed_offsets,
)
from ottla.client.offsets import TopicPartition
from ottla.core.errors import ErrorCode, OttlaError
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.heartbeat_request import HeartbeatRequest
from ottla.protocol.messages.heartbeat_response import HeartbeatResponse
from ottla.protocol.messages.join_group_request import (
    JoinGroupRequest,
    JoinGroupRequestProtocol,
)
from ottla.protocol.messages.join_group_response import JoinGroupResponse
from ottla.protocol.messages.leave_group_request import LeaveGroupRequest, MemberIdentity
from ottla.protocol.messages.leave_group_response import LeaveGroupResponse
from ottla.protocol.messages.offset_commit_request import (
    OffsetCommitRequest,
    OffsetCommitRequestPartition,
    OffsetCommitRequestTopic,
)
from ottla.protocol.messages.offset_commit_response import OffsetCommitResponse
from ottla.protocol.messages.sync_group_request import (
    SyncGroupRequest,
    SyncGroupRequestAssignment,
)
from ottla.protocol.messages.sync_group_response import SyncGroupResponse

SESSION_TIMEOUT_MS = 45_000
REBALANCE_TIMEOUT_MS = 60_000
HEARTBEAT_MS = 3_000
_ANSWER_MARGIN_MS = 5_000

_MEMBER_GONE = frozenset(
    {
        ErrorCode.UNKNOWN_MEMBER_ID,
        ErrorCode.ILLEGAL_GENERATION,
        ErrorCode.FENCED_INSTANCE_ID,
    }
)


class Membership:
    """One member of one group."""

    def __init__(
        self,
        cluster: Cluster,
        group_id: str,
        topics: Collection[str],
        *,
        session_timeout_ms: int = SESSION_TIMEOUT_MS,
        rebalance_timeout_ms: int = REBALANCE_TIMEOUT_MS,
        heartbeat_ms: int = HEARTBEAT_MS,
        require_stable: bool = False,
    ) -> None:
        """`require_stable`: committed offsets are read once no open transaction may change them."""
        self.joined = False
        self.member_id = ""
        self.generation = -1
        self._cluster = cluster
        self._link = GroupCoordinatorLink(cluster, group_id)
        self._topics = tuple(topics)
        self._session_timeout_ms = session_timeout_ms
        self._rebalance_timeout_ms = rebalance_timeout_ms
        self._heartbeat_ms = heartbeat_ms
        self._require_stable = require_stable
        self._next_heartbeat_ms = 0

    def join(self) -> list[TopicPartition]:
        """Become a member and get an assignment; waits for the other members.

        ProtocolError: the group refuses this member for good; DeadlineError.
        """
        while True:
            assignment = self._cluster.retry(f"joining {self._link.subject}", self._join_and_sync)
            if assignment is not None:
                self.joined = True
                self._next_heartbeat_ms = self._cluster.now_ms() + self._heartbeat_ms
                return assignment

    def heartbeat(self) -> None:
        """Tell the coordinator that we live, when it is time; `joined` ends with a rebalance."""
        now_ms = self._cluster.now_ms()
        if not self.joined or now_ms < self._next_heartbeat_ms:
            return
        self._next_heartbeat_ms = now_ms + self._heartbeat_ms
        request = HeartbeatRequest(self._link.group_id, self.generation, self.member_id)
        try:
            response = self._link.ask(ApiKey.HEARTBEAT, request, HeartbeatResponse)
            if not self._rebalancing(response.error_code):
                self._link.check(response.error_code)
        except OttlaError as error:
            # The session outlives a few lost heartbeats; the next one finds the coordinator.
            if not self._cluster.may_retry(error):
                raise
            self._next_heartbeat_ms = now_ms + self._heartbeat_ms // 3
            self._cluster.options.on_retry(
                f"the heartbeat of {self._link.subject}: {sentence(error)}; trying again"
            )

    def committed(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """The group's committed offsets of these partitions, where there are any."""
        return self._cluster.retry(
            f"reading the offsets of {self._link.subject}",
            lambda: read_committed_offsets(
                self._link, partitions, require_stable=self._require_stable
            ),
        )

    def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Commit the offsets of the next records to read.

        ClientError: the group has rebalanced, others may own these partitions by now.
        """
        topics: dict[str, list[OffsetCommitRequestPartition]] = defaultdict(list)
        for (topic, index), offset in offsets.items():
            topics[topic].append(OffsetCommitRequestPartition(index, offset))
        request = OffsetCommitRequest(
            group_id=self._link.group_id,
            generation_id_or_member_epoch=self.generation,
            member_id=self.member_id,
            topics=[
                OffsetCommitRequestTopic(name=topic, partitions=partitions)
                for topic, partitions in topics.items()
            ],
        )

        def attempt() -> None:
            response = self._link.ask(ApiKey.OFFSET_COMMIT, request, OffsetCommitResponse)
            for topic in response.topics:
                for partition in topic.partitions:
                    if self._rebalancing(partition.error_code):
                        raise ClientError(
                            f"{self._link.subject} has rebalanced; the offsets were not committed "
                            "and their records may be read again"
                        )
                    self._link.check(partition.error_code)

        self._cluster.retry(f"committing offsets of {self._link.subject}", attempt)

    def leave(self) -> None:
        """Leave at once, so that others need not wait for the session to end; never fails."""
        if self.member_id:
            request = LeaveGroupRequest(
                self._link.group_id, self.member_id, [MemberIdentity(self.member_id)]
            )
            try:
                version = self._link.connection().version_of(ApiKey.LEAVE_GROUP)
                # Version 3 took one member in a field of its own, later ones take a list.
                if version >= 3:
                    request.member_id = ""
                else:
                    request.members = []
                self._link.ask(ApiKey.LEAVE_GROUP, request, LeaveGroupResponse)
            except OttlaError as error:
                self._cluster.options.on_retry(
                    f"leaving {self._link.subject} failed: {sentence(error)}"
                )
        self.joined = False
        self.member_id, self.generation = "", -1
        self._link.forget()

    def _join_and_sync(self) -> list[TopicPartition] | None:
        """One try; None when it has to begin anew at once."""
        join = self._link.ask(
            ApiKey.JOIN_GROUP,
            JoinGroupRequest(
                group_id=self._link.group_id,
                session_timeout_ms=self._session_timeout_ms,
                rebalance_timeout_ms=self._rebalance_timeout_ms,
                member_id=self.member_id,
                protocol_type=PROTOCOL_TYPE,
                protocols=[JoinGroupRequestProtocol(RANGE, encode_subscription(self._topics))],
            ),
            JoinGroupResponse,
            self._rebalance_timeout_ms + _ANSWER_MARGIN_MS,
        )
        if join.error_code == ErrorCode.MEMBER_ID_REQUIRED:
            self.member_id = join.member_id
            return None
        if self._rebalancing(join.error_code):
            return None
        self._link.check(join.error_code)
        self.member_id, self.generation = join.member_id, join.generation_id
        leads = join.leader == join.member_id and not join.skip_assignment
        sync = self._link.ask(
            ApiKey.SYNC_GROUP,
            SyncGroupRequest(
                group_id=self._link.group_id,
                generation_id=self.generation,
                member_id=self.member_id,
                protocol_type=PROTOCOL_TYPE,
                protocol_name=join.protocol_name,
                assignments=self._assignments(join) if leads else [],
            ),
            SyncGroupResponse,
            self._rebalance_timeout_ms + _ANSWER_MARGIN_MS,
        )
        if self._rebalancing(sync.error_code):
            return None
        self._link.check(sync.error_code)
        return decode_assignment(sync.assignment)

    def _assignments(self, join: JoinGroupResponse) -> list[SyncGroupRequestAssignment]:
        """What the leader of the group decides."""
        subscriptions = {
            member.member_id: decode_subscription(member.metadata) for member in join.members
        }
        topics = {topic for subscribed in subscriptions.values() for topic in subscribed}
        self._cluster.refresh(topics)
        counts = {
            name: len(known.partitions)
            for name, known in self._cluster.topics.items()
            if name in topics
        }
        return [
            SyncGroupRequestAssignment(member, encode_assignment(partitions))
            for member, partitions in assign_ranges(subscriptions, counts).items()
        ]

    def _rebalancing(self, code: int) -> bool:
        """Whether `code` means that membership has to begin anew; then it does."""
        if code in _MEMBER_GONE:
            self.member_id, self.generation = "", -1
        elif code != ErrorCode.REBALANCE_IN_PROGRESS:
            return False
        self.joined = False
        return True
