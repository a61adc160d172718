"""A real Prometheus with the rules of deploy/prometheus, made faster for faults of a moment."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from ottla.local.ports import free_ports

RULES: Final = Path(__file__).parents[2] / "deploy" / "prometheus" / "alerts.yml"
SECONDS_MAX: Final = 60.0

_FASTER: Final = (
    # A disk fills up within seconds, a transaction hangs after two.
    ("free_bytes[1h], 4 * 3600)", "free_bytes[8s], 60)"),
    ("free_bytes[6h])", "free_bytes[60s])"),
    ("oldest_open_seconds) > 1800", "oldest_open_seconds) > 2"),
)


def alert_names() -> set[str]:
    return set(re.findall(r"alert: (\w+)", RULES.read_text("utf-8")))


def faster_rules() -> str:
    """The same rules, but for what no test can wait for: a fault has to last for a second only, and
    hours of a disk and of a transaction are seconds."""
    rules = re.sub(r"\bfor: \w+", "for: 1s", RULES.read_text("utf-8"))
    for real, faster in _FASTER:
        assert rules.count(real) == 1, f"the rules hold no {real!r}"
        rules = rules.replace(real, faster)
    return rules


def wait(what: str, is_so: Callable[[], bool], shown: Callable[[], object] = lambda: "") -> None:
    deadline = time.monotonic() + SECONDS_MAX
    while True:
        try:
            if is_so():
                return
        except OSError:
            pass  # Prometheus starts
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} {shown()}: not within {SECONDS_MAX} s")
        time.sleep(0.2)


class Prometheus:
    """A process of its own on a free port, its data in `folder`; it looks every second."""

    def __init__(self, folder: Path, targets: list[str]) -> None:
        self._folder = folder
        self._targets = targets
        self._process: subprocess.Popen[bytes] | None = None
        (self._port,) = free_ports(1)
        self.fired: set[str] = set()
        """Alerts that a test has waited for."""

    def __enter__(self) -> Prometheus:
        self._folder.mkdir()
        (self._folder / "alerts.yml").write_text(faster_rules(), "utf-8")
        config = {
            "global": {
                "scrape_interval": "1s",
                "scrape_timeout": "1s",
                "evaluation_interval": "1s",
            },
            "rule_files": ["alerts.yml"],
            "scrape_configs": [
                {"job_name": "ottla", "static_configs": [{"targets": self._targets}]}
            ],
        }
        file = self._folder / "prometheus.yml"
        file.write_text(json.dumps(config), "utf-8")  # YAML contains JSON
        self._process = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={file}",
                f"--storage.tsdb.path={self._folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{self._port}",
            ],
            stdout=subprocess.DEVNULL,
            stderr=(self._folder / "log").open("wb"),
        )
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The series of an instant query."""
        asked = urllib.parse.urlencode({"query": expression})
        url = f"http://127.0.0.1:{self._port}/api/v1/query?{asked}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            data = json.load(answer)["data"]
        result = data["result"]
        return [{"value": result}] if data["resultType"] == "scalar" else list(result)

    def firing(self) -> set[str]:
        found = self.query('ALERTS{alertstate="firing"}')
        return {series["metric"]["alertname"] for series in found}

    def wait_firing(self, *names: str) -> None:
        wait(f"{names} fire, not only", lambda: {*names} <= self.firing(), self.firing)
        self.fired |= {*names}

    @contextlib.contextmanager
    def fires(self, *names: str) -> Iterator[None]:
        """The fault is made inside: these alerts are silent before it, and fire after it."""
        wait(f"{names} are silent, not", lambda: not {*names} & self.firing(), self.firing)
        yield
        self.wait_firing(*names)
