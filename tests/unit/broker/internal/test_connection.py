"""Two ends of our HTTP/2 in memory, cut anywhere; and peers that do not behave."""

from __future__ import annotations

import asyncio
import random
from struct import Struct

import pytest

from broker.internal import connection as module
from broker.internal.connection import Http2Connection
from broker.internal.messages import PREFIX
from broker.internal.status import Headers, request_headers, response_headers, trailers
from broker.internal.stream import Http2Stream, StreamClosed
from tests.support.in_loop import in_loop, turns
from tests.unit.broker.internal.wire import Wire, connect

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
FRAME = Struct(">HBBBI")
HEADERS = request_headers("/service/Method", "host:1", tls=False)
DATA, SETTINGS, WINDOW_UPDATE = 0, 4, 8


def frame(kind: int, flags: int, stream_id: int, payload: bytes = b"") -> bytes:
    return FRAME.pack(len(payload) >> 8, len(payload) & 255, kind, flags, stream_id) + payload


class Ends:
    """A client, a server that keeps its calls, and the wire between them."""

    def __init__(
        self,
        *,
        piece_max: int = 1 << 20,
        seed: int = 0,
        window_bytes: int = 10_000,
        message_bytes_max: int = 1 << 20,
    ) -> None:
        self.calls: list[Http2Stream] = []
        self.headers: list[Headers] = []
        self.lost: list[Http2Connection] = []

        def on_call(_: Http2Connection, stream: Http2Stream, headers: Headers) -> None:
            self.calls.append(stream)
            self.headers.append(headers)

        self.client = Http2Connection(
            window_bytes=window_bytes, message_bytes_max=message_bytes_max
        )
        self.server = Http2Connection(
            window_bytes=window_bytes,
            message_bytes_max=message_bytes_max,
            on_call=on_call,
            on_lost=self.lost.append,
        )
        self.near, self.far = connect(self.client, self.server, piece_max=piece_max, seed=seed)

    async def call(self) -> tuple[Http2Stream, Http2Stream]:
        """(the caller's end, the other)."""
        await turns()
        caller = self.client.open(HEADERS)
        await turns()
        self.server.send_headers(self.calls[-1], response_headers())
        return caller, self.calls[-1]


@in_loop
async def test_a_call_and_its_headers() -> None:
    ends = Ends()
    caller, called = await ends.call()
    assert dict(ends.headers[0])[":path"] == "/service/Method"
    await caller.write(b"question")
    assert await called.read() == b"question"
    await called.write(b"answer")
    assert await caller.read() == b"answer"
    assert ends.server.peer == "wire:1"


@pytest.mark.parametrize("piece_max", [1, 3, 17, 5_000, 1 << 20])
@in_loop
async def test_messages_of_any_size_in_any_pieces(piece_max: int) -> None:
    rng = random.Random(piece_max)
    sizes = [0, 1, 4, 5, 9_990, 9_995, 9_996, 70_000, 3, 200_000, 0]
    if piece_max < 17:
        sizes = [0, 1, 9_996, 2, 12_000]
    messages = [rng.randbytes(size) for size in sizes]
    ends = Ends(piece_max=piece_max, seed=piece_max)
    caller, called = await ends.call()

    async def send(stream: Http2Stream) -> None:
        for message in messages:
            await stream.write(message)

    sending = [asyncio.ensure_future(send(end)) for end in (caller, called)]
    async with asyncio.timeout(60):
        for message in messages:
            assert await called.read() == message
            assert await caller.read() == message
        await asyncio.gather(*sending)


@in_loop
async def test_who_does_not_read_holds_up_its_sender_alone() -> None:
    ends = Ends()
    slow, slow_called = await ends.call()
    quick, quick_called = await ends.call()

    async def send() -> None:
        for _ in range(100):
            await slow.write(bytes(1_000))

    sending = asyncio.ensure_future(send())
    await turns(100)
    assert not sending.done()
    for _ in range(30):
        await quick.write(bytes(1_000))
        assert len(await quick_called.read()) == 1_000
    assert not sending.done()
    for _ in range(100):
        assert len(await slow_called.read()) == 1_000
    await sending


@in_loop
async def test_the_end_of_a_call_is_told_with_its_reason() -> None:
    import grpc

    ends = Ends()
    caller, called = await ends.call()
    await called.write(b"last")
    ends.server.send_headers(called, trailers(grpc.StatusCode.ABORTED, "no more of it"), end=True)
    assert called.is_over
    assert await caller.read() == b"last"
    with pytest.raises(StreamClosed, match="no more of it"):
        await caller.read()
    fine, called = await ends.call()
    ends.server.send_headers(called, trailers(grpc.StatusCode.OK), end=True)
    with pytest.raises(StreamClosed, match="the peer ended it"):
        await fine.read()


