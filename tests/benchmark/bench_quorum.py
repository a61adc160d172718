"""Commit latency, throughput, fail-over time and idle cost of the controller quorum.

Run by hand: `python tests/benchmark/bench_quorum.py [--folder DIR]`. Three voters, each a process
of its own, on loopback; times are taken in the process that proposes.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import queue
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from controller.quorum.bootstrap import format_voter
from controller.quorum.metadata_log import Leadership, NotLeader, ProposalLost
from controller.quorum.raft_log import RaftMetadataLog
from storage.vfs import OsVfs

COMMAND = b"x" * 200
PROPOSE_MS = 10_000


class Counter:
    """A state machine that costs nothing."""

    def __init__(self) -> None:
        self.applied = 0

    def apply(self, index: int, term: int, command: bytes) -> bytes:
        self.applied += 1
        return b"ok"

    def snapshot(self) -> bytes:
        return str(self.applied).encode()

    def restore(self, data: bytes) -> None:
        self.applied = int(data)


def say(**event: object) -> None:
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


def rank(sorted_ms: Sequence[float], share: float) -> float:
    return sorted_ms[min(len(sorted_ms) - 1, int(share * len(sorted_ms)))]


async def voter(voter_id: int, addresses: dict[int, tuple[str, int]], folder: str) -> None:
    """One voter: orders are read from standard input, findings written to standard output."""
    loop = asyncio.get_running_loop()
    log = RaftMetadataLog(
        voter_id, addresses, addresses[voter_id], folder, Counter(), loop, OsVfs()
    )

    def announce(leadership: Leadership) -> None:
        say(voter=voter_id, leads=leadership.is_self, term=leadership.term, at=time.monotonic())

    log.add_leadership_listener(announce)
    log.start()
    orders = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    while line := await orders.readline():
        match json.loads(line):
            case ["measure", count, in_flight]:
                say(**await measure(log, count, in_flight))
            case ["commit"]:
                with contextlib.suppress(NotLeader, ProposalLost):
                    await log.propose(COMMAND, PROPOSE_MS)
                    say(committed=time.monotonic())
            case ["cost"]:
                say(**used())
    await log.stop()


def used() -> dict[str, float]:
    times = resource.getrusage(resource.RUSAGE_SELF)
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return {
        "cpu": times.ru_utime + times.ru_stime,
        "mb": pages * resource.getpagesize() / 1e6,
    }


async def measure(log: RaftMetadataLog, count: int, in_flight: int) -> dict[str, float]:
    took: list[float] = []

    async def client() -> None:
        for _ in range(count // in_flight):
            start = time.perf_counter()
            await log.propose(COMMAND, PROPOSE_MS)
            took.append(1000 * (time.perf_counter() - start))

    start = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(in_flight):
            group.create_task(client())
    seconds = time.perf_counter() - start
    took.sort()
    return {"p50": rank(took, 0.5), "p99": rank(took, 0.99), "rate": len(took) / seconds}


class Process:
    def __init__(self, voter_id: int, addresses: dict[int, tuple[str, int]], folder: str) -> None:
        self.voter_id = voter_id
        self._process = subprocess.Popen(
            [sys.executable, __file__, "--voter", json.dumps([voter_id, addresses, folder])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._events: queue.SimpleQueue[dict[str, float]] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._events.put(json.loads(line))

    def order(self, *order: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()

    def read(self, key: str) -> dict[str, float]:
        while key not in (event := self._events.get(timeout=60)):
            pass
        return event

    def maybe_leads(self) -> bool:
        """Whether it has announced since the last call that it leads."""
        leads = False
        with contextlib.suppress(queue.Empty):
            while True:
                leads = bool(self._events.get_nowait().get("leads", leads))
        return leads

    def kill(self) -> None:
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def end(self) -> None:
        if self._process.poll() is None:
            assert self._process.stdin is not None
            self._process.stdin.close()
            self._process.wait(timeout=30)


def fail_over(folder: Path, addresses: dict[int, tuple[str, int]]) -> float:
    """Seconds from kill -9 of the leader to the next committed command."""
    processes = [Process(one, addresses, str(folder / str(one))) for one in addresses]
    try:
        leader = first_leader(processes)
        leader.order("commit")
        leader.read("committed")
        rest = [one for one in processes if one is not leader]
        start = time.monotonic()
        leader.kill()
        successor = first_leader(rest)
        successor.order("commit")
        return successor.read("committed")["committed"] - start
    finally:
        for process in processes:
            process.end()


def first_leader(processes: list[Process]) -> Process:
    for _ in range(30_000):
        for process in processes:
            if process.maybe_leads():
                return process
        time.sleep(0.001)
    raise RuntimeError("no leader in 30 s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", default=None, help="where the journals go; emptied afterwards")
    parser.add_argument("--voter", default=None, help=argparse.SUPPRESS)
    parser.add_argument("--fail-overs", type=int, default=5)
    settings = parser.parse_args()
    if settings.voter is not None:
        voter_id, known, own_folder = json.loads(settings.voter)
        asyncio.run(voter(voter_id, {int(k): tuple(v) for k, v in known.items()}, own_folder))
        return
    folder = Path(tempfile.mkdtemp(prefix="quorum-", dir=settings.folder))
    try:
        for count in (1, 3):
            addresses = prepare(folder / f"steady-{count}", count)
            steady(folder / f"steady-{count}", addresses)
        took = []
        for number in range(settings.fail_overs):
            addresses = prepare(folder / f"fail-{number}", 3)
            took.append(fail_over(folder / f"fail-{number}", addresses))
        sys.stdout.write(
            f"fail-over, kill -9 to next commit: {min(took):.2f} to {max(took):.2f} s\n"
        )
    finally:
        shutil.rmtree(folder)


def steady(folder: Path, addresses: dict[int, tuple[str, int]]) -> None:
    processes = [Process(one, addresses, str(folder / str(one))) for one in addresses]
    try:
        leader = first_leader(processes)
        leader.order("measure", 500, 1)
        leader.read("p50")
        for count, in_flight in ((3000, 1), (20_000, 64)):
            leader.order("measure", count, in_flight)
            found = leader.read("p50")
            sys.stdout.write(
                f"{len(addresses)} voters, {in_flight} in flight: p50 {found['p50']:.2f} ms, "
                f"p99 {found['p99']:.2f} ms, {found['rate']:.0f} commands/s\n"
            )
        before = cost(leader)
        time.sleep(10)
        after = cost(leader)
        share = (after["cpu"] - before["cpu"]) / 10
        sys.stdout.write(f"idle leader: {share:.1%} of a core, {after['mb']:.0f} MB resident\n")
    finally:
        for process in processes:
            process.end()


def cost(process: Process) -> dict[str, float]:
    process.order("cost")
    return process.read("cpu")


def prepare(folder: Path, count: int) -> dict[int, tuple[str, int]]:
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    addresses = {
        voter_id: ("127.0.0.1", int(one.getsockname()[1]))
        for voter_id, one in enumerate(sockets, start=1)
    }
    for one in sockets:
        one.close()
    for voter_id in addresses:
        format_voter(str(folder / str(voter_id)), "bench", voter_id, addresses)
    return addresses


if __name__ == "__main__":
    main()
