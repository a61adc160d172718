from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, cast

import pytest

from broker.control.metadata_cache import MetadataCache
from broker.handlers import fetch
from broker.quotas.client_quotas import ClientQuotas
from controller.state import QuotasChanged
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.fetch_request import (
    FetchPartition,
    FetchRequest,
    FetchTopic,
    ForgottenTopic,
)
from ottla.protocol.messages.fetch_response import FetchResponse, PartitionData
from storage.transaction_index import AbortedTransaction

if TYPE_CHECKING:
    from tests.unit.broker.handlers.conftest import FakePartition, FakeSlice, World

LIMIT = 1_000_000


def request(
    *offsets: int, topic: str = "t", bytes_max: int = LIMIT, epoch: int = -1, **fields: Any
) -> FetchRequest:
    """A fetch of partitions 0, 1, … of a topic from `offsets`."""
    partitions = [
        FetchPartition(
            partition=index,
            fetch_offset=offset,
            partition_max_bytes=bytes_max,
            current_leader_epoch=epoch,
        )
        for index, offset in enumerate(offsets)
    ]
    topics = [FetchTopic(topic, topic.encode().ljust(16, b"."), partitions)] if offsets else []
    fields = {"max_wait_ms": 0, "min_bytes": 1, "max_bytes": LIMIT} | fields
    return FetchRequest(topics=topics, **fields)


def call(world: World, asked: FetchRequest, version: int = 12) -> Any:
    return fetch.handle(world.services, world.context(ApiKey.FETCH, version), asked)


def records(data: PartitionData) -> bytes:
    if isinstance(data.records, bytes):
        return data.records
    return cast("FakeSlice", data.records).data


def read(response: FetchResponse) -> dict[int, bytes]:
    return {p.partition_index: records(p) for t in response.responses for p in t.partitions}


def codes(response: FetchResponse) -> list[int]:
    return [p.error_code for t in response.responses for p in t.partitions]


def filled(world: World, partitions: int = 1, size: int = 100) -> list[FakePartition]:
    made = world.add_topic("t", partitions)
    for partition in made:
        partition.batches = [bytes([65 + number]) * size for number in range(5)]
        partition.commit(3)
    return made


def run(test: Coroutine[Any, Any, None]) -> None:
    """Run `test`; an error in a callback fails it too, and no timer may stay behind."""
    timers: list[asyncio.TimerHandle] = []
    errors: list[dict[str, Any]] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        call_later = loop.call_later

        def remember(*args: Any) -> asyncio.TimerHandle:
            timers.append(call_later(*args))
            return timers[-1]

        loop.call_later = remember  # type: ignore[assignment]
        loop.set_exception_handler(lambda _, error: errors.append(error))
        await test
        now = loop.time()
        assert all(timer.cancelled() or timer.when() <= now for timer in timers)

    asyncio.run(main())
    assert errors == []


@pytest.mark.parametrize("version", [0, 3, 4, 11, 12, 13, 18])
def test_records_below_the_high_watermark_are_sent(world: World, version: int) -> None:
    filled(world)
    response = call(world, request(1), version)
    assert read(response) == {0: b"B" * 100 + b"C" * 100}
    (topic,) = response.responses
    assert (topic.topic, topic.topic_id) == (
        ("t", bytes(16)) if version < 13 else ("", b"t".ljust(16, b"."))
    )
    (data,) = topic.partitions
    assert (data.high_watermark, data.last_stable_offset, data.log_start_offset) == (3, 3, 0)
    response.encode_parts(version)


def test_read_committed_stops_at_the_last_stable_offset(world: World) -> None:
    (partition,) = filled(world)
    partition.last_stable_offset = 2
    response = call(world, request(0, isolation_level=1))
    assert read(response) == {0: b"A" * 100 + b"B" * 100}
    assert response.responses[0].partitions[0].aborted_transactions == []
    assert call(world, request(0)).responses[0].partitions[0].aborted_transactions is None


def test_read_committed_names_the_aborted_transactions_of_what_it_sends(world: World) -> None:
    (partition,) = filled(world)
    partition.aborted = [
        AbortedTransaction(7, 0, 0, 1),
        AbortedTransaction(8, 1, 2, 3),
        AbortedTransaction(9, 2, 5, 6),
    ]

    def named(bytes_max: int, isolation_level: int = 1) -> list[tuple[int, int]] | None:
        response = call(world, request(1, bytes_max=bytes_max, isolation_level=isolation_level))
        aborted = response.responses[0].partitions[0].aborted_transactions
        return None if aborted is None else [(a.producer_id, a.first_offset) for a in aborted]

    assert named(1_000) == [(8, 1), (9, 2)]
    assert named(100) == [(8, 1)]
    assert named(100, isolation_level=0) is None


