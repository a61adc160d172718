"""The `match` of a subscription to client metrics, in RE2's syntax, which takes linear time. Pure.

Controllers check it, brokers go by it. As with the expressions of consumer groups there are no back
references and no look-around; Kafka, whose administrators write these, takes Java's expressions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import re2

from ottla.core.client_metrics_configs import match_entries

_OPTIONS: Final = re2.Options()
_OPTIONS.max_mem = 1 << 20
_OPTIONS.log_errors = False


class ClientMatch:
    """Which clients a subscription is for."""

    def __init__(self, value: str) -> None:
        """ValueError: one sentence that names the entry that cannot be read. Of two expressions
        for one selector the last holds, as in Kafka."""
        self._patterns: dict[str, Any] = {}
        for selector, expression in match_entries(value):
            try:
                self._patterns[selector] = re2.compile(expression, options=_OPTIONS)
            except re2.error as error:
                reason = error.args[0] if error.args else b""
                told = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else reason
                raise ValueError(
                    f"match: {expression!r} of {selector} is no RE2 expression: {told}"
                ) from None

    def holds(self, client: Mapping[str, str]) -> bool:
        """Whether all expressions match the whole of the client's values, by selector."""
        return all(
            pattern.fullmatch(client.get(selector, ""))
            for selector, pattern in self._patterns.items()
        )
