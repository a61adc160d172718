"""Seeds that once found something, with what it was; they stay right from then on."""

from __future__ import annotations

from typing import Final

REGRESSIONS: Final[tuple[tuple[int, str], ...]] = (
    (1, "in durable mode a new leader counted its own log end before it was synced"),
)
