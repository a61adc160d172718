"""Apache Kafka itself, as the oracle of the on-disk format: its tools and a broker, from its jars.

`make conformance` resolves the jars with Maven into a folder, names it in OTTLA_KAFKA_JARS and runs
the tests that are marked `apache_kafka`.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from ottla.local.ports import free_ports

JARS_VARIABLE = "OTTLA_KAFKA_JARS"
START_SECONDS_MAX = 90.0
STOP_SECONDS_MAX = 60.0
TOOL_SECONDS_MAX = 120.0
_MEMORY = "-Xmx320m"
_RECORD = re.compile(r"^\| offset: (\d+) ")
_GAP_BEFORE_A_FILE = re.compile(
    r"^Non-consecutive offsets in \S*/(?P<base>\d{20})\.log\n  -1 is followed by (?P<offset>\d+)\n",
    re.M,
)
_USUAL = (
    "Dumping ",
    "Log starting offset: ",
    "baseOffset: ",
    "| offset: ",
    "offset: ",
    "timestamp: ",
    "version: ",
    "SLF4J: ",
)
_BATCH = re.compile(r"^baseOffset: (\d+) lastOffset: (\d+) count: (\d+) .* isvalid: (\w+)$", re.M)


def _java(*arguments: str) -> list[str]:
    jars = os.path.join(os.environ[JARS_VARIABLE], "*")
    # The tests' machines are small: one collector thread, no time spent on optimizing.
    tuning = [_MEMORY, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
    return ["java", *tuning, "-cp", jars, *arguments]


class DumpedLog:
    """What `DumpLogSegments` printed about files."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.batches = [
            (int(first), int(last), int(count), valid == "true")
            for first, last, count, valid in _BATCH.findall(text)
        ]
        self.record_offsets = [
            int(found[1]) for line in text.splitlines() if (found := _RECORD.match(line))
        ]

    @property
    def complaints(self) -> list[str]:
        """Lines beside those which name a file, a batch, a record or an entry.

        The tool counts the offsets of every file from -1 on, and so finds a gap at the start of
        every segment but the first, in Kafka's own logs as well: that one is left out.
        """
        text = _GAP_BEFORE_A_FILE.sub(_unless_elsewhere, self.text)
        return [
            line
            for line in text.splitlines()
            if line and not line.startswith(_USUAL) and not line.endswith(" passed sanity check.")
        ]


def _unless_elsewhere(gap: re.Match[str]) -> str:
    return "" if int(gap["base"]) == int(gap["offset"]) else gap[0]


def dump_log_segments(files: Sequence[Path], *options: str) -> DumpedLog:
    """Run `org.apache.kafka.tools.DumpLogSegments` on files; what it printed."""
    names = ",".join(str(file) for file in files)
    command = _java("org.apache.kafka.tools.DumpLogSegments", *options, "--files", names)
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=TOOL_SECONDS_MAX, check=False
    )
    assert done.returncode == 0, done.stderr
    return DumpedLog(done.stdout + done.stderr)


def run_tool(name: str, bootstrap: str, *arguments: str) -> str:
    """Run one of Kafka's command-line tools, named by its class, against a cluster; its output.

    AssertionError with what it said when it fails, be it only in words: some tools exit with 0.
    """
    command = _java(name, "--bootstrap-server", bootstrap, *arguments)
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=TOOL_SECONDS_MAX, check=False
    )
    said = "".join(
        line for line in done.stderr.splitlines(keepends=True) if not line.startswith("SLF4J")
    )
    assert done.returncode == 0, done.stdout + said
    assert "Error" not in done.stdout + said, done.stdout + said
    assert "Exception" not in done.stdout + said, done.stdout + said
    return done.stdout


class ApacheKafka:
    """One broker, which is its own controller, in a folder; a context manager."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._ports = free_ports(2)

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self._ports[0]}"

    def __enter__(self) -> ApacheKafka:
        client, controller = self._ports
        settings = {
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.voters": f"1@127.0.0.1:{controller}",
            "listeners": f"PLAINTEXT://127.0.0.1:{client},CONTROLLER://127.0.0.1:{controller}",
            "controller.listener.names": "CONTROLLER",
            "log.dirs": self.data,
            "offsets.topic.num.partitions": 1,
            "offsets.topic.replication.factor": 1,
            "transaction.state.log.num.partitions": 1,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            "log.cleaner.backoff.ms": 200,
        }
        self._folder.mkdir(parents=True, exist_ok=True)
        file = self._folder / "server.properties"
        file.write_text("".join(f"{key}={value}\n" for key, value in settings.items()), "utf-8")
        cluster_id = "AAAAAAAAAAAAAAAAAAAAAQ"
        format_command = _java("kafka.tools.StorageTool", "format", "-t", cluster_id, "-c")
        subprocess.run(
            [*format_command, str(file)], check=True, capture_output=True, timeout=TOOL_SECONDS_MAX
        )
        with open(self._folder / "output.log", "wb") as output:
            self._process = subprocess.Popen(
                _java("kafka.Kafka", str(file)), stdout=output, stderr=output, cwd=self._folder
            )
        try:
            self._wait_serving()
        except BaseException:
            self._kill()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._kill()

    def stop(self) -> None:
        """SIGTERM, and wait until everything is on disk."""
        assert self._process is not None
        self._process.terminate()
        self._process.wait(STOP_SECONDS_MAX)

    def _wait_serving(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline and self._process.poll() is None:
            with socket.socket() as probe:
                probe.settimeout(1)
                if probe.connect_ex(("127.0.0.1", self._ports[0])) == 0:
                    return
            time.sleep(0.1)
        raise AssertionError((self._folder / "output.log").read_text("utf-8", "replace"))

    def _kill(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait(STOP_SECONDS_MAX)
