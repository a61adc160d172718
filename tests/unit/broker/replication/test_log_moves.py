"""Logs moved between directories, on disks that crash at every operation."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, cast

import pytest

from broker.replication import log_moves
from broker.replication.log_moves import LogMoves
from broker.replication.throttle import UNLIMITED, Throttle
from ottla.core.clock import ManualClock
from ottla.core.errors import ErrorCode, ProtocolError
from storage.checkpoints import Checkpoints, MemoryStore
from storage.config import LogConfig
from storage.log import Log
from storage.manager import LogManager
from storage.vfs import MemoryVfs, SimulatedCrash
from tests.support.disk import SMALL, TOPIC_ID, append, batch, read_all

SECONDS_MAX = 10.0
KEY = (TOPIC_ID, 0)
ONE, TWO = "/one", "/two"


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_moves, "RETRY_MS", 5)


class FakePartition:
    topic, index, topic_id = "t", 0, TOPIC_ID

    def __init__(self, log: Log) -> None:
        self.log = log
        self.flush_due = False

    @property
    def usable_log(self) -> Log:
        return self.log

    def request_flush(self) -> None: ...


class Broker:
    """A broker with two log directories and one log."""

    def __init__(self, seed: int = 0, config: LogConfig = SMALL) -> None:
        self.config = config
        self.vfs = MemoryVfs(seed)
        for path in (ONE, TWO):
            self.vfs.mkdirs(path)
        self.vfs.fsync_dir("/")
        self.store = MemoryStore()
        self.clock = ManualClock(timestamp_ms=1_000)
        self.start()
        self.count = 0

    def start(self, *paths: str) -> None:
        self.manager = LogManager.open(
            paths or (ONE, TWO),
            cluster_id="c",
            node_id=1,
            clock=self.clock,
            vfs=self.vfs,
            checkpoints=Checkpoints(self.store),
        )
        self.manager.mark_running(1)
        self.partitions: dict[Any, FakePartition] = {}
        self.moves = LogMoves(
            self.manager,
            cast(Any, self.partitions.get),
            Throttle(UNLIMITED),
            self.clock,
        )

    def open(self) -> Log:
        log = self.manager.open_log("t", 0, TOPIC_ID, self.config)
        self.partitions[KEY] = FakePartition(log)
        return log

    @property
    def log(self) -> Log:
        return self.partitions[KEY].log

    def fill(self, count: int) -> None:
        for _ in range(count):
            append(self.log, batch(producer_id=7, sequence=self.count))
            self.count += 1

    def request(self, path: str = TWO) -> None:
        self.moves.request("t", 0, KEY, path)

    def move(self, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Until all that was asked for is done; `meanwhile` runs between the steps."""

        async def run() -> None:
            self.moves._woken = asyncio.Event()  # each run has an event loop of its own
            task = asyncio.ensure_future(self.moves.run())
            try:
                deadline = time.monotonic() + SECONDS_MAX
                while self.moves._wanted or self.manager.moving.interrupted:
                    await asyncio.sleep(0)
                    meanwhile()
                    assert time.monotonic() < deadline
                    if task.done():
                        break
            finally:
                task.cancel()
                await asyncio.wait([task])
            if not task.cancelled():
                task.result()

        asyncio.run(run())

    def where(self) -> str:
        return self.log.directory.path

    def folders(self) -> list[str]:
        """Of logs, in all directories."""
        return [
            f"{path}/{name}"
            for path in (ONE, TWO)
            for name in self.vfs.listdir(path)
            if name.startswith("t-0")
        ]

    def check_content(self, count: int | None = None) -> None:
        wanted = self.count if count is None else count
        assert [header.base_offset for header in read_all(self.log)] == [*range(wanted)]
        assert self.log.log_end_offset == wanted


def moved_broker(seed: int = 0, count: int = 20) -> Broker:
    broker = Broker(seed)
    broker.open()
    assert broker.where() == ONE
    broker.fill(count)
    return broker


def test_a_log_is_moved_with_all_that_it_knows() -> None:
    broker = moved_broker()
    before = broker.log
    before.epochs.assign(5, before.log_end_offset)
    broker.manager.note_high_watermark(*KEY, 18)
    broker.request()
    broker.move()
    assert broker.where() == TWO
    assert broker.manager.get_log(*KEY) is broker.log
    broker.check_content()
    assert broker.log.epochs.entries == ((0, 0), (5, 20))
    assert broker.manager.high_watermark(broker.log) == 18
    assert not before.usable
    assert broker.moves.moved == 1
    assert append(broker.log, batch(producer_id=7, sequence=19), 5).duplicate
    asyncio.run(broker.manager.housekeep())
    assert broker.folders() == [f"{TWO}/t-0"]
    assert broker.vfs.listdir(f"{TWO}/t-0").count("moving") == 0
    broker.manager.close()
    broker.start()
    broker.open()
    assert broker.where() == TWO
    broker.check_content()