@in_loop
async def test_a_cancelled_call_ends_at_the_other_end_too() -> None:
    ends = Ends()
    caller, called = await ends.call()
    told: list[int] = []
    called.on_end = lambda: told.append(1)
    caller.cancel()
    await turns()
    assert called.is_over
    assert told == [1]
    with pytest.raises(StreamClosed, match="CANCEL"):
        await called.read()
    other, called = await ends.call()
    await other.write(b"the connection lives on")
    assert await called.read() == b"the connection lives on"


@in_loop
async def test_a_lost_connection_ends_its_calls() -> None:
    ends = Ends()
    caller, called = await ends.call()
    reading = asyncio.ensure_future(caller.read())
    await turns()
    ends.near.break_off()
    with pytest.raises(StreamClosed, match="lost"):
        await reading
    with pytest.raises(StreamClosed):
        await called.write(b"x")
    assert ends.lost == [ends.server]
    with pytest.raises(StreamClosed):
        ends.client.open(HEADERS)


@in_loop
async def test_a_closing_end_says_so() -> None:
    ends = Ends()
    caller, _ = await ends.call()
    ends.server.close()
    await turns()
    with pytest.raises(StreamClosed, match="NO_ERROR|closed"):
        await caller.read()


@in_loop
async def test_a_full_transport_stops_the_writer() -> None:
    ends = Ends(window_bytes=1 << 24, message_bytes_max=1 << 24)
    caller, called = await ends.call()
    ends.near.held = True
    writing = asyncio.ensure_future(caller.write(bytes(3 << 20)))
    await turns()
    assert not writing.done()
    ends.near.held = False
    ends.near.carry()
    await writing
    assert len(await called.read()) == 3 << 20


@in_loop
async def test_a_message_that_is_too_long_ends_its_call_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    ends = Ends(message_bytes_max=1_000)
    caller, called = await ends.call()
    other, other_called = await ends.call()
    await caller.write(bytes(1_001))
    await turns()
    assert called.is_over
    assert "1001 bytes; at most 1000 are taken" in caplog.text
    with pytest.raises(StreamClosed):
        await caller.read()
    await other.write(bytes(1_000))
    assert len(await other_called.read()) == 1_000


@in_loop
async def test_a_large_message_is_read_to_where_it_stays() -> None:
    ends = Ends(window_bytes=1 << 24)
    caller, called = await ends.call()
    ends.near.write(FRAME.pack(300_005 >> 8, 300_005 & 255, DATA, 0, caller.stream_id))
    ends.near.write(PREFIX.pack(0, 300_000) + bytes(100_000))
    await turns()
    assert len(ends.server.get_buffer(-1)) == 200_000
    ends.near.write(bytes(150_000))
    await turns()
    assert len(ends.server.get_buffer(-1)) <= 64 * 1024, "the rest goes by way of the buffer"
    ends.near.write(bytes(50_000))
    assert await called.read() == bytes(300_000)


@in_loop
async def test_the_rest_of_a_frame_whose_call_is_over_is_dropped() -> None:
    ends = Ends(window_bytes=1 << 24)
    caller, called = await ends.call()
    ends.near.write(FRAME.pack(300_005 >> 8, 300_005 & 255, DATA, 0, caller.stream_id))
    ends.near.write(PREFIX.pack(0, 300_000) + bytes(100_000))
    await turns()
    ends.server.get_buffer(-1)  # a read that found nothing after all
    called.cancel()
    ends.near.write(bytes(200_000))
    await turns()
    with pytest.raises(StreamClosed):
        await called.read()
    other, called = await ends.call()
    await other.write(b"the next frame is found")
    assert await called.read() == b"the next frame is found"


@in_loop
async def test_the_window_of_the_connection_is_kept_and_opened_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_WINDOW_BYTES_MAX", 200_000)
    ends = Ends(window_bytes=100_000)
    caller, called = await ends.call()
    before = ends.client.send_window
    await caller.write(bytes(995))
    assert ends.client.send_window == before - 1_000
    assert await called.read() == bytes(995)
    async with asyncio.timeout(5):
        for _ in range(100):
            await caller.write(bytes(9_000))
            assert len(await called.read()) == 9_000


