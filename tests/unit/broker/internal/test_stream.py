"""Flow control of one stream, on a connection that only writes down what it is asked."""

from __future__ import annotations

import asyncio

import pytest

from broker.internal.messages import PREFIX, FlowControlError
from broker.internal.stream import Http2Stream, StreamClosed
from tests.support.in_loop import in_loop, turns

WINDOW = 1_000


class Carrier:
    def __init__(self) -> None:
        self.send_window = 1 << 20
        self.frame_bytes_max = 400
        self.takes_more = True
        self.sent: list[bytes] = []
        self.grants: list[int] = []
        self.resets = 0

    def write_data(self, stream_id: int, prefix: bytes, data: bytes | memoryview) -> None:
        self.sent.append(prefix + bytes(data))
        self.send_window -= len(prefix) + len(data)

    def grant(self, stream_id: int, count: int) -> None:
        self.grants.append(count)

    def reset(self, stream_id: int) -> None:
        self.resets += 1

    async def drained(self) -> None:
        self.takes_more = True


def stream_on(carrier: Carrier, send_window: int = 1 << 20) -> Http2Stream:
    return Http2Stream(
        1, carrier, send_window=send_window, window_bytes=WINDOW, message_bytes_max=10_000
    )


def framed(message: bytes) -> memoryview:
    return memoryview(PREFIX.pack(0, len(message)) + message)


@in_loop
async def test_a_message_goes_out_in_one_piece_when_the_windows_allow() -> None:
    carrier = Carrier()
    stream = stream_on(carrier)
    await stream.write(b"one")
    assert carrier.sent == [bytes(framed(b"one"))]
    assert stream.send_window == (1 << 20) - 8


@in_loop
async def test_a_message_larger_than_windows_and_frames_goes_out_as_they_open() -> None:
    carrier = Carrier()
    stream = stream_on(carrier, send_window=500)
    message = bytes(range(256)) * 4
    writing = asyncio.ensure_future(stream.write(message))
    await turns()
    assert [len(part) for part in carrier.sent] == [400, 100]
    carrier.send_window = 50
    stream.send_window += 200
    stream.window_opened()
    await turns()
    assert [len(part) for part in carrier.sent] == [400, 100, 50]
    assert not writing.done()
    carrier.send_window = 1 << 20
    stream.send_window += 10_000
    stream.window_opened()
    await writing
    assert b"".join(carrier.sent) == bytes(framed(message))


@in_loop
async def test_a_window_may_fall_below_zero_and_is_waited_for() -> None:
    carrier = Carrier()
    stream = stream_on(carrier, send_window=10)
    stream.send_window -= 100  # the peer's settings took some back
    writing = asyncio.ensure_future(stream.write(b"x"))
    await turns()
    assert carrier.sent == []
    stream.send_window += 200
    stream.window_opened()
    await writing
    assert carrier.sent == [bytes(framed(b"x"))]


@in_loop
async def test_who_waits_for_a_window_is_told_of_the_end() -> None:
    stream = stream_on(Carrier(), send_window=0)
    writing = asyncio.ensure_future(stream.write(b"x"))
    await turns()
    stream.end("gone")
    with pytest.raises(StreamClosed, match="gone"):
        await writing
    with pytest.raises(StreamClosed, match="gone"):
        await stream.write(b"y")


@in_loop
async def test_the_peer_is_granted_more_while_its_messages_are_read() -> None:
    carrier = Carrier()
    stream = stream_on(carrier)
    for _ in range(10):
        stream.received(framed(bytes(300)))
        assert await stream.read() == bytes(300)
    assert sum(carrier.grants) >= 10 * 305 - WINDOW // 2 - 305


@in_loop
async def test_the_peer_is_granted_no_more_while_its_messages_are_not_read() -> None:
    carrier = Carrier()
    stream = stream_on(carrier)
    for _ in range(3):
        stream.received(framed(bytes(300)))
    assert carrier.grants == [], "half of the window is unread"
    with pytest.raises(FlowControlError):
        stream.received(framed(bytes(300)))
    for _ in range(3):
        await stream.read()
    assert sum(carrier.grants) > 0


@in_loop
async def test_a_message_larger_than_the_window_is_received() -> None:
    carrier = Carrier()
    stream = stream_on(carrier)
    message = bytes(9_000)
    data = framed(message)
    granted = WINDOW
    while data:
        size = min(granted, len(data), 700)
        assert size, "the peer waits for ever"
        room = stream.room()
        if room is None:
            stream.received(data[:size])
        else:
            room[:size] = data[:size]
            stream.received_into_room(size)
        data = data[size:]
        granted += sum(carrier.grants) - size
        carrier.grants.clear()
    assert await stream.read() == message


@in_loop
async def test_what_came_before_the_end_is_read_first() -> None:
    stream = stream_on(Carrier())
    ends = []
    stream.on_end = lambda: ends.append(1)
    stream.received(framed(b"last"))
    stream.end_incoming("no more")
    assert not stream.is_over
    assert await stream.read() == b"last"
    with pytest.raises(StreamClosed, match="no more"):
        await stream.read()
    await stream.write(b"the answer")
    stream.end("over")
    stream.end("again")
    assert ends == [1]
    assert stream.is_over


@in_loop
async def test_cancelling_resets_once() -> None:
    carrier = Carrier()
    stream = stream_on(carrier)
    reading = asyncio.ensure_future(stream.read())
    await turns()
    stream.cancel()
    stream.cancel()
    assert carrier.resets == 1
    with pytest.raises(StreamClosed, match="cancelled here"):
        await reading


@in_loop
async def test_a_full_transport_is_waited_for() -> None:
    carrier = Carrier()
    carrier.takes_more = False
    await stream_on(carrier).write(b"x")
    assert carrier.takes_more
