import asyncio

import pytest

from broker.handlers import admin_calls
from broker.handlers.admin_calls import WAIT_MS_MAX, ask, bounded_timeout, repeated
from ottla.core.errors import ErrorCode, ProtocolError


def test_names_that_occur_more_than_once() -> None:
    assert repeated(["a", "b", "a", "c", "c", "a"]) == {"a", "c"}


@pytest.mark.parametrize(
    ("asked", "given"), [(-1, 0), (0, 0), (5_000, 5_000), (2**31 - 1, WAIT_MS_MAX)]
)
def test_the_wait_is_bounded(asked: int, given: int) -> None:
    assert bounded_timeout(asked) == given


def test_an_answer_passes_and_silence_is_a_time_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admin_calls, "_GRACE_MS", 1)

    async def test() -> None:
        async def answer() -> int:
            return 7

        assert await ask(answer(), 100) == 7
        with pytest.raises(ProtocolError) as caught:
            await ask(asyncio.Event().wait(), 0)
        assert caught.value.code == ErrorCode.REQUEST_TIMED_OUT

    asyncio.run(test())