@pytest.mark.parametrize(
    ("offset", "code"), [(2, 1), (3, 0), (10, 0), (13, 0), (14, 0), (15, 0), (16, 1), (-1, 1)]
)
def test_only_offsets_beyond_the_log_are_out_of_range(world: World, offset: int, code: int) -> None:
    (partition,) = world.add_topic("t")
    partition.log_start_offset = 3
    partition.batches = [b"x"] * 12  # log end 15
    partition.commit(13)
    assert codes(call(world, request(offset))) == [code]


def test_the_first_batch_comes_whole_above_all_limits_and_later_ones_do_not(world: World) -> None:
    filled(world, 3)
    response = call(world, request(3, 0, 0, max_bytes=10, bytes_max=20))
    assert read(response) == {0: b"", 1: b"A" * 100, 2: b""}


def test_limits_of_the_request_the_partition_and_the_broker(world: World) -> None:
    filled(world, 3)
    assert [len(data) for data in read(call(world, request(0, 0, bytes_max=250))).values()] == [
        200,
        200,
    ]
    asked = request(0, 0, 0, max_bytes=450)
    assert [len(data) for data in read(call(world, asked)).values()] == [300, 100, 0]
    world.settings.fetch_max_bytes = 250
    assert [len(data) for data in read(call(world, request(0, 0))).values()] == [200, 0]


def test_errors_are_per_partition(world: World) -> None:
    first, _ = filled(world, 2)
    first.error = ProtocolError(ErrorCode.KAFKA_STORAGE_ERROR)
    response = call(world, request(0, 0, 0, max_wait_ms=60_000, min_bytes=LIMIT))
    assert codes(response) == [56, 0, 3]
    assert response.responses[0].partitions[0].high_watermark == -1
    assert records(response.responses[0].partitions[0]) == b""
    asked = request(0, topic="other")
    assert codes(call(world, asked, 13)) == [ErrorCode.UNKNOWN_TOPIC_ID]


@pytest.mark.parametrize(("epoch", "code"), [(-1, 0), (5, 0), (4, 74), (6, 75)])
def test_the_clients_leader_epoch_is_checked(world: World, epoch: int, code: int) -> None:
    filled(world)
    assert codes(call(world, request(0, epoch=epoch))) == [code]


@pytest.mark.parametrize("version", [11, 12, 15, 16, 18])
def test_a_broker_that_does_not_lead_names_who_does(world: World, version: int) -> None:
    (partition,) = world.add_topic("t", leader_id=2)
    partition.error = ProtocolError(ErrorCode.NOT_LEADER_OR_FOLLOWER)
    response = FetchResponse.decode(call(world, request(0), version).encode(version), version)
    (data,) = response.responses[0].partitions
    assert data.error_code == 6
    if version >= 12:
        assert data.current_leader is not None
        assert (data.current_leader.leader_id, data.current_leader.leader_epoch) == (2, 5)
    nodes = [(n.node_id, n.host, n.port, n.rack) for n in response.node_endpoints]
    assert nodes == ([(2, "host2", 9002, "rack2")] if version >= 16 else [])


def test_a_fetch_without_partitions_is_answered_at_once(world: World) -> None:
    assert call(world, request(max_wait_ms=60_000)).responses == []


def test_a_poll_ends_with_the_first_records(world: World) -> None:
    async def test() -> None:
        (partition,) = filled(world)
        answer = call(world, request(3, max_wait_ms=60_000))
        assert len(partition.waiters) == 1
        partition.wake()  # nothing new, for instance only the leader epoch was confirmed
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not answer.done()
        partition.commit(5)
        assert read(await answer) == {0: b"D" * 100 + b"E" * 100}
        await asyncio.sleep(0)
        assert partition.waiters == []

    run(test())


def test_a_poll_ends_with_its_time_and_says_the_high_watermark(world: World) -> None:
    async def test() -> None:
        (partition,) = filled(world)
        response = await call(world, request(3, max_wait_ms=1))
        assert read(response) == {0: b""}
        assert response.responses[0].partitions[0].high_watermark == 3
        await asyncio.sleep(0)
        assert partition.waiters == []

    run(test())


