"""The streams on which brokers hear of the metadata and tell how far they have applied it.

One session is one stream of one incarnation of a broker. What has changed is sent from the history
of the image; a broker too far behind for it gets a snapshot, in chunks, and so does one that has
nothing. A broker that is ahead of us is waited for, never sent back (SAFETY.md, rule 13). Each
message from a broker is answered by at least one of ours, so that it notices a silent controller.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from typing import Final

from controller.codec import record_message
from controller.generated import control_pb2 as pb
from controller.generated import metadata_pb2 as metadata_pb
from controller.image import MetadataImage, Signal
from ottla.core.errors import ProtocolError

CHUNK_BYTES: Final = 256 * 1024
"""Records of one message, plus at most one record; gRPC's default limit is 4 MiB."""


class BrokerSession:
    """One stream. `applied_offset` and `ready` are what the broker said last."""

    def __init__(self, broker_id: int, broker_epoch: int, applied_offset: int) -> None:
        self.broker_id = broker_id
        self.broker_epoch = broker_epoch
        self.applied_offset = applied_offset
        self.ready = False
        self.ended: ProtocolError | None = None
        """Why the session must end; the stream's writer tells the broker."""
        self.wake = asyncio.Event()
        self.wake.set()
        self._sent_offset = applied_offset
        self._owes_answer = True

    def heard(self, request: pb.SessionRequest) -> None:
        """Take one message of the broker."""
        self.applied_offset = max(self.applied_offset, request.applied_offset)
        self.ready = request.ready
        self._owes_answer = True
        self.wake.set()

    def end(self, why: ProtocolError) -> None:
        if self.ended is None:
            self.ended = why
        self.wake.set()

    def next_messages(
        self, image: MetadataImage, controller_epoch: int
    ) -> Iterator[pb.SessionResponse]:
        """What is to be sent now; all of it must be, in order, before this is called again."""
        offset = image.offset
        changes = image.changes_since(self._sent_offset) if self._sent_offset else None
        if changes is None and offset == 0:
            changes = []  # nothing has ever happened
        if changes is None:
            records = [record_message(record) for record in image.state.to_records()]
            yield from _messages(records, offset, controller_epoch, snapshot=True)
        for change in changes or ():
            yield from _messages(change.messages, change.offset, controller_epoch, snapshot=False)
        if not changes and changes is not None and self._owes_answer:
            yield pb.SessionResponse(controller_epoch=controller_epoch, offset=self._sent_offset)
        self._sent_offset = max(self._sent_offset, offset)
        self._owes_answer = False


def _messages(
    records: Iterable[metadata_pb.Record], offset: int, controller_epoch: int, *, snapshot: bool
) -> Iterator[pb.SessionResponse]:
    message = pb.SessionResponse(
        controller_epoch=controller_epoch, offset=offset, snapshot_start=snapshot
    )
    size = 0
    for record in records:
        if size >= CHUNK_BYTES:
            message.more = True
            yield message
            message = pb.SessionResponse(controller_epoch=controller_epoch, offset=offset)
            size = 0
        message.records.append(record)
        size += record.ByteSize()
    yield message


class Sessions:
    """The sessions of all brokers; the newest of each broker counts."""

    def __init__(self) -> None:
        self._by_broker: dict[int, BrokerSession] = {}
        self.changed = Signal()
        """Fires when a broker tells more, and when a session begins or ends."""

    def begin(self, session: BrokerSession, why: ProtocolError) -> None:
        """`why` ends the session that the broker had before."""
        before = self._by_broker.get(session.broker_id)
        if before is not None:
            before.end(why)
        self._by_broker[session.broker_id] = session
        self.changed.fire()

    def remove(self, session: BrokerSession) -> bool:
        """The stream is gone; whether it was the broker's newest."""
        if self._by_broker.get(session.broker_id) is not session:
            return False
        del self._by_broker[session.broker_id]
        self.changed.fire()
        return True

    def get(self, broker_id: int) -> BrokerSession | None:
        return self._by_broker.get(broker_id)

    def end_all(self, why: ProtocolError) -> None:
        for session in self._by_broker.values():
            session.end(why)

    def wake_all(self) -> None:
        for session in self._by_broker.values():
            session.wake.set()

    def all(self) -> list[BrokerSession]:
        return list(self._by_broker.values())

    def behind(self, offset: int) -> list[BrokerSession]:
        """Sessions whose broker has not applied everything up to `offset`."""
        return [s for s in self._by_broker.values() if s.applied_offset < offset]
