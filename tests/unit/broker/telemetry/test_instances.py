from __future__ import annotations

import pytest

from broker.telemetry import instances
from broker.telemetry.instances import ClientInstance, ClientInstances
from broker.telemetry.subscriptions import Subscriptions
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.core.identifiers import Uuid

INTERVAL = 1_000
APP = {"client_id": "app"}


def uuid(number: int) -> Uuid:
    return number.to_bytes(16, "big")


class Room:
    def __init__(self) -> None:
        self.forgotten: list[Uuid] = []
        self.instances = ClientInstances(self.forgotten.append)
        self.subscribe(metrics="*", interval=INTERVAL)

    def subscribe(self, *, metrics: str, interval: int) -> None:
        values = {"metrics": metrics, "interval.ms": str(interval)}
        self.instances.set_subscriptions(Subscriptions({"s": values}))

    def find(self, number: int = 5, now_ms: int = 0) -> ClientInstance:
        return self.instances.find(uuid(number), APP, now_ms)

    def get(self, now_ms: int) -> ErrorCode:
        return outcome(lambda: self.find(now_ms=now_ms).check_get(now_ms))

    def push(self, now_ms: int, *, terminating: bool = False) -> ErrorCode:
        instance = self.find(now_ms=now_ms)
        return outcome(lambda: instance.check_push(now_ms, terminating=terminating))


def outcome(call: object) -> ErrorCode:
    assert callable(call)
    try:
        call()
    except ProtocolError as error:
        return error.code
    return ErrorCode.NONE


THROTTLED, NONE = ErrorCode.THROTTLING_QUOTA_EXCEEDED, ErrorCode.NONE


def test_one_get_and_one_push_an_interval() -> None:
    room = Room()
    assert room.get(0) is NONE
    assert room.get(INTERVAL - 1) is THROTTLED
    assert room.push(INTERVAL // 2) is NONE  # the client's jitter: after a get at any time
    assert room.push(INTERVAL // 2 + INTERVAL - 1) is THROTTLED
    assert room.get(INTERVAL // 2 + INTERVAL - 1) is THROTTLED
    assert room.push(INTERVAL // 2 + INTERVAL) is NONE
    assert room.get(INTERVAL // 2 + 2 * INTERVAL) is NONE


def test_a_client_that_comes_from_another_broker_may_push_at_once() -> None:
    room = Room()
    assert room.push(0) is NONE
    assert room.push(1) is THROTTLED


def test_the_last_push_may_come_early_and_is_the_last() -> None:
    room = Room()
    assert room.push(0) is NONE
    assert room.push(1, terminating=True) is NONE
    assert room.push(5 * INTERVAL) is ErrorCode.INVALID_REQUEST


@pytest.mark.parametrize(
    ("error", "allowed"),
    [
        (ErrorCode.UNKNOWN_SUBSCRIPTION_ID, True),
        (ErrorCode.UNSUPPORTED_COMPRESSION_TYPE, True),
        (ErrorCode.TELEMETRY_TOO_LARGE, False),
    ],
)
def test_who_was_told_to_ask_again_may(error: ErrorCode, allowed: bool) -> None:
    room = Room()
    assert room.get(0) is NONE
    assert room.push(10) is NONE
    room.find(now_ms=10).last_error = error
    assert room.get(20) is (NONE if allowed else THROTTLED)
    assert room.get(21) is THROTTLED  # once
    assert room.push(22) is (NONE if allowed else THROTTLED)


def test_other_subscriptions_are_told_at_once() -> None:
    room = Room()
    before = room.find().subscription_id
    assert room.get(0) is NONE
    room.subscribe(metrics="org.", interval=INTERVAL)
    assert room.get(1) is NONE
    assert room.find().subscription_id != before
    assert room.forgotten == [uuid(5)]  # what it sent may not be wanted any more


def test_the_same_subscriptions_keep_what_was_sent() -> None:
    room = Room()
    assert room.get(0) is NONE
    room.subscribe(metrics="*", interval=INTERVAL)
    assert room.get(1) is NONE
    assert room.forgotten == []


def test_silent_instances_are_forgotten() -> None:
    room = Room()
    room.find(1, 0)
    room.find(2, 40_000)
    assert room.instances.maybe_sweep(60_000)
    assert room.forgotten == []
    assert not room.instances.maybe_sweep(60_001)  # looked at a moment ago
    assert room.instances.maybe_sweep(70_001)
    assert room.forgotten == [uuid(1)]
    room.subscribe(metrics="*", interval=100_000)
    room.find(2, 80_000)
    assert room.instances.maybe_sweep(380_000)
    assert len(room.instances) == 1
    assert room.instances.maybe_sweep(390_001)
    assert len(room.instances) == 0


def test_of_too_many_the_one_silent_longest_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instances, "INSTANCES_MAX", 2)
    room = Room()
    room.find(1, 0)
    room.find(2, 1)
    room.find(1, 2)
    room.find(3, 3)
    assert room.forgotten == [uuid(2)]
    assert len(room.instances) == 2
