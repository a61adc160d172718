"""Ottla as a user has it: the defaults of `ottla up`."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

from ottla.core.identifiers import random_uuid, uuid_text
from ottla.local.cluster import LocalCluster
from ottla.local.plan import PORTS_PER_NODE, ClusterPlan, plan_on_ports
from ottla.local.ports import free_ports
from tests.benchmark.compare.system import NODES, System


class OttlaSystem(System):
    name = "ottla"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        nodes = plan_on_ports(free_ports(PORTS_PER_NODE * len(NODES)))
        plan = ClusterPlan(uuid_text(random_uuid(random.Random())), nodes, {})
        self._cluster = LocalCluster.create(folder, plan)

    @property
    def bootstrap(self) -> str:
        return self._cluster.plan.bootstrap

    def spawn(self, node_id: int) -> None:
        self._cluster.start(node_id, tied=True)

    def pid(self, node_id: int) -> int:
        process = self._cluster.process(node_id)
        if process is None:
            raise RuntimeError(self._cluster.why_ended(node_id))
        return process.identity.pid

    def kill(self, node_id: int) -> None:
        self._cluster.mark_initialised()
        self._cluster.kill(node_id)

    def kill_all(self) -> None:
        self._cluster.mark_initialised()
        self._cluster.kill_all()

    def close(self) -> None:
        self._cluster.kill_all()
        shutil.rmtree(self._folder, ignore_errors=True)

    def log_directories(self) -> list[Path]:
        return [self._cluster.folder(node_id) / "log" for node_id in NODES]
