import random
import struct

import pytest

from broker.network.framing import FrameBuffer
from broker.network.limits import POOLED_BUFFER_BYTES, BufferPool
from ottla.core.errors import DecodeError

REQUEST_BYTES_MAX = 1_000_000


def frame(content: bytes) -> bytes:
    return struct.pack(">i", len(content)) + content


class Reader:
    """Feeds bytes as a connection does and collects the frames' contents."""

    def __init__(self) -> None:
        self.pool = BufferPool(free_max=4)
        self.buffer = FrameBuffer(self.pool, REQUEST_BYTES_MAX)
        self.frames: list[bytes] = []
        self.freed = 0

    def feed(self, data: bytes) -> None:
        while data:
            room = self.buffer.writable()
            assert len(room) > 0
            count = min(len(room), len(data))
            room[:count] = data[:count]
            data = data[count:]
            self.buffer.received(count)
            while (found := self.buffer.next_frame()) is not None:
                start, end = found
                self.frames.append(bytes(self.buffer.view[start:end]))
            wanted = self.buffer.bytes_wanted()
            if wanted:
                self.buffer.grow(wanted)
            else:
                self.freed += self.buffer.settle()


def test_frames_of_one_read_come_in_order() -> None:
    reader = Reader()
    reader.feed(frame(b"first---") + frame(b"second--") + frame(b"third---"))
    assert reader.frames == [b"first---", b"second--", b"third---"]


def test_an_idle_connection_holds_no_buffer() -> None:
    reader = Reader()
    reader.feed(frame(b"x" * 100))
    assert reader.pool.free_count == 1
    assert reader.buffer.pending_bytes == 0


def test_half_a_frame_keeps_the_buffer_and_is_completed() -> None:
    reader = Reader()
    data = frame(b"abcdefghij")
    reader.feed(frame(b"whole---") + data[:7])
    assert reader.frames == [b"whole---"]
    assert reader.buffer.pending_bytes == 7
    assert reader.pool.free_count == 0
    reader.feed(data[7:])
    assert reader.frames[-1] == b"abcdefghij"
    assert reader.pool.free_count == 1


def test_a_large_frame_gets_one_buffer_of_exactly_its_size() -> None:
    reader = Reader()
    content = random.Random(1).randbytes(POOLED_BUFFER_BYTES * 3)
    data = frame(content)
    reader.feed(data[:10])
    assert len(reader.buffer.view) == len(data)
    assert reader.pool.free_count == 1  # the pooled one went back at once
    reader.feed(data[10:] + frame(b"after---"))
    assert reader.frames == [content, b"after---"]
    assert reader.freed == len(data)


def test_a_frame_that_just_fits_the_pooled_buffer_stays_in_it() -> None:
    reader = Reader()
    content = b"y" * (POOLED_BUFFER_BYTES - 4)
    data = frame(content)
    reader.feed(data[:100])
    assert reader.buffer.bytes_wanted() == 0
    reader.feed(data[100:])
    assert reader.frames == [content]
    assert reader.freed == 0


@pytest.mark.parametrize("size", [-1, 0, 7, REQUEST_BYTES_MAX + 1, 2**31 - 1])
def test_a_length_out_of_bounds_is_refused_before_its_content_comes(size: int) -> None:
    buffer = FrameBuffer(BufferPool(1), REQUEST_BYTES_MAX)
    buffer.writable()[:4] = struct.pack(">i", size)
    buffer.received(4)
    with pytest.raises(DecodeError, match="allowed are 8 to 1000000"):
        buffer.next_frame()


def test_any_cut_of_a_stream_gives_the_same_frames() -> None:
    source = random.Random(7)
    for _ in range(30):
        contents = [
            source.randbytes(source.choice([8, 9, 100, 5_000, 65_532, 65_533, 200_000]))
            for _ in range(source.randrange(1, 8))
        ]
        stream = b"".join(frame(content) for content in contents)
        reader = Reader()
        while stream:
            count = source.choice([1, 3, 4, 50, 1_000, 65_536, 300_000])
            reader.feed(stream[:count])
            stream = stream[count:]
        assert reader.frames == contents
        assert reader.buffer.pending_bytes == 0
        assert reader.pool.free_count == 1


def test_release_gives_everything_back() -> None:
    reader = Reader()
    reader.feed(frame(b"z" * 100)[:50])
    assert reader.buffer.release() == 0
    assert reader.pool.free_count == 1
    reader.feed(frame(b"z" * 100_000)[:50])
    assert reader.buffer.release() == 100_004
    assert reader.buffer.release() == 0
