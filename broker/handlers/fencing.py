"""How a fenced producer is told in versions before KIP-588."""

from __future__ import annotations

from ottla.core.errors import ErrorCode


def fenced_code(code: ErrorCode, *, is_new: bool) -> ErrorCode:
    """PRODUCER_FENCED as the version knows it: clients from before take INVALID_PRODUCER_EPOCH as
    fatal, and do not know the other."""
    if code is ErrorCode.PRODUCER_FENCED and not is_new:
        return ErrorCode.INVALID_PRODUCER_EPOCH
    return code
