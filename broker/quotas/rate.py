"""How fast something was over the last seconds, in windows; Kafka's Rate over SampledStat. Pure.

A rate is taken over all windows but the one in progress, also when it began later: who was idle may
at first take as much as the quota gives in that time.
"""

from __future__ import annotations

from collections import deque
from typing import Final

WINDOWS: Final = 11
"""quota.window.num: those kept, with the one in progress."""
WINDOW_MS: Final = 1_000
"""quota.window.size.seconds."""


class WindowedRate:
    """What was recorded, by window; at most `windows` numbers."""

    __slots__ = ("_samples", "_window_ms", "_windows")

    def __init__(self, windows: int = WINDOWS, window_ms: int = WINDOW_MS) -> None:
        self._windows = windows
        self._window_ms = window_ms
        self._samples: deque[tuple[int, float]] = deque(maxlen=windows)  # (begun at, amount)

    def record(self, amount: float, now_ms: int) -> None:
        if self._samples and now_ms - self._samples[-1][0] < self._window_ms:
            begun_ms, before = self._samples.pop()
            self._samples.append((begun_ms, before + amount))
        else:
            self._samples.append((now_ms, amount))

    def throttle_ms(self, limit: float, now_ms: int, amount: float = 0.0) -> int:
        """How long to pause until the rate, with `amount` more, is `limit` a second; 0: no time."""
        samples = self._samples
        while samples and now_ms - samples[0][0] >= self._windows * self._window_ms:
            samples.popleft()
        elapsed_ms = now_ms - samples[0][0] if samples else 0
        missing = self._windows - 1 - elapsed_ms // self._window_ms
        if missing > 0:
            elapsed_ms += missing * self._window_ms
        # With a single window there is no complete one to measure by.
        elapsed_ms = max(elapsed_ms, self._window_ms)
        rate = (sum(recorded for _, recorded in samples) + amount) * 1_000 / elapsed_ms
        return 0 if rate <= limit else round((rate - limit) / limit * elapsed_ms)

    @property
    def is_idle(self) -> bool:
        """Nothing was recorded in the windows, as `throttle_ms` saw them last."""
        return not self._samples

    def burst(self, limit: float) -> float:
        """The most that is taken at once without a pause."""
        return limit * max(self._windows - 1, 1) * self._window_ms / 1_000
