"""One member of a group as its coordinator sees it."""

from __future__ import annotations

from typing import Final, TypeAlias

from broker.coordinator.machine import Ticket
from broker.groups.requests import JoinRequest
from broker.groups.stored import StoredMember

NEW_MEMBER_JOIN_MS_MAX: Final = 300_000
"""How long a member that has never been in a generation may wait in a round. A client that gave up
without closing its connection would else be waited for in every later round (KAFKA-7610)."""

Protocols: TypeAlias = tuple[tuple[str, bytes], ...]


class Member:
    """What the log does not hold of a member: whom to answer, until when it is alive."""

    __slots__ = (
        "client_host",
        "client_id",
        "deadline_ms",
        "has_joined",
        "instance_id",
        "is_new",
        "join_ticket",
        "member_id",
        "protocols",
        "rebalance_timeout_ms",
        "session_timeout_ms",
        "sync_ticket",
    )

    def __init__(
        self,
        member_id: str,
        instance_id: str | None,
        client_id: str,
        client_host: str,
        rebalance_timeout_ms: int,
        session_timeout_ms: int,
        protocols: Protocols,
    ) -> None:
        self.member_id = member_id
        self.instance_id = instance_id
        self.client_id = client_id
        self.client_host = client_host
        self.rebalance_timeout_ms = rebalance_timeout_ms
        self.session_timeout_ms = session_timeout_ms
        self.protocols = protocols
        """(name, metadata), best liked first. Of a loaded member only the chosen one is known."""
        self.join_ticket: Ticket | None = None
        self.sync_ticket: Ticket | None = None
        self.has_joined = False
        """In the round that is open; without a ticket when its connection was lost since."""
        self.is_new = True
        """It was never in a generation."""
        self.deadline_ms: int | None = None
        """End of its session in monotonic ms; None while it waits for an answer of ours."""

    @classmethod
    def of_request(cls, member_id: str, request: JoinRequest) -> Member:
        return cls(
            member_id,
            request.instance_id,
            request.client_id,
            request.client_host,
            request.rebalance_timeout_ms,
            request.session_timeout_ms,
            request.protocols,
        )

    @classmethod
    def of_stored(cls, stored: StoredMember, protocol: str | None) -> Member:
        member = cls(
            stored.member_id,
            stored.instance_id,
            stored.client_id,
            stored.client_host,
            stored.rebalance_timeout_ms,
            stored.session_timeout_ms,
            () if protocol is None else ((protocol, stored.subscription),),
        )
        member.is_new = False
        return member

    @property
    def is_static(self) -> bool:
        return self.instance_id is not None

    @property
    def metadata_bytes_max(self) -> int:
        """The most that this member takes of the group's record, whichever protocol is chosen."""
        return max((len(metadata) for _, metadata in self.protocols), default=0)

    def metadata(self, protocol: str | None) -> bytes:
        """Its metadata for `protocol`; empty when it has none."""
        for name, metadata in self.protocols:
            if name == protocol:
                return metadata
        return b""

    def refresh(self, now_ms: int) -> None:
        """It was heard of: its session starts anew unless it waits for us."""
        if self.join_ticket is not None:
            self.deadline_ms = now_ms + NEW_MEMBER_JOIN_MS_MAX if self.is_new else None
        elif self.sync_ticket is not None:
            self.deadline_ms = None
        else:
            self.deadline_ms = now_ms + self.session_timeout_ms

    def to_stored(self, protocol: str | None, assignment: bytes) -> StoredMember:
        return StoredMember(
            self.member_id,
            self.instance_id,
            self.client_id,
            self.client_host,
            self.rebalance_timeout_ms,
            self.session_timeout_ms,
            self.metadata(protocol),
            assignment,
        )
