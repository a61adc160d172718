"""What an operator sees of groups and does to them: offsets set and deleted, groups deleted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ottla.client.cluster import Cluster
from ottla.client.coordinator import GroupCoordinatorLink
from ottla.client.errors import UnsupportedApiError, check_code, protocol_error
from ottla.client.groups import decode_assignment, read_committed_offsets
from ottla.client.leaders import TopicPartition, partition_subject
from ottla.client.model import GroupDescription, GroupListing, GroupMember
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.consumer_group_describe_request import ConsumerGroupDescribeRequest
from ottla.protocol.messages.consumer_group_describe_response import ConsumerGroupDescribeResponse
from ottla.protocol.messages.delete_groups_request import DeleteGroupsRequest
from ottla.protocol.messages.delete_groups_response import DeleteGroupsResponse
from ottla.protocol.messages.describe_groups_request import DescribeGroupsRequest
from ottla.protocol.messages.describe_groups_response import DescribeGroupsResponse
from ottla.protocol.messages.list_groups_request import ListGroupsRequest
from ottla.protocol.messages.list_groups_response import ListGroupsResponse
from ottla.protocol.messages.offset_commit_request import (
    OffsetCommitRequest,
    OffsetCommitRequestPartition,
    OffsetCommitRequestTopic,
)
from ottla.protocol.messages.offset_commit_response import OffsetCommitResponse
from ottla.protocol.messages.offset_delete_request import (
    OffsetDeleteRequest,
    OffsetDeleteRequestPartition,
    OffsetDeleteRequestTopic,
)
from ottla.protocol.messages.offset_delete_response import OffsetDeleteResponse

_HAS_MEMBERS = "the group has members: stop its consumers first"
_REASONS = {
    ErrorCode.NON_EMPTY_GROUP: _HAS_MEMBERS,
    ErrorCode.UNKNOWN_MEMBER_ID: _HAS_MEMBERS,
    ErrorCode.GROUP_ID_NOT_FOUND: "there is no such group",
    ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC: "a member of the group reads it: stop its consumers first",
}


def list_groups(cluster: Cluster) -> list[GroupListing]:
    """The groups of all brokers, by id: each knows only those that it coordinates."""

    def attempt() -> list[GroupListing]:
        cluster.metadata([])
        found: dict[str, GroupListing] = {}
        for broker_id in sorted(cluster.brokers):
            response = cluster.connection(broker_id).request(
                ApiKey.LIST_GROUPS, ListGroupsRequest(), ListGroupsResponse
            )
            check_code(response.error_code, f"the groups of broker {broker_id}")
            for group in response.groups:
                found[group.group_id] = GroupListing(
                    group.group_id, group.protocol_type, group.group_state, group.group_type
                )
        return [found[group_id] for group_id in sorted(found)]

    return cluster.retry("listing the groups", attempt)


def describe_group(cluster: Cluster, group_id: str) -> GroupDescription:
    """One group of either protocol; one that nobody knows has the state ``Dead``, or
    GROUP_ID_NOT_FOUND."""
    link = GroupCoordinatorLink(cluster, group_id)

    def attempt() -> GroupDescription:
        response = link.ask(
            ApiKey.DESCRIBE_GROUPS, DescribeGroupsRequest([group_id]), DescribeGroupsResponse
        )
        group = response.groups[0]
        if group.error_code == ErrorCode.GROUP_ID_NOT_FOUND or group.group_state == "Dead":
            consumers = _describe_consumers(link, group_id)
            if consumers is not None:
                return consumers
        link.check(group.error_code)
        return GroupDescription(
            group_id=group.group_id,
            state=group.group_state,
            protocol_type=group.protocol_type,
            protocol=group.protocol_data,
            coordinator_id=link.node_id,
            members=tuple(
                GroupMember(
                    member.member_id,
                    member.group_instance_id,
                    member.client_id,
                    member.client_host,
                    tuple(decode_assignment(member.member_assignment)),
                )
                for member in sorted(group.members, key=lambda member: member.member_id)
            ),
        )

    try:
        return cluster.retry(f"describing group '{group_id}'", attempt)
    finally:
        link.forget()


def _describe_consumers(link: GroupCoordinatorLink, group_id: str) -> GroupDescription | None:
    """A group of the consumer protocol (KIP-848); None when it is none, or its broker is old."""
    try:
        response = link.ask(
            ApiKey.CONSUMER_GROUP_DESCRIBE,
            ConsumerGroupDescribeRequest([group_id]),
            ConsumerGroupDescribeResponse,
        )
    except UnsupportedApiError:
        return None
    group = response.groups[0]
    if group.error_code == ErrorCode.GROUP_ID_NOT_FOUND:
        return None
    link.check(group.error_code)
    return GroupDescription(
        group_id=group.group_id,
        state=group.group_state,
        protocol_type="consumer",
        protocol=group.assignor_name,
        coordinator_id=link.node_id,
        members=tuple(
            GroupMember(
                member.member_id,
                member.instance_id,
                member.client_id,
                member.client_host,
                tuple(
                    (topic.topic_name, index)
                    for topic in member.assignment.topic_partitions
                    for index in topic.partitions
                ),
            )
            for member in sorted(group.members, key=lambda member: member.member_id)
        ),
    )


def committed_offsets(cluster: Cluster, group_id: str) -> dict[TopicPartition, int]:
    """All offsets that a group has committed, by (topic, partition)."""
    link = GroupCoordinatorLink(cluster, group_id)
    try:
        return cluster.retry(
            f"reading the offsets of group '{group_id}'",
            lambda: read_committed_offsets(link, None),
        )
    finally:
        link.forget()


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
                link.check(code, partition_subject(topic.name, partition.partition_index))

    try:
        cluster.retry(f"setting the offsets of group '{group_id}'", attempt)
    finally:
        link.forget()


def delete_offsets(cluster: Cluster, group_id: str, partitions: Iterable[TopicPartition]) -> None:
    """Forget committed offsets (KIP-496); the ProtocolError of the first partition that is refused,
    after all were tried: GROUP_SUBSCRIBED_TO_TOPIC, UNKNOWN_TOPIC_OR_PARTITION."""
    topics: dict[str, list[OffsetDeleteRequestPartition]] = {}
    for topic, index in sorted(partitions):
        topics.setdefault(topic, []).append(OffsetDeleteRequestPartition(index))
    request = OffsetDeleteRequest(
        group_id, [OffsetDeleteRequestTopic(name, p) for name, p in topics.items()]
    )
    link = GroupCoordinatorLink(cluster, group_id)

    def attempt() -> ProtocolError | None:
        response = link.ask(ApiKey.OFFSET_DELETE, request, OffsetDeleteResponse)
        code = response.error_code
        if code in _REASONS:
            raise protocol_error(code, link.subject, _REASONS[ErrorCode(code)])
        link.check(code)
        for topic in response.topics:
            for partition in topic.partitions:
                code = partition.error_code
                subject = partition_subject(topic.name, partition.partition_index)
                if code in _REASONS:
                    return protocol_error(code, subject, _REASONS[ErrorCode(code)])
                if code == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION:
                    return protocol_error(code, subject)  # waiting for it would be of no use
                check_code(code, subject)
        return None

    try:
        failure = cluster.retry(f"deleting offsets of group '{group_id}'", attempt)
    finally:
        link.forget()
    if failure is not None:
        raise failure


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
