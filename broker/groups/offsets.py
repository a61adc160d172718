"""Committed offsets of all groups of one partition, and the decisions on them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from broker.coordinator.machine import Moment, Turn
from broker.groups.classic_group import ClassicGroup
from broker.groups.pending import PendingOffsets
from broker.groups.requests import CommitRequest, FetchedOffset, FetchRequest
from broker.groups.settings import GroupSettings
from broker.groups.states import GroupState
from broker.groups.stored import TEXT_BYTES_MAX, CommittedOffset, OffsetRecord, Record
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.core.identifiers import NIL_UUID, Uuid

_TIMESTAMP_MAX = 2**63 - 1
_METADATA_LENGTH_MAX = TEXT_BYTES_MAX // 4
"""Characters of up to four bytes that surely fit a record, whatever the setting says."""


class OffsetStore:
    """group → topic → partition → offset. Only `replay` changes it."""

    __slots__ = ("_groups", "count")

    def __init__(self) -> None:
        self._groups: dict[str, dict[str, dict[int, CommittedOffset]]] = {}
        self.count = 0

    def replay(self, record: OffsetRecord) -> None:
        if record.committed is not None:
            topics = self._groups.setdefault(record.group_id, {})
            partitions = topics.setdefault(record.topic, {})
            self.count += record.partition not in partitions
            partitions[record.partition] = record.committed
            return
        topics = self._groups.get(record.group_id, {})
        partitions = topics.get(record.topic, {})
        if partitions.pop(record.partition, None) is None:
            return
        self.count -= 1
        if not partitions:
            del topics[record.topic]
            if not topics:
                del self._groups[record.group_id]

    @property
    def group_ids(self) -> Iterable[str]:
        return self._groups.keys()

    def has(self, group_id: str) -> bool:
        return group_id in self._groups

    def of_group(self, group_id: str) -> Mapping[str, Mapping[int, CommittedOffset]]:
        return self._groups.get(group_id, {})

    def of_topic(self, topic: str) -> Iterator[tuple[str, int, CommittedOffset]]:
        """(group, partition, offset) of everything that is committed for `topic`."""
        for group_id, topics in self._groups.items():
            for partition, committed in topics.get(topic, {}).items():
                yield group_id, partition, committed

    def topic_ids(self) -> set[tuple[str, Uuid]]:
        """(name, id) of all topics with offsets; the id is nil where none was stored."""
        return {
            (topic, committed.topic_id)
            for topics in self._groups.values()
            for topic, partitions in topics.items()
            for committed in partitions.values()
        }


def decide_commit(
    group: ClassicGroup | None,
    request: CommitRequest,
    turn: Turn[Record],
    settings: GroupSettings,
    *,
    is_transactional: bool = False,
) -> list[ErrorCode]:
    """Append what may be committed; a code for each offset, in order.

    `is_transactional`: for the producer of `turn`, who need not be in the group: it is fenced by
    its producer epoch, and by generation and member id where it names them (KIP-447).

    ProtocolError: UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, ILLEGAL_GENERATION, REBALANCE_IN_PROGRESS.
    A code may be OFFSET_METADATA_TOO_LARGE.
    """
    _check_committer(group, request, turn.moment, is_transactional=is_transactional)
    timestamp_ms = turn.moment.timestamp_ms
    expire_ms = None
    if request.retention_ms is not None:
        expire_ms = min(timestamp_ms + request.retention_ms, _TIMESTAMP_MAX)
    length_max = min(settings.offset_metadata_max_bytes, _METADATA_LENGTH_MAX)
    codes = []
    for offset in request.offsets:
        if len(offset.metadata) > length_max:
            codes.append(ErrorCode.OFFSET_METADATA_TOO_LARGE)
            continue
        committed = CommittedOffset(
            offset=offset.offset,
            # The one form with an expiry time has no room for these two.
            leader_epoch=offset.leader_epoch if expire_ms is None else -1,
            metadata=offset.metadata,
            commit_timestamp_ms=timestamp_ms,
            expire_timestamp_ms=expire_ms,
            topic_id=offset.topic_id if expire_ms is None else NIL_UUID,
        )
        turn.append(OffsetRecord(request.group_id, offset.topic, offset.partition, committed))
        codes.append(ErrorCode.NONE)
    return codes


def _check_committer(
    group: ClassicGroup | None, request: CommitRequest, moment: Moment, *, is_transactional: bool
) -> None:
    """Who is in the group commits for its generation; who is outside only while nobody is in."""
    is_member = (
        request.generation >= 0 or request.member_id != "" or request.instance_id is not None
    )
    if group is None:
        if request.generation >= 0:
            raise ProtocolError(ErrorCode.ILLEGAL_GENERATION, "the group does not exist")
        return
    if not is_member:
        if is_transactional:
            return
        if group.state is not GroupState.EMPTY:
            raise ProtocolError(ErrorCode.UNKNOWN_MEMBER_ID, "the group has members")
        return
    if request.generation < 0 and group.state is GroupState.EMPTY:
        return
    member = group.member(request.member_id, request.instance_id)
    group.check_generation(request.generation)
    if group.state is GroupState.COMPLETING_REBALANCE:
        # Its partitions may be another's already.
        raise ProtocolError(ErrorCode.REBALANCE_IN_PROGRESS)
    member.refresh(moment.now_ms)


def fetch(
    store: OffsetStore, pending: PendingOffsets, request: FetchRequest
) -> list[FetchedOffset]:
    """What is committed for the asked partitions, or for all of the group."""
    group_id = request.group_id
    topics = store.of_group(group_id)
    unstable = pending.of_group(group_id)
    if request.topics is None:
        known = {
            (topic, index): offset for topic, p in topics.items() for index, offset in p.items()
        }
        return [
            FetchedOffset(*key, known.get(key), key in unstable) for key in {**known, **unstable}
        ]
    return [
        FetchedOffset(
            topic,
            partition,
            topics.get(topic, {}).get(partition),
            (topic, partition) in unstable,
        )
        for topic, partitions in request.topics
        for partition in partitions
    ]


def forget_topics(
    store: OffsetStore,
    pending: PendingOffsets,
    deleted: Mapping[Uuid, str],
    turn: Turn[Record],
    *,
    just_now: bool,
) -> None:
    """Tombstones for the offsets of deleted topics, those of open transactions included.

    What was committed since for a new topic of the same name carries another id and stays. Offsets
    without an id go only if the topic was deleted `just_now`: later they may be its successor's.
    """
    for topic_id, topic in deleted.items():
        gone: set[tuple[str, int]] = set()
        kept: set[tuple[str, int]] = set()
        for group_id, partition, committed in (*store.of_topic(topic), *pending.of_topic(topic)):
            is_gone = committed.topic_id == topic_id or (
                just_now and committed.topic_id == NIL_UUID
            )
            (gone if is_gone else kept).add((group_id, partition))
        # A tombstone takes both what is committed and what is pending: one of the topic's successor
        # stays, and what it covers is looked at again after its transaction.
        for group_id, partition in sorted(gone - kept):
            turn.append(OffsetRecord(group_id, topic, partition, None))
