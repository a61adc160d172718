from __future__ import annotations

import random

import pytest

from broker.handlers.fetch_sessions import FetchContext, FetchedPartition, FetchSessionCache
from ottla.core.errors import ErrorCode, ProtocolError


def asked(topic: str | bytes, index: int = 0, offset: int = 0) -> FetchedPartition:
    return FetchedPartition(topic, index, offset, 1_000, -1)


class Client:
    """Fetches with sessions as KIP-227 tells clients to."""

    def __init__(self, cache: FetchSessionCache, by_topic_id: bool = False) -> None:
        self.cache = cache
        self.by_topic_id = by_topic_id
        self.session_id = 0
        self.epoch = 0

    def fetch(
        self,
        *partitions: FetchedPartition,
        forgotten: tuple[tuple[str, int], ...] = (),
        now_ms: int = 0,
    ) -> FetchContext:
        context = self.cache.context(
            session_id=self.session_id,
            session_epoch=self.epoch,
            by_topic_id=self.by_topic_id,
            partitions=list(partitions),
            forgotten=forgotten,
            now_ms=now_ms,
        )
        self.session_id = context.session_id
        self.epoch += 1
        return context


def cache(**bounds: int) -> FetchSessionCache:
    return FetchSessionCache(random.Random(1), **bounds)


def answer(
    context: FetchContext,
    *,
    sizes: dict[str, int] | None = None,
    error: bool = False,
    high_watermark: int = 10,
) -> list[tuple[str | bytes, int]]:
    """The partitions that the answer names."""
    return [
        partition.key
        for partition in context
        if context.note_answer(
            partition,
            error=error,
            size=(sizes or {}).get(str(partition.topic), 0),
            high_watermark=high_watermark,
            log_start_offset=0,
        )
    ]


def test_a_first_fetch_names_all_and_later_ones_only_what_is_new() -> None:
    client = Client(cache())
    assert answer(client.fetch(asked("a"), asked("b"))) == [("a", 0), ("b", 0)]
    assert client.session_id > 0
    assert answer(client.fetch()) == []
    assert answer(client.fetch(), sizes={"b": 5}) == [("b", 0)]
    assert answer(client.fetch(), high_watermark=11) == [("a", 0), ("b", 0)]
    assert answer(client.fetch(), high_watermark=11) == []


def test_what_failed_is_named_in_the_next_answer_too() -> None:
    client = Client(cache())
    answer(client.fetch(asked("a")))
    assert answer(client.fetch(), error=True) == [("a", 0)]
    assert answer(client.fetch()) == [("a", 0)]
    assert answer(client.fetch()) == []


def test_a_request_changes_adds_and_forgets_partitions() -> None:
    client = Client(cache())
    client.fetch(asked("a"), asked("b"))
    context = client.fetch(asked("a", offset=7), asked("c"), forgotten=(("b", 0),))
    assert [(p.topic, p.fetch_offset) for p in context] == [("a", 7), ("c", 0)]
    assert client.cache.partition_count == 2


def test_a_new_offset_keeps_what_the_client_knows() -> None:
    client = Client(cache())
    answer(client.fetch(asked("a")))
    assert answer(client.fetch(asked("a", offset=3))) == []


def test_partitions_that_sent_records_go_to_the_end() -> None:
    client = Client(cache())
    context = client.fetch(asked("a"), asked("b"), asked("c"))
    answer(context, sizes={"a": 5})
    assert [p.topic for p in client.fetch()] == ["b", "c", "a"]


def test_without_a_session_everything_is_named_every_time() -> None:
    client = Client(cache())
    client.epoch = -1
    assert answer(client.fetch(asked("a"))) == [("a", 0)]
    assert client.session_id == 0
    assert len(client.cache) == 0


def test_the_last_epoch_and_a_new_full_fetch_close_the_old_session() -> None:
    client = Client(cache())
    client.fetch(asked("a"))
    first = client.session_id
    client.epoch = 0
    client.fetch(asked("a"))
    assert client.session_id not in (0, first)
    assert len(client.cache) == 1
    client.epoch = -1
    client.fetch()
    assert len(client.cache) == 0
    assert client.cache.partition_count == 0


@pytest.mark.parametrize(
    ("session_id", "epoch", "by_topic_id", "code"),
    [
        (12345, 1, False, ErrorCode.FETCH_SESSION_ID_NOT_FOUND),
        (None, 2, False, ErrorCode.INVALID_FETCH_SESSION_EPOCH),
        (None, 0x7FFFFFFF, False, ErrorCode.INVALID_FETCH_SESSION_EPOCH),
        (None, 1, True, ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR),
    ],
)
def test_what_does_not_fit_the_session_is_refused(
    session_id: int | None, epoch: int, by_topic_id: bool, code: ErrorCode
) -> None:
    client = Client(cache())
    client.fetch(asked("a"))
    client.session_id = client.session_id if session_id is None else session_id
    client.epoch = epoch
    client.by_topic_id = by_topic_id
    with pytest.raises(ProtocolError) as caught:
        client.fetch()
    assert caught.value.code == code
    client.session_id = next(iter(client.cache._sessions))
    client.epoch, client.by_topic_id = 1, False
    client.fetch()  # the session itself is unharmed


def test_an_epoch_starts_again_at_1() -> None:
    client = Client(cache())
    client.fetch(asked("a"))
    client.cache._sessions[client.session_id].epoch = 2**31 - 1
    client.epoch = 2**31 - 1
    client.fetch()
    client.epoch = 1
    client.fetch()


def test_a_session_that_forgot_everything_is_closed_and_says_so() -> None:
    client = Client(cache())
    client.fetch(asked("a"))
    assert client.fetch(forgotten=(("a", 0),)).session_id == 0
    assert len(client.cache) == 0


def test_sessions_are_bounded_and_the_longest_idle_one_gives_way() -> None:
    sessions = cache(sessions_max=2, eviction_ms=1_000)
    first, second, third = Client(sessions), Client(sessions), Client(sessions)
    first.fetch(asked("a"), now_ms=0)
    second.fetch(asked("a"), now_ms=1)
    first.fetch(now_ms=900)
    assert third.fetch(asked("a"), now_ms=1_000).session_id == 0
    third.epoch = 0
    assert third.fetch(asked("a"), now_ms=1_001).session_id > 0
    first.fetch(now_ms=1_001)
    with pytest.raises(ProtocolError):
        second.fetch(now_ms=1_001)
    assert len(sessions) == 2


def test_partitions_of_all_sessions_are_bounded() -> None:
    sessions = cache(partitions_max=3)
    first, second = Client(sessions), Client(sessions)
    first.fetch(asked("a"), asked("b"))
    assert second.fetch(asked("a"), asked("b")).session_id == 0
    assert first.fetch(asked("c"), asked("d")).session_id == 0  # grew beyond the bound
    assert (len(sessions), sessions.partition_count) == (0, 0)
