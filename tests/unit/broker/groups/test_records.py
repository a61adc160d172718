from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.groups import records
from broker.groups.records import decode, encode
from broker.groups.stored import (
    CommittedOffset,
    GroupRecord,
    OffsetRecord,
    Record,
    StoredGroup,
    StoredMember,
)
from ottla.core.errors import DecodeError
from ottla.core.identifiers import NIL_UUID, Uuid

INT32 = st.integers(-1, 2**31 - 1)
INT64 = st.integers(-1, 2**63 - 1)
TIMEOUT = st.integers(0, 2**31 - 1)
TEXT = st.text(max_size=20)
MEMBERS = st.builds(
    StoredMember,
    TEXT,
    st.none() | TEXT,
    TEXT,
    TEXT,
    TIMEOUT,
    TIMEOUT,
    st.binary(max_size=20),
    st.binary(max_size=20),
)
GROUPS = st.builds(
    StoredGroup,
    TEXT,
    INT32,
    st.none() | TEXT,
    st.none() | TEXT,
    INT64,
    st.lists(MEMBERS, max_size=3).map(tuple),
)
OFFSETS = st.builds(
    CommittedOffset, INT64, INT32, TEXT, INT64, st.none(), st.binary(min_size=16, max_size=16)
) | st.builds(
    CommittedOffset, INT64, st.just(-1), TEXT, INT64, st.integers(0, 2**63 - 1), st.just(bytes(16))
)
RECORDS = st.builds(GroupRecord, TEXT, st.none() | GROUPS) | st.builds(
    OffsetRecord, TEXT, TEXT, st.integers(0, 2**31 - 1), st.none() | OFFSETS
)


@given(RECORDS)
def test_every_record_survives_the_log(record: Record) -> None:
    key, value = encode(record)
    assert decode(key, value) == record


def text(value: str) -> bytes:
    return struct.pack(">h", len(value)) + value.encode()


def test_an_offset_as_kafka_writes_it() -> None:
    committed = CommittedOffset(42, 7, "note", 1_000)
    key, value = encode(OffsetRecord("g", "t", 3, committed))
    assert key == struct.pack(">h", 1) + text("g") + text("t") + struct.pack(">i", 3)
    assert value == struct.pack(">hqi", 3, 42, 7) + text("note") + struct.pack(">q", 1_000)


def test_an_offset_with_a_topic_id_is_version_4() -> None:
    committed = CommittedOffset(42, 7, "", 1_000, None, bytes(range(16)))
    _, value = encode(OffsetRecord("g", "t", 3, committed))
    assert value is not None
    assert value == struct.pack(">hqiBqB", 4, 42, 7, 1, 1_000, 1) + bytes([0, 16, *range(16)])


def test_a_group_as_kafka_writes_it() -> None:
    group = StoredGroup("consumer", 5, None, None, 99, ())
    key, value = encode(GroupRecord("g", group))
    assert key == struct.pack(">h", 2) + text("g")
    assert value == struct.pack(">h", 3) + text("consumer") + struct.pack(
        ">ihhqi", 5, -1, -1, 99, 0
    )


def test_an_old_member_has_its_session_for_rebalances() -> None:
    member = text("m") + text("c") + text("/h") + struct.pack(">i", 6_000) + 2 * b"\0\0\0\0"
    value = struct.pack(">h", 0) + text("consumer") + struct.pack(">i", 1) + text("range")
    value += text("m") + struct.pack(">i", 1) + member
    record = decode(struct.pack(">h", 2) + text("g"), value)
    assert isinstance(record, GroupRecord)
    assert record.group is not None
    assert record.group.members[0].rebalance_timeout_ms == 6_000
    assert record.group.state_timestamp_ms == -1


def test_other_kinds_of_keys_are_not_ours() -> None:
    assert decode(struct.pack(">h", 4) + text("g"), b"anything") is None


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (b"", b""),
        (b"\0", None),
        (b"\0\1\0\5g", None),
        (b"\0\2\0\1g", b""),
        (b"\0\2\0\1g", b"\0\3\0"),
        (b"\0\2\0\1g", b"\0\x63" + bytes(40)),
    ],
)
def test_damage_is_told(key: bytes, value: bytes | None) -> None:
    with pytest.raises(DecodeError):
        decode(key, value)


@pytest.mark.parametrize("note", ["", "a note", "é" * 63, "x" * 126, "x" * 127, "x" * 300])
@pytest.mark.parametrize("topic_id", [NIL_UUID, Uuid(bytes(range(16)))])
def test_the_fast_way_reads_what_the_slow_way_reads(
    note: str, topic_id: Uuid, monkeypatch: pytest.MonkeyPatch
) -> None:
    committed = CommittedOffset(5, 3, note, 1_700_000_000_000, None, topic_id)
    record = OffsetRecord("grüppe", "tópic", 7, committed)
    key, value = records.encode(record)
    is_usual = topic_id != NIL_UUID and len(note.encode()) < 127
    assert value is not None
    assert (records._decode_usual_offset(value) == committed) is is_usual
    assert records._decode_usual_key(key) == ("grüppe", "tópic", 7)
    assert records.decode(key, value) == record
    monkeypatch.setattr(records, "_decode_usual_offset", lambda data: None)
    monkeypatch.setattr(records, "_decode_usual_key", lambda key: None)
    assert records.decode(key, value) == record
