from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from broker.control import log_end_reports
from broker.control.log_end_reports import LogEndReports, PartitionId
from broker.control.metadata_cache import MetadataCache
from broker.control.requests import LogPosition
from controller.codec import decode_snapshot, encode_snapshot
from controller.generated import metadata_pb2 as pb
from ottla.core.errors import ErrorCode, ProtocolError
from tests.support.cluster_states import Cluster


class Harness:
    """Broker 1 of two that have both lost data: the partition waits for what their logs hold."""

    def __init__(self) -> None:
        self.cluster = Cluster(2)
        self.cluster.topic("t", [1, 2])
        for broker_id in (1, 2):
            self.cluster.start(broker_id, stop=pb.STOP_STATE_UNCLEAN)
        self.cache = MetadataCache()
        self.open = True
        self.failures = 0
        self.sent: list[pb.ReportLogEnds] = []
        self.reports = LogEndReports(1, self.cache, self.positions, self.send)

    def positions(self, wanted: Sequence[PartitionId]) -> list[LogPosition]:
        return [LogPosition(topic, index, 3, 44) for topic, index in wanted] if self.open else []

    async def send(self, report: pb.ReportLogEnds) -> None:
        if self.failures:
            self.failures -= 1
            raise ProtocolError(ErrorCode.REQUEST_TIMED_OUT)
        self.sent.append(report)
        self.cluster.do(
            report_log_ends=pb.ReportLogEnds(
                broker_id=1, broker_epoch=self.cluster.epoch(1), partitions=report.partitions
            )
        )
        self.tell()

    def tell(self) -> None:
        state, _ = decode_snapshot(encode_snapshot(self.cluster.state, 0))
        self.cache.install(state, self.cache.offset + 1, 1)

    async def run_until_sent(self) -> None:
        running = asyncio.ensure_future(self.reports.run())
        async with asyncio.timeout(5):
            while not self.sent:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
        await asyncio.sleep(0.01)
        running.cancel()


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_end_reports, "RETRY_MS", 1)


def test_who_is_asked_tells_once() -> None:
    async def test() -> None:
        harness = Harness()
        assert harness.cluster.partition().leader_id is None
        harness.tell()
        await harness.run_until_sent()
        (report,) = harness.sent
        (told,) = report.partitions
        assert (told.index, told.last_epoch, told.log_end_offset) == (0, 3, 44)

    asyncio.run(test())


def test_a_log_that_is_not_open_yet_and_a_lost_controller_are_waited_for() -> None:
    async def test() -> None:
        harness = Harness()
        harness.open = False
        harness.failures = 2
        harness.tell()
        asyncio.get_running_loop().call_later(0.01, setattr, harness, "open", True)
        await harness.run_until_sent()
        assert len(harness.sent) == 1

    asyncio.run(test())


def test_who_is_not_asked_says_nothing() -> None:
    async def test() -> None:
        harness = Harness()
        running = asyncio.ensure_future(harness.reports.run())
        healthy = Cluster(2)
        healthy.topic("t", [1, 2])
        harness.cluster = healthy
        harness.tell()
        await asyncio.sleep(0.01)
        running.cancel()
        assert harness.sent == []

    asyncio.run(test())
