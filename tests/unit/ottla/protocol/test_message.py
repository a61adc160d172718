from __future__ import annotations

import pytest

from ottla.core.errors import DecodeError
from ottla.protocol.message import Message
from ottla.protocol.messages.create_topics_request import CreatableTopic, CreateTopicsRequest
from ottla.protocol.messages.fetch_request import FetchRequest
from ottla.protocol.messages.heartbeat_request import HeartbeatRequest
from ottla.protocol.messages.metadata_request import MetadataRequest, MetadataRequestTopic
from ottla.protocol.messages.produce_request import (
    PartitionProduceData,
    ProduceRequest,
    TopicProduceData,
)
from ottla.protocol.messages.produce_response import (
    LeaderIdAndEpoch,
    PartitionProduceResponse,
    ProduceResponse,
    TopicProduceResponse,
)


def test_a_class_without_schema_says_so() -> None:
    with pytest.raises(TypeError, match="Message"):
        Message.decode(b"", 0)
    with pytest.raises(TypeError, match="Message"):
        Message().encode(0)


def test_decode_starts_at_the_offset_and_ignores_what_follows() -> None:
    data = HeartbeatRequest("group", 4, "member").encode(4)
    assert HeartbeatRequest.decode(b"123" + data + b"4567", 4, 3).member_id == "member"
    assert HeartbeatRequest.decode_from(b"123" + data + b"4567", 3, 4)[1] == 3 + len(data)


def test_encode_into_appends() -> None:
    out = bytearray(b"head")
    HeartbeatRequest("group", 4, "member").encode_into(out, 4)
    assert out == b"head" + HeartbeatRequest("group", 4, "member").encode(4)


def test_fields_that_a_version_lacks_keep_their_defaults() -> None:
    assert MetadataRequest.decode(MetadataRequest(topics=[]).encode(0), 0) == MetadataRequest(
        topics=[], allow_auto_topic_creation=True
    )
    assert FetchRequest.decode(FetchRequest().encode(4), 4).session_epoch == -1


def test_ignorable_fields_are_dropped_others_are_refused() -> None:
    assert FetchRequest(rack_id="rack").encode(4) == FetchRequest().encode(4)
    with pytest.raises(ValueError, match=r"HeartbeatRequest\.group_instance_id .* version 2"):
        HeartbeatRequest("group", 4, "member", group_instance_id="static").encode(2)
    response = ProduceResponse(
        responses=[
            TopicProduceResponse(
                partition_responses=[
                    PartitionProduceResponse(current_leader=LeaderIdAndEpoch(1, 2))
                ]
            )
        ]
    )
    with pytest.raises(ValueError, match=r"PartitionProduceResponse\.current_leader"):
        response.encode(9)
    assert ProduceResponse.decode(response.encode(10), 10) == response


def test_versions_outside_the_schema() -> None:
    with pytest.raises(DecodeError, match="HeartbeatRequest has no version 9"):
        HeartbeatRequest.decode(b"", 9)
    with pytest.raises(DecodeError, match="HeartbeatRequest has no version -1"):
        HeartbeatRequest.decode(b"", -1)
    with pytest.raises(ValueError, match="HeartbeatRequest has no version 9"):
        HeartbeatRequest().encode(9)


def test_null_where_a_version_allows_none() -> None:
    assert MetadataRequest.decode(bytes.fromhex("ffffffff"), 1).topics is None
    with pytest.raises(DecodeError, match=r"MetadataRequest\.topics must not be null"):
        MetadataRequest.decode(bytes.fromhex("ffffffff"), 0)
    with pytest.raises(ValueError, match=r"MetadataRequest\.topics must not be None in version 0"):
        MetadataRequest(topics=None).encode(0)
    with pytest.raises(ValueError, match=r"MetadataRequestTopic\.name"):
        MetadataRequest(topics=[MetadataRequestTopic(name=None)]).encode(9)


def test_numbers_and_texts_too_large_for_their_fields() -> None:
    with pytest.raises(ValueError, match="CreateTopicsRequest version 7"):
        CreateTopicsRequest(topics=[CreatableTopic(num_partitions=2**31)]).encode(7)
    with pytest.raises(ValueError, match="HeartbeatRequest version 0"):
        HeartbeatRequest("g" * 40_000, 1, "m").encode(0)


def test_texts_must_be_utf_8() -> None:
    data = bytearray(HeartbeatRequest("group", 4, "member").encode(4))
    data[1] = 0xFF
    with pytest.raises(DecodeError, match="not valid UTF-8"):
        HeartbeatRequest.decode(data, 4)


def test_records_are_borrowed_and_everything_else_is_copied() -> None:
    request = ProduceRequest(
        topic_data=[TopicProduceData("orders", partition_data=[PartitionProduceData(0, b"abc")])]
    )
    buffer = bytearray(request.encode(9))
    decoded = ProduceRequest.decode(memoryview(buffer), 9)
    records = decoded.topic_data[0].partition_data[0].records
    assert isinstance(records, memoryview)
    buffer[:] = bytes(len(buffer))
    assert bytes(records) == b"\0\0\0"
    assert decoded.topic_data[0].name == "orders"
