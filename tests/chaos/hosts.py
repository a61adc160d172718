"""A cluster whose brokers live on hosts of a network of its own, with disks that fill and slow, and
a clock that jumps.

Every broker has the same ports on an address of its own. Brokers 1 and 2 have their logs on a small
disk of their own (tmpfs); the logs of broker 3 and all metadata are on the machine's disk. The wall
clock of broker 3 can jump, if wanted and Debian's `faketime` is installed (its library answers for
the kernel, which costs that broker as much CPU again); monotonic clocks stay.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from unittest.mock import patch

from ottla.core.identifiers import random_uuid, uuid_text
from ottla.local.plan import ClusterPlan, NodePlan, SettingValue
from ottla.testing import Cluster
from tests.chaos.namespaces import CONTROL_GROUPS, Network, address
from tests.support.mounts import Tmpfs

CLIENT_PORT, INTERNAL_PORT, RAFT_PORT = 9092, 19092, 29092
SMALL_DISKS = (1, 2)
JUMPING_CLOCK = 3
DISK_MB = 256
FLOOR_BYTES = 32 << 20


class HostedCluster(Cluster):
    """One broker a host. Used by one thread."""

    def __init__(
        self,
        network: Network,
        folder: Path,
        settings: Mapping[str, SettingValue],
        *,
        jumping_clock: bool = False,
    ) -> None:
        voters = ",".join(f"{n}@{address(n)}:{RAFT_PORT}" for n in network.hosts)
        where = address(0)[:-1] + "{node.id}"
        super().__init__(
            brokers=len(network.hosts),
            directory=folder / "cluster",
            settings={
                "allow.plaintext": True,
                "listeners": f"PLAINTEXT://{where}:{CLIENT_PORT}",
                "internal.listener": f"{where}:{INTERNAL_PORT}",
                "raft.listener": f"{where}:{RAFT_PORT}",
                "controller.quorum.voters": voters,
                "controller.quorum.bootstrap.servers": ",".join(
                    f"{address(n)}:{INTERNAL_PORT}" for n in network.hosts
                ),
                "log.dirs": str(folder / "disk-{node.id}" / "log"),
                "ottla.log.min.free.bytes": FLOOR_BYTES,
                **settings,
            },
        )
        self.disks = {n: Tmpfs(folder / f"disk-{n}", DISK_MB) for n in SMALL_DISKS}
        self._network = network
        self._jumping_clock = jumping_clock
        self._run_folder = folder
        self._mounts = contextlib.ExitStack()

    @property
    def bootstrap(self) -> str:
        return ",".join(self.address(n) for n in self._network.hosts)

    def address(self, node_id: int) -> str:
        return f"{address(node_id)}:{CLIENT_PORT}"

    def start(self, node_id: int, *, wait: bool = True) -> None:
        with self._network.inside(node_id), self._clock(node_id):
            super().start(node_id, wait=False)
        with contextlib.suppress(FileNotFoundError):
            (self._group(node_id) / "cgroup.procs").write_text(str(self.pid(node_id)))
        if wait:
            self.wait_serving(node_id)

    def start_all(self) -> None:
        for node_id in self.node_ids:
            if node_id not in self.running:
                self.start(node_id, wait=False)
        self._wait_ready()

    def set_clock(self, seconds: int) -> None:
        """Broker JUMPING_CLOCK's wall clock is so much ahead from now on, within a second."""
        file = self._run_folder / "clock"
        file.with_suffix(".new").write_text(f"{seconds:+d}")
        file.with_suffix(".new").replace(file)

    @contextlib.contextmanager
    def _clock(self, node_id: int) -> Iterator[None]:
        """A node that is started meanwhile has a clock that can be set."""
        library = faketime_library()
        if not self._jumping_clock or node_id != JUMPING_CLOCK or library is None:
            yield
            return
        environment = {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(self._run_folder / "clock"),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DISABLE_SHM": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        with patch.dict(os.environ, environment):
            yield

    def limit_disk(self, node_id: int, bytes_per_second: int) -> None:
        """Syncs of this node go no faster; 0: as fast as they can."""
        device = _whole_disk(self.directory)
        file = self._group(node_id) / "blkio.throttle.write_bps_device"
        file.write_text(f"{device} {bytes_per_second}")

    def _start(self) -> None:
        for disk in self.disks.values():
            self._mounts.enter_context(disk.mounted())
        if CONTROL_GROUPS.is_dir():
            for node_id in self._network.hosts:
                self._group(node_id).mkdir(exist_ok=True)
        self.set_clock(0)
        super()._start()

    def close(self) -> None:
        super().close()
        self._mounts.close()

    def keep_disks(self) -> None:
        """Copy what is on disks that go with the run, next to where they are mounted."""
        for disk in self.disks.values():
            with contextlib.suppress(OSError):
                shutil.copytree(disk.path, f"{disk.path}-kept", ignore_dangling_symlinks=True)

    def log_directories(self) -> list[Path]:
        return [self._run_folder / f"disk-{n}" / "log" for n in self._network.hosts]

    def _group(self, node_id: int) -> Path:
        return CONTROL_GROUPS / f"{self._network.run}-{node_id}"

    def _plan(self) -> ClusterPlan:
        cluster_id = uuid_text(random_uuid(random.Random()))
        nodes = tuple(
            NodePlan(n, CLIENT_PORT, INTERNAL_PORT, RAFT_PORT) for n in self._network.hosts
        )
        return ClusterPlan(cluster_id, nodes, self._settings)


def faketime_library() -> Path | None:
    """Of Debian's package `faketime`."""
    return next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)


def can_slow_disks(folder: Path) -> bool:
    """Whether this machine can limit the writes of one process: blkio of cgroup v1, a real disk."""
    return (CONTROL_GROUPS / "blkio.throttle.write_bps_device").exists() and bool(
        list(_devices(folder))
    )


def _whole_disk(folder: Path) -> str:
    """``major:minor`` of the disk that `folder` is on; limits are a disk's, not a partition's."""
    return next(_devices(folder))


def _devices(folder: Path) -> Iterator[str]:
    number = os.stat(folder).st_dev
    device = Path(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}")
    if (device / "partition").exists():
        device = device.resolve().parent
    if (device / "dev").exists():
        yield (device / "dev").read_text().strip()
