"""Incremental fetch sessions (KIP-227): what a consumer fetches, kept between its requests.

A request names (session id, session epoch):

    epoch -1            no session; one with the given id is closed
    id 0, epoch 0       a full fetch that asks for a new session
    id n, epoch 0       the same; session n is closed first
    id n, epoch e > 0   the next request of session n: names only what changes

An incremental answer leaves out partitions that have nothing new. Pure: time comes in as `now_ms`,
ids from a generator. The cache is bounded in sessions and in partitions of all sessions; when it is
full, the session that was used longest ago is dropped if it was idle for EVICTION_MS, else the new
client is served without a session, as Kafka does.
"""

from __future__ import annotations

import random
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from ottla.core.errors import ErrorCode, ProtocolError
from ottla.core.identifiers import Uuid

EVICTION_MS: Final = 120_000
SESSIONS_MAX: Final = 1_000
PARTITIONS_MAX: Final = 200_000
_EPOCH_MAX: Final = 2**31 - 1
NO_SESSION: Final = 0
FINAL_EPOCH: Final = -1
INITIAL_EPOCH: Final = 0

TopicKey: TypeAlias = "str | Uuid"
"""The name below Fetch version 13, the topic id from there on."""
PartitionKey: TypeAlias = tuple[TopicKey, int]


@dataclass(slots=True)
class FetchedPartition:
    """One partition that is asked for, and what its client was last told."""

    topic: TopicKey
    index: int
    fetch_offset: int
    bytes_max: int
    current_leader_epoch: int
    """-1: unchecked."""
    last_fetched_epoch: int = -1
    known_high_watermark: int | None = None
    known_log_start_offset: int | None = None

    @property
    def key(self) -> PartitionKey:
        return self.topic, self.index


class FetchSession:
    """The partitions of one session, in the order in which they are served."""

    __slots__ = ("by_topic_id", "epoch", "is_closed", "partitions", "session_id", "used_ms")

    def __init__(
        self,
        session_id: int,
        by_topic_id: bool,
        partitions: Iterable[FetchedPartition],
        now_ms: int,
    ) -> None:
        self.session_id = session_id
        self.by_topic_id = by_topic_id
        self.epoch = 1
        """What the next request must carry."""
        self.used_ms = now_ms
        self.is_closed = False
        """The client has to be told: its next request would not find the session."""
        self.partitions = OrderedDict((p.key, p) for p in partitions)


class FetchContext:
    """What one request fetches, and which partitions its answer has to name."""

    __slots__ = ("_is_full", "_partitions", "session")

    def __init__(
        self, session: FetchSession | None, partitions: list[FetchedPartition], is_full: bool
    ) -> None:
        self.session = session
        self._partitions = partitions
        self._is_full = is_full

    @property
    def session_id(self) -> int:
        """What the answer says; 0 when there is none, or none any longer."""
        if self.session is None or self.session.is_closed:
            return NO_SESSION
        return self.session.session_id

    def __iter__(self) -> Iterator[FetchedPartition]:
        return iter(self._partitions)

    def __len__(self) -> int:
        return len(self._partitions)

    @property
    def is_full(self) -> bool:
        """The answer names all partitions, and a new session begins with it."""
        return self._is_full

    def note_answer(
        self,
        partition: FetchedPartition,
        *,
        error: bool,
        size: int,
        high_watermark: int,
        log_start_offset: int,
    ) -> bool:
        """Whether the answer names the partition; remembers what the client knows after it.

        Partitions that send records move to the end of the session's order, so that all get their
        turn when the answer's limit cuts the rest off (KIP-227, "Response contents").
        """
        if self.session is None:
            return True
        is_news = (
            self._is_full
            or error
            or size > 0
            or high_watermark != partition.known_high_watermark
            or log_start_offset != partition.known_log_start_offset
        )
        if error:
            # The client has to see the next answer whatever it says.
            partition.known_high_watermark = partition.known_log_start_offset = None
        else:
            partition.known_high_watermark = high_watermark
            partition.known_log_start_offset = log_start_offset
        if size > 0 and partition.key in self.session.partitions:
            self.session.partitions.move_to_end(partition.key)
        return is_news