class Stranger:
    """A server's end that is fed with bytes of our choice."""

    def __init__(self) -> None:
        self.calls = 0
        self.server = Http2Connection(
            window_bytes=10_000, message_bytes_max=1_000, on_call=self._count
        )
        self.wire = Wire(1 << 20)
        self.wire.owner = self.server
        self.server.connection_made(self.wire)

    def _count(self, *_: object) -> None:
        self.calls += 1

    def say(self, data: bytes) -> None:
        while data and not self.wire.is_closing():
            room = self.server.get_buffer(-1)
            size = min(len(room), len(data))
            room[:size] = data[:size]
            self.server.buffer_updated(size)
            data = data[size:]


GREETING = PREFACE + frame(SETTINGS, 0, 0)


@pytest.mark.parametrize(
    ("garbage", "why"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" + bytes(100), "HTTP/2"),
        (b"\x16\x03\x01" + bytes(200), "HTTP/2"),
        (GREETING + frame(DATA, 8, 1, b"\x01x"), "padded"),
        (GREETING + FRAME.pack(1 << 15, 0, SETTINGS, 0, 0), "frame of type 4 and 8388608 bytes"),
        (GREETING + frame(SETTINGS, 0, 0, b"abc"), "HTTP/2"),
        (GREETING + frame(WINDOW_UPDATE, 0, 0, b"abc"), "another size"),
        (GREETING + frame(WINDOW_UPDATE, 0, 0, bytes(4)), "out of bounds"),
        (GREETING + frame(WINDOW_UPDATE, 0, 0, b"\x7f\xff\xff\xff") * 2, "out of bounds"),
        (GREETING + frame(1, 4, 1, b"\xff\xff\xff\xff"), "HTTP/2"),
    ],
)
@in_loop
async def test_strangers_are_cut_off(
    garbage: bytes, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    stranger = Stranger()
    stranger.say(garbage)
    assert stranger.wire.is_closing()
    assert why in caplog.text
    assert stranger.calls == 0


@pytest.mark.parametrize("seed", range(30))
@in_loop
async def test_noise_never_raises(seed: int) -> None:
    rng = random.Random(seed)
    stranger = Stranger()
    stranger.say(GREETING)
    for _ in range(50):
        payload = rng.randbytes(rng.choice((0, 1, 4, 5, 8, 50)))
        stranger.say(
            frame(rng.randint(0, 10), rng.choice((0, 1, 4, 5)), rng.randint(0, 5), payload)
        )


@in_loop
async def test_data_beyond_the_window_ends_the_call() -> None:
    ends = Ends(window_bytes=1_000, message_bytes_max=10_000)
    caller, called = await ends.call()
    message = PREFIX.pack(0, 300) + bytes(300)
    ends.near.write(frame(DATA, 0, caller.stream_id, message * 4))
    await turns()
    assert called.is_over
    with pytest.raises(StreamClosed):
        await caller.read()


@in_loop
async def test_data_for_calls_that_are_over_is_dropped() -> None:
    ends = Ends()
    caller, called = await ends.call()
    called.cancel()
    for _ in range(3):
        ends.near.write(frame(DATA, 0, caller.stream_id, PREFIX.pack(0, 3) + b"abc"))
    await turns()
    other, called = await ends.call()
    await other.write(b"still here")
    assert await called.read() == b"still here"


@in_loop
async def test_who_says_nothing_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SETTINGS_SECONDS_MAX", 0.01)
    stranger = Stranger()
    stranger.say(PREFACE)
    polite = Stranger()
    polite.say(GREETING)
    await asyncio.sleep(0.1)
    assert stranger.wire.is_closing()
    assert not polite.wire.is_closing()


@in_loop
async def test_a_connection_without_calls_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_IDLE_SECONDS_MAX", 0.05)
    silent = Stranger()
    silent.say(GREETING)
    ends = Ends()
    caller, called = await ends.call()
    await asyncio.sleep(0.2)
    assert silent.wire.is_closing()
    assert not ends.far.is_closing(), "it has a call"
    await caller.write(b"still here")
    assert await called.read() == b"still here"
    caller.cancel()
    await asyncio.sleep(0.2)
    assert ends.far.is_closing()


@in_loop
async def test_a_peer_may_have_so_many_calls_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    ends = Ends()
    await turns()
    opened = [ends.client.open(HEADERS) for _ in range(module.STREAMS_MAX)]
    with pytest.raises(StreamClosed, match="takes no call"):
        ends.client.open(HEADERS)
    await turns()
    assert len(ends.calls) == module.STREAMS_MAX
    opened[0].cancel()
    await turns()
    ends.client.open(HEADERS)