def test_a_poll_ends_when_leadership_goes(world: World) -> None:
    async def test() -> None:
        _, second = filled(world, 2)
        answer = call(world, request(3, 3, max_wait_ms=60_000, min_bytes=1_000))
        second.error = ProtocolError(ErrorCode.NOT_LEADER_OR_FOLLOWER)
        second.wake()
        assert codes(await answer) == [0, 6]

    run(test())


def test_a_poll_ends_when_its_topic_was_deleted(world: World) -> None:
    async def test() -> None:
        first, _ = filled(world, 2)
        answer = call(world, request(3, 3, max_wait_ms=60_000, min_bytes=1_000))
        del world.partitions["t", 0]
        first.wake()
        assert codes(await answer) == [3, 0]

    run(test())


def test_a_poll_waits_for_min_bytes_of_all_partitions_and_reads_only_what_changed(
    world: World,
) -> None:
    async def test() -> None:
        first, second, third = filled(world, 3)
        answer = call(world, request(2, 3, 3, max_wait_ms=60_000, min_bytes=250))
        assert (first.reads, second.reads, third.reads) == (1, 1, 1)
        second.commit(4)
        second.wake()
        for _ in range(3):
            await asyncio.sleep(0)
        assert not answer.done()
        assert (first.reads, second.reads, third.reads) == (1, 2, 1)
        third.commit(4)
        assert [len(data) for data in read(await answer).values()] == [100, 100, 100]

    run(test())


def test_min_bytes_above_the_limit_of_the_answer_does_not_wait_for_the_impossible(
    world: World,
) -> None:
    filled(world)
    response = call(world, request(0, max_wait_ms=60_000, min_bytes=LIMIT, max_bytes=200))
    assert read(response) == {0: b"A" * 100 + b"B" * 100}


def test_a_lost_connection_leaves_no_waiter(world: World) -> None:
    async def test() -> None:
        (partition,) = filled(world)
        answer = call(world, request(3, max_wait_ms=60_000))
        partition.wake()
        answer.cancel()
        for _ in range(3):
            await asyncio.sleep(0)
        assert partition.waiters == []

    run(test())


def test_a_session_names_only_what_is_new_and_serves_all_in_turn(world: World) -> None:
    first, second = filled(world, 2)
    response = call(world, request(3, 3, session_epoch=0))
    session_id = response.session_id
    assert session_id > 0
    assert len(read(response)) == 2
    second.commit(4)
    response = call(world, request(session_id=session_id, session_epoch=1))
    assert read(response) == {1: b"D" * 100}
    first.commit(5)
    second.commit(5)
    response = call(world, request(session_id=session_id, session_epoch=2, max_bytes=10))
    assert read(response) == {0: b"D" * 100, 1: b""}
    response = call(world, request(session_id=session_id, session_epoch=3, max_bytes=10))
    assert read(response) == {1: b"D" * 100}
    forgotten = [ForgottenTopic("t", partitions=[0, 1])]
    response = call(
        world,
        request(session_id=session_id, session_epoch=4, forgotten_topics_data=forgotten),
    )
    assert (response.session_id, read(response)) == (0, {})


def test_a_session_by_topic_id(world: World) -> None:
    filled(world)
    response = call(world, request(3, session_epoch=0), 13)
    asked = request(session_id=response.session_id, session_epoch=1)
    assert call(world, asked, 12).error_code == ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR
    assert call(world, asked, 13).error_code == 0


@pytest.mark.parametrize(("session_id", "epoch", "code"), [(9, 1, 70), (0, 5, 70), (0, -5, 70)])
def test_an_unknown_session_is_refused(
    world: World, session_id: int, epoch: int, code: int
) -> None:
    response = call(world, request(session_id=session_id, session_epoch=epoch))
    assert (response.error_code, response.session_id) == (code, 0)


def test_a_failure_as_a_whole() -> None:
    assert codes(fetch.fail(request(0, 0), 4, ErrorCode.UNKNOWN_SERVER_ERROR, None)) == [-1, -1]
    assert fetch.fail(request(0), 7, ErrorCode.UNKNOWN_SERVER_ERROR, None).error_code == -1
    for version in range(19):
        fetch.fail(request(0), version, ErrorCode.UNKNOWN_SERVER_ERROR, None).encode(version)


