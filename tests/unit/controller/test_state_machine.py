from __future__ import annotations

import asyncio
import threading

import pytest

from controller import state_machine
from controller.generated import metadata_pb2 as pb
from controller.state_machine import Applied, Crossing, Event, MetadataStateMachine, Restored
from ottla.core.errors import DecodeError, ErrorCode

TAKE_OFFICE = pb.Command(
    controller_epoch=1, take_office=pb.TakeOffice(controller_id=1, cluster_id="c")
).SerializeToString()


class Received(Crossing):
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def send(self, event: Event) -> None:
        self.events.append(event)


def test_commands_change_the_state_and_are_told() -> None:
    received = Received()
    machine = MetadataStateMachine(received)
    assert pb.Result.FromString(machine.apply(7, 1, TAKE_OFFICE)).error_code == 0
    assert pb.Result.FromString(machine.apply(8, 1, TAKE_OFFICE)).error_code == 0
    first, second = received.events
    assert isinstance(first, Applied)
    assert first.index == 7
    assert first.records
    assert second == Applied(8, ())


@pytest.mark.parametrize("command", [b"\xff\xff\xff", b""])
def test_what_cannot_be_read_or_is_unknown_changes_nothing(command: bytes) -> None:
    received = Received()
    machine = MetadataStateMachine(received)
    assert pb.Result.FromString(machine.apply(7, 1, command)).error_code
    assert received.events == [Applied(7, ())]


def test_a_decision_that_fails_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(state_machine, "decide", fail)
    machine = MetadataStateMachine(Received())
    result = pb.Result.FromString(machine.apply(7, 1, TAKE_OFFICE))
    assert result.error_code == ErrorCode.UNKNOWN_SERVER_ERROR


def test_a_snapshot_carries_state_and_offset() -> None:
    machine = MetadataStateMachine(Received())
    machine.apply(7, 1, TAKE_OFFICE)
    machine.apply(8, 1, TAKE_OFFICE)
    received = Received()
    other = MetadataStateMachine(received)
    other.restore(machine.snapshot())
    assert other.snapshot() == machine.snapshot()
    (restored,) = received.events
    assert isinstance(restored, Restored)
    assert restored.offset == 7
    assert restored.records
    with pytest.raises(DecodeError):
        other.restore(b"\xff")


def test_events_cross_in_order_and_wait_for_the_receiver() -> None:
    async def test() -> None:
        crossing = Crossing(asyncio.get_running_loop())
        events = [Applied(index, ()) for index in range(200)]

        def send() -> None:
            for event in events:
                crossing.send(event)

        received: list[Event] = []
        crossing.send(Applied(1000, ()))
        await asyncio.sleep(0)
        crossing.connect(received.append)
        assert received == [Applied(1000, ())]
        thread = threading.Thread(target=send)
        thread.start()
        async with asyncio.timeout(5):
            while len(received) < 201:  # noqa: ASYNC110 - another thread brings them
                await asyncio.sleep(0.001)
        thread.join()
        assert received[1:] == events

    asyncio.run(test())


def test_after_the_loop_has_closed_nothing_happens() -> None:
    loop = asyncio.new_event_loop()
    crossing = Crossing(loop)
    crossing.connect(lambda event: None)
    loop.close()
    crossing.send(Applied(1, ()))
