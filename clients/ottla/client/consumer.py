"""Reading records: from partitions of one's own choice, or as a member of a group.

There is no background thread: everything happens in `poll`, heartbeats and commits included. In a
group, call it at least once per session time-out.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import TracebackType
from typing import Literal

from ottla.client.cluster import Cluster
from ottla.client.errors import ClientError, sentence
from ottla.client.fetcher import ConsumerRecord, Fetcher
from ottla.client.membership import HEARTBEAT_MS, SESSION_TIMEOUT_MS, Membership
from ottla.client.model import (
    ISOLATION_LEVELS,
    GroupMetadata,
    Isolation,
    IsolationLevel,
    OffsetSpec,
)
from ottla.client.offsets import TopicPartition
from ottla.client.options import DEFAULT_BOOTSTRAP, ClientOptions, ignore

Start = Literal["earliest", "latest"]

MAX_RECORDS = 500
AUTO_COMMIT_MS = 5_000
_STARTS: dict[str, OffsetSpec] = {"earliest": OffsetSpec.EARLIEST, "latest": OffsetSpec.LATEST}


class Consumer:
    """A consumer; a context manager. Used by one thread.

    - `group`: needed for `subscribe`; its committed offsets are honoured.
    - `offset_reset`: where to begin without a committed offset, or when it is gone; with None the
      latter is an error.
    - `auto_commit`: positions are committed every five seconds, before a rebalance and at the end:
      a record counts as read once `poll` was called again, or the consumer was closed.
    - `isolation`: with "read_committed" nothing of a transaction is read before it is committed,
      nor what stands behind one that is still open.
    """

    def __init__(
        self,
        bootstrap: str = DEFAULT_BOOTSTRAP,
        *,
        group: str | None = None,
        offset_reset: Start | None = "latest",
        auto_commit: bool = True,
        isolation: Isolation = "read_uncommitted",
        session_timeout_seconds: float = SESSION_TIMEOUT_MS / 1000,
        timeout_seconds: float = 30.0,
        ssl_context: ssl.SSLContext | None = None,
        on_retry: Callable[[str], None] = ignore,
        options: ClientOptions | None = None,
    ) -> None:
        self._options = options or ClientOptions.make(timeout_seconds, ssl_context, on_retry)
        self._cluster = Cluster(bootstrap, self._options)
        self._group = group
        self._reset = None if offset_reset is None else _STARTS[offset_reset]
        self._auto_commit = auto_commit
        self._session_timeout_ms = round(session_timeout_seconds * 1000)
        self._heartbeat_ms = min(HEARTBEAT_MS, self._session_timeout_ms // 3)
        self._isolation = ISOLATION_LEVELS[isolation]
        self._fetcher = Fetcher(self._cluster, reset=self._reset, isolation=self._isolation)
        self._membership: Membership | None = None
        self._next_commit_ms = 0
        self._committed: dict[TopicPartition, int] = {}

    def __enter__(self) -> Consumer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # After an error nobody knows which records were dealt with: they are read again.
        self._close(commit=kind is None)

    def assign(self, starts: Mapping[TopicPartition, int]) -> None:
        """Read these partitions from these offsets, or from an `OffsetSpec`; no group is joined."""
        self._leave()
        self._fetcher.assign(starts)

    def assign_topic(self, topic: str, start: Start | int = "latest") -> None:
        """Read all partitions of a topic; ProtocolError when it does not exist."""
        known = self._cluster.topic(topic, wait_ms=0)
        spec = _STARTS[start] if isinstance(start, str) else start
        self.assign({(topic, partition.index): spec for partition in known.partitions})

    def subscribe(self, topics: Iterable[str]) -> None:
        """Read these topics together with the other members of the group."""
        if self._group is None:
            raise ClientError("to subscribe a consumer needs a group; without one use assign()")
        self._leave()
        names = list(topics)
        for topic in names:
            self._cluster.topic(topic, wait_ms=0)
        self._fetcher.assign({})
        self._membership = Membership(
            self._cluster,
            self._group,
            names,
            session_timeout_ms=self._session_timeout_ms,
            heartbeat_ms=self._heartbeat_ms,
            require_stable=self._isolation is IsolationLevel.READ_COMMITTED,
        )

    def assignment(self) -> list[TopicPartition]:
        """The partitions that are read now."""
        return self._fetcher.assigned()

    def positions(self) -> dict[TopicPartition, int]:
        """The offset of the next record of each partition, where it is known."""
        return self._fetcher.positions()

    def poll(
        self, timeout_seconds: float = 1.0, max_records: int = MAX_RECORDS
    ) -> list[ConsumerRecord]:
        """Records as soon as there are any, or none after the time-out.

        A rebalance of the group may take longer than the time-out.
        """
        deadline_ms = self._cluster.now_ms() + round(timeout_seconds * 1000)
        while True:
            self._keep_membership()
            left_ms = max(0, deadline_ms - self._cluster.now_ms())
            records = self._fetcher.poll(max_records, min(left_ms, self._heartbeat_ms))
            if records or self._cluster.now_ms() >= deadline_ms:
                return records

    def records(
        self, *, idle_seconds: float | None = None, max_records: int | None = None
    ) -> Iterator[ConsumerRecord]:
        """Record after record; ends after `max_records`, or when none came for `idle_seconds`."""
        idle_ms = None if idle_seconds is None else round(idle_seconds * 1000)
        heard_ms = self._cluster.now_ms()
        count = 0
        while max_records is None or count < max_records:
            wait_ms = self._heartbeat_ms
            if idle_ms is not None:
                wait_ms = max(0, heard_ms + idle_ms - self._cluster.now_ms())
            # One at a time, so that a commit covers no record that was not handed out yet.
            found = self.poll(wait_ms / 1000, 1)
            if found:
                count += 1
                yield found[0]
                heard_ms = self._cluster.now_ms()
            elif idle_ms is not None and self._cluster.now_ms() - heard_ms >= idle_ms:
                return

    def seek(self, topic: str, partition: int, offset: int) -> None:
        """Go on from this offset, or an `OffsetSpec`; ClientError: the partition is not read."""
        if not self._fetcher.seek((topic, partition), offset):
            raise ClientError(f"partition {partition} of topic '{topic}' is not assigned")

    def committed(self) -> dict[TopicPartition, int]:
        """The group's committed offsets of the assigned partitions, where there are any."""
        if self._membership is None:
            raise ClientError("only a member of a group has committed offsets; subscribe() first")
        return self._membership.committed(self._fetcher.assigned())

    def group_metadata(self) -> GroupMetadata:
        """For `send_offsets_to_transaction`, as of now; ClientError without a group."""
        if self._membership is None or self._group is None:
            raise ClientError("only a member of a group has its metadata; subscribe() first")
        return GroupMetadata(self._group, self._membership.generation, self._membership.member_id)

    def commit(self) -> None:
        """Commit the positions: every record that `poll` returned counts as read.

        ClientError: no group, or it has rebalanced and the offsets were not committed.
        """
        if self._membership is None:
            raise ClientError("only a member of a group commits offsets; subscribe() first")
        positions = self._fetcher.positions()
        changed = {
            key: offset for key, offset in positions.items() if self._committed.get(key) != offset
        }
        self._next_commit_ms = self._cluster.now_ms() + AUTO_COMMIT_MS
        if changed:
            self._membership.commit(changed)
            self._committed.update(changed)

    def close(self) -> None:
        """Commit when that is automatic, leave the group, close the connections."""
        self._close(commit=True)

    def _keep_membership(self) -> None:
        membership = self._membership
        if membership is None:
            return
        membership.heartbeat()
        if self._auto_commit and (
            not membership.joined or self._cluster.now_ms() >= self._next_commit_ms
        ):
            self._try_commit()
        if membership.joined:
            return
        assigned = membership.join()
        committed = membership.committed(assigned) if assigned else {}
        self._committed = dict(committed)
        reset = OffsetSpec.LATEST if self._reset is None else self._reset
        self._fetcher.assign({key: committed.get(key, reset) for key in assigned})
        self._next_commit_ms = self._cluster.now_ms() + AUTO_COMMIT_MS

    def _try_commit(self) -> None:
        """Commit; a rebalance on the way only means that records may be read again."""
        if self._membership is None or self._membership.generation < 0:
            return
        try:
            self.commit()
        except ClientError as error:
            self._options.on_retry(sentence(error))

    def _leave(self) -> None:
        if self._membership is not None:
            if self._auto_commit and self._membership.joined:
                self._try_commit()
            self._membership.leave()
            self._membership = None

    def _close(self, *, commit: bool) -> None:
        try:
            if not commit:
                self._auto_commit = False
            self._leave()
        finally:
            self._cluster.close()
