"""The voters of a running cluster are changed as an operator does it: processes and commands."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ottla.client.admin import Admin
from ottla.local.plan import to_toml
from ottla.testing import Cluster

OTTLA = str(Path(sys.executable).with_name("ottla"))
SECONDS_MAX = 90


class Operator:
    """Somebody with a shell next to the cluster."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self.cluster = cluster
        self.folder = folder

    def ottla(self, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [OTTLA, *arguments],
            env={**os.environ, "OTTLA_BOOTSTRAP": self.cluster.bootstrap},
            capture_output=True,
            text=True,
            timeout=SECONDS_MAX,
            check=False,
        )
        assert done.returncode == code, done.stderr
        return done

    def describe(self) -> Any:
        return json.loads(self.ottla("quorum", "describe", "--json").stdout)

    def voters(self) -> list[int]:
        return [one["node"] for one in self.describe()["voters"]]

    @contextlib.contextmanager
    def controller(self, node_id: int) -> Iterator[str]:
        """Node `node_id` as a controller that joins; the command that it shows."""
        source = self.cluster.directory / f"node-{node_id}" / "node.toml"
        values = tomllib.loads(source.read_text())
        if "controller" not in values["process.roles"]:
            values["process.roles"].append("controller")
            own = f"{node_id}@{values['raft.listener']}"
            values["controller.quorum.voters"].append(own)
        changed = self.folder / f"node-{node_id}.toml"
        changed.write_text(to_toml(values))
        node = subprocess.Popen(
            [sys.executable, "-m", "broker.main", "--config", str(changed), "--join"],
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert node.stdout is not None
            shown = next(line for line in node.stdout if "to make it one: " in line)
            yield shown.partition("to make it one: ")[2].strip()
        finally:
            node.terminate()
            node.wait(SECONDS_MAX)

    def add(self, command: str) -> subprocess.CompletedProcess[str]:
        name, *arguments = shlex.split(command)
        assert name == "ottla"
        return self.ottla(*arguments)


def test_voters_come_and_go_while_the_cluster_serves(tmp_path: Path) -> None:
    with Cluster(brokers=4) as cluster:
        operator = Operator(cluster, tmp_path)
        cluster.stop(4)
        with operator.controller(4) as command, Admin(cluster.bootstrap) as admin:
            assert operator.add(command).stdout == "Node 4 is a voter now.\n"
            assert operator.voters() == [1, 2, 3, 4]
            again = operator.ottla(*shlex.split(command)[1:], code=1)
            assert again.stderr == "error: node 4 is already a voter (DUPLICATE_VOTER)\n"

            # One dies for good; the three that remain bear the loss of another.
            dead = next(one for one in (1, 2, 3) if one != operator.describe()["leader"])
            cluster.kill(dead)
            operator.ottla("quorum", "remove-voter", str(dead))
            admin.create_topic("one", 1, 1)
            leader = operator.describe()["leader"]
            operator.ottla("quorum", "remove-voter", str(leader))
            described = operator.describe()
            assert described["leader"] != leader
            assert [one["node"] for one in described["voters"]] == sorted(
                {1, 2, 3, 4} - {dead, leader}
            )
            assert all(one["lag"] == 0 for one in described["voters"])
            admin.create_topic("two", 1, 1)
            assert [topic.name for topic in admin.list_topics()] == ["one", "two"]

            gone = operator.ottla("quorum", "remove-voter", str(dead), code=1)
            assert gone.stderr == f"error: node {dead} is not a voter (VOTER_NOT_FOUND)\n"


def test_a_controller_that_lost_its_disk_is_taken_back(tmp_path: Path) -> None:
    with Cluster(brokers=3) as cluster:
        operator = Operator(cluster, tmp_path)
        lost = next(one for one in (1, 2, 3) if one != operator.describe()["leader"])
        before = {one["node"]: one["directory_id"] for one in operator.describe()["voters"]}
        cluster.stop(lost)
        shutil.rmtree(cluster.directory / f"node-{lost}" / "metadata")
        with operator.controller(lost) as command:
            refused = operator.ottla(*shlex.split(command)[1:], code=1)
            assert (
                f"remove that one first with 'ottla quorum remove-voter {lost}'" in refused.stderr
            )
            operator.ottla("quorum", "remove-voter", str(lost))
            operator.add(command)
            after = {one["node"]: one["directory_id"] for one in operator.describe()["voters"]}
            assert set(after) == {1, 2, 3}
            assert after[lost] not in (None, before[lost])
