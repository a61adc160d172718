from __future__ import annotations

import asyncio

import pytest

from controller.fencing import refuses


class Writer:
    closed = False

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize(
    ("error", "refused"),
    [
        (ConnectionRefusedError(), True),
        (ConnectionResetError(), False),
        (OSError("no route"), False),
        (TimeoutError(), False),
        (None, False),
    ],
)
def test_only_a_refusal_proves_anything(
    error: Exception | None, refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = Writer()

    async def connect(host: str, port: int) -> tuple[None, Writer]:
        assert (host, port) == ("h", 7)
        if error is not None:
            raise error
        return None, writer

    monkeypatch.setattr(asyncio, "open_connection", connect)
    assert asyncio.run(refuses(100)("h", 7)) is refused
    assert writer.closed is (error is None)


def test_silence_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async def connect(host: str, port: int) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(asyncio, "open_connection", connect)
    assert asyncio.run(refuses(1)("h", 7)) is False
