"""Failures of storage that others must tell apart. All reach clients as KAFKA_STORAGE_ERROR."""

from __future__ import annotations

import errno

from ottla.core.errors import ErrorCode, ProtocolError

DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
NO_DESCRIPTOR = frozenset({errno.EMFILE, errno.ENFILE})
"""Too many files are open: no fault of the disk. Nothing was changed, and it may be tried again."""


class DiskFull(ProtocolError):
    """Nothing was changed, and it may be tried again once there is room."""

    def __init__(self, message: str) -> None:
        super().__init__(ErrorCode.KAFKA_STORAGE_ERROR, message)


class LogDamaged(ProtocolError):
    """What was synced is not there any more: the replica must be made again from its leader."""

    def __init__(self, message: str) -> None:
        super().__init__(ErrorCode.KAFKA_STORAGE_ERROR, message)


class IndexesNotSaved(OSError):
    """The batches of a segment are synced, but there is no room for its indexes.

    They are written as a whole the next time, so it may be tried again, unlike a failed sync.
    """
