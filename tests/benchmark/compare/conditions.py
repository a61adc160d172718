"""What a run was made with and on: versions, settings, commit, date, machine."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import confluent_kafka

from tests.benchmark.compare.kafka_system import HEAP, class_path

_ROOT = Path(__file__).parents[3]


def conditions(rounds: int, *, is_short: bool) -> dict[str, str]:
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": _commit(),
        "rounds": f"{rounds}{', short' if is_short else ''}",
        "load before": f"{os.getloadavg()[0]:.1f}",
        "machine": f"{_processor()}, {os.cpu_count()} cores, {_memory_gib()} GiB, "
        f"{platform.system()} {platform.release()}",
        "Apache Kafka": f"{_kafka_version()}, {_java_version()}, {' '.join(HEAP)}",
        "Python": platform.python_version(),
        "librdkafka": confluent_kafka.libversion()[0],
    }


def _commit() -> str:
    """Of the tree that is measured; `+` where it has changes."""

    def git(*arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=_ROOT, capture_output=True, text=True, check=False
        )
        return done.stdout.strip()

    commit = git("rev-parse", "--short", "HEAD")
    return f"{commit}+" if git("status", "--porcelain", "--untracked-files=no") else commit


def _processor() -> str:
    found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.M)
    return found[1] if found else platform.machine()


def _memory_gib() -> int:
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)


def _kafka_version() -> str:
    for jar in Path(class_path()).parent.glob("kafka_2.13-*.jar"):
        return jar.stem.removeprefix("kafka_2.13-")
    return "unknown"


def _java_version() -> str:
    done = subprocess.run(["java", "-version"], capture_output=True, text=True, check=False)
    found = re.search(r'"([\d.]+)"', done.stderr)
    return f"Java {found[1] if found else 'unknown'}"
