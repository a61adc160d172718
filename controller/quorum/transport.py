"""Messages between voters over gRPC: in order for each pair, at most once, from known voters only.

Every voter dials every other one and sends on the call it opened, so that two one-way streams make
a pair. Threads: per peer one that dials and waits for the end of the call, gRPC's own that pulls
what is to be sent, and one of the server's pool per call that came in. None of them is the
broker's loop, and none may block the quorum's thread, which only puts messages into bounded queues.

A call is accepted before its first message is read (proto/raft.proto), and only if cluster id, both
node ids, the voter's directory and, with TLS, the name in the certificate are right. A pair
(incarnation, connection) that is not above the one in use is stale; a newer one ends the older.
"""

from __future__ import annotations

from collections.abc import Mapping

from controller.quorum.dialing import Peer
from controller.quorum.handshake import Events, Identity
from controller.quorum.listening import RaftListener
from controller.quorum.messages import Message
from controller.quorum.timings import Timings
from controller.quorum.tls import QuorumTls

__all__ = ["Identity", "QuorumTls", "Transport"]

CREDIT_BYTES_MAX = 4 << 20  # above it no further piece of a snapshot is queued for that voter


class Transport:
    """All connections of one voter. `send` and `has_credit` never block."""

    def __init__(
        self,
        identity: Identity,
        voters: Mapping[int, tuple[str, int]],
        listen: tuple[str, int],
        events: Events,
        *,
        timings: Timings,
        tls: QuorumTls | None = None,
    ) -> None:
        self._listen = listen
        self._peers = {
            peer_id: Peer(identity, peer_id, address, events, timings, tls)
            for peer_id, address in voters.items()
            if peer_id != identity.node_id
        }
        self._listener = RaftListener(
            identity, set(self._peers), events, tls, lambda peer_id: self._peers[peer_id].dial_now()
        )

    def start(self) -> int:
        """Listen, then dial; the port. A quorum of one does neither. ConfigError: cannot bind."""
        if not self._peers:
            return 0
        port = self._listener.start(*self._listen)
        for peer in self._peers.values():
            peer.start()
        return port

    def send(self, peer_id: int, message: Message) -> None:
        """Queue a message; dropped when that voter is not connected."""
        self._peers[peer_id].send(message)

    def has_credit(self, peer_id: int) -> bool:
        return self._peers[peer_id].queued_bytes < CREDIT_BYTES_MAX

    def stop(self) -> None:
        """Close everything and wait for all threads; blocking."""
        for peer in self._peers.values():
            peer.close()
        if self._peers:
            self._listener.stop()
        for peer in self._peers.values():
            peer.join()
