"""A Spring Boot application, its own tests, and a real cluster under them: clients/spring-boot.

The tests are the application's; one of them asks for the death of a broker, by HTTP. `make
conformance` and `make spring` have let Maven fetch what it needs before.
"""

from __future__ import annotations

import os
import re
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from xml.etree import ElementTree

import pytest

from ottla.core.errors import OttlaError
from ottla.testing import Cluster

pytestmark = pytest.mark.apache_kafka

APPLICATION = Path(__file__).parents[2] / "clients" / "spring-boot"
REPORTS = APPLICATION / "target" / "surefire-reports"
SUITES = {"BatchesTest", "BrokerFailureTest", "OrdersTest", "TransactionsTest", "WarehouseTest"}
SECONDS_MAX = 300
OUTPUT_CHARACTERS_MAX = 20_000


class Control(BaseHTTPRequestHandler):
    """`POST /brokers/ID/kill` (SIGKILL) and `/start`: 204 once it is done, else what was wrong."""

    cluster: Cluster
    done: list[str]

    def do_POST(self) -> None:
        asked = re.fullmatch(r"/brokers/(\d+)/(kill|start)", self.path)
        if asked is None:
            return self.send_error(404)
        action = self.cluster.kill if asked[2] == "kill" else self.cluster.start
        try:
            action(int(asked[1]))
        except OttlaError as error:
            return self.send_error(500, explain=str(error))
        self.done.append(asked[2])
        self.send_response(204)
        self.end_headers()
        return None

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing: pytest's output is for failures."""


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with Cluster(brokers=3) as cluster:
        yield cluster


@pytest.mark.needs("mvn", "javac")
def test_the_application_passes_its_tests_on_our_cluster(cluster: Cluster) -> None:
    done: list[str] = []
    handler = type("ControlOfCluster", (Control,), {"cluster": cluster, "done": done})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            output = run_maven(
                {
                    "SPRING_KAFKA_BOOTSTRAP_SERVERS": cluster.bootstrap,
                    "CLUSTER_CONTROL_URL": f"http://127.0.0.1:{server.server_port}",
                }
            )
        finally:
            server.shutdown()
    assert done == ["kill", "start"]
    suites = [ElementTree.parse(file).getroot() for file in REPORTS.glob("TEST-*.xml")]
    assert {suite.attrib["name"].rpartition(".")[2] for suite in suites} == SUITES, output
    for suite in suites:
        assert int(suite.attrib["tests"]) > 0, suite.attrib
        for kind in ("failures", "errors", "skipped"):
            assert int(suite.attrib[kind]) == 0, suite.attrib


def run_maven(environment: dict[str, str]) -> str:
    """`mvn test` without the network; what it printed. AssertionError when it fails."""
    for report in REPORTS.glob("*"):
        report.unlink()  # else those of an earlier run would count
    # One collector thread, no time spent on optimizing: the tests' machines are small.
    small = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"
    ran = subprocess.run(
        ["mvn", "-q", "-B", "-o", "test", f"-DargLine={small}"],
        cwd=APPLICATION,
        env={**os.environ, **environment, "MAVEN_OPTS": small},
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )
    output = ran.stdout + ran.stderr
    assert ran.returncode == 0, output[-OUTPUT_CHARACTERS_MAX:]
    return output
