"""A log directory: what its last stop left behind, and whether it still works."""

from __future__ import annotations

import logging
from enum import Enum

from ottla.core.errors import ErrorCode, ProtocolError
from ottla.core.identifiers import Uuid
from storage.room import Room

_log = logging.getLogger(__name__)


class StopState(Enum):
    """How the process that used a directory last came to its end (SAFETY.md, rule 2)."""

    CLEAN = "clean"  # everything was synced and marked so
    PROCESS_CRASH = "process crash"  # same boot and mount: the page cache kept what was written
    UNCLEAN = "unclean"  # anything else, a new directory included: unsynced data may be gone


class LogDirectory:
    """One of `log.dirs`. A fault of the disk takes it offline until the process restarts; a full
    disk only keeps it from appending (`room`)."""

    __slots__ = (
        "checkpoints_id",
        "directory_id",
        "failure",
        "last_broker_epoch",
        "path",
        "room",
        "running",
        "stop_state",
        "suspect",
    )

    def __init__(
        self,
        path: str,
        directory_id: Uuid,
        stop_state: StopState,
        suspect: bool = False,
        last_broker_epoch: int | None = None,
        room: Room | None = None,
        checkpoints_id: str | None = None,
    ) -> None:
        self.path = path
        self.directory_id = directory_id
        self.stop_state = stop_state
        self.room = Room(path) if room is None else room
        # Of the process that used it before this one: the controller knows which that should be.
        self.last_broker_epoch = last_broker_epoch
        # A sync failed in the last run: what is read may not be on disk, nor on its way there.
        self.suspect = suspect
        # Which environment holds, or held, the checkpoints of its logs; None: not known.
        self.checkpoints_id = checkpoints_id
        self.running = False  # the mark says so, durably: appends are allowed
        self.failure: str | None = None

    @property
    def appendable(self) -> bool:
        """Whether logs may change: online, and the mark says `running`."""
        return self.running and self.failure is None

    @property
    def offline(self) -> bool:
        return self.failure is not None

    def fail(self, error: OSError) -> None:
        """Take the directory offline; the first reason is kept."""
        if self.failure is None:
            self.failure = str(error)
            _log.error("log directory %s is offline: %s", self.path, error)

    def check_online(self) -> None:
        """KAFKA_STORAGE_ERROR when the directory is offline."""
        if self.failure is not None:
            raise ProtocolError(
                ErrorCode.KAFKA_STORAGE_ERROR,
                f"log directory {self.path} is offline: {self.failure}",
            )
