from __future__ import annotations

import asyncio
from typing import Any

from broker.network.mute import Mute


class FakeLoop:
    """Time that the test moves, and one timer."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.due: tuple[float, Any] | None = None

    def time(self) -> float:
        return self.now_s

    def call_at(self, when_s: float, callback: Any) -> Any:
        self.due = when_s, callback
        return self

    def cancel(self) -> None:
        self.due = None

    def advance(self, seconds: float) -> None:
        self.now_s += seconds
        if self.due is not None and self.due[0] <= self.now_s:
            callback, self.due = self.due[1], None
            callback()


def muted() -> tuple[FakeLoop, Mute, list[bool]]:
    loop, ended = FakeLoop(), list[bool]()
    fake: Any = loop
    mute = Mute(fake, lambda: ended.append(mute.is_on))
    return loop, mute, ended


def test_it_lasts_as_long_as_the_longest_pause() -> None:
    loop, mute, ended = muted()
    assert not mute.is_on
    mute.extend(1_000)
    mute.extend(3_000)
    mute.extend(500)
    loop.advance(1)
    assert (mute.is_on, ended) == (True, [])
    loop.advance(2)
    assert (mute.is_on, ended) == (False, [False])
    mute.extend(1_000)
    assert mute.is_on


def test_it_can_be_cancelled() -> None:
    loop, mute, ended = muted()
    mute.cancel()
    mute.extend(1_000)
    mute.cancel()
    loop.advance(10)
    assert ended == []


def test_it_runs_on_a_real_loop() -> None:
    async def test() -> None:
        over = asyncio.Event()
        mute = Mute(asyncio.get_running_loop(), over.set)
        mute.extend(1)
        async with asyncio.timeout(5):
            await over.wait()
        assert not mute.is_on

    asyncio.run(test())
