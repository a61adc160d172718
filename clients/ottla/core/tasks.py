"""Starting work in a task group that may be ending at this moment."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def start_in(
    group: asyncio.TaskGroup | None, work: Coroutine[Any, Any, T]
) -> asyncio.Task[T] | None:
    """Start `work` in `group`; where the group takes no more, close `work` and return None.

    A group refuses with RuntimeError from the moment one of its tasks has failed or it was
    cancelled, which is before its owner can say so by an attribute that is None.
    """
    if group is not None:
        try:
            return group.create_task(work)
        except RuntimeError:
            pass
    work.close()
    return None
