from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any, cast

import pytest

from broker.network import transfer
from broker.network.transfer import INLINE_BYTES, TLS_CHUNK_BYTES, Outbox, read_cached


class FakeTransport:
    """A TLS transport: slices are read and written, no socket is needed."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.takes = 10**9  # bytes until it is full
        self.outbox: Outbox | None = None
        self.limits: tuple[int, int] | None = None

    def get_extra_info(self, name: str) -> object:
        return object() if name == "sslcontext" else None

    def set_write_buffer_limits(self, high: int, low: int) -> None:
        self.limits = high, low

    def get_write_buffer_size(self) -> int:
        return 1

    def write(self, data: bytes) -> None:
        self.written.append(bytes(data))
        self.takes -= len(data)
        if self.takes < 0 and self.outbox is not None:
            self.outbox.pause()


class FakeLoop:
    """Keeps what was to be called soon."""

    def __init__(self) -> None:
        self.calls: list[Callable[[], None]] = []

    def call_soon(self, callback: Callable[[], None]) -> None:
        self.calls.append(callback)

    call_soon_threadsafe = call_soon

    def run(self) -> None:
        calls, self.calls = self.calls, []
        for call in calls:
            call()


class LaterExecutor(Executor):
    """Runs what was submitted when told."""

    def __init__(self) -> None:
        self.jobs: list[Callable[[], Any]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.jobs.append(fn)
        return Future()


class Slice:
    def __init__(self, path: Path, position: int, size: int) -> None:
        self._file = path.open("rb")
        self.position = position
        self.size = size

    def fileno(self) -> int:
        return self._file.fileno()


class Fixture:
    def __init__(self) -> None:
        self.transport = FakeTransport()
        self.loop = FakeLoop()
        self.executor = LaterExecutor()
        self.rooms = 0
        self.failures: list[str] = []
        self.outbox = Outbox(
            cast(asyncio.AbstractEventLoop, self.loop),
            cast(asyncio.Transport, self.transport),
            self.executor,
            on_room=self._on_room,
            on_failure=self.failures.append,
        )
        self.transport.outbox = self.outbox

    def _on_room(self) -> None:
        self.rooms += 1

    @property
    def sent(self) -> bytes:
        return b"".join(self.transport.written)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log"
    path.write_bytes(os.urandom(TLS_CHUNK_BYTES * 3))
    return path


def test_pausing_means_that_the_transports_buffer_is_not_empty() -> None:
    assert Fixture().transport.limits == (1, 0)


def test_bytes_go_straight_to_the_transport_and_queue_while_it_is_full() -> None:
    f = Fixture()
    f.transport.takes = 4
    f.outbox.write(b"first")
    f.outbox.write(b"second")
    f.outbox.write_parts([b"third", b""])
    assert f.transport.written == [b"first"]
    assert f.outbox.unsent_bytes == 6 + 5 + 1
    assert not f.outbox.is_empty
    f.transport.takes = 100
    f.outbox.resume()
    assert f.sent == b"firstsecondthird"
    assert f.outbox.is_empty
    assert f.outbox.unsent_bytes == 0
    assert f.rooms == 1


def test_slices_keep_their_place_between_bytes(log: Path) -> None:
    f = Fixture()
    content = log.read_bytes()
    f.outbox.write_parts([b"head", Slice(log, 10, TLS_CHUNK_BYTES + 5), b"tail"])
    f.outbox.write(b"next")
    assert f.sent == b"head" + content[10 : 10 + TLS_CHUNK_BYTES + 5] + b"tailnext"
    assert max(map(len, f.transport.written)) == TLS_CHUNK_BYTES


def test_a_slice_stops_when_the_peer_takes_no_more(log: Path) -> None:
    f = Fixture()
    f.transport.takes = 100
    f.outbox.write_parts([Slice(log, 0, 3 * TLS_CHUNK_BYTES)])
    assert len(f.sent) == TLS_CHUNK_BYTES
    assert f.outbox.unsent_bytes == 2 * TLS_CHUNK_BYTES + 1
    f.transport.takes = 10**9
    f.outbox.resume()
    assert f.sent == log.read_bytes()
    assert f.outbox.is_empty


def test_other_connections_get_a_turn_during_a_large_answer(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "TURN_BYTES", TLS_CHUNK_BYTES)
    f = Fixture()
    f.outbox.write_parts([Slice(log, 0, 3 * TLS_CHUNK_BYTES), b"end"])
    assert len(f.sent) == TLS_CHUNK_BYTES
    f.outbox.write(b"later")
    f.loop.run()
    assert len(f.sent) == 2 * TLS_CHUNK_BYTES
    f.loop.run()
    f.loop.run()
    assert f.sent == log.read_bytes() + b"endlater"


def test_cold_data_is_read_ahead_off_the_loop(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cached = [False, True]
    monkeypatch.setattr(transfer, "is_cached", lambda *_: cached.pop(0))
    f = Fixture()
    f.outbox.write_parts([b"head", Slice(log, 0, 100), b"tail"])
    f.outbox.write(b"next")
    assert f.sent == b"head"
    assert len(f.executor.jobs) == 1
    f.loop.run()
    assert f.sent == b"head"
    f.executor.jobs[0]()
    f.loop.run()
    assert f.sent == b"head" + log.read_bytes()[:100] + b"tailnext"


def test_a_segment_cut_short_ends_the_connection_once(log: Path) -> None:
    f = Fixture()
    end = log.stat().st_size
    f.outbox.write_parts([b"head", Slice(log, end - 10, 20), b"tail"])
    assert f.failures == ["sending records failed: the log segment was cut short"]
    f.outbox.write(b"never")
    f.outbox.resume()
    assert f.sent == b"head" + log.read_bytes()[-10:]
    assert len(f.failures) == 1


def test_an_error_of_the_disk_ends_the_connection(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> bool:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(transfer, "is_cached", broken)
    f = Fixture()
    f.outbox.write_parts([Slice(log, 0, 20)])
    assert f.failures == ["sending records failed: [Errno 5] Input/output error"]


def test_nothing_is_sent_after_close(log: Path) -> None:
    f = Fixture()
    f.outbox.pause()
    f.outbox.write_parts([b"head", Slice(log, 0, 20)])
    f.outbox.close()
    f.outbox.resume()
    assert f.sent == b""
    assert f.rooms == 0


def test_small_cached_slices_are_read_and_others_left(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = log.read_bytes()
    assert read_cached(Slice(log, 7, INLINE_BYTES)) == content[7 : 7 + INLINE_BYTES]
    assert read_cached(Slice(log, 7, INLINE_BYTES + 1)) is None
    assert read_cached(Slice(log, len(content) - 3, 10)) is None
    monkeypatch.setattr(transfer, "is_cached", lambda *_: False)
    assert read_cached(Slice(log, 7, 10)) is None
