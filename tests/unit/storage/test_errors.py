from __future__ import annotations

import errno

from ottla.core.errors import ErrorCode
from storage.errors import DISK_FULL, DiskFull, LogDamaged


def test_clients_see_a_storage_error_that_may_be_tried_again() -> None:
    for error in (DiskFull("full"), LogDamaged("broken")):
        assert error.code is ErrorCode.KAFKA_STORAGE_ERROR
        assert error.retriable
        assert error.message in ("full", "broken")


def test_a_quota_counts_as_a_full_disk_and_a_broken_one_does_not() -> None:
    assert {errno.ENOSPC, errno.EDQUOT} == DISK_FULL
