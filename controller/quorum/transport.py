"""Messages between voters over gRPC: in order for each pair, at most once, from known voters only.

Every voter dials every other one and sends on the call it opened, so that two one-way streams make
a pair. Threads: per peer one that dials and one that waits for the end of the call, gRPC's own that
pulls what is to be sent, and one of the server's pool per call that came in. None of them is the
broker's loop, and none may block the quorum's thread, which only puts messages into bounded queues.

A call is accepted before its first message is read (proto/raft.proto), and only if cluster id, both
node ids, the voter's directory and, with TLS, the name in the certificate are right. A pair
(incarnation, connection) that is not above the one in use is stale; a newer one ends the older.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence

from controller.quorum.dialing import Peer
from controller.quorum.handshake import Events, Identity
from controller.quorum.listening import RaftListener
from controller.quorum.messages import Message
from controller.quorum.timings import Timings
from controller.quorum.tls import QuorumTls
from controller.quorum.voter_set import Address

__all__ = ["Identity", "QuorumTls", "Transport"]

_log = logging.getLogger(__name__)

STOP_SECONDS_MAX = 3.0
CREDIT_BYTES_MAX = 4 << 20  # above it no further piece of a snapshot is queued for that voter


class Transport:
    """All connections of one voter. `update`, `send` and `has_credit` never block."""

    def __init__(
        self,
        identity: Identity,
        listen: Address,
        events: Events,
        *,
        timings: Timings,
        tls: QuorumTls | None = None,
    ) -> None:
        self._identity = identity
        self._listen = listen
        self._events = events
        self._timings = timings
        self._tls = tls
        self._peers: dict[int, Peer] = {}
        self._dropped: list[Peer] = []
        self._listener = RaftListener(identity, events, tls, self._dial_now)
        self.port = 0
        """Where it listens; 0 before there is another voter."""

    def update(self, wanted: Mapping[int, Sequence[Address]]) -> None:
        """Dial exactly these from now on. ConfigError: cannot listen."""
        for peer_id in [one for one in self._peers if one not in wanted]:
            peer = self._peers.pop(peer_id)
            peer.close()
            self._dropped = [one for one in self._dropped if one.is_running] + [peer]
            self._listener.drop(peer_id)
            self._events.disconnected(peer_id)
        if wanted and not self.port:
            self.port = self._listener.start(*self._listen)
        for peer_id, addresses in wanted.items():
            if peer_id in self._peers:
                self._peers[peer_id].addresses = tuple(addresses) or self._peers[peer_id].addresses
            elif addresses:
                peer = Peer(
                    self._identity, peer_id, addresses, self._events, self._timings, self._tls
                )
                self._peers[peer_id] = peer
                peer.start()

    def send(self, peer_id: int, message: Message) -> None:
        """Queue a message; dropped when that voter is not connected."""
        peer = self._peers.get(peer_id)
        if peer is not None:
            peer.send(message)

    def has_credit(self, peer_id: int) -> bool:
        peer = self._peers.get(peer_id)
        return peer is not None and peer.queued_bytes < CREDIT_BYTES_MAX

    def stop(self) -> None:
        """Close everything and wait for all threads, `STOP_SECONDS_MAX` at most; blocking.

        Bounded, because a cancelled call was seen not to end in gRPC: the stop of a node must not
        hang on it (SAFETY.md, rule 14).
        """
        deadline = time.monotonic() + STOP_SECONDS_MAX
        peers = [*self._peers.values(), *self._dropped]
        for peer in peers:
            peer.close()
        ended = self._listener.stop(STOP_SECONDS_MAX) if self.port else True
        for peer in peers:
            ended &= peer.join(max(0.0, deadline - time.monotonic()))
        if not ended:
            _log.warning("a call between voters did not end in time and is left behind")

    def _dial_now(self, peer_id: int) -> None:
        peer = self._peers.get(peer_id)
        if peer is not None:
            peer.dial_now()
