"""`ottla up`, `down`, `status`, `logs`, `doctor` and what they say when something is wrong.

Everything runs as a user runs it: the installed command as a process, real brokers, a folder.
"""

from __future__ import annotations

import contextlib
import json
import os
import pty
import random
import select
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ottla.local.plan import plan_ports
from ottla.local.ports import port_is_free
from ottla.local.processes import process_started

OTTLA = str(Path(sys.executable).with_name("ottla"))
SECONDS_MAX = 60.0


@dataclass(frozen=True, slots=True)
class Ended:
    code: int
    output: str
    error: str

    @property
    def json(self) -> Any:
        return json.loads(self.output)


class User:
    """Somebody in a folder with a shell."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("OTTLA_") and name not in ("NO_COLOR", "FORCE_COLOR")
        }

    def ottla(self, *arguments: str, stdin: str = "") -> Ended:
        done = subprocess.run(
            [OTTLA, *arguments],
            cwd=self.folder,
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=SECONDS_MAX,
            check=False,
        )
        assert "Traceback" not in done.stdout + done.stderr
        return Ended(done.returncode, done.stdout, done.stderr)

    def well(self, *arguments: str, stdin: str = "") -> Ended:
        done = self.ottla(*arguments, stdin=stdin)
        assert done.code == 0, done
        return done

    def pids(self, data: str = ".ottla") -> dict[int, int]:
        state = json.loads((self.folder / data / "cluster.json").read_text())
        return {node: pid for node, pid, _ in state["processes"]}


def first_port(brokers: int) -> str:
    """A port for --port whose neighbours, and those between the nodes, are free as well."""
    chooser = random.SystemRandom()
    for _ in range(1000):
        port = chooser.randint(10_000, 12_000)
        nodes = plan_ports(brokers, port)
        if all(port_is_free(each) for node in nodes for each in node.ports):
            return str(port)
    raise AssertionError("no free ports")


def heed_interrupts() -> None:
    """A shell starts what runs in its background with SIGINT ignored, and so would its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def wait_gone(pids: list[int]) -> None:
    """Until none of the processes runs."""
    never = select.poll()
    deadline = time.monotonic() + SECONDS_MAX
    while any(process_started(pid) for pid in pids):
        assert time.monotonic() < deadline, f"still there: {pids}"
        never.poll(20)


@pytest.fixture
def user(tmp_path: Path) -> Iterator[User]:
    user = User(tmp_path)
    yield user
    for state in tmp_path.glob("*/cluster.json"):
        user.ottla("down", "--delete", "--data", str(state.parent))


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[User]:
    """One broker that runs all the while."""
    user = User(tmp_path_factory.mktemp("one"))
    user.well("up", "--detach", "--brokers", "1", "--port", first_port(1))
    yield user
    user.well("down", "--delete")
    assert not (user.folder / ".ottla").exists()


def test_the_life_of_a_cluster(user: User) -> None:
    port = first_port(3)
    started = user.well("up", "--detach", "--port", port, "--json").json
    assert started["brokers"] == 3
    assert started["bootstrap"].startswith(f"127.0.0.1:{port},")
    again = user.well("up", "--detach")
    assert "3 brokers are ready" in again.output
    assert "already runs" in user.ottla("up").error

    user.well("topic", "create", "orders", "--partitions", "3")
    user.well("produce", "orders", "--key-separator", ":", stdin="a:one\nb:two\nc:three\n")
    seen = user.well("status", "--json").json
    assert [broker["state"] for broker in seen["brokers"]] == ["up"] * 3
    assert seen["topics"][0]["records"] == 3
    http = [broker["http"] for broker in seen["brokers"]]
    for address in http:
        with urllib.request.urlopen(f"http://{address}/metrics", timeout=10) as answer:
            assert b"ottla_node_ready" in answer.read()
    from_afar = user.well("status", "--json", "--bootstrap", started["bootstrap"]).json
    assert [broker["http"] for broker in from_afar["brokers"]] == http
    shown = user.well("status").output
    assert "9/9" in shown
    assert all(address in shown for address in http)
    assert user.well("doctor").output == (
        "✓ All is well: all 3 brokers answer; each of 3 partitions has a leader and all its "
        "replicas in sync.\n"
    )

    pids = user.pids()
    os.kill(pids[2], signal.SIGKILL)
    wait_gone([pids[2]])
    ill = user.ottla("doctor")
    assert ill.code == 1
    assert "node 2 stopped unexpectedly" in ill.output
    assert "start it again with 'ottla up --detach'" in ill.output
    assert not user.ottla("doctor", "--json").json["healthy"]
    user.well("up", "--detach")
    assert user.pids() | {2: 0} == pids | {2: 0}

    down = user.well("down", "--json").json
    assert down == {"stopped": [1, 2, 3], "clean": True, "deleted": False}
    wait_gone(list(pids.values()))
    stopped = user.ottla("doctor")
    assert (stopped.code, stopped.output) == (
        1,
        "✗ the cluster is stopped; start it with 'ottla up'.\n",
    )
    assert "the cluster is stopped; start it with 'ottla up'" in user.ottla("status").error
    assert "no cluster answers" in user.ottla("topic", "list").error

    user.well("up", "--detach")
    consumed = user.well("consume", "orders", "--from-beginning", "--max-messages", "3")
    assert sorted(consumed.output.split()) == ["one", "three", "two"]
    assert "is deleted" in user.well("down", "--delete").output
    assert not (user.folder / ".ottla").exists()


