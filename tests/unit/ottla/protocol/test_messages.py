"""The generated messages: bytes written down by hand, and what holds for all of them."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from importlib import import_module

import pytest

from ottla.core.errors import DecodeError
from ottla.protocol.generation.schema import MessageSchema, load_schemas
from ottla.protocol.generator import PACKAGE
from ottla.protocol.message import Message
from ottla.protocol.messages.api_versions_request import ApiVersionsRequest
from ottla.protocol.messages.api_versions_response import (
    ApiVersion,
    ApiVersionsResponse,
    FinalizedFeatureKey,
)
from ottla.protocol.messages.describe_topic_partitions_request import (
    Cursor,
    DescribeTopicPartitionsRequest,
)
from ottla.protocol.messages.fetch_request import FetchPartition, FetchRequest, FetchTopic
from ottla.protocol.messages.fetch_response import (
    EpochEndOffset,
    FetchableTopicResponse,
    FetchResponse,
    PartitionData,
)
from ottla.protocol.messages.group_metadata_value import GroupMetadataValue, MemberMetadata
from ottla.protocol.messages.list_groups_request import ListGroupsRequest
from ottla.protocol.messages.transaction_log_value import TransactionLogValue

SCHEMAS = load_schemas(PACKAGE / "schemas")
HAND_WRITTEN: list[tuple[Message, int, str]] = [
    (ApiVersionsRequest(), 0, ""),
    (ApiVersionsRequest("kcat", "1.7"), 3, "05 6b636174 04 312e37 00"),
    (ListGroupsRequest(), 0, ""),
    (
        ApiVersionsResponse(35, [ApiVersion(18, 0, 4)]),
        0,
        "0023 00000001 0012 0000 0004",
    ),
    (
        ApiVersionsResponse(
            0,
            [ApiVersion(18, 0, 4)],
            finalized_features_epoch=9,
            finalized_features=[FinalizedFeatureKey("f", 2, 1)],
        ),
        4,
        "0000 02 0012 0000 0004 00 00000000"
        "02"  # two tagged fields
        "01 08 0000000000000009"
        "02 08 02 0266 0002 0001 00",
    ),
    (
        FetchRequest(
            max_wait_ms=500,
            min_bytes=1,
            session_id=3,
            session_epoch=4,
            topics=[FetchTopic(topic_id=b"\xaa" * 16, partitions=[FetchPartition(7, 1, 42)])],
            rack_id="r",
        ),
        13,
        "ffffffff 000001f4 00000001 7fffffff 00 00000003 00000004"
        "02" + "aa" * 16 + "02"
        "00000007 00000001 000000000000002a ffffffff ffffffffffffffff 00000000 00"
        "00"  # tags of the topic
        "01"  # no forgotten topics
        "0272"
        "00",
    ),
    (
        FetchResponse(
            responses=[
                FetchableTopicResponse(
                    "t",
                    partitions=[
                        PartitionData(
                            1, 1, 5, 5, 0, diverging_epoch=EpochEndOffset(2, 3), records=b"abc"
                        )
                    ],
                )
            ]
        ),
        12,
        "00000000 0000 00000000 02 0274 02"
        "00000001 0001 0000000000000005 0000000000000005 0000000000000000"
        "01"  # no aborted transactions
        "ffffffff 04 616263"
        "01 00 0d 00000002 0000000000000003 00"
        "00 00",
    ),
    (
        DescribeTopicPartitionsRequest(cursor=Cursor("a", 3)),
        0,
        "01 000007d0 01 0261 00000003 00 00",
    ),
    (DescribeTopicPartitionsRequest(), 0, "01 000007d0 ff 00"),
    (
        GroupMetadataValue(
            "consumer", 5, "range", "m", 99, [MemberMetadata("m", None, "c", "/h", 6, 7, b"s", b"")]
        ),
        3,
        "0008 636f6e73756d6572 00000005 0005 72616e6765 0001 6d 0000000000000063 00000001"
        "0001 6d ffff 0001 63 0002 2f68 00000006 00000007 00000001 73 00000000",
    ),
    (
        TransactionLogValue(1, producer_epoch=2, client_transaction_version=2),
        1,
        "0000000000000001 0002 00000000 00 01 0000000000000000 0000000000000000 01 02 02 0002",
    ),
]


@pytest.mark.parametrize(
    ("message", "version", "text"),
    HAND_WRITTEN,
    ids=lambda value: type(value).__name__ if isinstance(value, Message) else None,
)
def test_bytes_written_by_hand(message: Message, version: int, text: str) -> None:
    data = bytes.fromhex(text)
    assert message.encode(version) == data
    assert type(message).decode_from(data, 0, version) == (message, len(data))


def _type(schema: MessageSchema) -> type[Message]:
    found: type[Message] = getattr(
        import_module(f"ottla.protocol.messages.{schema.module}"), schema.name
    )
    return found


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema.name)
def test_defaults_encode_in_every_version_and_come_back(schema: MessageSchema) -> None:
    kind = _type(schema)
    for version in range(schema.versions.low, schema.versions.high + 1):
        data = kind().encode(version)
        assert kind.decode_from(data, 0, version) == (kind(), len(data))


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema.name)
def test_classes_have_the_fields_of_their_tables(schema: MessageSchema) -> None:
    module = import_module(f"ottla.protocol.messages.{schema.module}")
    for structure in schema.structures.values():
        item = getattr(module, structure.name)()
        assert is_dataclass(item)
        assert [field.name for field in fields(item)] == [
            line.attribute for line in structure.fields
        ]
        assert not hasattr(item, "__dict__")


def test_tagged_field_of_a_wrong_size_is_refused() -> None:
    data = bytes.fromhex("0000 01 00000000 01 01 09 0000000000000009 00")
    with pytest.raises(DecodeError, match="tagged field 1 of ApiVersionsResponse"):
        ApiVersionsResponse.decode(data, 3)


def test_unknown_tags_between_known_ones() -> None:
    data = bytes.fromhex("0000 01 00000000 03 00 01 01 01 08 0000000000000009 63 02 abcd")
    decoded, end = ApiVersionsResponse.decode_from(data, 0, 3)
    assert decoded.finalized_features_epoch == 9
    assert end == len(data)
