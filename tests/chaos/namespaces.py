"""A network of a test's own: hosts in network namespaces on a bridge, whose ports can be broken.

    host n      10.77.0.n/24 on eth0, plugged into port pn of the bridge
    clients     10.77.0.100, likewise, port p100
    switch      the bridge, in a namespace of its own: nothing leaks to the machine's network

Whoever runs this is in no other namespace than before: `Network.inside` moves the calling thread,
and processes and threads that it starts meanwhile stay where they were started. Faults are rules of
nftables in the bridge's forward hook, replaced as a whole at every change.

Every run holds a lock in RUNS as long as it lives. What a run that was killed left behind
(namespaces and processes in them, file systems, control groups) is removed by the next one.
Needs root, `ip`, `nft` and `ss`.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

CLIENTS = 100
"""The host number of the clients."""
RUNS = Path("/run/ottla-chaos")
CONTROL_GROUPS = Path("/sys/fs/cgroup/blkio")
_NAMESPACES = Path("/run/netns")
_CLONE_NEWNET = 0x40000000
_SWITCH = "sw"
_NAME = "ottla"


@dataclass(frozen=True, slots=True)
class Drop:
    """Frames that the switch drops, from port to port (None: all), so many of a hundred."""

    source: int | None
    target: int | None
    percent: int = 100


def address(host: int) -> str:
    return f"10.77.0.{host}"


def cut_off(host: int) -> tuple[Drop, ...]:
    return (Drop(host, None), Drop(None, host))


def cut_between(one: int, other: int) -> tuple[Drop, ...]:
    return (Drop(one, other), Drop(other, one))


def lossy(host: int, percent: int) -> tuple[Drop, ...]:
    return (Drop(host, None, percent), Drop(None, host, percent))


def ruleset(faults: Mapping[str, tuple[Drop, ...]]) -> str:
    """What `nft -f` takes: all rules of all `faults` in place of those before."""
    lines = [_rule(drop) for name in sorted(faults) for drop in faults[name]]
    head = "type filter hook forward priority 0; policy accept;"
    chain = "\n".join(["  chain forward {", f"    {head}", *(f"    {x}" for x in lines), "  }"])
    return f"table bridge chaos\ndelete table bridge chaos\ntable bridge chaos {{\n{chain}\n}}\n"


def _rule(drop: Drop) -> str:
    words = []
    if drop.source is not None:
        words.append(f'iifname "p{drop.source}"')
    if drop.target is not None:
        words.append(f'oifname "p{drop.target}"')
    if drop.percent < 100:
        words.append(f"numgen random mod 100 < {drop.percent}")
    return " ".join([*words, "drop"])


def missing_tools() -> list[str]:
    """Programs of the system that a network needs and that are not there."""
    return [tool for tool in ("ip", "nft", "ss") if shutil.which(tool) is None]


class Network:
    """Hosts 1 to `hosts` and the clients, as long as it is entered. `folder` is the run's: file
    systems mounted in it go with it."""

    def __init__(self, hosts: int, folder: Path) -> None:
        self.run = f"{_NAME}-{secrets.token_hex(3)}"
        self.hosts = range(1, hosts + 1)
        self._folder = folder
        self._lock: int | None = None
        self._faults: dict[str, tuple[Drop, ...]] = {}
        self._home = -1

    def __enter__(self) -> Network:
        RUNS.mkdir(parents=True, exist_ok=True)
        remove_dead_runs()
        path = RUNS / self.run
        self._lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        os.write(self._lock, str(self._folder).encode())
        self._home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            self._make()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Everything is removed, processes inside included."""
        if self._lock is None:
            return
        _set_namespace(self._home)
        os.close(self._home)
        _remove_run(self.run, self._folder)
        (RUNS / self.run).unlink(missing_ok=True)
        os.close(self._lock)
        self._lock = None

    def enter(self, host: int) -> None:
        """The calling thread, and all that it starts from now on, is on this host."""
        self._enter(str(host))

    @contextlib.contextmanager
    def inside(self, host: int | str) -> Iterator[None]:
        """The calling thread is on this host, and afterwards where it was."""
        before = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            self._enter(str(host))
            yield
        finally:
            _set_namespace(before)
            os.close(before)

    def set_fault(self, name: str, drops: tuple[Drop, ...]) -> None:
        """From now on these frames are dropped, until `heal` of the same name."""
        self._faults[name] = drops
        self._apply()

    def heal(self, name: str) -> None:
        self._faults.pop(name)
        self._apply()

    def heal_all(self) -> None:
        self._faults.clear()
        self._apply()

    def reset_connections(self, host: int, peer: int) -> None:
        """Every TCP connection between the two is broken at the end of `host`."""
        with self.inside(host):
            # It says "Invalid argument" of sockets that cannot be broken, such as listening ones.
            subprocess.run(["ss", "-K", "dst", address(peer)], capture_output=True, check=False)

    def _apply(self) -> None:
        with self.inside(_SWITCH):
            _run("nft", "-f", "-", given=ruleset(self._faults))

    def _enter(self, host: str) -> None:
        descriptor = os.open(_NAMESPACES / f"{self.run}-{host}", os.O_RDONLY | os.O_CLOEXEC)
        try:
            _set_namespace(descriptor)
        finally:
            os.close(descriptor)

    def _make(self) -> None:
        switch = f"{self.run}-{_SWITCH}"
        _run("ip", "netns", "add", switch)
        _run("ip", "-n", switch, "link", "add", "br0", "type", "bridge")
        _run("ip", "-n", switch, "link", "set", "br0", "up")
        for host in (*self.hosts, CLIENTS):
            name, port = f"{self.run}-{host}", f"p{host}"
            _run("ip", "netns", "add", name)
            _run("ip", "-n", name, "link", "set", "lo", "up")
            peer = ("peer", "name", port, "netns", switch)
            _run("ip", "link", "add", "eth0", "netns", name, "type", "veth", *peer)
            _run("ip", "-n", switch, "link", "set", port, "master", "br0", "up")
            _run("ip", "-n", name, "addr", "add", f"{address(host)}/24", "dev", "eth0")
            _run("ip", "-n", name, "link", "set", "eth0", "up")
        self._apply()


def remove_dead_runs() -> None:
    """Remove what runs left behind whose process is gone."""
    for path in RUNS.iterdir() if RUNS.is_dir() else ():
        with open(path, "rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                continue  # it lives
            _remove_run(path.name, Path(file.read().decode() or "/nonexistent"))
            path.unlink(missing_ok=True)


def _remove_run(run: str, folder: Path) -> None:
    namespaces = [path.name for path in _NAMESPACES.glob(f"{run}-*")]
    for name in namespaces:
        shown = subprocess.run(
            ["ip", "netns", "pids", name], capture_output=True, text=True, check=False
        )
        for pid in shown.stdout.split():
            if int(pid) != os.getpid():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
    for name in namespaces:
        subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)
    for line in Path("/proc/self/mounts").read_text().splitlines():
        mounted = Path(line.split()[1].replace("\\040", " "))
        if mounted.is_relative_to(folder) and mounted != Path("/"):
            subprocess.run(["umount", "--lazy", str(mounted)], capture_output=True, check=False)
    for group in CONTROL_GROUPS.glob(f"{run}-*"):
        with contextlib.suppress(OSError):  # its processes are about to end
            group.rmdir()


def _set_namespace(descriptor: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, _CLONE_NEWNET):
        number = ctypes.get_errno()
        raise OSError(number, f"cannot enter a network namespace: {os.strerror(number)}")


def _run(*command: str, given: str | None = None) -> None:
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
