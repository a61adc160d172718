from __future__ import annotations

import pytest

from broker.coordinator.errors import translate
from ottla.core.errors import ErrorCode, ProtocolError


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (ErrorCode.NOT_ENOUGH_REPLICAS, ErrorCode.COORDINATOR_NOT_AVAILABLE),
        (ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND, ErrorCode.COORDINATOR_NOT_AVAILABLE),
        (ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, ErrorCode.COORDINATOR_NOT_AVAILABLE),
        (ErrorCode.REQUEST_TIMED_OUT, ErrorCode.COORDINATOR_NOT_AVAILABLE),
        (ErrorCode.NOT_LEADER_OR_FOLLOWER, ErrorCode.NOT_COORDINATOR),
        (ErrorCode.KAFKA_STORAGE_ERROR, ErrorCode.NOT_COORDINATOR),
        (ErrorCode.MESSAGE_TOO_LARGE, ErrorCode.UNKNOWN_SERVER_ERROR),
    ],
)
def test_append_errors_become_a_coordinators(code: ErrorCode, told: ErrorCode) -> None:
    assert translate(ProtocolError(code)).code is told


def test_other_failures() -> None:
    assert translate(OSError("disk")).code is ErrorCode.NOT_COORDINATOR
    assert translate(KeyError("bug")).code is ErrorCode.UNKNOWN_SERVER_ERROR
