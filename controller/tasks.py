"""Errors of task groups: one cause stays one exception, for those who tell kinds apart."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def single_error() -> Iterator[None]:
    """Around a TaskGroup: a group of one exception becomes that exception."""
    try:
        yield
    except BaseExceptionGroup as group:
        # One error of a task that was also awaited inside the group is in it twice.
        errors = list({id(error): error for error in _leaves(group)}.values())
        if len(errors) == 1:
            raise errors[0] from None
        raise


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error
