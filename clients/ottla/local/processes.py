"""Node processes: start, find again, signal. A process id that was given to another program in the
meantime is never signalled: a process is known by its id *and* its start time.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ottla.core.errors import OttlaError

_POLL_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """A process for ever: ids are used again, a pair of id and start time is not."""

    pid: int
    started: str

    def is_alive(self) -> bool:
        """Whether this very process runs (a zombie does not)."""
        return process_started(self.pid) == self.started

    def send(self, number: signal.Signals) -> bool:
        """Signal the process if it still is the same one; says whether it was there."""
        if not self.is_alive():
            return False
        try:
            os.kill(self.pid, number)
        except ProcessLookupError:
            return False
        return True


def process_started(pid: int) -> str | None:
    """An opaque word for when process `pid` started, or None when there is none."""
    if sys.platform.startswith("linux"):
        try:
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None
        # The command's name is in parentheses and may hold anything, spaces included.
        fields = stat.rpartition(")")[2].split()
        return None if fields[0] in ("Z", "X") else f"{_boot_id()}:{fields[19]}"
    shown = subprocess.run(
        ["ps", "-o", "state=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.strip()
    return None if not shown or shown.startswith("Z") else shown.partition(" ")[2].strip()


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


class NodeProcess:
    """One running node, either our child or found again from its identity."""

    __slots__ = ("child", "identity", "node_id")

    def __init__(
        self, node_id: int, identity: ProcessIdentity, child: subprocess.Popen[bytes] | None = None
    ) -> None:
        self.node_id = node_id
        self.identity = identity
        self.child = child

    def is_alive(self) -> bool:
        if self.child is not None:
            return self.child.poll() is None
        return self.identity.is_alive()

    def exit_code(self) -> int | None:
        """The code of a child that ended; None while it runs or when it is not our child."""
        return None if self.child is None else self.child.poll()

    def send(self, number: signal.Signals) -> bool:
        """Signal it; says whether it was there."""
        if self.child is not None:
            if self.child.poll() is not None:
                return False
            self.child.send_signal(number)
            return True
        return self.identity.send(number)

    def wait_ended(self, timeout_seconds: float) -> bool:
        """Wait until it ended; says whether it did within the time."""
        if self.child is not None:
            try:
                self.child.wait(timeout_seconds)
            except subprocess.TimeoutExpired:
                return False
            return True
        deadline = time.monotonic() + timeout_seconds
        while self.identity.is_alive():
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_SECONDS)
        return True


def server_command() -> list[str]:
    """How a node is started: isolated, so that a user's own folder `broker/` is not run."""
    return [sys.executable, "-I", "-m", "broker.main"]


def server_is_installed() -> bool:
    """Whether the server distribution is importable in this environment."""
    found = subprocess.run(
        [
            sys.executable,
            "-I",
            "-c",
            "import importlib.util as u, sys; sys.exit(u.find_spec('broker') is None)",
        ],
        capture_output=True,
        check=False,
    )
    return found.returncode == 0


def check_settings(settings_file: Path) -> str | None:
    """The server's sentence against a settings file; None when it takes it."""
    checked = subprocess.run(
        [*server_command(), "--check", "--config", str(settings_file)],
        capture_output=True,
        text=True,
        check=False,
        env=_own_environment(),
    )
    if checked.returncode == 0:
        return None
    last = checked.stderr.strip().rpartition("\n")[2]
    return last.removeprefix("error: ") or f"the server ended with {checked.returncode}"


def _own_environment() -> dict[str, str]:
    """Without settings of a node, which would win over its file."""
    return {name: value for name, value in os.environ.items() if not name.startswith("OTTLA_")}


def start_node(
    node_id: int, settings_file: Path, output_file: Path, arguments: Sequence[str] = ()
) -> NodeProcess:
    """Start a node of its own session, so that Ctrl-C reaches only the program that watches it.

    With ``--exit-with-parent`` among `arguments` the child's standard input is a pipe that closes
    when this process dies, however it dies.
    """
    tied = "--exit-with-parent" in arguments
    with output_file.open("wb") as output:
        output_file.chmod(0o600)
        child = subprocess.Popen(
            [*server_command(), "--config", str(settings_file), *arguments],
            stdin=subprocess.PIPE if tied else subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=_own_environment(),
            cwd=settings_file.parent,
        )
    started = process_started(child.pid)
    if started is None:
        raise OttlaError(f"node {node_id} ended at once; its output is in {output_file}")
    return NodeProcess(node_id, ProcessIdentity(child.pid, started), child)
