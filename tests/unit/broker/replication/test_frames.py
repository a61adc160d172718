from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.replication import frames
from ottla.core.errors import DecodeError

ASK = frames.Subscribe(bytes(range(16)), 3, 7, 2**40, 99, 6, 12)


@pytest.mark.parametrize("last_epoch", [None, 0, 6])
def test_subscribe_comes_back_as_it_was(last_epoch: int | None) -> None:
    ask = frames.Subscribe(ASK.topic_id, 3, 7, 2**40, 99, last_epoch, 12)
    ((kind, number, body),) = frames.iter_frames(frames.encode_subscribe(5, ask))
    assert (kind, number) == (frames.SUBSCRIBE, 5)
    assert frames.decode_subscribe(body) == ask


def test_frames_follow_each_other() -> None:
    message = frames.data_header(1, 10, 8, 2, 3) + b"abc" + frames.frame(frames.HEARTBEAT, 0)
    (_, number, data), (kind, _, rest) = frames.iter_frames(message)
    assert number == 1
    assert frames.DATA_PREFIX.unpack_from(data) == (10, 8, 2)
    assert bytes(data[frames.DATA_PREFIX.size :]) == b"abc"
    assert (kind, bytes(rest)) == (frames.HEARTBEAT, b"")


def test_the_bytes_are_those_of_the_readme() -> None:
    message = frames.frame(frames.ACKNOWLEDGE, 0x01020304, frames.OFFSET_BODY.pack(5))
    assert message.hex(" ") == "02 01 02 03 04 00 00 00 08 00 00 00 00 00 00 00 05"


@pytest.mark.parametrize("length", range(1, 17))
def test_a_torn_message_is_the_peers_fault(length: int) -> None:
    message = frames.frame(frames.ACKNOWLEDGE, 1, frames.OFFSET_BODY.pack(5))
    with pytest.raises(DecodeError):
        list(frames.iter_frames(message[:length]))


def test_a_body_of_another_size_is_the_peers_fault() -> None:
    with pytest.raises(DecodeError, match="7 bytes where 8"):
        frames.unpack(frames.OFFSET_BODY, bytes(7))


@given(st.binary(max_size=200))
def test_any_bytes_are_frames_or_a_decode_error(message: bytes) -> None:
    try:
        for _, _, body in frames.iter_frames(message):
            assert len(body) <= len(message)
    except DecodeError:
        pass
