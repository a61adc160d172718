from __future__ import annotations

import os
import time

from broker.metrics.process import ProcessReader
from tests.support.metrics_page import values


def test_a_process_tells_what_it_uses() -> None:
    reader = ProcessReader()
    reader.read()
    before = values(reader.families())
    assert abs(before["process_start_time_seconds",] - time.time()) < 60
    assert 1_000_000 < before["process_resident_memory_bytes",] < 1 << 40
    assert before["process_max_fds",] >= before["process_open_fds",] > 2
    descriptors = [os.open(os.devnull, os.O_RDONLY) for _ in range(5)]
    began = time.process_time()
    while time.process_time() - began < 0.02:
        pass
    reader.read()
    after = values(reader.families())
    for descriptor in descriptors:
        os.close(descriptor)
    assert after["process_open_fds",] == before["process_open_fds",] + 5
    assert after["process_cpu_seconds_total",] >= before["process_cpu_seconds_total",] + 0.01
    assert after["python_gc_collections_total", "2"] >= 0
