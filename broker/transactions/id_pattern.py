"""Patterns of transactional ids (KIP-1152), from a stranger: bounded in what they may cost.

Python's expressions backtrack: one repetition inside another can take for ever. Such patterns,
references to groups and looking around are refused, as the RE2 that Kafka uses refuses most.
"""

from __future__ import annotations

import re
from typing import Final

from ottla.core.errors import ErrorCode, ProtocolError

PATTERN_LENGTH_MAX: Final = 1_000
_REPEATS_MAX: Final = 20
_REPEATED_GROUP: Final = re.compile(r"\)[*+?{]")
_UNBOUNDED: Final = re.compile(r"[*+{]")
_BEYOND_RE2: Final = re.compile(r"\\[1-9]|\(\?(?:=|!|<=|<!|P=|\()")


def id_pattern(pattern: str | None) -> re.Pattern[str] | None:
    """None: no filter. INVALID_REGULAR_EXPRESSION."""
    if not pattern:
        return None
    if (
        len(pattern) > PATTERN_LENGTH_MAX
        or _REPEATED_GROUP.search(pattern)
        or _BEYOND_RE2.search(pattern)
        or len(_UNBOUNDED.findall(pattern)) > _REPEATS_MAX
    ):
        raise ProtocolError(
            ErrorCode.INVALID_REGULAR_EXPRESSION, "the pattern is too long or may take for ever"
        )
    try:
        return re.compile(pattern)
    except re.error as error:
        raise ProtocolError(ErrorCode.INVALID_REGULAR_EXPRESSION, str(error)) from error
