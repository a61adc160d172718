"""One client connection: an asyncio.BufferedProtocol around the pure parts of this room.

Theory of operation. Every read is followed by one round of serving: all complete frames are
dispatched in order, and answers that are ready leave in one write. A request whose answer has to
wait becomes a slot; from then on every answer behind it waits as well, so that answers leave in
request order. Serving stops while

- the connection or the node has too many waiting requests or bytes (limits.py), or
- the peer does not take its answers (`unsent_bytes_max`), or
- the peer is over a quota and has to pause (KIP-219), or
- a large frame finds no room in the node's account,

and reading stops with it, so that TCP holds the peer back; frames that were received already stay
in the buffer. Whatever ends such a stop calls `_serve` again.

A peer that breaks the protocol gets the answers to its earlier requests, then the connection is
closed, with one log line.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Executor
from functools import partial
from typing import Any, Final, Protocol, cast

from broker.handlers.spec import CloseConnection
from broker.network.dispatch import Dispatcher, Exchange, Peer
from broker.network.framing import FrameBuffer
from broker.network.limits import BufferPool, NetworkLimits, NodeAccount
from broker.network.mute import Mute
from broker.network.pending import Failed, Slot
from broker.network.transfer import Outbox
from ottla.core.errors import DecodeError

logger = logging.getLogger(__name__)

_FLUSH_BYTES: Final = 256 * 1024
"""Answers of one round that are gathered before they are handed to the outbox."""


class Host(Protocol):
    """What a connection shares with the others of its server."""

    @property
    def limits(self) -> NetworkLimits: ...
    @property
    def dispatcher(self) -> Dispatcher: ...
    @property
    def pool(self) -> BufferPool: ...
    @property
    def account(self) -> NodeAccount: ...
    @property
    def executor(self) -> Executor: ...

    def admit(self, connection: Connection, address: str) -> str | None:
        """Count the connection in, or say why it is refused."""
        ...

    def forget(self, connection: Connection, address: str) -> None: ...

    def start_task(self, answer: Coroutine[Any, Any, Any]) -> asyncio.Future[Any] | None:
        """Run a handler's coroutine as a task of the server; None when it is closing."""
        ...


