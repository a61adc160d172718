import logging

import pytest

from broker.loop_lag import WARN_MS, LoopLag


def test_the_worst_lag_is_kept_and_a_stall_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    lag = LoopLag()
    with caplog.at_level(logging.WARNING):
        lag.note(3.0)
        lag.note(WARN_MS + 1)
        lag.note(1.0)
    assert (lag.last_ms, lag.worst_ms) == (1.0, WARN_MS + 1)
    assert (lag.stalls, lag.durations.count) == (1, 3)
    assert [record.getMessage() for record in caplog.records] == [
        "the event loop stood still for 501 ms"
    ]
