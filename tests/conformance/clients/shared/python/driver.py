"""What the scenarios need of a client. Each client's folder has the adapter to its own API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol

Headers = Sequence[tuple[str, bytes | None]]
Place = tuple[int, int]
"""(partition, offset) that a broker acknowledged."""


class Refused(Exception):
    """A broker's refusal; `code` is Kafka's name of the error, such as TOPIC_ALREADY_EXISTS."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Record:
    """A record as the client gave it."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] = ()
    timestamp_ms: int = -1


@dataclass(frozen=True, slots=True)
class ProducerOptions:
    """`acks` is all; what is not here has the client's default."""

    compression: str = "none"
    idempotent: bool = False
    transactional_id: str | None = None
    request_bytes_max: int | None = None
    round_robin: bool = False


@dataclass(frozen=True, slots=True)
class ConsumerOptions:
    """Of one topic, from its beginning. Without a group all partitions are assigned.

    Offsets are committed by `commit` and, with `commits_on_revoke`, before partitions are given up.
    """

    group: str | None = None
    read_committed: bool = False
    protocol: str = "classic"
    commits_on_revoke: bool = False


class Producer(Protocol):
    """Futures end with Refused or the client's own error."""

    def send(
        self,
        topic: str,
        value: bytes | None,
        *,
        key: bytes | None = None,
        partition: int | None = None,
        headers: Headers = (),
        timestamp_ms: int | None = None,
    ) -> Future[Place]: ...

    def serve(self, seconds: float) -> None:
        """Let that time pass while acknowledgements are taken."""

    def flush(self) -> None: ...

    def init_transactions(self) -> None: ...

    def begin(self) -> None: ...

    def send_offsets(self, consumer: Consumer, ends: Mapping[int, int]) -> None: ...

    def commit(self) -> None: ...

    def abort(self) -> None: ...

    def close(self) -> None: ...


class Consumer(Protocol):
    """Used by one thread at a time."""

    def poll(self, seconds: float) -> list[Record]: ...

    def assignment(self) -> set[int]: ...

    def seek(self, partition: int, offset: int) -> None: ...

    def pause(self, partition: int) -> None: ...

    def resume(self, partition: int) -> None: ...

    def offsets_for_times(self, times_ms: Mapping[int, int]) -> dict[int, int | None]: ...

    def commit(self) -> None: ...

    def committed(self, partition: int) -> int | None: ...

    def close(self) -> None: ...


class Admin(Protocol):
    """Errors of brokers are Refused."""

    def create(self, topic: str, partitions: int, configs: Mapping[str, str]) -> None: ...

    def describe(self, topic: str) -> list[tuple[int, int]]:
        """(leader, number of replicas) of each partition."""
        ...

    def config(self, topic: str, name: str) -> str | None: ...

    def alter_config(self, topic: str, name: str, value: str) -> None: ...

    def add_partitions(self, topic: str, total: int) -> None: ...

    def topics(self) -> set[str]: ...

    def delete(self, topic: str) -> None: ...


class Driver(Protocol):
    """One client library on one cluster."""

    has_null_headers: bool
    """Whether a header may be null."""

    def admin(self) -> Admin: ...

    def producer(self, options: ProducerOptions) -> Producer: ...

    def consumer(self, topic: str, options: ConsumerOptions) -> Consumer: ...
