"""Tombstones and values come back as they were written (values: test_heartbeat)."""

from __future__ import annotations

import pytest

from broker.groups.consumer.records import decode, encode
from broker.groups.consumer.stored import (
    ClassicSide,
    ConsumerRecord,
    CurrentRecord,
    EpochRecord,
    RegexRecord,
    StoredEpoch,
    StoredRegex,
    StoredSubscriber,
    SubscriberRecord,
    TargetEpochRecord,
    TargetRecord,
)


@pytest.mark.parametrize(
    "record",
    [
        EpochRecord("g", None),
        EpochRecord("g", StoredEpoch(7, 5)),
        RegexRecord("g", "a.*", None),
        RegexRecord("g", "a.*", StoredRegex(("ab", "ac"), 3, 9)),
        SubscriberRecord(
            "g",
            "m",
            StoredSubscriber(
                "i", "r", "c", "/h", ("t",), 5, None, "a.*", ClassicSide(6_000, (("range", b"x"),))
            ),
        ),
        SubscriberRecord("g", "m", None),
        TargetEpochRecord("g", None),
        TargetRecord("g", "m", None),
        CurrentRecord("g", "m", None),
    ],
)
def test_round_trip(record: ConsumerRecord) -> None:
    assert decode(*encode(record)) == record
