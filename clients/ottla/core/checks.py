"""Checks of our own invariants; unlike ``assert`` they stay on under ``python -O``."""

from __future__ import annotations

from ottla.core.errors import InvariantError


def check(condition: bool, message: str, **state: object) -> None:
    """Raise InvariantError with `message` and the named state unless `condition` holds.

    For our bugs only: what a peer or a disk can cause has its own error kinds.
    """
    if not condition:
        shown = ", ".join(f"{name}={value!r}" for name, value in state.items())
        raise InvariantError(f"{message} ({shown})" if shown else message)
