"""The cluster of the table: does what programs ask for, and looks at what they left behind."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from pathlib import Path

from ottla.client.admin import Admin
from ottla.core.errors import DecodeError, ErrorCode, OttlaError, ProtocolError
from ottla.record.batch import BatchHeader, iter_headers
from ottla.testing import Cluster

KNOWN_SECONDS_MAX = 20.0
_POLL_SECONDS = 0.05
_RECOVERED_SECONDS_MAX = 60.0


class Scene:
    """One cell's view of the cluster; what it makes and finds has names with `prefix`."""

    def __init__(self, cluster: Cluster, prefix: str, *, may_kill: bool) -> None:
        self._cluster = cluster
        self._prefix = f"{prefix}-"
        self._may_kill = may_kill
        self._killed: list[int] = []

    def create_topic(
        self, name: str, partitions: int, replication: int, configs: Mapping[str, str]
    ) -> None:
        self._check_name(name)
        with self._admin() as admin:
            admin.create_topic(name, partitions, replication, configs)
        self._wait_known(name, known=True)

    def delete_topic(self, name: str) -> None:
        self._check_name(name)
        with self._admin() as admin:
            admin.delete_topic(name)
        self._wait_known(name, known=False)

    def kill_leader(self, topic: str, partition: int) -> int:
        if not self._may_kill:
            raise OttlaError("brokers are killed in leader-killed only")
        node = self._cluster.leader(topic, partition)
        self._cluster.kill(node)
        self._killed.append(node)
        return node

    def restart(self) -> None:
        while self._killed:
            self._cluster.start(self._killed[-1])
            self._killed.pop()

    def recover(self) -> None:
        """All nodes serve, and every replica is in sync: the next cell begins as this one did."""
        self.restart()
        deadline = time.monotonic() + _RECOVERED_SECONDS_MAX
        while True:
            with self._admin() as admin:
                behind = [
                    f"{topic.name}-{part.index}"
                    for topic in admin.list_topics(internal=True)
                    for part in topic.partitions
                    if set(part.isr) != set(part.replicas) or part.leader_id is None
                ]
            if not behind:
                return
            if time.monotonic() > deadline:
                raise OttlaError(f"not in sync after {_RECOVERED_SECONDS_MAX:.0f} s: {behind}")
            time.sleep(_POLL_SECONDS)

    def batches(self) -> list[BatchHeader]:
        """On disk, of the program's topics, from the longest replica of each partition."""
        longest: dict[str, list[BatchHeader]] = {}
        for node in self._cluster.node_ids:
            for folder in self._logs(node):
                found = [h for file in sorted(folder.glob("*.log")) for h in _headers(file)]
                longest[folder.name] = max(longest.get(folder.name, []), found, key=len)
        return [header for headers in longest.values() for header in headers]

    def group_types(self) -> set[str]:
        """Of the program's groups: ``classic``, ``consumer``."""
        with self._admin() as admin:
            return {g.type for g in admin.list_groups() if g.group_id.startswith(self._prefix)}

    def clean(self) -> None:
        """Delete the program's topics; groups stay: a member may be there until it expires."""
        with self._admin() as admin:
            names = [t.name for t in admin.list_topics() if t.name.startswith(self._prefix)]
            if names:
                admin.delete_topics(names)

    def _logs(self, node: int) -> list[Path]:
        directory = self._cluster.directory
        return [
            folder
            for folder in sorted(directory.glob(f"node-{node}/log/{self._prefix}*"))
            if folder.is_dir() and folder.name.rpartition("-")[2].isdigit()
        ]

    def _check_name(self, name: str) -> None:
        if not name.startswith(self._prefix):
            raise OttlaError(f"names of this scenario begin with {self._prefix}, not {name}")

    def _wait_known(self, topic: str, *, known: bool) -> None:
        """Until every broker knows, or has forgotten, the topic."""
        deadline = time.monotonic() + KNOWN_SECONDS_MAX
        for node in self._cluster.running:
            with Admin(self._cluster.address(node), timeout_seconds=15.0) as admin:
                while _is_known(admin, topic) != known:
                    if time.monotonic() > deadline:
                        raise OttlaError(f"broker {node} does not follow the change of {topic}")
                    time.sleep(_POLL_SECONDS)

    def _admin(self) -> Admin:
        return Admin(self._cluster.bootstrap, timeout_seconds=20.0)


def _is_known(admin: Admin, topic: str) -> bool:
    try:
        return all(part.leader_id is not None for part in admin.describe_topic(topic).partitions)
    except ProtocolError as error:
        if error.code != ErrorCode.UNKNOWN_TOPIC_OR_PARTITION:
            raise
        return False


def _headers(file: Path) -> list[BatchHeader]:
    """Of whole batches: the last one may be on its way."""
    found: list[BatchHeader] = []
    with contextlib.suppress(DecodeError):
        found.extend(header for _, header in iter_headers(file.read_bytes()))
    return found
