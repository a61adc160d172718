from __future__ import annotations

import pytest

from ottla.core.errors import ErrorCode, ProtocolError
from storage.directory import LogDirectory, StopState


def test_a_directory_takes_appends_once_it_is_marked_and_until_it_fails() -> None:
    directory = LogDirectory("/d", bytes(16), StopState.CLEAN)
    assert not directory.appendable
    directory.running = True
    assert directory.appendable
    directory.check_online()
    directory.fail(OSError(5, "first"))
    directory.fail(OSError(5, "second"))
    assert directory.offline
    assert not directory.appendable
    with pytest.raises(ProtocolError, match=r"/d is offline: .*first") as caught:
        directory.check_online()
    assert caught.value.code is ErrorCode.KAFKA_STORAGE_ERROR
