"""What was sent and acknowledged, and whether just that was read."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from tests.conformance.clients.shared.python.contract import Mismatch, expect
from tests.conformance.clients.shared.python.driver import (
    Consumer,
    Headers,
    Place,
    Producer,
    Record,
)

ACKNOWLEDGED_SECONDS_MAX = 60.0
READ_SECONDS_MAX = 40.0
EXTRA_SECONDS = 1.0
"""How long to wait for records that should not be there."""

Content = tuple[bytes | None, bytes | None, tuple[tuple[str, bytes | None], ...]]


@dataclass(slots=True)
class Sent:
    """Everything that was sent to one topic, in order."""

    producer: Producer
    topic: str
    _contents: list[Content] = field(default_factory=list)
    _places: list[Future[Place]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self._contents)

    def send(
        self,
        value: bytes | None,
        *,
        key: bytes | None = None,
        partition: int | None = None,
        headers: Headers = (),
        timestamp_ms: int | None = None,
    ) -> Future[Place]:
        place = self.producer.send(
            self.topic,
            value,
            key=key,
            partition=partition,
            headers=headers,
            timestamp_ms=timestamp_ms,
        )
        self._contents.append((key, value, tuple(headers)))
        self._places.append(place)
        return place

    def acknowledged(self) -> dict[int, list[Content]]:
        """By partition, in the order of sending; the error of the first that failed."""
        found: dict[int, list[Content]] = defaultdict(list)
        deadline = time.monotonic() + ACKNOWLEDGED_SECONDS_MAX
        for content, place in zip(self._contents, self._places, strict=True):
            partition, _ = place.result(max(0.1, deadline - time.monotonic()))
            found[partition].append(content)
        return found


def content_of(record: Record) -> Content:
    return record.key, record.value, record.headers


def read(consumer: Consumer, count: int, seconds: float = READ_SECONDS_MAX) -> list[Record]:
    """Poll until that many records came, and then a second more for any that should not."""
    found: list[Record] = []
    deadline = time.monotonic() + seconds
    while len(found) < count and time.monotonic() < deadline:
        found += consumer.poll(0.2)
    until = time.monotonic() + EXTRA_SECONDS
    while time.monotonic() < until:
        found += consumer.poll(0.2)
    return found


def check_read(expected: dict[int, list[Content]], records: Iterable[Record]) -> int:
    """All of it, in order, nothing twice; how many. Mismatch names the first difference."""
    found: dict[int, list[Content]] = defaultdict(list)
    for record in records:
        found[record.partition].append(content_of(record))
    for partition in sorted(expected.keys() | found.keys()):
        _check_partition(partition, expected.get(partition, []), found.get(partition, []))
    return sum(map(len, expected.values()))


def _check_partition(partition: int, expected: Sequence[Content], found: Sequence[Content]) -> None:
    if expected == found:
        return
    twice = sum(count - 1 for count in Counter(found).values() if count > 1)
    lost = len(set(expected) - set(found))
    at = next(
        (n for n, pair in enumerate(zip(expected, found, strict=False)) if pair[0] != pair[1]),
        min(len(expected), len(found)),
    )
    raise Mismatch(
        f"partition {partition}: {len(expected)} expected, {len(found)} read, {lost} lost, "
        f"{twice} twice; the first difference is at {at}: {_short(expected, at)}, "
        f"read {_short(found, at)}"
    )


def _short(contents: Sequence[Content], at: int) -> str:
    return repr(contents[at])[:80] if at < len(contents) else "nothing"


def check_spread(expected: dict[int, list[Content]], partitions: int) -> None:
    expect(
        set(expected) == set(range(partitions)), f"only partitions {sorted(expected)} got messages"
    )
