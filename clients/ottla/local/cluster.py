"""A local cluster in a folder.

Layout of the folder (mode 0700, files 0600)::

    cluster.json        the plan, what was initialised, and the identities of running processes
    cluster.lock        held while a command changes the cluster
    node-1/node.toml    settings of node 1, written anew from the plan at every start
    node-1/log/         its record logs
    node-1/metadata/    its Raft log (voters)
    node-1/server.log   its log, rotated by the node
    node-1/output.log   what the process printed, a crash of the interpreter included
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ottla.core.errors import ConfigError, OttlaError
from ottla.local.plan import ClusterPlan, NodePlan, to_toml
from ottla.local.ports import port_is_free
from ottla.local.processes import (
    NodeProcess,
    ProcessIdentity,
    check_settings,
    server_is_installed,
    start_node,
)

STATE_FILE = "cluster.json"
LOCK_FILE = "cluster.lock"
STOP_SECONDS_MAX = 30.0
_KILL_SECONDS_MAX = 10.0
_OUTPUT_LINES_SHOWN = 20


class LocalCluster:
    """The nodes of one folder. Methods block; none of them is called from several threads."""

    def __init__(self, directory: Path, plan: ClusterPlan) -> None:
        self.directory = directory
        self.plan = plan
        self._processes: dict[int, NodeProcess] = {}
        self._initialised: set[int] = set()

    @classmethod
    def create(cls, directory: Path, plan: ClusterPlan) -> LocalCluster:
        """A new cluster in a folder that holds none."""
        if (directory / STATE_FILE).exists():
            raise ConfigError(f"{directory} already holds a cluster")
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(
                f"cannot make {directory}: {error.strerror}; choose another folder with --data"
            ) from None
        cluster = cls(directory, plan)
        cluster.save()
        return cluster

    @classmethod
    def load(cls, directory: Path) -> LocalCluster | None:
        """The cluster of a folder with the processes that still run; None when it holds none."""
        try:
            state = json.loads((directory / STATE_FILE).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ConfigError(
                f"cannot read {directory / STATE_FILE} ({error.strerror}); name the cluster's "
                "folder with --data"
            ) from None
        except ValueError as error:
            raise ConfigError(
                f"cannot read {directory / STATE_FILE} ({error}); restore it from a copy, or "
                "choose another folder with --data"
            ) from None
        cluster = cls(directory, ClusterPlan.from_json(state))
        cluster._initialised = set(state.get("initialised", ()))
        for node_id, pid, started in state.get("processes", ()):
            process = NodeProcess(node_id, ProcessIdentity(pid, started))
            if process.is_alive():
                cluster._processes[node_id] = process
        return cluster

    def save(self) -> None:
        """Replace the state file in one step."""
        state: dict[str, Any] = self.plan.to_json()
        state["initialised"] = sorted(self._initialised)
        state["processes"] = [
            [node_id, process.identity.pid, process.identity.started]
            for node_id, process in sorted(self._processes.items())
        ]
        temporary = self.directory / f"{STATE_FILE}.new"
        try:
            with open(temporary, "w", encoding="utf-8", opener=_private) as file:
                json.dump(state, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self.directory / STATE_FILE)
        except OSError as error:
            raise ConfigError(
                f"cannot write {self.directory / STATE_FILE}: {error.strerror}"
            ) from None

    def folder(self, node_id: int) -> Path:
        return self.directory / f"node-{node_id}"

    def log_file(self, node_id: int) -> Path:
        return self.folder(node_id) / "server.log"

    def process(self, node_id: int) -> NodeProcess | None:
        """The running process of a node."""
        process = self._processes.get(node_id)
        return process if process is not None and process.is_alive() else None

    def running(self) -> list[int]:
        return [node.node_id for node in self.plan.nodes if self.process(node.node_id)]

    def ended(self) -> list[int]:
        """Nodes that were started here and ended although nobody stopped or killed them."""
        return [node for node, process in self._processes.items() if not process.is_alive()]

    def check_ports_free(self) -> None:
        """ConfigError when a port of a node that does not run is taken by another program."""
        for node in self.plan.nodes:
            if self.process(node.node_id) is None:
                self._check_node_ports(node)

    def start(self, node_id: int, *, tied: bool = False) -> NodeProcess:
        """Start one node; with `tied` it ends when this process ends, however that happens."""
        node = self.plan.node(node_id)
        if self.process(node_id) is not None:
            raise OttlaError(f"node {node_id} already runs")
        self._check_node_ports(node)
        folder = self.folder(node_id)
        folder.mkdir(mode=0o700, exist_ok=True)
        settings_file = folder / "node.toml"
        with open(settings_file, "w", encoding="utf-8", opener=_private) as file:
            file.write("# Written at every start from the plan of the cluster.\n")
            file.write(to_toml(self.plan.node_settings(node, folder.resolve())))
        arguments = ["--exit-with-parent"] if tied else []
        if node_id not in self._initialised:
            arguments.append("--initialize")
        process = start_node(
            node_id, settings_file.resolve(), folder.resolve() / "output.log", arguments
        )
        self._processes[node_id] = process
        self.save()
        return process

    def start_all(self, *, tied: bool = False) -> None:
        """Start every node that does not run."""
        if not server_is_installed():
            raise ConfigError(
                "the server is not installed in this environment; install it with "
                'pip install "ottla[server]"'
            )
        self.check_ports_free()
        for node in self.plan.nodes:
            if self.process(node.node_id) is None:
                self.start(node.node_id, tied=tied)

    def mark_initialised(self) -> None:
        """Remember that every node has its data: from now on an empty folder is a lost one."""
        self._initialised = {node.node_id for node in self.plan.nodes}
        self.save()

    def wait_ready(
        self,
        is_ready: Callable[[], bool],
        timeout_seconds: float,
        on_wait: Callable[[], None] = lambda: None,
    ) -> None:
        """Wait until `is_ready`; OttlaError as soon as a node ends, or when the time is over."""
        deadline = time.monotonic() + timeout_seconds
        while not is_ready():
            for node in self.plan.nodes:
                process = self._processes.get(node.node_id)
                if process is not None and not process.is_alive():
                    raise OttlaError(self.why_ended(node.node_id))
            if time.monotonic() > deadline:
                raise OttlaError(
                    f"the cluster did not become ready within {timeout_seconds:.0f} s; "
                    f"'ottla doctor' says why, the logs are in {self.directory}"
                )
            on_wait()
            time.sleep(0.03)
        if len(self._initialised) < len(self.plan.nodes):
            self.mark_initialised()

    def why_ended(self, node_id: int) -> str:
        """One sentence with the last thing that a node said."""
        try:
            output = (self.folder(node_id) / "output.log").read_text("utf-8", "replace")
        except OSError:
            output = ""
        # The line with which a node says that it serves explains no end.
        lines = [
            line
            for line in output.splitlines()
            if line.strip() and not line.startswith("ottla-server node ")
        ]
        errors = [line for line in lines if line.startswith("error: ")]
        if errors:
            return f"node {node_id} stopped: {errors[-1].removeprefix('error: ')}"
        shown = "\n".join(lines[-_OUTPUT_LINES_SHOWN:])
        tail = f"; it printed:\n{shown}" if shown else f"; see {self.log_file(node_id)}"
        return f"node {node_id} stopped unexpectedly{tail}"

    def signal(self, node_id: int, number: signal.Signals) -> None:
        """Send a signal to a node that must be running."""
        self.plan.node(node_id)
        process = self.process(node_id)
        if process is None or not process.send(number):
            raise OttlaError(f"node {node_id} does not run")

    def kill(self, node_id: int) -> None:
        """SIGKILL a node and wait until it is gone."""
        self.signal(node_id, signal.SIGKILL)
        self._gone(node_id)

    def stop(self, node_id: int, timeout_seconds: float = STOP_SECONDS_MAX) -> bool:
        """SIGTERM a node and wait; SIGKILL when it takes longer. True for a clean stop."""
        return self._end({node_id: self.process(node_id)}, timeout_seconds)

    def stop_all(self, timeout_seconds: float = STOP_SECONDS_MAX) -> bool:
        """Stop all nodes at once; True when all stopped cleanly."""
        return self._end({n: self.process(n) for n in self.running()}, timeout_seconds)

    def kill_all(self) -> None:
        """SIGKILL all nodes at once, paused ones too, and wait until they are gone."""
        running = self.running()
        for node_id in running:
            self.signal(node_id, signal.SIGKILL)
        for node_id in running:
            self._gone(node_id)

    def delete(self) -> None:
        """Remove the folder of a cluster that does not run."""
        if self.running():
            raise OttlaError("the cluster runs; stop it first")
        for node in self.plan.nodes:
            shutil.rmtree(self.folder(node.node_id), ignore_errors=True)
        for name in (STATE_FILE, LOCK_FILE):
            with contextlib.suppress(FileNotFoundError):
                (self.directory / name).unlink()
        with contextlib.suppress(OSError):  # files that are not ours stay
            self.directory.rmdir()

    def _end(self, processes: Mapping[int, NodeProcess | None], timeout_seconds: float) -> bool:
        deadline = time.monotonic() + timeout_seconds
        clean = True
        running = {n: process for n, process in processes.items() if process is not None}
        for process in running.values():
            process.send(signal.SIGTERM)
            process.send(signal.SIGCONT)  # a paused process would never see it
        for node_id, process in running.items():
            if not process.wait_ended(max(0.0, deadline - time.monotonic())):
                clean = False
                process.send(signal.SIGKILL)
            self._gone(node_id)
            clean = clean and process.exit_code() in (None, 0)
        return clean

    def _gone(self, node_id: int) -> None:
        process = self._processes.pop(node_id)
        if not process.wait_ended(_KILL_SECONDS_MAX):
            raise OttlaError(f"node {node_id} (process {process.identity.pid}) does not end")
        if process.child is not None and process.child.stdin is not None:
            process.child.stdin.close()
        self.save()

    def _check_node_ports(self, node: NodePlan) -> None:
        for port in node.ports:
            if not port_is_free(port):
                raise ConfigError(
                    f"port {port} on 127.0.0.1 is taken by another program; end it, or choose "
                    "other ports with --port"
                )


def why_refused(plan: ClusterPlan, directory: Path) -> str | None:
    """What the server says against the settings of `plan`; None when it takes them."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "node.toml"
        file.write_text(to_toml(plan.node_settings(plan.nodes[0], directory.absolute())), "utf-8")
        said = check_settings(file)
    # The line is of a file that the user never sees.
    return None if said is None else re.sub(r"^\S+, line \d+: ", "", said)


@contextlib.contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Hold the folder against other commands that change the same cluster."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = open(directory / LOCK_FILE, "w", opener=_private)  # noqa: SIM115
    except OSError as error:
        raise ConfigError(
            f"cannot write in {directory}: {error.strerror}; choose another folder with --data"
        ) from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise OttlaError(
                f"another ottla command is changing {directory}; wait for it"
            ) from None
        yield


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