def test_what_is_appended_meanwhile_is_not_lost() -> None:
    broker = moved_broker()
    broker.request()
    broker.move(lambda: broker.fill(1) if broker.count < 200 else None)
    assert broker.where() == TWO
    assert broker.count > 20
    broker.check_content()


def test_there_and_back() -> None:
    broker = moved_broker()
    for path in (TWO, ONE, TWO):
        broker.request(path)
        broker.move()
        assert broker.where() == path
        broker.fill(3)
        broker.check_content()
        asyncio.run(broker.manager.housekeep())


def test_the_start_of_the_log_stays() -> None:
    broker = moved_broker()
    broker.log.advance_log_start(7)
    broker.request()
    broker.move()
    assert broker.log.log_start_offset == 7
    broker.manager.close()
    broker.start()
    assert broker.open().log_start_offset == 7


def test_an_empty_log_that_begins_late_is_moved() -> None:
    broker = moved_broker()
    broker.log.reset_to(500)
    broker.request()
    broker.move()
    assert broker.where() == TWO
    assert (broker.log.log_start_offset, broker.log.log_end_offset) == (500, 500)


def test_a_truncation_begins_the_copy_anew() -> None:
    broker = moved_broker()
    broker.request()
    done: list[int] = []

    def cut_once() -> None:
        if not done and broker.manager.moving.copies:
            done.append(1)
            broker.log.truncate_to(11)
            broker.count = 11
            append(broker.log, batch(size=300), 3)

    broker.move(cut_once)
    assert done
    assert broker.where() == TWO
    assert [h.base_offset for h in read_all(broker.log)] == [*range(12)]
    assert broker.log.epochs.entries == ((0, 0), (3, 11))


def test_a_deleted_log_takes_its_copy_along() -> None:
    broker = moved_broker()
    broker.request()

    def delete() -> None:
        if broker.manager.moving.copies and KEY in broker.partitions:
            del broker.partitions[KEY]
            broker.manager.delete_log(*KEY)

    broker.move(delete)
    asyncio.run(broker.manager.housekeep())
    assert broker.folders() == []
    assert broker.manager.moving.copies == {}


@pytest.mark.parametrize(
    ("path", "is_there", "code"),
    [
        ("/three", True, ErrorCode.LOG_DIR_NOT_FOUND),
        ("/three", False, ErrorCode.LOG_DIR_NOT_FOUND),
        (TWO, False, ErrorCode.REPLICA_NOT_AVAILABLE),
    ],
)
def test_what_cannot_be_moved(path: str, is_there: bool, code: ErrorCode) -> None:
    broker = moved_broker()
    with pytest.raises(ProtocolError) as raised:
        broker.moves.request("t", 0, KEY if is_there else None, path)
    assert raised.value.code is code


def test_a_directory_that_is_offline_takes_nothing() -> None:
    broker = moved_broker()
    broker.manager.directories[1].fail(OSError(5, "broken"))
    with pytest.raises(ProtocolError) as raised:
        broker.request()
    assert raised.value.code is ErrorCode.KAFKA_STORAGE_ERROR


def test_a_log_that_is_still_to_be_made_is_made_where_it_was_asked_for() -> None:
    broker = Broker()
    with pytest.raises(ProtocolError):
        broker.moves.request("t", 0, None, TWO)
    broker.open()
    assert broker.where() == TWO


def test_where_it_is_already_it_stays_and_a_move_is_called_off() -> None:
    broker = moved_broker()
    broker.request(TWO)
    broker.request(ONE)
    broker.move()
    assert broker.where() == ONE
    assert broker.folders() == [f"{ONE}/t-0"]


def test_a_disk_that_fails_ends_the_move_and_keeps_the_log() -> None:
    broker = moved_broker()
    broker.request()
    broker.vfs.fail("write", 5, path=TWO, times=1)
    broker.move()
    assert broker.manager.directories[1].offline
    assert broker.where() == ONE
    broker.check_content()
    broker.fill(1)


