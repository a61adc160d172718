"""The loop that the simulation stands on: virtual time, processes that pause and die."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.simulation.loop import Process, Stalled, VirtualLoop


@pytest.fixture
def loop() -> Iterator[VirtualLoop]:
    loop = VirtualLoop()
    yield loop
    loop.close()


def test_time_jumps_to_the_next_timer_in_order(loop: VirtualLoop) -> None:
    heard: list[tuple[str, float]] = []

    async def sleeper(name: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        heard.append((name, loop.now))

    async def both() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(sleeper("late", 3600.0))
            group.create_task(sleeper("early", 0.5))

    loop.run_until_complete(both())
    assert heard == [("early", 0.5), ("late", 3600.0)]


def test_each_process_lives_by_its_own_clock(loop: VirtualLoop) -> None:
    fast = Process(loop, "fast", rate=2.0, offset_s=100.0)

    async def work() -> tuple[int, float]:
        before = fast.now_ms()
        await asyncio.sleep(10)
        async with asyncio.timeout(10):
            await asyncio.sleep(2)
        return fast.now_ms() - before, loop.time()

    assert loop.run_until_complete(fast.spawn(work())) == (12_000, 112.0)
    assert loop.now == 6.0


def test_a_paused_process_goes_on_where_it_stood(loop: VirtualLoop) -> None:
    process = Process(loop, "one")
    heard: list[str] = []

    async def work() -> None:
        for number in range(3):
            await asyncio.sleep(1)
            heard.append(f"{number} at {loop.now:g}")

    task = process.spawn(work())
    loop.schedule(1.5, process.pause)
    loop.schedule(5.0, process.resume)
    loop.run_until_complete(task)
    assert heard == ["0 at 1", "1 at 5", "2 at 6"]


def test_of_a_dead_process_nothing_runs_any_more(loop: VirtualLoop) -> None:
    process = Process(loop, "one")
    heard: list[str] = []

    async def work() -> None:
        try:
            await asyncio.sleep(1)
        finally:
            heard.append("finally")

    task = process.spawn(work())
    loop.schedule(0.5, process.kill)
    loop.run_until_complete(asyncio.sleep(10))
    assert heard == []
    process.resume()
    assert not process.alive
    task.cancel()
    with pytest.raises(Stalled):
        loop.run_until_complete(task)
    assert heard == []


def test_a_threads_work_takes_the_disks_time(loop: VirtualLoop) -> None:
    process = Process(loop, "one")
    process.disk_delay = lambda: (2.0, 3.0)
    done: list[float] = []
    loop.run_until_complete(process.spawn(asyncio.to_thread(lambda: done.append(loop.now))))
    assert done == [2.0]
    assert loop.now == 5.0
