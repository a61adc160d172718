"""The bytes of the journal: what is a torn tail, and what is damage."""

from __future__ import annotations

import pytest

from controller.quorum import journal_format as layout
from controller.quorum.journal_format import RECORDS_START, Header, RecordKind
from ottla.core.errors import DecodeError

HEADER = Header(7, b"directory-id-16b", 3)
SIZE = 4096


def _file(*batches: list[bytes]) -> bytearray:
    """A journal whose batches were synced one after the other."""
    content = bytearray(HEADER.encode())
    for batch in batches:
        durable = len(content)
        for body in batch:
            content += layout.encode_record(body, len(content), durable, HEADER.seed)
    return content + bytes(SIZE - len(content))


ONE = [layout.entry_body(1, 1, b"first"), layout.vote_body(4, None)]
TWO = [layout.entry_body(2, 1, b"second"), layout.number_body(RecordKind.COMMIT, 2)]


def test_layout_is_the_documented_one() -> None:
    content = _file(ONE)
    assert content[:8] == b"OTTLARJ1"
    assert int.from_bytes(content[8:12], "little") == 1
    assert int.from_bytes(content[12:16], "little") == 7
    assert content[16:32] == b"directory-id-16b"
    assert int.from_bytes(content[32:40], "little") == 3
    record = content[RECORDS_START:]
    assert int.from_bytes(record[0:4], "little") == 1 + 16 + len(b"first")
    assert int.from_bytes(record[8:16], "little") == RECORDS_START
    assert int.from_bytes(record[16:24], "little") == RECORDS_START
    assert record[24] == RecordKind.ENTRY
    assert record[41:46] == b"first"


def test_scan_returns_what_was_written() -> None:
    found = layout.scan(bytes(_file(ONE, TWO)))
    assert found.header == HEADER
    assert found.bodies == ONE + TWO
    assert found.end == found.dirty_end or found.dirty_end < found.end + 8
    assert layout.parse_entry(found.bodies[0]) == (b"first", 1, 1)
    assert layout.parse_vote(found.bodies[1]) == (4, None)
    assert layout.parse_vote(layout.vote_body(5, 2)) == (5, 2)
    assert layout.parse_number(found.bodies[3]) == 2


def test_every_tear_of_the_last_batch_is_a_tail() -> None:
    whole = _file(ONE, TWO)
    start = layout.scan(bytes(_file(ONE))).end
    end = layout.scan(bytes(whole)).end
    for cut in range(start, end):
        torn = whole[:cut] + bytes(SIZE - cut)
        bodies = layout.scan(bytes(torn)).bodies
        assert bodies == (ONE + TWO)[: len(bodies)]
        assert len(bodies) >= len(ONE)


def test_a_later_record_of_the_torn_batch_does_not_make_it_damage() -> None:
    torn = _file(ONE, TWO)
    start = layout.scan(bytes(_file(ONE))).end
    torn[start : start + 24] = bytes(24)
    found = layout.scan(bytes(torn))
    assert found.bodies == ONE
    assert found.dirty_end > found.end


def test_every_damage_below_the_last_sync_is_refused() -> None:
    whole = _file(ONE, TWO)
    synced = layout.scan(bytes(_file(ONE))).end
    padding = {
        position
        for position in range(RECORDS_START, synced)
        if bytes(whole[:position] + b"\xff" + whole[position + 1 :]) != bytes(whole)
        and _only_padding(whole, position)
    }
    for position in set(range(RECORDS_START, synced)) - padding:
        damaged = bytearray(whole)
        damaged[position] ^= 0xFF
        with pytest.raises(DecodeError, match="unreadable"):
            layout.scan(bytes(damaged))


def _only_padding(content: bytearray, position: int) -> bool:
    changed = bytearray(content)
    changed[position] ^= 0xFF
    try:
        return layout.scan(bytes(changed)).bodies == ONE + TWO
    except DecodeError:
        return False


def test_a_zeroed_sector_below_the_last_sync_is_refused() -> None:
    whole = _file([layout.entry_body(1, 1, bytes(700))], TWO)
    whole[RECORDS_START : 2 * RECORDS_START] = bytes(RECORDS_START)
    with pytest.raises(DecodeError, match="unreadable"):
        layout.scan(bytes(whole))


def test_a_record_of_another_file_does_not_count() -> None:
    other = Header(7, b"directory-id-16b", 2)
    content = bytearray(HEADER.encode())
    content += layout.encode_record(ONE[0], RECORDS_START, RECORDS_START, other.seed)
    assert layout.scan(bytes(content + bytes(64))).bodies == []


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "only 0 bytes"),
        (bytes(4096), "does not begin"),
        (HEADER.encode()[:38] + b"\xff" + HEADER.encode()[39:], "header fails"),
    ],
)
def test_headers_that_are_none(content: bytes, reason: str) -> None:
    with pytest.raises(DecodeError, match=reason):
        layout.decode_header(content)