class Connection(asyncio.BufferedProtocol):
    """The protocol object of one accepted connection."""

    def __init__(self, host: Host, listener_name: str, connection_id: str) -> None:
        self._host = host
        self._limits = host.limits
        self._account = host.account
        self._dispatch = host.dispatcher.dispatch
        self._encode = host.dispatcher.encode
        self._loop = asyncio.get_running_loop()
        self._frames = FrameBuffer(host.pool, host.limits.request_bytes_max)
        self._peer = Peer(connection_id, listener_name, "")
        self._transport: asyncio.Transport | None = None
        self._outbox: Outbox | None = None
        self._slots: deque[Slot] = deque()  # in request order
        self._slot_bytes = 0
        self._large_bytes = 0  # taken from the node's account for a large frame
        self._is_reading = True
        self._is_serving = False  # a write inside a round may call back
        self._is_queued_for_room = False
        self._is_flush_scheduled = False
        self._is_ending = False  # no frame is served any more; close after the last answer
        self._is_admitted = False
        self._on_empty: Callable[[], None] | None = None
        self._mute = Mute(self._loop, self._on_room)
        self.quiet_since_ms: int | None = None
        """Set by the server's sweep, unset by every read."""

    # --- asyncio's callbacks ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast(asyncio.Transport, transport)  # uvloop's is one by its methods alone
        self._transport = transport
        peer_name = transport.get_extra_info("peername")
        if peer_name:
            self._peer.host, self._peer.port = str(peer_name[0]), int(peer_name[1])
        refusal = self._host.admit(self, self._peer.host)
        if refusal is not None:
            logger.warning("connection from %s refused: %s", self._peer.host, refusal)
            self._is_ending = True
            transport.abort()
            return
        self._is_admitted = True
        self._outbox = Outbox(
            self._loop,
            transport,
            self._host.executor,
            on_room=self._on_room,
            on_failure=self._on_send_failure,
        )

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._frames.writable()

    def buffer_updated(self, nbytes: int) -> None:
        self.quiet_since_ms = None
        self._frames.received(nbytes)
        self._serve()

    def eof_received(self) -> bool:
        return False  # as Kafka: who closes its sending side wants no answers

    def pause_writing(self) -> None:
        if self._outbox is not None:
            self._outbox.pause()

    def resume_writing(self) -> None:
        if self._outbox is not None:
            self._outbox.resume()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._frames.pending_bytes and not self._is_ending:
            logger.info(
                "%s was closed by its peer in the middle of a request (%d bytes of it received)",
                self._peer,
                self._frames.pending_bytes,
            )
        self._is_ending = True
        self._transport = None
        if self._outbox is not None:
            self._outbox.close()
        self._frames.release()
        self._give_large_bytes()
        self._drop_slots()
        self._mute.cancel()
        if self._is_admitted:
            self._host.forget(self, self._peer.host)
        if self._on_empty is not None:
            self._on_empty()

    # --- for the server ---

    @property
    def is_idle(self) -> bool:
        """No request waits and no answer is being sent."""
        return not self._slots and (self._outbox is None or self._outbox.is_empty)

    @property
    def has_partial_frame(self) -> bool:
        return self._frames.pending_bytes > 0

    def end(self, reason: str | None, on_closed: Callable[[], None] | None = None) -> None:
        """Serve nothing more and close once the answers of all waiting requests were sent.

        `on_closed` is called when the connection is gone, at once when it is gone already.
        """
        if on_closed is not None:
            if self._transport is None:
                on_closed()
                return
            self._on_empty = on_closed
        if not self._is_ending:
            self._is_ending = True
            if reason is not None:
                logger.warning("%s closed: %s", self._peer, reason)
            self._frames.release()
            self._give_large_bytes()
            self._set_reading(False)
        self._maybe_close()

    def abort(self) -> None:
        """Close at once; what was not sent is lost."""
        self._is_ending = True
        if self._transport is not None:
            self._transport.abort()

    # --- serving ---

    def _serve(self) -> None:
        """Dispatch complete frames until none is left or a limit says stop."""
        if self._is_ending or self._is_serving:
            return
        self._is_serving = True
        try:
            self._serve_round()
        finally:
            self._is_serving = False

    def _serve_round(self) -> None:
        frames = self._frames
        out = bytearray()
        try:
            while self._has_room():
                frame = frames.next_frame()
                if frame is None:
                    self._flush(out)
                    self._set_reading(self._settle())
                    return
                start, end = frame
                exchange = self._dispatch(self._peer, frames.view, start, end)
                if exchange.throttle_ms:
                    self._mute.extend(exchange.throttle_ms)
                if exchange.is_answered and not self._slots:
                    if exchange.answer is not None:
                        out = self._append_answer(exchange, out)
                else:
                    self._wait_for(exchange, end - start)
        except (DecodeError, CloseConnection) as error:
            self._flush(out)
            self.end(str(error))
            return
        except Exception:
            logger.exception("%s closed: serving it failed", self._peer)
            self._flush(out)
            self.end(None)
            return
        self._flush(out)
        self._set_reading(False)

    def _append_answer(self, exchange: Exchange, out: bytearray) -> bytearray:
        """Encode an answer whose turn it is; returns the buffer for the next one."""
        if exchange.row.charged_later:
            throttle_ms = getattr(exchange.answer, "throttle_time_ms", 0)
            if throttle_ms:
                self._mute.extend(throttle_ms)
        parts = self._encode(exchange, out)
        if parts is not None:
            if self._outbox is not None:
                self._outbox.write_parts(parts)
            return bytearray()
        if len(out) >= _FLUSH_BYTES:
            self._flush(out)
            return bytearray()
        return out

    def _flush(self, out: bytearray) -> None:
        if out and self._outbox is not None:
            self._outbox.write(out)

    def _has_room(self) -> bool:
        """Whether one more request may be served; arranges to be called again when not."""
        outbox = self._outbox
        if outbox is None or self._is_ending or self._mute.is_on:
            return False
        if not outbox.is_empty and outbox.unsent_bytes > self._limits.unsent_bytes_max:
            return False
        if not self._slots:
            return True
        limits = self._limits
        if (
            len(self._slots) >= limits.connection_requests_max
            or self._slot_bytes >= limits.connection_bytes_max
        ):
            return False
        if not self._account.has_room():
            self._queue_for_room()
            return False
        return True

    def _settle(self) -> bool:
        """Make room for the rest of the frame in progress; False when the node has none now."""
        frames = self._frames
        wanted = frames.bytes_wanted()
        if wanted:
            if not self._account.maybe_take_bytes(wanted):
                self._queue_for_room()
                return False
            self._large_bytes = wanted
            frames.grow(wanted)
        elif frames.settle():
            self._give_large_bytes()
        return True

    def _give_large_bytes(self) -> None:
        if self._large_bytes:
            count, self._large_bytes = self._large_bytes, 0
            self._account.give_bytes(count)

    def _queue_for_room(self) -> None:
        if not self._is_queued_for_room:
            self._is_queued_for_room = True
            self._account.call_when_room(self._on_node_room)

    def _on_node_room(self) -> None:
        # Through the loop: the one who gave room back is in the middle of its own work.
        self._is_queued_for_room = False
        self._loop.call_soon(self._on_room)

    def _on_room(self) -> None:
        """Something that may have stopped the serving has changed."""
        if self._is_ending:
            self._maybe_close()
        elif not self._is_reading:
            self._serve()

    def _set_reading(self, is_reading: bool) -> None:
        if is_reading == self._is_reading or self._transport is None:
            return
        self._is_reading = is_reading
        if not self._transport.is_closing():
            if is_reading:
                self._transport.resume_reading()
            else:
                self._transport.pause_reading()

    # --- answers that wait ---

    def _wait_for(self, exchange: Exchange, request_bytes: int) -> None:
        slot = Slot(exchange, request_bytes)
        if exchange.is_answered:
            slot.is_done = True  # it waits only for its turn
        else:
            awaitable: Awaitable[Any] = exchange.answer
            exchange.answer = None
            if isinstance(awaitable, Coroutine):
                future = self._host.start_task(awaitable)
                if future is None:
                    raise CloseConnection("the node is shutting down")
            else:
                future = asyncio.ensure_future(awaitable)
                if exchange.row.borrows:
                    exchange.request = None  # else a waiting produce would keep a large buffer
            slot.waiting_for = future
            future.add_done_callback(partial(self._on_answer, slot))
        self._slots.append(slot)
        self._slot_bytes += request_bytes
        self._account.enter(request_bytes)

    def _on_answer(self, slot: Slot, future: asyncio.Future[Any]) -> None:
        slot.is_done = True
        slot.waiting_for = None
        if slot.is_dropped:
            if not future.cancelled():
                future.exception()  # retrieved, so that asyncio does not log it later
            self._account.leave(slot.request_bytes)
            return
        exchange = slot.exchange
        if future.cancelled():
            # Only a node that shuts down cancels; the peer sees a closed connection.
            exchange.answer = CloseConnection("the request was cancelled by the shutdown")
        elif (error := future.exception()) is not None:
            exchange.answer = error
        else:
            answer = future.result()
            exchange.answer = answer.error if answer.__class__ is Failed else answer
        if slot is self._slots[0] and not self._is_flush_scheduled:
            # At the end of the turn: one step of a high watermark completes many requests.
            self._is_flush_scheduled = True
            self._loop.call_soon(self._flush_slots)

    def _flush_slots(self) -> None:
        """Send the answers whose turn has come."""
        self._is_flush_scheduled = False
        if self._transport is None:
            return
        slots = self._slots
        out = bytearray()
        try:
            while slots and slots[0].is_done:
                slot = slots.popleft()
                self._slot_bytes -= slot.request_bytes
                self._account.leave(slot.request_bytes)
                exchange = slot.exchange
                if isinstance(exchange.answer, BaseException):
                    exchange.answer = self._host.dispatcher.failure(exchange, exchange.answer)
                if exchange.answer is not None:
                    out = self._append_answer(exchange, out)
        except (DecodeError, CloseConnection) as error:
            self._flush(out)
            self._drop_slots()
            self.end(str(error))
            return
        except Exception:
            logger.exception("%s closed: answering it failed", self._peer)
            self._flush(out)
            self._drop_slots()
            self.end(None)
            return
        self._flush(out)
        self._on_room()

    def _drop_slots(self) -> None:
        """Nobody wants these answers any longer, or they would overtake one that failed."""
        slots, self._slots = self._slots, deque()
        self._slot_bytes = 0
        for slot in slots:
            slot.is_dropped = True
            if slot.is_done:
                self._account.leave(slot.request_bytes)
            elif slot.waiting_for is not None and not isinstance(slot.waiting_for, asyncio.Task):
                # A poll without a reader. Tasks run to their end: half done helps nobody.
                slot.waiting_for.cancel()

    # --- closing ---

    def _on_send_failure(self, reason: str) -> None:
        if self._transport is not None:
            if not self._is_ending:
                logger.warning("%s closed: %s", self._peer, reason)
            self.abort()

    def _maybe_close(self) -> None:
        if self._transport is not None and self.is_idle and not self._transport.is_closing():
            self._transport.close()
