"""How a node ends: by SIGTERM at any moment, with a quorum or without, or by its own fault."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

from ottla.testing import Cluster

STOP_SECONDS_MAX = 20.0
PLANTED = """
import sys
import broker.main
from broker.groups.group_coordinator import GroupCoordinator

async def run(self):
    raise RuntimeError("a planted fault")

GroupCoordinator.run = run
broker.main.main(sys.argv[1:])
"""


def marks(cluster: Cluster) -> set[str]:
    """What the folders of all nodes say about how these stopped."""
    files = [cluster.directory / f"node-{node}" / "log" / "stop.mark" for node in cluster.node_ids]
    return {
        line for file in files for line in file.read_text().split() if line.startswith("state=")
    }


def test_all_nodes_stop_at_once_in_bounded_time_and_cleanly() -> None:
    with Cluster(brokers=3) as cluster:
        assert marks(cluster) == {"state=running"}
        begun = time.monotonic()
        assert cluster.stop_all()
        assert time.monotonic() - begun < STOP_SECONDS_MAX
        assert marks(cluster) == {"state=clean"}
        cluster.start_all()
        # Two die: nobody is left to hand over to.
        cluster.kill(1)
        cluster.kill(2)
        begun = time.monotonic()
        assert cluster.stop(3)
        assert time.monotonic() - begun < STOP_SECONDS_MAX


def test_a_failed_room_ends_the_node_with_one_sentence() -> None:
    with Cluster(brokers=1) as cluster:
        cluster.stop(1)
        folder = cluster.directory / "node-1"
        node = subprocess.run(
            [sys.executable, "-c", PLANTED, "--config", str(folder / "node.toml")],
            capture_output=True,
            text=True,
            timeout=STOP_SECONDS_MAX,
            check=False,
        )
        assert node.returncode == 1
        assert "Traceback" not in node.stderr
        assert node.stderr.splitlines()[-1] == (
            "error: this node stopped: RuntimeError: a planted fault; the traceback is in "
            f"{folder.resolve() / 'server.log'}"
        )
        log = (folder / "server.log").read_text()
        assert log.count("this node stops: RuntimeError: a planted fault") == 1
        assert "Traceback" in log


def test_sigterm_while_starting_ends_a_node_cleanly() -> None:
    with Cluster(brokers=3) as cluster:
        cluster.stop_all()
        # Alone it waits for a quorum that never comes.
        cluster.start(1, wait=False)
        log = cluster.directory / "node-1" / "server.log"
        follower = subprocess.Popen(
            ["tail", "-n", "0", "-f", str(log)], stdout=subprocess.PIPE, text=True
        )
        with follower:
            assert follower.stdout is not None
            assert follower.stdout.readline()  # it has come as far as its log
            assert cluster.stop(1)
            follower.send_signal(signal.SIGTERM)


def test_a_metadata_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    with Cluster(brokers=1) as cluster:
        cluster.stop(1)
        blocker = tmp_path / "file"
        blocker.write_text("")
        settings = (cluster.directory / "node-1" / "node.toml").read_text()
        lines = [line for line in settings.splitlines() if '"metadata.log.dir"' not in line]
        changed = tmp_path / "node.toml"
        changed.write_text("\n".join([*lines, f'"metadata.log.dir" = "{blocker}/metadata"', ""]))
        for arguments in ([], ["--initialize"]):
            node = subprocess.run(
                [sys.executable, "-m", "broker.main", "--config", str(changed), *arguments],
                capture_output=True,
                text=True,
                timeout=STOP_SECONDS_MAX,
                check=False,
            )
            assert node.returncode == 1
            assert node.stderr.startswith("error: ")
            assert "metadata.log.dir" in node.stderr
            assert node.stderr.count("\n") == 1