def run_until_crash(broker: Broker, operations: int) -> tuple[bool, int]:
    """Whether it crashed; and what was synced by its own account."""
    broker.vfs.crash_after(operations)
    synced = broker.log.recovery_point
    steps = 0

    def meanwhile() -> None:
        nonlocal synced, steps
        steps += 1
        if steps % 3 == 0 and broker.count < 12:
            broker.fill(1)
        synced = max(synced, broker.log.recovery_point)

    try:
        broker.move(meanwhile)
        broker.log.flush()
        synced = broker.log.recovery_point
        asyncio.run(broker.manager.housekeep())
    except SimulatedCrash:
        return True, synced
    return False, synced


@pytest.mark.parametrize("power", [False, True])
def test_a_crash_at_any_operation_loses_nothing(power: bool) -> None:
    operations = 0
    crashed = True
    ends = set()
    while crashed:
        broker = moved_broker(seed=operations, count=5)
        broker.log.flush()
        broker.request()
        crashed, synced = run_until_crash(broker, operations)
        appended = broker.count
        if power:
            broker.vfs.power_cut()
        else:
            broker.vfs.process_crash()
        broker.start()
        log = broker.open()
        ends.add(broker.where())
        end = log.log_end_offset
        assert synced <= end <= appended + 1, operations
        if not power:
            assert end >= appended, operations
        broker.check_content(end)
        # What was interrupted goes on, and can be done.
        broker.count = end
        broker.request(TWO)
        broker.move()
        assert broker.where() == TWO
        broker.check_content(end)
        asyncio.run(broker.manager.housekeep())
        assert broker.folders() == [f"{TWO}/t-0"], operations
        operations += 1
    assert operations > 20
    assert ends == {ONE, TWO}


def test_an_interrupted_move_goes_on_after_a_restart() -> None:
    broker = moved_broker()
    broker.log.flush()
    broker.request()
    broker.vfs.crash_after(12)
    with pytest.raises(SimulatedCrash):
        broker.move()
    broker.vfs.process_crash()
    broker.start()
    broker.open()
    assert broker.where() == ONE
    broker.move()
    assert broker.where() == TWO
    broker.check_content()


def test_a_copy_is_not_taken_for_the_log_while_that_may_be_elsewhere() -> None:
    broker = moved_broker()
    broker.log.flush()
    copy = broker.manager.moving.begin(broker.log, broker.manager.directories[1])
    broker.manager.moving.note_complete(copy)
    broker.vfs.process_crash()
    broker.vfs.fail("listdir", 5, path=ONE, times=1_000)
    broker.vfs.fail("open", 5, path=ONE, times=1_000)
    broker.start()
    assert broker.manager.directories[0].offline
    with pytest.raises(ProtocolError) as raised:
        broker.open()
    assert raised.value.code is ErrorCode.KAFKA_STORAGE_ERROR
    broker.vfs.heal()
    broker.vfs.process_crash()
    broker.start()
    broker.open()
    assert broker.where() == ONE
    broker.check_content()


@pytest.mark.parametrize("seed", range(20))
def test_what_the_copy_calls_synced_outlives_a_power_cut(seed: int) -> None:
    """Also when it undoes the renaming of the folder before."""
    broker = moved_broker(seed)
    log, manager = broker.log, broker.manager
    copy = manager.moving.begin(log, manager.directories[1])
    while (piece := log.read(copy.log_end_offset, 10_000, end_offset=20)) is not None:
        copy.append_as_follower(memoryview(piece.read()))
    copy.flush()
    manager.moving.note_complete(copy)
    assert log.recovery_point < copy.recovery_point == 20
    manager.replace(log, copy)
    copy.take_place_of(log)
    broker.partitions[KEY].log = copy
    assert copy.recovery_point == log.recovery_point
    broker.fill(5)
    if seed % 2:
        copy.flush()
        assert copy.recovery_point == 25
    synced = copy.recovery_point
    broker.vfs.power_cut()
    broker.start()
    end = broker.open().log_end_offset
    assert synced <= end <= 25
    broker.check_content(end)


@pytest.mark.parametrize("is_complete", [False, True])
def test_without_its_log_only_a_complete_copy_counts(is_complete: bool) -> None:
    broker = moved_broker()
    copy = broker.manager.moving.begin(broker.log, broker.manager.directories[1])
    piece = broker.log.read(0, 500, end_offset=20)
    assert piece is not None
    copy.append_as_follower(memoryview(piece.read()))
    copy.flush()
    if is_complete:
        broker.manager.moving.note_complete(copy)
    broker.vfs.process_crash()
    broker.start(TWO)
    log = broker.open()
    assert log.log_end_offset == (piece.end_offset if is_complete else 0)
