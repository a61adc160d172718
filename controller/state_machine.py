"""What the metadata log is applied to, and how its outcome crosses to the event loop.

The quorum applies commands on a thread of its own, to a state that nothing else touches. What they
changed crosses to the loop in order, where `MetadataImage` follows; records are immutable, so both
share them. `apply` is total: a command that cannot be read or decided changes nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

from google.protobuf.message import DecodeError as ProtobufError

from controller.codec import decode_snapshot, encode_snapshot
from controller.decide import decide
from controller.decision import Decision, refused
from controller.generated import metadata_pb2 as pb
from controller.state import ClusterState, Record
from ottla.core.errors import ErrorCode, ProtocolError

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Applied:
    """The command at `index` was applied; without records it changed nothing."""

    index: int
    records: tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class Restored:
    """The state was replaced by a snapshot, whose last change was at `offset`."""

    offset: int
    records: tuple[Record, ...]


Event = Applied | Restored


class Crossing:
    """Carries events from the quorum's thread to a receiver on the event loop, in order.

    Many events share one wake-up of the loop. After the loop has closed they are dropped.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._lock = Lock()
        self._events: deque[Event] = deque()
        self._scheduled = False
        self._receiver: Callable[[Event], None] | None = None

    def connect(self, receiver: Callable[[Event], None]) -> None:
        """Called once, on the loop; what came before is delivered at once."""
        self._receiver = receiver
        self._drain()

    def send(self, event: Event) -> None:
        """From any thread."""
        with self._lock:
            self._events.append(event)
            if self._scheduled:
                return
            self._scheduled = True
        try:
            self._loop.call_soon_threadsafe(self._drain)
        except RuntimeError:
            logger.debug("the event loop is closed; metadata goes to nobody")

    def _drain(self) -> None:
        if self._receiver is None:
            with self._lock:
                self._scheduled = False
            return
        while True:
            with self._lock:
                if not self._events:
                    self._scheduled = False
                    return
                event = self._events.popleft()
            self._receiver(event)


class MetadataStateMachine:
    """The StateMachine of the metadata log. All methods are called on the quorum's thread."""

    def __init__(self, crossing: Crossing) -> None:
        self._crossing = crossing
        self._state = ClusterState()
        self._offset = 0

    def apply(self, index: int, term: int, command: bytes) -> bytes:
        """Decide `command`, carry it out; the encoded Result."""
        decision = self._decide(index, command)
        for record in decision.records:
            self._state.replay(record)
        if decision.records:
            self._offset = index
        self._crossing.send(Applied(index, tuple(decision.records)))
        return decision.result.SerializeToString()

    def _decide(self, index: int, command: bytes) -> Decision:
        try:
            return decide(self._state, index, pb.Command.FromString(command))
        except ProtobufError as error:
            logger.error("the command at %d of the metadata log is unreadable: %s", index, error)
            fault = ProtocolError(ErrorCode.INVALID_REQUEST, "the command is unreadable")
        except Exception:
            # A barrier: an exception here would have the log apply the command again for ever. The
            # decision has changed nothing yet, and fails alike on every controller.
            logger.exception("the command at %d of the metadata log failed", index)
            fault = ProtocolError(
                ErrorCode.UNKNOWN_SERVER_ERROR, "the controller failed; see its log"
            )
        return Decision(refused(fault))

    def snapshot(self) -> bytes:
        return encode_snapshot(self._state, self._offset)

    def restore(self, data: bytes) -> None:
        """DecodeError for what `snapshot` did not write."""
        self._state, self._offset = decode_snapshot(data)
        self._crossing.send(Restored(self._offset, tuple(self._state.to_records())))