def limited(world: World, rate: float) -> None:
    """Every client may fetch so many bytes a second, ten seconds' worth at once."""
    cache = MetadataCache()
    world.services.quotas = ClientQuotas(cache, world.clock)
    entity = (("client-id", None),)
    cache.apply([QuotasChanged(entity, {"consumer_byte_rate": rate})], 1, 1)


def test_a_fetch_over_the_quota_gets_nothing_but_the_time_to_pause(world: World) -> None:
    filled(world)
    limited(world, 30)
    first = call(world, request(0))
    assert (read(first), first.throttle_time_ms) == ({0: b"A" * 100 + b"B" * 100 + b"C" * 100}, 0)
    second = call(world, request(0))
    assert (second.responses, second.throttle_time_ms, second.error_code) == ([], 10_000, 0)
    world.clock.advance(11_000)
    assert read(call(world, request(0)))[0]


def test_a_fetch_asks_for_no_more_than_ever_is_within_the_quota(world: World) -> None:
    filled(world)
    limited(world, 20)
    assert read(call(world, request(0))) == {0: b"A" * 100 + b"B" * 100}


def test_a_session_does_not_begin_with_a_throttled_answer_but_goes_on_with_it(
    world: World,
) -> None:
    filled(world)
    limited(world, 30)
    first = call(world, request(0, session_epoch=0))
    assert first.session_id != 0
    throttled = call(world, request(0, session_id=first.session_id, session_epoch=1))
    assert (throttled.session_id, throttled.throttle_time_ms) == (first.session_id, 10_000)
    world.clock.advance(11_000)
    third = call(world, request(session_id=first.session_id, session_epoch=2))
    assert read(third)[0] == b"A" * 100 + b"B" * 100 + b"C" * 100
    sessions = len(world.services.fetch_sessions)
    other = call(world, request(0, session_epoch=0))
    assert (other.session_id, other.throttle_time_ms) == (0, 10_000)
    assert len(world.services.fetch_sessions) == sessions


def racks(world: World, *readable: tuple[int, int, int]) -> FakePartition:
    """The broker tells consumers of near replicas; brokers have the racks rack1, rack2, rack3."""
    world.settings.replica_selector_class = "set"
    (partition,) = filled(world)
    partition.readable = list(readable)
    return partition


def test_a_consumer_is_sent_to_the_replica_in_its_rack(world: World) -> None:
    racks(world, (1, 0, 5), (2, 0, 5))
    answer = call(world, request(0, rack_id="rack2", max_wait_ms=60_000))
    (data,) = answer.responses[0].partitions
    assert (data.preferred_read_replica, data.error_code, records(data)) == (2, 0, b"")
    assert data.high_watermark == 3


@pytest.mark.parametrize("rack", ["", "rack1", "rack3", "elsewhere"])
def test_a_consumer_without_a_replica_near_reads_from_the_leader(world: World, rack: str) -> None:
    partition = racks(world, (1, 0, 5), (2, 0, 5))
    answer = call(world, request(0, rack_id=rack))
    (data,) = answer.responses[0].partitions
    assert data.preferred_read_replica == -1
    assert records(data)
    assert partition.may_follow == [True, True]


def test_an_old_consumer_or_a_broker_without_the_setting_reads_from_leaders_alone(
    world: World,
) -> None:
    partition = racks(world, (1, 0, 5), (2, 0, 5))
    assert records(call(world, request(0, rack_id="rack2"), 10).responses[0].partitions[0])
    world.settings.replica_selector_class = None
    assert records(call(world, request(0, rack_id="rack2")).responses[0].partitions[0])
    assert partition.may_follow == [False] * 4


def test_a_session_names_the_replica_each_time(world: World) -> None:
    racks(world, (1, 0, 5), (2, 0, 5))
    first = call(world, request(0, rack_id="rack2", session_epoch=0))
    again = call(world, request(rack_id="rack2", session_id=first.session_id, session_epoch=1))
    assert again.responses[0].partitions[0].preferred_read_replica == 2


def test_a_fenced_replica_is_not_named(world: World) -> None:
    racks(world, (1, 0, 5), (2, 0, 5))
    world.state.brokers[2].fenced = True
    answer = call(world, request(0, rack_id="rack2"))
    assert answer.responses[0].partitions[0].preferred_read_replica == -1
