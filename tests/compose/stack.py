"""What docker-compose.yml starts, as a project of its own on free ports, and faults in it.

Only what a user has is used: the repository's own files, `docker` and `docker compose`. Every wait
has a bound, and an AssertionError names what did not come about.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

ROOT = Path(__file__).parents[2]
OTTLA = Path(sys.executable).with_name("ottla")
BROKERS: Final = ("broker-1", "broker-2", "broker-3")
CONTROLLERS: Final = ("controller-1", "controller-2", "controller-3")
START: Final = ("compose", "up", "-d", "--wait")
"""What README.md tells to type after `docker`."""
_POLL_SECONDS = 0.2
_READY = (
    "import sys, urllib.request, urllib.error\n"
    "try: urllib.request.urlopen('http://127.0.0.1:9404/health/ready', timeout=3)\n"
    "except (urllib.error.URLError, OSError) as error: sys.exit(str(error))"
)


class Stack:
    """One project of docker-compose.yml. `ports` are where the brokers are published."""

    def __init__(
        self, project: str, ports: tuple[int, ...], environment: Mapping[str, str]
    ) -> None:
        self.project = project
        self.ports = ports
        self.network = f"{project}_default"
        self.image = f"{project}:test"
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("OTTLA_")},
            **environment,
            "COMPOSE_PROJECT_NAME": project,
            "OTTLA_IMAGE": self.image,
            "OTTLA_PORT_1": str(ports[0]),
            "OTTLA_PORT_2": str(ports[1]),
            "OTTLA_PORT_3": str(ports[2]),
            "PROMETHEUS_PORT": str(ports[3]),
        }

    @property
    def outside(self) -> str:
        """Where a client on this machine begins."""
        return ",".join(f"localhost:{port}" for port in self.ports[:3])

    @property
    def inside(self) -> str:
        """Where a client in the network of the project begins."""
        return ",".join(f"{broker}:9092" for broker in BROKERS)

    def docker(self, *arguments: str, stdin: str = "", seconds_max: float = 60.0) -> str:
        """Standard output of a docker command that must succeed."""
        done = self.try_docker(*arguments, stdin=stdin, seconds_max=seconds_max)
        assert done.returncode == 0, f"docker {' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done.stdout

    def try_docker(
        self, *arguments: str, stdin: str = "", seconds_max: float = 60.0
    ) -> subprocess.CompletedProcess[str]:
        """A docker command whatever comes of it."""
        return subprocess.run(
            ["docker", *arguments],
            cwd=ROOT,
            env=self._environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=seconds_max,
            check=False,
        )

    def compose(self, *arguments: str, seconds_max: float = 120.0) -> str:
        return self.docker("compose", *arguments, seconds_max=seconds_max)

    def container(self, service: str) -> str:
        return f"{self.project}-{service}-1"

    def state(self, service: str) -> Any:
        """What the engine knows of a service's container."""
        return json.loads(self.docker("inspect", self.container(service)))[0]

    def prometheus(self, path: str) -> Any:
        """What Prometheus answers to `/api/v1/…`."""
        url = f"http://127.0.0.1:{self.ports[3]}/api/v1/{path}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return json.load(answer)["data"]

    def asked_of_prometheus(self, expression: str) -> float | None:
        """The one value of an expression; None: it has none yet."""
        asked = urllib.parse.urlencode({"query": expression})
        result = self.prometheus(f"query?{asked}")["result"]
        return float(result[0]["value"][1]) if result else None

    def neighbour(self, *arguments: str, stdin: str = "") -> str:
        """What `ottla …` prints in a container of its own beside the brokers."""
        return self.docker(*self._beside(), *arguments, stdin=stdin)

    def doctor_inside(self, bootstrap: str) -> list[str]:
        """What `ottla doctor` finds there."""
        done = self.try_docker(*self._beside(), "doctor", "--json", "--bootstrap", bootstrap)
        return _problems(done.stdout)

    def doctor_outside(self, bootstrap: str) -> list[str]:
        """What `ottla doctor` finds on this machine."""
        done = subprocess.run(
            [str(OTTLA), "doctor", "--json", "--bootstrap", bootstrap],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return _problems(done.stdout)

    def _beside(self) -> tuple[str, ...]:
        where = ("--network", self.network, "--entrypoint", "ottla")
        return ("run", "--rm", "-i", *where, self.image)

    def kill(self, service: str) -> None:
        self.docker("kill", "-s", "KILL", self.container(service))

    def start(self, service: str) -> None:
        self.docker("start", self.container(service))

    def stop(self, service: str) -> int:
        """SIGTERM, and wait: the exit code, 0 after a drain."""
        self.docker("stop", "--time", "60", self.container(service), seconds_max=90)
        return int(self.state(service)["State"]["ExitCode"])

    def disconnect(self, service: str) -> None:
        """Pull the plug: no connection of the container breaks, nothing comes through."""
        self.docker("network", "disconnect", self.network, self.container(service))

    def connect(self, service: str) -> None:
        """Plug it in again, under its name; the address may be another."""
        self.docker("network", "connect", "--alias", service, self.network, self.container(service))

    def unready(self, service: str) -> str | None:
        """Why a node does not call itself ready; None when it does."""
        done = self.try_docker("exec", self.container(service), "python", "-c", _READY)
        return None if done.returncode == 0 else done.stderr.strip() or "no answer"

    def wait_ready(self, *services: str, seconds_max: float = 60.0) -> None:
        """Until /health/ready of each says yes: a rolling restart may go on."""
        answers: dict[str, str | None] = {}

        def are_ready() -> bool:
            answers.update(zip(services, pool.map(self.unready, services), strict=True))
            return not any(answers.values())

        with ThreadPoolExecutor(len(services)) as pool:
            wait_until(lambda: f"ready: {answers}", are_ready, seconds_max)

    def logs(self, *services: str) -> str:
        return self.compose("logs", "--no-color", "--no-log-prefix", "--tail", "60", *services)


def _problems(output: str) -> list[str]:
    return [finding["problem"] for finding in json.loads(output)["findings"]]


def wait_until(
    what: str | Callable[[], str], condition: Callable[[], bool], seconds_max: float
) -> None:
    """Ask again and again until `condition` holds."""
    deadline = time.monotonic() + seconds_max
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(
                f"not within {seconds_max} s: {what if isinstance(what, str) else what()}"
            )
        time.sleep(_POLL_SECONDS)
