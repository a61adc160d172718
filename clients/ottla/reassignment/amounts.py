"""Bytes, rates and times as people write and read them; pure."""

from __future__ import annotations

import re
from typing import Final

_UNITS: Final = ("B", "kB", "MB", "GB", "TB")
_RATE: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([kKmMgG]?)(?:i?[bB])?(?:/s)?")
_FACTORS: Final = {"": 1, "k": 1_000, "m": 1_000_000, "g": 1_000_000_000}


def parse_rate(text: str) -> int | None:
    """Bytes a second of '50MB/s', '50M' or '50000000'; None for anything else, and for 0."""
    match = _RATE.fullmatch(text.strip())
    if match is None:
        return None
    return int(float(match[1]) * _FACTORS[match[2].lower()]) or None


def bytes_text(size: float) -> str:
    """'12.3 MB', in powers of 1,000."""
    for unit in _UNITS:
        if size < 999.5 or unit == _UNITS[-1]:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1_000
    raise AssertionError(size)


def time_text(seconds: float | None) -> str:
    """'1 h 05 min', '4 min 10 s', '12 s'; '?' where it is not known."""
    if seconds is None:
        return "?"
    whole = round(seconds)
    if whole >= 3_600:
        return f"{whole // 3_600} h {whole % 3_600 // 60:02} min"
    return f"{whole // 60} min {whole % 60:02} s" if whole >= 60 else f"{whole} s"
