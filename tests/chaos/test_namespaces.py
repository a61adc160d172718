"""The network of the campaign breaks as it says, and nothing of it stays. Needs root."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.namespaces import (
    RUNS,
    Drop,
    Network,
    address,
    cut_between,
    cut_off,
    remove_dead_runs,
)

pytestmark = pytest.mark.root

PORT = 7000
SILENCE_SECONDS = 0.5


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    with Network(3, tmp_path) as made:
        yield made


@pytest.fixture
def listeners(network: Network) -> Iterator[dict[int, socket.socket]]:
    sockets = {}
    for host in network.hosts:
        with network.inside(host):  # a socket stays where it was made
            sockets[host] = socket.create_server((address(host), PORT))
    yield sockets
    for each in sockets.values():
        each.close()


def connects(network: Network, source: int, target: int) -> bool:
    with network.inside(source):
        try:
            socket.create_connection((address(target), PORT), SILENCE_SECONDS).close()
        except TimeoutError:
            return False
    return True


def reached(network: Network) -> set[tuple[int, int]]:
    pairs = [(a, b) for a in network.hosts for b in network.hosts if a != b]
    return {pair for pair in pairs if connects(network, *pair)}


EVERYBODY = {(1, 2), (2, 1), (1, 3), (3, 1), (2, 3), (3, 2)}


@pytest.mark.usefixtures("listeners")
def test_faults_cut_what_they_say_and_heal(network: Network) -> None:
    assert reached(network) == EVERYBODY
    network.set_fault("one", cut_off(3))
    assert reached(network) == {(1, 2), (2, 1)}
    network.set_fault("two", cut_between(1, 2))
    assert reached(network) == set()
    network.heal("one")
    assert reached(network) == EVERYBODY - {(1, 2), (2, 1)}
    network.heal("two")
    assert reached(network) == EVERYBODY


def test_one_way(network: Network, listeners: dict[int, socket.socket]) -> None:
    with network.inside(1):
        sender = socket.create_connection((address(2), PORT), 5)
    receiver, _ = listeners[2].accept()
    receiver.settimeout(5)
    sender.sendall(b"before")
    assert receiver.recv(10) == b"before"
    network.set_fault("one", (Drop(2, 1),))
    sender.sendall(b"still")  # what 1 sends arrives; what says so does not
    assert receiver.recv(10) == b"still"
    receiver.sendall(b"lost")
    assert select.select([sender], [], [], SILENCE_SECONDS)[0] == []
    network.heal("one")
    sender.settimeout(10)
    assert sender.recv(10) == b"lost"  # TCP sends it again
    sender.close()
    receiver.close()


def test_connections_are_reset(network: Network, listeners: dict[int, socket.socket]) -> None:
    with network.inside(1):
        to_two = socket.create_connection((address(2), PORT), 5)
        to_three = socket.create_connection((address(3), PORT), 5)
    accepted, _ = listeners[3].accept()
    network.reset_connections(1, 2)
    to_two.settimeout(5)
    with pytest.raises(ConnectionError):
        to_two.recv(1)
    to_three.sendall(b"x")
    assert accepted.recv(1) == b"x"
    for each in (to_two, to_three, accepted):
        each.close()


def test_only_the_thread_that_enters_moves(network: Network) -> None:
    def here() -> str:
        return os.readlink("/proc/thread-self/ns/net")

    outside = here()
    seen: list[str] = []
    with network.inside(1):
        inside = here()
        thread = threading.Thread(target=lambda: seen.append(here()))
        thread.start()  # it stays where it was started
        thread.join()
    assert here() == outside
    assert inside != outside
    assert seen == [inside]


LEAVES_EVERYTHING = """
import subprocess, sys, time
from pathlib import Path
from tests.chaos.namespaces import Network
folder = Path(sys.argv[1])
with Network(2, folder) as network:
    (folder / "disk").mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(folder / "disk")], check=True)
    with network.inside(1):
        left = subprocess.Popen(["sleep", "600"])
    print(network.run, left.pid, flush=True)
    time.sleep(600)
"""


def test_what_a_killed_run_left_is_removed_by_the_next(tmp_path: Path) -> None:
    killed = subprocess.Popen(
        [sys.executable, "-c", LEAVES_EVERYTHING, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert killed.stdout is not None
    run, pid = killed.stdout.readline().split()
    remove_dead_runs()  # it lives
    assert (RUNS / run).exists()
    assert os.path.ismount(tmp_path / "disk")
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    killed.stdout.close()
    assert list(Path("/run/netns").glob(f"{run}-*"))
    remove_dead_runs()
    assert not list(Path("/run/netns").glob(f"{run}-*"))
    assert not (RUNS / run).exists()
    assert not os.path.ismount(tmp_path / "disk")
    state = Path(f"/proc/{pid}/stat")
    assert not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z"