class FetchSessionCache:
    """All sessions of a broker."""

    def __init__(
        self,
        source: random.Random,
        *,
        sessions_max: int = SESSIONS_MAX,
        partitions_max: int = PARTITIONS_MAX,
        eviction_ms: int = EVICTION_MS,
    ) -> None:
        self._random = source
        self._sessions_max = sessions_max
        self._partitions_max = partitions_max
        self._eviction_ms = eviction_ms
        self._sessions: OrderedDict[int, FetchSession] = OrderedDict()  # used longest ago first
        self.partition_count = 0

    def __len__(self) -> int:
        return len(self._sessions)

    def context(
        self,
        *,
        session_id: int,
        session_epoch: int,
        by_topic_id: bool,
        partitions: list[FetchedPartition],
        forgotten: Iterable[PartitionKey],
        now_ms: int,
    ) -> FetchContext:
        """What this request fetches.

        ProtocolError: FETCH_SESSION_ID_NOT_FOUND, INVALID_FETCH_SESSION_EPOCH, or
        FETCH_SESSION_TOPIC_ID_ERROR when the client changed between names and ids.
        """
        if session_epoch in (FINAL_EPOCH, INITIAL_EPOCH):
            self._remove(session_id)
            session = None
            if session_epoch == INITIAL_EPOCH:
                session = self._maybe_create(by_topic_id, partitions, now_ms)
            return FetchContext(session, partitions, is_full=True)
        session = self._sessions.get(session_id)
        if session is None:
            raise ProtocolError(ErrorCode.FETCH_SESSION_ID_NOT_FOUND)
        if session.by_topic_id != by_topic_id:
            raise ProtocolError(ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR)
        if session.epoch != session_epoch:
            raise ProtocolError(ErrorCode.INVALID_FETCH_SESSION_EPOCH)
        before = len(session.partitions)
        _update(session, partitions, forgotten)
        self.partition_count += len(session.partitions) - before
        session.epoch = session.epoch + 1 if session.epoch < _EPOCH_MAX else 1
        session.used_ms = now_ms
        self._sessions.move_to_end(session_id)
        if not session.partitions or self.partition_count > self._partitions_max:
            # Nothing left to remember, or more than may be: the answer is still served, and tells
            # the client to start anew.
            self._remove(session_id)
        return FetchContext(session, list(session.partitions.values()), is_full=False)

    def close(self, session_id: int) -> None:
        """Forget a session whose client does not know of it; unknown: no change."""
        self._remove(session_id)

    def _maybe_create(
        self, by_topic_id: bool, partitions: list[FetchedPartition], now_ms: int
    ) -> FetchSession | None:
        if not partitions or not self._maybe_make_room(len(partitions), now_ms):
            return None
        session_id = self._random.randrange(1, _EPOCH_MAX)
        while session_id in self._sessions:
            session_id = self._random.randrange(1, _EPOCH_MAX)
        session = FetchSession(session_id, by_topic_id, partitions, now_ms)
        self._sessions[session_id] = session
        self.partition_count += len(session.partitions)
        return session

    def _maybe_make_room(self, partition_count: int, now_ms: int) -> bool:
        while (
            len(self._sessions) >= self._sessions_max
            or self.partition_count + partition_count > self._partitions_max
        ):
            oldest = next(iter(self._sessions.values()), None)
            if oldest is None or now_ms - oldest.used_ms < self._eviction_ms:
                return False
            self._remove(oldest.session_id)
        return True

    def _remove(self, session_id: int) -> None:
        session = self._sessions.pop(session_id, None)
        if session is not None:
            session.is_closed = True
            self.partition_count -= len(session.partitions)


def _update(
    session: FetchSession, partitions: Iterable[FetchedPartition], forgotten: Iterable[PartitionKey]
) -> None:
    for asked in partitions:
        held = session.partitions.get(asked.key)
        if held is None:
            session.partitions[asked.key] = asked
        else:
            held.fetch_offset = asked.fetch_offset
            held.bytes_max = asked.bytes_max
            held.current_leader_epoch = asked.current_leader_epoch
            held.last_fetched_epoch = asked.last_fetched_epoch
    for key in forgotten:
        session.partitions.pop(key, None)
