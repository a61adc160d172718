import os
import signal
import subprocess
import sys

from ottla.local.processes import NodeProcess, ProcessIdentity, process_started


def own_start() -> str:
    started = process_started(os.getpid())
    assert started is not None
    return started


def test_a_process_is_known_by_id_and_start_time() -> None:
    assert ProcessIdentity(os.getpid(), own_start()).is_alive()


def test_a_recycled_process_id_is_never_signalled() -> None:
    recycled = ProcessIdentity(os.getpid(), "another start")
    assert not recycled.is_alive()
    assert not recycled.send(signal.SIGKILL)  # else this test would not be here to pass


def test_a_process_that_ended_is_gone_even_before_it_is_reaped() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    started = process_started(child.pid)
    assert started is not None
    process = NodeProcess(1, ProcessIdentity(child.pid, started), child)
    assert process.is_alive()
    assert process.exit_code() is None
    process.send(signal.SIGKILL)
    assert process.wait_ended(30)
    assert process.exit_code() == -signal.SIGKILL
    assert not process.send(signal.SIGTERM)
    assert child.stdin is not None
    child.stdin.close()


def test_no_process_has_no_start() -> None:
    assert process_started(2**22 + 1) is None
