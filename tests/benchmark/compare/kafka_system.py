"""Apache Kafka 4.3 from its Maven jars: KRaft, three combined nodes.

Settings are those of the distribution's config/server.properties and bin/kafka-server-start.sh
(heap and collector), with the replication of internal topics that Kafka's documentation recommends
for production. The jars have no binding for logging, so that Kafka logs nothing here. Formatting
of the storage is not part of a start: it is done once, and its result copied.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path

from ottla.local.ports import free_ports
from tests.benchmark.compare.system import NODES, System
from tests.support.apache_kafka import JARS_VARIABLE

HEAP = ("-Xmx1G", "-Xms1G")
JVM = (
    "-server",
    "-XX:+UseG1GC",
    "-XX:MaxGCPauseMillis=20",
    "-XX:InitiatingHeapOccupancyPercent=35",
    "-XX:+ExplicitGCInvokesConcurrent",
    "-Djava.awt.headless=true",
)
SETTINGS: dict[str, int] = {
    "num.network.threads": 3,
    "num.io.threads": 8,
    "socket.send.buffer.bytes": 102_400,
    "socket.receive.buffer.bytes": 102_400,
    "socket.request.max.bytes": 104_857_600,
    "log.segment.bytes": 1_073_741_824,
    "log.retention.hours": 168,
    "num.recovery.threads.per.data.dir": 2,
    "default.replication.factor": 3,
    "min.insync.replicas": 2,
    "offsets.topic.replication.factor": 3,
    "transaction.state.log.replication.factor": 3,
    "transaction.state.log.min.isr": 2,
    "share.coordinator.state.topic.replication.factor": 3,
    "share.coordinator.state.topic.min.isr": 2,
}
_CLUSTER_ID = "AAAAAAAAAAAAAAAAAAAAAQ"
_FORMAT_SECONDS_MAX = 60
_END_SECONDS_MAX = 30


def class_path() -> str:
    return os.path.join(os.environ[JARS_VARIABLE], "*")


class KafkaSystem(System):
    name = "kafka"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        ports = free_ports(2 * len(NODES))
        self._client = dict(zip(NODES, ports, strict=False))
        self._controller = dict(zip(NODES, ports[len(NODES) :], strict=True))
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        for node_id in NODES:
            self._prepare(node_id)

    @property
    def bootstrap(self) -> str:
        return ",".join(f"127.0.0.1:{port}" for port in self._client.values())

    def spawn(self, node_id: int) -> None:
        folder = self._folder / f"node-{node_id}"
        # It ends with the benchmark, however that ends.
        command = ["setpriv", "--pdeathsig", "KILL", "java", *HEAP, *JVM, "-cp", class_path()]
        with open(folder / "output.log", "ab") as output:
            self._processes[node_id] = subprocess.Popen(
                [*command, "kafka.Kafka", str(folder / "server.properties")],
                stdout=output,
                stderr=output,
                cwd=folder,
            )

    def pid(self, node_id: int) -> int:
        process = self._processes[node_id]
        if process.poll() is not None:
            output = (self._folder / f"node-{node_id}" / "output.log").read_text("utf-8", "replace")
            raise RuntimeError(f"node {node_id} of Kafka ended: {output[-2000:]}")
        return process.pid

    def kill(self, node_id: int) -> None:
        process = self._processes.pop(node_id)
        process.kill()
        process.wait(_END_SECONDS_MAX)

    def kill_all(self) -> None:
        for process in self._processes.values():
            process.send_signal(signal.SIGKILL)
        for node_id in list(self._processes):
            self.kill(node_id)

    def close(self) -> None:
        self.kill_all()
        shutil.rmtree(self._folder, ignore_errors=True)

    def log_directories(self) -> list[Path]:
        return [self._folder / f"node-{node_id}" / "data" for node_id in NODES]

    def _prepare(self, node_id: int) -> None:
        folder = self._folder / f"node-{node_id}"
        folder.mkdir(parents=True)
        client, controller = self._client[node_id], self._controller[node_id]
        voters = ",".join(f"{n}@127.0.0.1:{port}" for n, port in self._controller.items())
        settings: dict[str, object] = {
            "process.roles": "broker,controller",
            "node.id": node_id,
            "controller.quorum.voters": voters,
            "listeners": f"PLAINTEXT://127.0.0.1:{client},CONTROLLER://127.0.0.1:{controller}",
            "controller.listener.names": "CONTROLLER",
            "log.dirs": folder / "data",
            **SETTINGS,
        }
        file = folder / "server.properties"
        file.write_text("".join(f"{key}={value}\n" for key, value in settings.items()), "utf-8")
        formatted = self._folder.parent / f"kafka-formatted-{node_id}"
        if not formatted.exists():
            _format(file)
            shutil.copytree(folder / "data", formatted)
        else:
            shutil.copytree(formatted, folder / "data")


def _format(file: Path) -> None:
    subprocess.run(
        ["java", "-cp", class_path(), "kafka.tools.StorageTool", "format", "-t", _CLUSTER_ID,
         "-c", str(file)],
        check=True,
        capture_output=True,
        timeout=_FORMAT_SECONDS_MAX,
    )  # fmt: skip
