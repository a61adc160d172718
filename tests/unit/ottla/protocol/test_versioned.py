from __future__ import annotations

import pytest

from ottla.core.errors import DecodeError
from ottla.protocol.messages.consumer_protocol_subscription import ConsumerProtocolSubscription
from ottla.protocol.messages.offset_commit_key import OffsetCommitKey
from ottla.protocol.messages.offset_commit_value import OffsetCommitValue
from ottla.protocol.versioned import decode_versioned, encode_versioned, peek_version


def test_record_key_as_kafka_writes_it() -> None:
    key = OffsetCommitKey("grp", "top", 7)
    data = bytes.fromhex("0001 0003 677270 0003 746f70 00000007")
    assert encode_versioned(key, 1) == data
    assert decode_versioned(OffsetCommitKey, data) == (key, 1)
    assert peek_version(memoryview(data)) == 1


def test_record_value_as_kafka_writes_it() -> None:
    data = bytes.fromhex("0003 000000000000002a 00000005 0000 000000000000000b")
    value = OffsetCommitValue(offset=42, leader_epoch=5, commit_timestamp=11)
    assert encode_versioned(value, 3) == data
    assert decode_versioned(OffsetCommitValue, data) == (value, 3)


def test_topic_id_of_a_committed_offset_is_tagged() -> None:
    value = OffsetCommitValue(offset=1, topic_id=bytes(range(16)))
    data = encode_versioned(value, 4)
    assert data.endswith(bytes.fromhex("01 00 10") + bytes(range(16)))
    assert decode_versioned(OffsetCommitValue, data) == (value, 4)


def test_unknown_versions() -> None:
    data = b"\x00\x09" + ConsumerProtocolSubscription(["a"]).encode(3) + b"more"
    with pytest.raises(DecodeError, match="no version 9"):
        decode_versioned(ConsumerProtocolSubscription, data)
    subscription, version = decode_versioned(
        ConsumerProtocolSubscription, data, newer_as_newest=True
    )
    assert (subscription.topics, version) == (["a"], 9)


def test_negative_version_and_short_data() -> None:
    with pytest.raises(DecodeError, match="no version -1"):
        decode_versioned(ConsumerProtocolSubscription, b"\xff\xff", newer_as_newest=True)
    with pytest.raises(DecodeError, match="shorter"):
        peek_version(b"\x00")
