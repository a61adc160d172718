"""pysyncobj, pinned and disarmed: the only module that imports it.

Everything in this folder rests on the inner workings of one release, so any other one is refused at
import. (0.3.15 and earlier persist neither term nor vote.) Disarmed here: the journal that it would
open, every pickle that it would read or write, and its wake-up pipe, which nothing closes.
"""

from __future__ import annotations

from typing import Any

import pysyncobj.syncobj as syncobj
from pysyncobj import SyncObj, SyncObjConf
from pysyncobj.node import Node
from pysyncobj.transport import Transport
from pysyncobj.version import VERSION

from ottla.core.errors import ConfigError, InvariantError

__all__ = [
    "CANDIDATE",
    "FOLLOWER",
    "LEADER",
    "NO_OP",
    "REGULAR",
    "Node",
    "SyncObj",
    "SyncObjConf",
    "Transport",
    "now",
    "syncobj",
]

SUPPORTED_VERSION = "0.3.17"
FOLLOWER, CANDIDATE, LEADER = 0, 1, 2
REGULAR, NO_OP = b"\x00", b"\x01"  # the first byte of an entry


def require_supported(version: str) -> None:
    """ConfigError for any release but the one whose faults are known."""
    if version != SUPPORTED_VERSION:
        raise ConfigError(
            f"pysyncobj {version} is installed, but the controller quorum is safe only with "
            f"{SUPPORTED_VERSION}: install pysyncobj=={SUPPORTED_VERSION}"
        )


class _NoPickle:
    """Stands where the library looks for pickle: a pickle is code of whoever wrote it."""

    def __getattr__(self, name: str) -> Any:
        raise InvariantError(f"pysyncobj asked for pickle.{name}; nothing here is pickled")


def now() -> float:
    """The library's clock, seconds; tests replace `syncobj.monotonicTime`."""
    seconds: float = syncobj.monotonicTime()
    return seconds


require_supported(VERSION)
syncobj.createJournal = lambda journal: journal  # `journalFile` holds our Journal itself
syncobj.pickle = _NoPickle()
syncobj.PIPE_NOTIFIER_ENABLED = False
