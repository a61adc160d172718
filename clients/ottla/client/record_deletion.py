"""Deleting the oldest records of partitions, each at its leader (DeleteRecords, KIP-107)."""

from __future__ import annotations

from collections.abc import Mapping

from ottla.client.cluster import Cluster
from ottla.client.errors import protocol_error
from ottla.client.leaders import ByTopic, TopicPartition, ask_leaders, partition_subject
from ottla.core.errors import ErrorCode
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.delete_records_request import (
    DeleteRecordsPartition,
    DeleteRecordsRequest,
    DeleteRecordsTopic,
)
from ottla.protocol.messages.delete_records_response import DeleteRecordsResponse

_REASONS = {  # the answer has no room for a sentence
    ErrorCode.OFFSET_OUT_OF_RANGE: "the offset is beyond what is committed",
    ErrorCode.POLICY_VIOLATION: "records of a topic are deleted only if its cleanup.policy has "
    "delete",
    ErrorCode.INVALID_TOPIC_EXCEPTION: "the topic is the cluster's own",
}


def delete_records(
    cluster: Cluster, before: Mapping[TopicPartition, int], timeout_ms: int
) -> dict[TopicPartition, int]:
    """Delete what lies below each offset; the low watermarks, when no live replica has it any more.

    `timeout_ms` is the broker's for one try. ProtocolError: UNKNOWN_TOPIC_OR_PARTITION,
    OFFSET_OUT_OF_RANGE, POLICY_VIOLATION, INVALID_TOPIC_EXCEPTION, of the first that is refused.
    """
    done: dict[TopicPartition, int] = {}

    def ask(leader_id: int, topics: ByTopic) -> None:
        request = DeleteRecordsRequest(
            [
                DeleteRecordsTopic(
                    name, [DeleteRecordsPartition(p.index, before[name, p.index]) for p in found]
                )
                for name, found in topics.items()
            ],
            timeout_ms,
        )
        response = cluster.connection(leader_id).request(
            ApiKey.DELETE_RECORDS, request, DeleteRecordsResponse
        )
        failures = []
        for topic in response.topics:
            for partition in topic.partitions:
                index, code = partition.partition_index, partition.error_code
                if code:
                    reason = _REASONS.get(ErrorCode(code))
                    subject = partition_subject(topic.name, index)
                    failures.append(protocol_error(code, subject, reason))
                else:
                    done[topic.name, index] = partition.low_watermark
        if failures:
            raise next((error for error in failures if not error.retriable), failures[0])

    ask_leaders(cluster, "deleting records", before, done, ask)
    return done