def test_logs_are_shown_by_node_and_followed(one: User) -> None:
    lines = one.well("logs", "1", "--lines", "2").output.splitlines()
    assert len(lines) == 2
    first = json.loads(one.well("logs", "--json").output.splitlines()[0])
    assert first["node"] == 1
    with subprocess.Popen(
        [OTTLA, "logs", "-f", "-n", "1"],
        cwd=one.folder,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=heed_interrupts,
    ) as following:
        too_late = threading.Timer(SECONDS_MAX, following.kill)
        too_late.start()
        try:
            assert following.stdout is not None
            assert following.stdout.readline().startswith("1| ")
            with (one.folder / ".ottla" / "node-1" / "server.log").open("a") as log:
                log.write("something new\n")
            assert "1| something new\n" in following.stdout  # the node may log between
            following.send_signal(signal.SIGINT)
            assert following.wait(SECONDS_MAX) == 0
        finally:
            too_late.cancel()
            following.kill()


ELSEWHERE = ["--data", "new", "--port", first_port(3)]


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["topic", "create", "t", "--replication-factor", "3"], 1, "above the number of brokers"),
        (["topic", "create", "a b"], 2, "no legal topic name"),
        (["topic", "create", "t", "--config", "retention.ms=soon"], 1, "retention.ms"),
        (["topic", "describe", "nowhere"], 1, "topic 'nowhere' does not exist"),
        (["topic", "delete", "nowhere"], 1, "topic 'nowhere' does not exist"),
        (["consume", "nowhere"], 1, "topic 'nowhere' does not exist"),
        (["logs", "7"], 1, "there is no node 7; the cluster has 1"),
        (["up", "--brokers", "3", "--detach"], 1, "already runs"),
        (["up", "--brokers", "0"], 2, "--brokers"),
        (["up", "--port", "70000"], 2, "--port"),
        (["up", "--port", "50000", "--data", "new"], 1, "must be between 1 and 45533"),
        (["up", "--set", "what", "--data", "new"], 2, "expected KEY=VALUE"),
        (["up", "--set", "num.partition=3", *ELSEWHERE], 2, "did you mean num.partitions"),
        (["up", "--set", "num.partitions=x", *ELSEWHERE], 2, "must be a whole number"),
        (["up", "--data", "/dev/null/x"], 1, "choose another folder with --data"),
        (["status", "--data", "/dev/null"], 1, "name the cluster's folder with --data"),
        (["down", "--data", "new"], 1, "there is no cluster in new; start one with 'ottla up'"),
        (["doctor", "--data", "new"], 1, "there is no cluster in new; start one with 'ottla up'"),
        (["doctor", "--bootstrap", "127.0.0.1:1"], 1, "127.0.0.1:1 does not answer"),
        (["topic", "list", "--bootstrap", "127.0.0.1:1"], 1, "no cluster answers at 127.0.0.1:1"),
        (["nonsense"], 2, "No such command"),
    ],
)
def test_bad_input_gets_a_sentence(
    one: User, arguments: list[str], code: int, sentence: str
) -> None:
    one.environment["COLUMNS"] = "400"
    done = one.ottla(*arguments)
    assert done.code == code, done
    said = " ".join((done.error + done.output).replace("│", " ").split())
    assert sentence in said
    if code == 1 and arguments[0] != "doctor":
        assert done.error.startswith("error: ")
        assert done.error.count("\n") == 1
    assert not (one.folder / "new" / "cluster.json").exists()


