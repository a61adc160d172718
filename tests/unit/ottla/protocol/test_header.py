from __future__ import annotations

import pytest

from ottla.core.errors import DecodeError
from ottla.protocol.header import RequestHeader, ResponseHeader


def test_request_header_1() -> None:
    data = bytes.fromhex("0012 0002 0000002a 0003 6b6361")
    header, end = RequestHeader.decode_from(data + b"body", 0, 1)
    assert header == RequestHeader(18, 2, 42, "kca")
    assert end == len(data)
    assert header.encode(1) == data


def test_request_header_2_keeps_the_classic_length_of_the_client_id() -> None:
    data = bytes.fromhex("0012 0004 0000002a 0003 6b6361 00")
    assert RequestHeader.decode_from(data, 0, 2) == (RequestHeader(18, 4, 42, "kca"), len(data))
    assert RequestHeader(18, 4, 42, "kca").encode(2) == data


def test_request_header_without_client_id() -> None:
    data = bytes.fromhex("0012 0004 0000002a ffff 00")
    assert RequestHeader.decode(data, 2).client_id is None


def test_tagged_fields_of_a_request_header_are_skipped() -> None:
    data = bytes.fromhex("0012 0004 0000002a ffff 02 00 01 aa 8101 02 bbbb")
    assert RequestHeader.decode_from(data, 0, 2)[1] == len(data)


def test_response_headers() -> None:
    assert ResponseHeader(7).encode(0) == bytes.fromhex("00000007")
    assert ResponseHeader(7).encode(1) == bytes.fromhex("00000007 00")


def test_torn_header() -> None:
    with pytest.raises(DecodeError, match="RequestHeader version 1 is cut off"):
        RequestHeader.decode(bytes.fromhex("0012 0002 0000002a 0003 6b"), 1)
