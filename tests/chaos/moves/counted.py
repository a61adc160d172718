"""What brokers count of the bytes that move: their metrics, read again and again."""

from __future__ import annotations

import threading
import time
import urllib.error
import urllib.request
from collections.abc import Sequence

from ottla.testing import Cluster

EVERY_SECONDS = 0.25
WINDOW_SECONDS = 5.0
_THROTTLED = "ottla_replication_throttled_bytes_total"
_RECEIVED = "ottla_topic_replication_received_bytes_total"
RECEIVED = "received"
"""As if it were a role: what followers took of the topic, in sync or not."""


class Counted(threading.Thread):
    """Bytes sent and taken by throttled replicas, by broker and role, since it was made; RECEIVED
    of `topic`. A process that was killed takes its last count along, and the next begins at 0."""

    def __init__(self, cluster: Cluster, broker_ids: Sequence[int], topic: str) -> None:
        super().__init__(name="counted", daemon=True)
        self.samples: list[tuple[float, dict[tuple[int, str], float]]] = []
        """(monotonic seconds, sums) of each look."""
        self._cluster = cluster
        self._broker_ids = broker_ids
        self._received = f'{_RECEIVED}{{topic="{topic}"}} '
        self._last: dict[tuple[int, str], float] = {}
        self._sums: dict[tuple[int, str], float] = {}
        self._stopping = threading.Event()
        self._looking = threading.Lock()
        self.look()
        self._sums = dict.fromkeys(self._sums, 0.0)
        self.samples = [(time.monotonic(), dict(self._sums))]

    def run(self) -> None:
        while not self._stopping.wait(EVERY_SECONDS):
            self.look()

    def stop(self) -> None:
        self._stopping.set()
        self.join(30)
        self.look()

    def of(self, broker_id: int, role: str, at_s: float | None = None) -> float:
        """At the end or at a time."""
        sums = self.samples[-1][1]
        if at_s is not None:
            sums = next((s for when, s in reversed(self.samples) if when <= at_s), {})
        return sums.get((broker_id, role), 0.0)

    def fastest(self, broker_id: int, role: str) -> float:
        """Bytes a second in the busiest WINDOW_SECONDS."""
        key, fastest, first = (broker_id, role), 0.0, 0
        for when, sums in self.samples:
            while self.samples[first + 1][0] <= when - WINDOW_SECONDS:
                first += 1
            since, before = self.samples[first]
            if when - since >= WINDOW_SECONDS:
                moved = sums.get(key, 0.0) - before.get(key, 0.0)
                fastest = max(fastest, moved / (when - since))
        return fastest

    def mean(self, broker_id: int, role: str) -> float:
        """Bytes a second from the first to the last that moved."""
        key = (broker_id, role)
        values = [(when, sums.get(key, 0.0)) for when, sums in self.samples]
        last = values[-1][1]
        begun = max((when for when, size in values if size == 0.0), default=values[0][0])
        ended = next(when for when, size in values if size >= last)
        return last / (ended - begun) if ended > begun else 0.0

    def look(self, broker_ids: Sequence[int] = ()) -> None:
        """Now, at these or all brokers."""
        with self._looking:
            self._look(broker_ids or self._broker_ids)

    def _look(self, broker_ids: Sequence[int]) -> None:
        for broker_id in broker_ids:
            try:
                address = self._cluster.http_address(broker_id)
                with urllib.request.urlopen(f"http://{address}/metrics", timeout=2) as page:
                    text = page.read().decode()
            except (OSError, urllib.error.URLError):
                continue
            for line in text.splitlines():
                if line.startswith(_THROTTLED):
                    role = line.split('role="', 1)[1].split('"', 1)[0]
                    self._note((broker_id, role), float(line.rsplit(" ", 1)[1]))
                elif line.startswith(self._received):
                    self._note((broker_id, RECEIVED), float(line.rsplit(" ", 1)[1]))
        self.samples.append((time.monotonic(), dict(self._sums)))

    def _note(self, key: tuple[int, str], value: float) -> None:
        before = self._last.get(key, 0.0)
        self._last[key] = value
        self._sums[key] = self._sums.get(key, 0.0) + (value - before if value >= before else value)
