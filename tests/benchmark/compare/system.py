"""A cluster under comparison: three combined nodes on loopback, the same few words for both.

What is asked of a running cluster (leaders, the controller, replicas in sync) goes over the wire
by one client for both systems; what is done to it goes to its processes.
"""

from __future__ import annotations

import contextlib
import os
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path

from ottla.client.admin import Admin
from ottla.client.model import PartitionDescription
from ottla.core.errors import ErrorCode, OttlaError, ProtocolError

NODES = (1, 2, 3)
PARTITIONS = 3
"""Of a topic, unless a measure is about their number: each node leads one."""
_POLL_SECONDS = 0.02
_TICKS = os.sysconf("SC_CLK_TCK")


class System(ABC):
    """Three nodes; `close` ends them and removes their data."""

    name: str

    @property
    @abstractmethod
    def bootstrap(self) -> str:
        """host:port of all nodes."""

    def address(self, node_id: int) -> str:
        """host:port where clients reach one node."""
        return self.bootstrap.split(",")[node_id - 1]

    @abstractmethod
    def spawn(self, node_id: int) -> None:
        """Start the process of one node, on the data it has, and do not wait for it."""

    @abstractmethod
    def pid(self, node_id: int) -> int:
        """Of a node that runs."""

    @abstractmethod
    def kill(self, node_id: int) -> None:
        """SIGKILL: the process is gone when this returns."""

    @abstractmethod
    def kill_all(self) -> None:
        """SIGKILL all at once."""

    @abstractmethod
    def close(self) -> None:
        """End everything, data included."""

    @abstractmethod
    def log_directories(self) -> list[Path]:
        """Where the segments of topics are, of every node."""

    def spawn_all(self) -> None:
        for node_id in NODES:
            self.spawn(node_id)

    def cpu_seconds(self) -> float:
        """What all nodes have used, user and system, since their processes started."""
        ticks = 0
        for node_id in NODES:
            for pid in _family(self.pid(node_id)):
                stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                ticks += int(stat[11]) + int(stat[12])
        return ticks / _TICKS

    def resident_mib(self) -> list[float]:
        """Resident memory of each node, the pages of files that it maps included."""
        found = []
        for node_id in NODES:
            pages = 0
            for pid in _family(self.pid(node_id)):
                pages += int(Path(f"/proc/{pid}/statm").read_text().split()[1])
            found.append(pages * os.sysconf("SC_PAGE_SIZE") / 2**20)
        return found

    def leaders(self, topic: str, seconds_max: float = 60.0) -> list[int]:
        """The leader of each partition; waits until each has one."""
        with self._admin() as admin:
            for _ in _until(seconds_max, f"{topic} has partitions without a leader"):
                partitions = _partitions(admin, topic)
                found = {p.index: p.leader_id for p in partitions if p.leader_id is not None}
                if found and len(found) == len(partitions):
                    return [found[index] for index in sorted(found)]
        raise AssertionError("not reached")

    def controller(self) -> int:
        """The leader of the metadata quorum (DescribeQuorum: KRaft's Metadata names any broker)."""
        with self._admin() as admin:
            return admin.describe_quorum().leader_id

    def wait_in_sync(self, topic: str, seconds_max: float = 120.0) -> None:
        with self._admin() as admin:
            for _ in _until(seconds_max, f"{topic} has replicas that are not in sync"):
                partitions = _partitions(admin, topic)
                if partitions and all(set(p.isr) == set(p.replicas) for p in partitions):
                    return

    def _admin(self) -> Admin:
        return Admin(self.bootstrap, timeout_seconds=60.0)


def _partitions(admin: Admin, topic: str) -> Sequence[PartitionDescription]:
    """None where the broker that was asked has not heard of the topic yet."""
    try:
        return admin.describe_topic(topic).partitions
    except ProtocolError as error:
        if error.code != ErrorCode.UNKNOWN_TOPIC_OR_PARTITION:
            raise
        return ()


def _family(pid: int) -> list[int]:
    """A process and its children, to any depth."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            for child in (task / "children").read_text().split():
                found += _family(int(child))
    return found


def _until(seconds_max: float, otherwise: str) -> Iterator[None]:
    deadline = time.monotonic() + seconds_max
    while time.monotonic() < deadline:
        yield
        time.sleep(_POLL_SECONDS)
    raise OttlaError(f"{otherwise} after {seconds_max:.0f} s")
