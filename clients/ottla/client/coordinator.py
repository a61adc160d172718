"""The connection to a coordinator, of a group or a transactional id: found when needed, forgotten
when it moves."""

from __future__ import annotations

from typing import TypeVar

from ottla.client.cluster import Cluster
from ottla.client.connection import Address, Connection
from ottla.client.errors import ConnectionLostError, check_code
from ottla.core.errors import ErrorCode
from ottla.protocol.api import ApiKey
from ottla.protocol.message import Message
from ottla.protocol.messages.find_coordinator_request import FindCoordinatorRequest
from ottla.protocol.messages.find_coordinator_response import FindCoordinatorResponse

Answer = TypeVar("Answer", bound=Message)

GROUP = 0
TRANSACTION = 1
_KINDS = {GROUP: "group", TRANSACTION: "transactional id"}

_MOVED = frozenset(
    {
        ErrorCode.NOT_COORDINATOR,
        ErrorCode.COORDINATOR_NOT_AVAILABLE,
    }
)


class GroupCoordinatorLink:
    """One group's coordinator; joins wait long there, so its connection serves nothing else."""

    def __init__(self, cluster: Cluster, group_id: str, kind: int = GROUP) -> None:
        """`kind`: GROUP, or TRANSACTION, whose id is a transactional id."""
        self.group_id = group_id
        self.subject = f"{_KINDS[kind]} '{group_id}'"
        self._kind = kind
        self.node_id = -1
        self._cluster = cluster
        self._connection: Connection | None = None

    def ask(
        self,
        key: ApiKey,
        message: Message,
        answer: type[Answer],
        timeout_ms: int | None = None,
        *,
        version_max: int | None = None,
    ) -> Answer:
        """Ask the coordinator, once; what finding it may raise, and ConnectionLostError."""
        try:
            connection = self.connection()
            return connection.request(key, message, answer, timeout_ms, version_max=version_max)
        except ConnectionLostError:
            self.forget()
            raise

    def check(self, code: int, subject: str | None = None) -> None:
        """Raise what `code` says about `subject`, or about the group; a coordinator that moved is
        forgotten."""
        if code in _MOVED:
            self.forget()
            subject = None
        check_code(code, subject or self.subject)

    def connection(self) -> Connection:
        if self._connection is None or self._connection.closed:
            response = self._cluster.ask(
                ApiKey.FIND_COORDINATOR,
                FindCoordinatorRequest(key=self.group_id, key_type=self._kind),
                FindCoordinatorResponse,
            )
            check_code(response.error_code, self.subject, response.error_message)
            self._connection = self._cluster.open(Address(response.host, response.port))
            self.node_id = response.node_id
        return self._connection

    def forget(self) -> None:
        """Look the coordinator up again before the next request."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None
