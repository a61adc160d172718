"""Regular expressions of subscriptions, in RE2's syntax, which is matched in linear time.

Kafka's broker takes the same syntax (RE2/J): no back references and no look-around. An expression
must match a topic's whole name. Internal topics are matched by none.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final

import re2

from ottla.core.errors import ErrorCode, ProtocolError

REGEX_LENGTH_MAX: Final = 4_096
_INTERNAL: Final = frozenset({"__consumer_offsets", "__transaction_state"})
_OPTIONS: Final = re2.Options()
_OPTIONS.max_mem = 1 << 20
_OPTIONS.log_errors = False


def check_regex(regex: str) -> None:
    """INVALID_REGULAR_EXPRESSION."""
    if len(regex) > REGEX_LENGTH_MAX:
        raise ProtocolError(
            ErrorCode.INVALID_REGULAR_EXPRESSION,
            f"the expression has {len(regex)} characters; {REGEX_LENGTH_MAX} are allowed",
        )
    _compile(regex)


def matching_topics(regex: str, names: Iterable[str]) -> tuple[str, ...]:
    """The names that `regex` stands for, sorted."""
    pattern = _compile(regex)
    return tuple(sorted(n for n in names if n not in _INTERNAL and pattern.fullmatch(n)))


@lru_cache(maxsize=256)
def _compile(regex: str) -> Any:
    try:
        return re2.compile(regex, options=_OPTIONS)
    except re2.error as error:
        reason = error.args[0] if error.args else b""
        told = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise ProtocolError(
            ErrorCode.INVALID_REGULAR_EXPRESSION, f"{regex!r} is no RE2 expression: {told}"
        ) from None
