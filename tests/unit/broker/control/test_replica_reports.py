from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from broker.control import replica_reports
from broker.control.metadata_cache import MetadataCache
from broker.control.replica_reports import PartitionId, ReplicaReports
from broker.control.requests import ReplicaState
from controller.codec import decode_snapshot, encode_snapshot
from controller.generated import control_pb2
from controller.generated import metadata_pb2 as pb
from controller.state import PartitionsChanged, TopicRemoved
from ottla.core.errors import ErrorCode, ProtocolError
from tests.support.cluster_states import Cluster


class Harness:
    """Broker 1 of three, with a controller that takes what it tells."""

    def __init__(self, partitions: int = 2) -> None:
        self.cluster = Cluster(3)
        self.cluster.topic("t", *[[1, 2, 3]] * partitions)
        self.cache = MetadataCache()
        self.states: dict[PartitionId, ReplicaState] = {}
        self.changed = asyncio.Event()
        self.failures = 0
        self.ahead = 0
        self.sent: list[dict[int, int]] = []
        """Each report: state by index."""
        self.reports = ReplicaReports(1, self.cache, lambda: self.states, self.changed, self.send)
        self.tell()

    async def send(self, report: pb.ReportReplicas) -> control_pb2.ExecuteResponse:
        await asyncio.sleep(0)
        if self.failures:
            self.failures -= 1
            raise ProtocolError(ErrorCode.REQUEST_TIMED_OUT)
        self.sent.append({told.index: told.state for told in report.partitions})
        report.broker_id, report.broker_epoch = 1, self.cluster.epoch(1)
        assert not self.cluster.do(report_replicas=report).error_code
        self.tell()
        return control_pb2.ExecuteResponse(offset=self.cache.offset + self.ahead)

    def tell(self) -> None:
        state, _ = decode_snapshot(encode_snapshot(self.cluster.state, 0))
        self.cache.install(state, self.cache.offset + 1, 1)

    def key(self, index: int) -> PartitionId:
        return self.cluster.partition().topic_id, index

    def become(self, index: int, state: ReplicaState | None) -> None:
        if state is None:
            del self.states[self.key(index)]
        else:
            self.states[self.key(index)] = state
        self.changed.set()

    async def sent_are(self, count: int) -> None:
        async with asyncio.timeout(5):
            while len(self.sent) < count:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
        await asyncio.sleep(0.02)
        assert len(self.sent) == count


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replica_reports, "LOOK_MS", 5)
    monkeypatch.setattr(replica_reports, "PAUSE_MS_MIN", 1)


def play(story: Callable[[Harness], Awaitable[None]], partitions: int = 2) -> None:
    async def run() -> None:
        harness = Harness(partitions)
        running = asyncio.ensure_future(harness.reports.run())
        try:
            await story(harness)
        finally:
            running.cancel()

    asyncio.run(run())


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (ReplicaState.FULL, pb.REPLICA_STATE_FULL),
        (ReplicaState.OFFLINE, pb.REPLICA_STATE_OFFLINE),
        (ReplicaState.DAMAGED, pb.REPLICA_STATE_DAMAGED),
    ],
)
def test_what_becomes_unable_is_told_once_and_so_is_its_end(state: ReplicaState, told: int) -> None:
    async def story(harness: Harness) -> None:
        await harness.sent_are(0)
        harness.become(1, state)
        await harness.sent_are(1)
        assert harness.sent[0] == {1: told}
        assert harness.cluster.partition(index=1).leader_id == 2
        harness.become(1, None)
        await harness.sent_are(2)
        assert harness.sent[1] == {1: pb.REPLICA_STATE_ABLE}

    play(story)


def test_another_state_is_told_where_the_controller_must_act() -> None:
    async def story(harness: Harness) -> None:
        harness.become(0, ReplicaState.FULL)
        await harness.sent_are(1)
        harness.become(0, ReplicaState.DAMAGED)
        await harness.sent_are(2)
        harness.become(0, ReplicaState.OFFLINE)  # to the controller the same
        await harness.sent_are(2)

    play(story)


def test_what_gets_lost_is_told_again() -> None:
    async def story(harness: Harness) -> None:
        harness.failures = 3
        harness.become(0, ReplicaState.OFFLINE)
        await harness.sent_are(1)
        # A registration makes the controller forget it.
        harness.cluster.start(1)
        harness.tell()
        await harness.sent_are(2)
        assert harness.sent[0] == harness.sent[1] == {0: pb.REPLICA_STATE_OFFLINE}

    play(story)


def test_what_was_told_is_not_told_again_before_its_metadata_is_there() -> None:
    async def story(harness: Harness) -> None:
        telling, harness.tell = harness.tell, lambda: None  # type: ignore[method-assign]
        harness.ahead = 1
        harness.become(0, ReplicaState.FULL)
        await harness.sent_are(1)
        telling()
        await harness.sent_are(1)

    play(story)


def test_many_are_told_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replica_reports, "BATCH_MAX", 3)

    async def story(harness: Harness) -> None:
        for index in range(7):
            harness.states[harness.key(index)] = ReplicaState.FULL
        harness.changed.set()
        await harness.sent_are(3)
        assert [sorted(report) for report in harness.sent] == [[0, 1, 2], [3, 4, 5], [6]]

    play(story, partitions=7)


def test_what_is_no_longer_ours_is_not_told() -> None:
    async def story(harness: Harness) -> None:
        topic_id = harness.cluster.partition().topic_id
        harness.become(0, ReplicaState.FULL)
        await harness.sent_are(1)
        harness.cache.apply([TopicRemoved(topic_id)], harness.cache.offset + 1, 1)
        harness.changed.set()
        await harness.sent_are(1)
        harness.become(0, None)
        await harness.sent_are(1)

    play(story)


def test_deltas_are_followed_as_snapshots_are() -> None:
    async def story(harness: Harness) -> None:
        harness.cluster.tell(1, pb.REPLICA_STATE_FULL, index=1)
        after = harness.cluster.partition(index=1)
        record = PartitionsChanged(after.topic_id, (after,))
        harness.cache.apply([record], harness.cache.offset + 1, 1)
        await harness.sent_are(1)
        assert harness.sent[0] == {1: pb.REPLICA_STATE_ABLE}

    play(story)
