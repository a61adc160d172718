import json
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from ottla.core.errors import ConfigError, OttlaError
from ottla.local.cluster import LocalCluster, locked
from ottla.local.plan import ClusterPlan, plan_on_ports
from ottla.local.ports import free_ports
from ottla.local.processes import NodeProcess, ProcessIdentity, process_started

ID = "AAAAAAAAAAAAAAAAAAAAAQ"


def make(directory: Path, ports: list[int] | None = None) -> LocalCluster:
    return LocalCluster.create(directory, ClusterPlan(ID, plan_on_ports(ports or free_ports(4))))


def test_a_cluster_is_found_again_and_its_files_are_private(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    made = make(folder)
    found = LocalCluster.load(folder)
    assert found is not None
    assert found.plan == made.plan
    assert found.running() == []
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "cluster.json").stat().st_mode) == 0o600
    with pytest.raises(ConfigError, match="already holds a cluster"):
        make(folder)


def test_an_empty_folder_holds_no_cluster(tmp_path: Path) -> None:
    assert LocalCluster.load(tmp_path) is None


def test_a_damaged_state_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "cluster.json").write_text("{")
    with pytest.raises(ConfigError, match=r"cannot read .*cluster\.json"):
        LocalCluster.load(tmp_path)


def test_the_process_of_a_recycled_id_is_not_ours(tmp_path: Path) -> None:
    make(tmp_path)
    state = json.loads((tmp_path / "cluster.json").read_text())
    state["processes"] = [[1, os.getpid(), "before the last boot"]]
    (tmp_path / "cluster.json").write_text(json.dumps(state))
    found = LocalCluster.load(tmp_path)
    assert found is not None
    assert found.running() == []
    with pytest.raises(OttlaError, match="node 1 does not run"):
        found.kill(1)


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        cluster = make(tmp_path, [port, *free_ports(3)])
        with pytest.raises(ConfigError, match=f"port {port} on 127.0.0.1 is taken"):
            cluster.check_ports_free()


def test_the_error_of_a_node_is_told_in_its_own_words(tmp_path: Path) -> None:
    cluster = make(tmp_path)
    cluster.folder(1).mkdir()
    output = cluster.folder(1) / "output.log"
    output.write_text("noise\nerror: the disk is on fire\n")
    assert cluster.why_ended(1) == "node 1 stopped: the disk is on fire"
    output.write_text("Traceback\nKeyError: 1\n")
    assert cluster.why_ended(1).endswith("it printed:\nTraceback\nKeyError: 1")
    output.write_text("ottla-server node 1 serves PLAINTEXT://127.0.0.1:9092\n")
    assert cluster.why_ended(1).endswith("stopped unexpectedly; see " + str(cluster.log_file(1)))


def test_delete_leaves_what_is_not_ours(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    cluster = make(folder)
    cluster.folder(1).mkdir()
    (folder / "mine.txt").write_text("mine")
    cluster.delete()
    assert [entry.name for entry in folder.iterdir()] == ["mine.txt"]


def test_two_commands_do_not_change_a_cluster_at_once(tmp_path: Path) -> None:
    with (
        locked(tmp_path),
        pytest.raises(OttlaError, match="another ottla command"),
        locked(tmp_path),
    ):
        pass
    with locked(tmp_path):
        pass


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="choose another folder with --data"):
        make(tmp_path / "file" / "data")


def test_a_node_that_ends_by_itself_is_told_from_one_that_was_killed(tmp_path: Path) -> None:
    cluster = make(tmp_path, free_ports(8))
    for node_id in (1, 2):
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
        identity = ProcessIdentity(child.pid, process_started(child.pid) or "")
        cluster._processes[node_id] = NodeProcess(node_id, identity, child)
    assert cluster.ended() == []
    cluster.kill(1)
    assert cluster.ended() == []
    ended = cluster._processes[2].child
    assert ended is not None
    ended.communicate(b"\n", timeout=30)
    assert cluster.ended() == [2]
