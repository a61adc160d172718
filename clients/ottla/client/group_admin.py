"""What an operator does to groups: offsets set from outside, offsets and groups deleted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ottla.client.cluster import Cluster
from ottla.client.coordinator import GroupCoordinatorLink
from ottla.client.errors import protocol_error
from ottla.client.leaders import TopicPartition, partition_subject
from ottla.core.errors import ErrorCode
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.delete_groups_request import DeleteGroupsRequest
from ottla.protocol.messages.delete_groups_response import DeleteGroupsResponse
from ottla.protocol.messages.offset_commit_request import (
    OffsetCommitRequest,
    OffsetCommitRequestPartition,
    OffsetCommitRequestTopic,
)
from ottla.protocol.messages.offset_commit_response import OffsetCommitResponse

_HAS_MEMBERS = "the group has members: stop its consumers first"
_REASONS = {
    ErrorCode.NON_EMPTY_GROUP: _HAS_MEMBERS,
    ErrorCode.UNKNOWN_MEMBER_ID: _HAS_MEMBERS,
    ErrorCode.GROUP_ID_NOT_FOUND: "there is no such group",
}


def set_offsets(cluster: Cluster, group_id: str, offsets: Mapping[TopicPartition, int]) -> None:
    """Commit offsets for a group that has no members, of which each has its own.

    ProtocolError: UNKNOWN_MEMBER_ID while somebody is in the group, UNKNOWN_TOPIC_OR_PARTITION.
    """
    topics: dict[str, list[OffsetCommitRequestPartition]] = {}
    for (topic, index), offset in sorted(offsets.items()):
        topics.setdefault(topic, []).append(
            OffsetCommitRequestPartition(partition_index=index, committed_offset=offset)
        )
    request = OffsetCommitRequest(
        group_id=group_id,
        topics=[OffsetCommitRequestTopic(name=name, partitions=p) for name, p in topics.items()],
    )
    link = GroupCoordinatorLink(cluster, group_id)

    def attempt() -> None:
        response = link.ask(ApiKey.OFFSET_COMMIT, request, OffsetCommitResponse)
        for topic in response.topics:
            for partition in topic.partitions:
                code = partition.error_code
                if code in _REASONS:
                    raise protocol_error(code, link.subject, _REASONS[ErrorCode(code)])
                if code:
                    link.check(code)
                    subject = partition_subject(topic.name, partition.partition_index)
                    raise protocol_error(code, subject)

    try:
        cluster.retry(f"setting the offsets of group '{group_id}'", attempt)
    finally:
        link.forget()


def delete_groups(cluster: Cluster, group_ids: Iterable[str]) -> None:
    """Delete groups with their offsets, one after the other; ProtocolError of the first refused:
    NON_EMPTY_GROUP, GROUP_ID_NOT_FOUND."""
    for group_id in group_ids:
        _delete_group(cluster, group_id)


def _delete_group(cluster: Cluster, group_id: str) -> None:
    link = GroupCoordinatorLink(cluster, group_id)

    def attempt() -> None:
        response = link.ask(
            ApiKey.DELETE_GROUPS, DeleteGroupsRequest([group_id]), DeleteGroupsResponse
        )
        code = response.results[0].error_code
        if code in _REASONS:
            raise protocol_error(code, link.subject, _REASONS[ErrorCode(code)])
        link.check(code)

    try:
        cluster.retry(f"deleting group '{group_id}'", attempt)
    finally:
        link.forget()