@pytest.mark.parametrize("distance", [0, 1_000, 10_000, 20_000])
def test_a_taken_port_is_named_and_nothing_is_left(user: User, distance: int) -> None:
    port = first_port(1)
    with socket.socket() as taken:
        # As a server would: connections of an earlier one may still be remembered.
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", int(port) + distance))
        taken.listen()
        done = user.ottla("up", "--detach", "--brokers", "1", "--port", port)
    assert done.code == 1
    assert f"port {int(port) + distance} on 127.0.0.1 is taken by another program" in done.error
    assert not list(user.folder.glob(".ottla/node-*"))


def test_folders_that_are_not_the_clusters_own_are_refused(user: User) -> None:
    for data in ("ours", "theirs"):
        user.well("up", "--detach", "--brokers", "1", "--port", first_port(1), "--data", data)
    running = user.ottla("down", "--data", "theirs")
    assert running.output == "1 broker stopped; the data stays in theirs.\n"
    settings = user.folder / "ours" / "node-1" / "node.toml"
    second = subprocess.run(
        [str(Path(OTTLA).with_name("ottla-server")), "--config", str(settings)],
        env={**os.environ, "OTTLA_HTTP_LISTENER": ""},  # its port is taken as well
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )
    assert second.returncode == 1
    assert "is used by another process" in second.stderr
    user.well("down", "--data", "ours")

    node = user.folder / "ours" / "node-1"
    for name in ("log", "metadata"):
        (node / name).rename(node / "kept")
        shutil.copytree(user.folder / "theirs" / "node-1" / name, node / name)
        refused = user.ottla("up", "--detach", "--data", "ours")
        assert refused.code == 1
        assert "belongs to cluster" in refused.error
        shutil.rmtree(node / name)
        (node / "kept").rename(node / name)

    properties = node / "log" / "meta.properties"
    ours = properties.read_text()
    properties.write_text(ours.replace("version=1", "version=9"))
    newer = user.ottla("up", "--detach", "--data", "ours")
    assert newer.code == 1
    assert "has format version 9" in newer.error
    properties.write_text(ours)
    user.well("up", "--detach", "--data", "ours")


class Terminal:
    """A command on a terminal of its own."""

    def __init__(self, user: User, *arguments: str) -> None:
        self.output = ""
        self._master, slave = pty.openpty()
        self.process = subprocess.Popen(
            [OTTLA, *arguments],
            cwd=user.folder,
            env={**user.environment, "TERM": "xterm", "COLUMNS": "120", "LINES": "40"},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=heed_interrupts,
        )
        os.close(slave)

    def wait_for(self, text: str) -> None:
        deadline = time.monotonic() + SECONDS_MAX
        while text not in self.output:
            assert time.monotonic() < deadline, self.output
            assert self._read(), self.output

    def rest(self) -> int:
        """Read on to the end; the exit code."""
        deadline = time.monotonic() + SECONDS_MAX
        while self._read():
            assert time.monotonic() < deadline, self.output[-2000:]
        os.close(self._master)
        return self.process.wait(SECONDS_MAX)

    def _read(self) -> bool:
        readable, _, _ = select.select([self._master], [], [], SECONDS_MAX)
        assert readable, self.output[-2000:]
        with contextlib.suppress(OSError):  # EIO: the other side is closed
            if data := os.read(self._master, 65536):
                self.output += data.decode(errors="replace")
                return True
        return False


@pytest.mark.parametrize("colour", [True, False])
def test_the_foreground_shows_a_table_and_ends_with_ctrl_c(user: User, colour: bool) -> None:
    if not colour:
        user.environment["NO_COLOR"] = "1"
    terminal = Terminal(user, "up", "--brokers", "1", "--port", first_port(1))
    terminal.wait_for("Ctrl-C stops")
    pids = user.pids()
    user.well("produce", "orders", stdin="one\ntwo\n")
    terminal.wait_for("orders")
    terminal.wait_for("records/s")
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.rest() == 0
    assert "Stopped; the data stays in .ottla." in terminal.output
    assert "Traceback" not in terminal.output
    assert ("\x1b[32m" in terminal.output) is colour
    assert [process_started(pid) for pid in pids.values()] == [None]


def test_the_nodes_of_the_foreground_end_with_it_however_it_ends(user: User) -> None:
    terminal = Terminal(user, "up", "--brokers", "1", "--port", first_port(1))
    terminal.wait_for("Ctrl-C stops")
    pids = user.pids()
    terminal.process.kill()
    terminal.rest()
    wait_gone(list(pids.values()))
    assert user.well("down").output.startswith("no broker was running")
