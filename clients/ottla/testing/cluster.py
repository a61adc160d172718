"""The test cluster."""

from __future__ import annotations

import random
import shutil
import signal
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from ottla.client.admin import Admin
from ottla.core.errors import ConfigError, OttlaError
from ottla.core.identifiers import random_uuid, uuid_text
from ottla.local.cluster import LocalCluster
from ottla.local.health import brokers_seen
from ottla.local.plan import PORTS_PER_NODE, ClusterPlan, SettingValue, plan_on_ports
from ottla.local.ports import free_ports

_START_TRIES_MAX = 3
_POLL_SECONDS = 0.05


class Cluster:
    """A cluster of `brokers` nodes on free loopback ports, in a temporary folder unless told.

    A context manager: it is ready when entered, and gone, its processes and its temporary folder
    included, when left; the processes also end when the test process dies. Methods block and raise
    OttlaError with a sentence. Node ids are 1 to `brokers`; in a setting's text `{node.id}` stands
    for the node's.
    """

    def __init__(
        self,
        brokers: int = 3,
        *,
        directory: Path | str | None = None,
        settings: Mapping[str, SettingValue] | None = None,
        start_seconds_max: float = 60.0,
    ) -> None:
        self._brokers = brokers
        self._directory = None if directory is None else Path(directory)
        self._settings = dict(settings or {})
        self._start_seconds_max = start_seconds_max
        self._temporary: Path | None = None
        self._local: LocalCluster | None = None

    def __enter__(self) -> Self:
        try:
            self._start()
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
        """Kill every node and remove the temporary folder."""
        if self._local is not None:
            self._local.kill_all()
        self._local = None
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)
            self._temporary = None

    @property
    def bootstrap(self) -> str:
        """``host:port,host:port,…`` for a client's `bootstrap.servers`."""
        return self._cluster.plan.bootstrap

    @property
    def directory(self) -> Path:
        """The folder with each node's settings, data and log."""
        return self._cluster.directory

    @property
    def node_ids(self) -> list[int]:
        return [node.node_id for node in self._cluster.plan.nodes]

    @property
    def running(self) -> list[int]:
        """Ids of the nodes whose process exists (a paused one too)."""
        return self._cluster.running()

    @property
    def ended(self) -> list[int]:
        """Ids of the nodes that ended although nobody stopped or killed them."""
        return self._cluster.ended()

    def address(self, node_id: int) -> str:
        """``host:port`` where clients reach one broker."""
        return f"127.0.0.1:{self._cluster.plan.node(node_id).client_port}"

    def http_address(self, node_id: int) -> str:
        """``host:port`` of one node's health and metrics."""
        return f"127.0.0.1:{self._cluster.plan.node(node_id).http_port}"

    def pid(self, node_id: int) -> int:
        """The process id of a running node."""
        process = self._cluster.process(node_id)
        if process is None:
            raise OttlaError(f"node {node_id} does not run")
        return process.identity.pid

    def log(self, node_id: int) -> str:
        """What a node has logged and printed so far."""
        folder = self._cluster.folder(node_id)
        files = [folder / "server.log", folder / "output.log"]
        return "".join(file.read_text("utf-8", "replace") for file in files if file.exists())

    def kill(self, node_id: int) -> None:
        """SIGKILL: the process is gone when this returns."""
        self._cluster.kill(node_id)

    def kill_all(self) -> None:
        """SIGKILL all nodes at once."""
        self._cluster.kill_all()

    def stop(self, node_id: int) -> bool:
        """SIGTERM, and wait; says whether the node stopped cleanly."""
        return self._cluster.stop(node_id)

    def stop_all(self) -> bool:
        """SIGTERM all nodes at once, and wait; says whether all stopped cleanly."""
        return self._cluster.stop_all()

    def pause(self, node_id: int) -> None:
        """SIGSTOP: the node stands still, its connections stay open."""
        self._cluster.signal(node_id, signal.SIGSTOP)

    def resume(self, node_id: int) -> None:
        """SIGCONT."""
        self._cluster.signal(node_id, signal.SIGCONT)

    def start(self, node_id: int, *, wait: bool = True) -> None:
        """Start a node that does not run and, with `wait`, wait until it serves."""
        self._cluster.start(node_id, tied=True)
        if wait:
            self.wait_serving(node_id)

    def start_all(self) -> None:
        """Start every node that does not run and wait until all serve."""
        self._cluster.start_all(tied=True)
        self._wait_ready()

    def restart(self, node_id: int, *, wait: bool = True) -> None:
        """Start a node again; one that runs is stopped with SIGTERM first."""
        if node_id in self.running:
            self.stop(node_id)
        self.start(node_id, wait=wait)

    def wait_serving(self, node_id: int) -> None:
        """Wait until the node answers clients and is a registered, unfenced broker."""
        self._cluster.wait_ready(
            lambda: node_id in brokers_seen(self.address(node_id)), self._start_seconds_max
        )

    def leader(self, topic: str, partition: int) -> int:
        """The broker that leads a partition; waits a little while there is none."""
        deadline = time.monotonic() + 15.0
        while True:
            with Admin(self.bootstrap, timeout_seconds=15.0) as admin:
                description = admin.describe_topic(topic)
            for known in description.partitions:
                if known.index == partition and known.leader_id is not None:
                    return known.leader_id
            if time.monotonic() > deadline:
                raise OttlaError(f"{topic}-{partition} has no leader")
            time.sleep(_POLL_SECONDS)

    def controller(self) -> int:
        """The node that is the active controller."""
        with Admin(self.bootstrap, timeout_seconds=15.0) as admin:
            controller_id = admin.describe_cluster().controller_id
        if controller_id is None:
            raise OttlaError("no broker knows an active controller")
        return controller_id

    def wait_in_sync(self, topic: str, seconds_max: float = 60.0) -> None:
        """Wait until every replica of a topic is in sync."""
        deadline = time.monotonic() + seconds_max
        while True:
            with Admin(self.bootstrap, timeout_seconds=15.0) as admin:
                partitions = admin.describe_topic(topic).partitions
            behind = [p.index for p in partitions if set(p.isr) != set(p.replicas)]
            if not behind:
                return
            if time.monotonic() > deadline:
                raise OttlaError(f"partitions {behind} of {topic} are not in sync")
            time.sleep(_POLL_SECONDS)

    @property
    def _cluster(self) -> LocalCluster:
        if self._local is None:
            raise OttlaError("the cluster does not run; use it in a with statement")
        return self._local

    def _start(self) -> None:
        if self._directory is not None and (found := LocalCluster.load(self._directory)):
            self._local = found
            self.start_all()
            return
        for attempt in range(1, _START_TRIES_MAX + 1):
            self._local = LocalCluster.create(self._folder(), self._plan())
            try:
                self.start_all()
                return
            except (ConfigError, OttlaError) as error:
                # Another program may take a free port before the node binds it.
                if "taken" not in str(error) or attempt == _START_TRIES_MAX:
                    raise
                self._local.kill_all()
                self._local.delete()

    def _folder(self) -> Path:
        if self._directory is not None:
            return self._directory
        if self._temporary is None:
            self._temporary = Path(tempfile.mkdtemp(prefix="ottla-test-"))
        return self._temporary / "cluster"

    def _plan(self) -> ClusterPlan:
        cluster_id = uuid_text(random_uuid(random.Random()))
        nodes = plan_on_ports(free_ports(PORTS_PER_NODE * self._brokers))
        return ClusterPlan(cluster_id, nodes, self._settings)

    def _wait_ready(self) -> None:
        everyone = set(self.node_ids)
        waiting = set(everyone)

        def is_ready() -> bool:
            for node_id in sorted(waiting):
                if brokers_seen(self.address(node_id)) != everyone:
                    return False
                waiting.discard(node_id)
            return True

        self._cluster.wait_ready(is_ready, self._start_seconds_max)
